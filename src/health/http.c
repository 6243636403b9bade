/*
 * The peer is whatever listens there, so every path below MUST:
 *	- end by the deadline: no call blocks but poll(2);
 *	- take no more bytes than its bound;
 *	- close the descriptor, or keep it in struct http;
 *	- show none of the peer's bytes unescaped in `why`.
 */
#include "health/http.h"

#include "health/dial.h"
#include "sys/deadline.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define BODY_WAIT_MS 100
#define REQUEST_MAX 4096

/* Sets how an exchange ended without an answer; `error` 0: the peer closed it. */
static enum next
broke(const struct http *h, int error, struct http_answer *a)
{
	if (dial_is_ours(error))
		return answer_say(a, HTTP_ERROR, "cannot ask: %s", strerror(error));
	if (error == ETIMEDOUT)
		return answer_say(a, HTTP_TIMEOUT, "no %sanswer within %lld ms",
		    h->head.len > 0 ? "whole " : "", (long long)h->allowed);
	if (h->head.len > 0)
		return answer_say(a, HTTP_CLOSED, "closed before the end of its %s",
		    a->status == 0 ? "headers" : "body");
	if (error == 0 || error == ECONNRESET)
		return answer_say(a, HTTP_CLOSED, "closed without an answer");
	return answer_say(a, HTTP_CLOSED, "closed without an answer: %s",
	    strerror(error));
}

static enum next
send_request(struct http *h, const char *method, const char *host, const char *target,
    bool keep, struct http_answer *a)
{
	char request[REQUEST_MAX];
	size_t len, done = 0;
	ssize_t n;
	int error;

	len = (size_t)snprintf(request, sizeof(request),
	    "%s %s HTTP/1.1\r\n"
	    "Host: %s\r\nUser-Agent: twilight-deploy\r\nAccept: */*\r\n"
	    "%sConnection: %s\r\n\r\n",
	    method, target, host,
	    strcmp(method, "GET") == 0 ? "" : "Content-Length: 0\r\n",
	    keep ? "keep-alive" : "close");
	if (len >= sizeof(request))
		return answer_say(a, HTTP_ERROR, "the request is too long");
	while (done < len) {
		n = send(h->fd, request + done, len - done, MSG_NOSIGNAL);
		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		/* the peer may have answered before it closed: recv(2) finds out */
		if (errno != EAGAIN && errno != EINTR)
			return NEXT_MORE;
		error = dial_await(h->fd, POLLOUT, h->deadline);
		if (error != 0)
			return broke(h, error, a);
	}
	return NEXT_MORE;
}

/* Waits for data, then recv(2); -1 with errno, also that of dial_await(). */
static ssize_t
receive(int fd, char *dst, size_t room, int64_t until)
{
	ssize_t n;

	do {
		errno = dial_await(fd, POLLIN, until);
		if (errno != 0)
			return -1;
		n = recv(fd, dst, room, 0);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n;
}

static enum next
read_head(struct http *h, struct http_answer *a)
{
	enum next next = NEXT_MORE;
	ssize_t n;

	while (next == NEXT_MORE) {
		if (h->head.len == sizeof(h->head.buf))
			return answer_say(a, HTTP_GARBAGE,
			    "its headers are longer than "
			    "%d bytes",
			    HTTP_HEAD_MAX);
		n = receive(h->fd, h->head.buf + h->head.len,
		    sizeof(h->head.buf) - h->head.len, h->deadline);
		if (n <= 0)
			return broke(h, n < 0 ? errno : 0, a);
		h->head.len += (size_t)n;
		next = answer_scan(&h->head, a);
	}
	if (next == NEXT_BODY) {
		a->status = h->head.status;
		answer_say(a, HTTP_ANSWER, "answered %d", a->status);
	}
	return next;
}

static void
begin_exchange(struct http *h, int64_t deadline, struct http_answer *a)
{
	memset(a, 0, sizeof(*a));
	memset(&h->head, 0, offsetof(struct head, buf));
	h->deadline = deadline;
	/* for messages: without the few ms since the caller computed the deadline */
	h->allowed = (deadline_left(deadline) + 9) / 10 * 10;
}

/* The bytes of the body that came with the head, their framing removed. */
static size_t
body_begun(struct http *h, char **data)
{
	*data = h->head.buf + h->head.at;
	return body_decode(&h->head.body, *data, h->head.len - h->head.at);
}

/* ---- a probe: one answer, and some of its body as evidence ---- */

static void
keep_body(struct http *h, struct http_answer *a)
{
	int64_t until = deadline_in(BODY_WAIT_MS);
	char *data;
	size_t n = body_begun(h, &data);
	ssize_t came;

	if (until > h->deadline)
		until = h->deadline;
	a->body_len = n < sizeof(a->body) ? n : sizeof(a->body);
	memcpy(a->body, data, a->body_len);
	while (!h->head.body.done && !h->head.body.bad && a->body_len < sizeof(a->body)) {
		data = a->body + a->body_len;
		came = receive(h->fd, data, sizeof(a->body) - a->body_len, until);
		if (came <= 0)
			return;
		a->body_len += body_decode(&h->head.body, data, (size_t)came);
	}
}

void
http_get(const struct url *u, int64_t deadline, struct http_answer *a)
{
	struct http h;

	http_init(&h, NULL);
	begin_exchange(&h, deadline, a);
	h.fd = dial_url(u, deadline, h.allowed, a);
	if (h.fd == -1)
		return;
	if (send_request(&h, "GET", u->authority, u->path, false, a) == NEXT_MORE &&
	    read_head(&h, a) == NEXT_BODY)
		keep_body(&h, a);
	http_close(&h);
}

/* ---- a connection that is kept ---- */

void
http_init(struct http *h, const char *path)
{
	h->path = path;
	h->fd = -1;
	h->used = false;
}

void
http_close(struct http *h)
{
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
	h->used = false;
}

static enum next
ask_once(struct http *h, const char *target, int64_t deadline, struct http_answer *a)
{
	begin_exchange(h, deadline, a);
	if (h->fd == -1)
		h->fd = dial_unix(h->path, deadline, h->allowed, a);
	if (h->fd == -1 || send_request(h, "GET", "docker", target, true, a) != NEXT_MORE)
		return NEXT_END;
	return read_head(h, a);
}

/*
 * RFC 9112 9.3.1: the peer may close an idle connection at any time; a request
 * that met this is repeated once over a new one.
 */
static enum next
ask(struct http *h, const char *target, int64_t deadline, struct http_answer *a)
{
	bool used = h->used;
	enum next next = ask_once(h, target, deadline, a);

	if (next == NEXT_END && used && a->end == HTTP_CLOSED && h->head.len == 0) {
		http_close(h);
		next = ask_once(h, target, deadline, a);
	}
	if (next == NEXT_END)
		http_close(h);
	return next;
}

/* Makes room for one more read; false: more than `max` bytes, or out of memory. */
static bool
grow(char **buf, size_t *size, size_t len, size_t max, struct http_answer *a)
{
	/* the first buffer has room for what came with the head */
	size_t want = *size == 0 ? 2 * HTTP_HEAD_MAX : *size * 2;
	char *grown;

	if (len > max) {
		answer_say(a, HTTP_GARBAGE, "its body is longer than %zu bytes", max);
		return false;
	}
	if (len + 1 < *size)
		return true;
	grown = realloc(*buf, want);
	if (grown == NULL) {
		answer_say(a, HTTP_ERROR, "out of memory");
		return false;
	}
	*buf = grown;
	*size = want;
	return true;
}

/* Reads the body into *buf; true: all of it. */
static bool
read_body(struct http *h, size_t max, struct http_answer *a, char **buf, size_t *len)
{
	struct body *b = &h->head.body;
	size_t size = 0;
	ssize_t n;
	char *data;
	size_t begun = body_begun(h, &data);

	while (grow(buf, &size, *len > begun ? *len : begun, max, a)) {
		if (*len == 0 && begun > 0) {
			memcpy(*buf, data, begun);
			*len = begun;
			continue;
		}
		(*buf)[*len] = '\0';
		if (b->done)
			return true;
		if (b->bad) {
			answer_say(a, HTTP_GARBAGE, "the chunks of its body are wrong");
			return false;
		}
		n = receive(h->fd, *buf + *len, size - *len - 1, h->deadline);
		if (n == 0 && b->framing == BODY_TO_CLOSE)
			return true;
		if (n <= 0) {
			broke(h, n < 0 ? errno : 0, a);
			return false;
		}
		*len += body_decode(b, *buf + *len, (size_t)n);
	}
	return false;
}

/* The body of an answer whose head came; none where not all of it does. */
static bool
take_body(struct http *h, size_t max, struct http_answer *a, char **body, size_t *len)
{
	if (read_body(h, max, a, body, len))
		return true;
	free(*body);
	*body = NULL;
	*len = 0;
	return false;
}

void
http_ask(const char *method, const struct url *u, int64_t deadline, size_t max,
    struct http_answer *a, char **body, size_t *len)
{
	struct http h;

	*body = NULL;
	*len = 0;
	http_init(&h, NULL);
	begin_exchange(&h, deadline, a);
	h.fd = dial_url(u, deadline, h.allowed, a);
	if (h.fd == -1)
		return;
	if (send_request(&h, method, u->authority, u->path, false, a) == NEXT_MORE &&
	    read_head(&h, a) == NEXT_BODY)
		(void)take_body(&h, max, a, body, len);
	http_close(&h);
}

void
http_fetch(struct http *h, const char *target, int64_t deadline, size_t max,
    struct http_answer *a, char **body, size_t *len)
{
	bool whole = false;

	*body = NULL;
	*len = 0;
	if (ask(h, target, deadline, a) == NEXT_BODY)
		whole = take_body(h, max, a, body, len);
	h->used = whole && !h->head.closes && h->head.body.done;
	if (!h->used)
		http_close(h);
}

void
http_stream(struct http *h, const char *target, int64_t deadline, struct http_answer *a)
{
	http_close(h);
	if (ask(h, target, deadline, a) != NEXT_BODY)
		http_close(h);
}

ssize_t
http_stream_read(struct http *h, char *buf, size_t size)
{
	size_t came = h->head.len - h->head.at;
	ssize_t n;

	if (h->head.body.done || h->head.body.bad)
		return -1;
	if (came > 0) {
		if (came > size)
			came = size;
		memcpy(buf, h->head.buf + h->head.at, came);
		h->head.at += came;
		return (ssize_t)body_decode(&h->head.body, buf, came);
	}
	n = recv(h->fd, buf, size, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n <= 0 ? -1 : (ssize_t)body_decode(&h->head.body, buf, (size_t)n);
}
