/*
 * The peer is whatever listens there, so every path below MUST:
 *	- end by the deadline: no call blocks but poll(2);
 *	- take no more than HTTP_HEAD_MAX + HTTP_BODY_KEPT bytes;
 *	- close the descriptor;
 *	- show none of the peer's bytes unescaped in `why`.
 */
#include "health/http.h"

#include "health/answer.h"
#include "sys/deadline.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESSES_MAX 16
#define BODY_WAIT_MS 100

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct addresses {
	size_t n;
	struct address at[ADDRESSES_MAX];
};

/* One connection and what came over it. */
struct talk {
	int fd; /* -1 while not connected */
	int64_t deadline;
	int64_t allowed; /* ms from the start to it, for words */
	struct head head;
};

/* What says nothing about the peer: connect(2), recv(2), socket(2). */
static bool
ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* 0 or an errno; ETIMEDOUT where `until` has passed and nothing is there. */
static int
await(int fd, short events, int64_t until)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, deadline_poll(until, INT32_MAX));
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return errno;
	return n == 0 ? ETIMEDOUT : 0;
}

static int
resolve(struct addresses *all, const char *host, const char *port, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list, *ai;
	struct address *to;
	int rc;

	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0)
		return rc;
	for (ai = list; ai != NULL && all->n < ADDRESSES_MAX; ai = ai->ai_next) {
		to = &all->at[all->n++];
		memcpy(&to->sa, ai->ai_addr, ai->ai_addrlen);
		to->len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
	return 0;
}

/* No resolver for what needs none: it may hang, and lie about localhost. */
static int
lookup(struct addresses *all, const struct url *u)
{
	int rc;

	all->n = 0;
	if (strcasecmp(u->host, "localhost") == 0) {
		rc = resolve(all, "127.0.0.1", u->port, AI_NUMERICHOST);
		if (rc == 0)
			rc = resolve(all, "::1", u->port, AI_NUMERICHOST);
		return all->n > 0 ? 0 : rc;
	}
	rc = resolve(all, u->host, u->port, AI_NUMERICHOST);
	if (rc == EAI_NONAME)
		rc = resolve(all, u->host, u->port, 0);
	return rc;
}

static enum next
find(struct talk *t, const struct url *u, struct addresses *all, struct http_answer *a)
{
	int rc = lookup(all, u);

	if (rc == EAI_SYSTEM)
		return answer_say(a, HTTP_ERROR, "name lookup failed: %s",
		    strerror(errno));
	if (rc == EAI_MEMORY)
		return answer_say(a, HTTP_ERROR, "name lookup failed: no memory");
	if (rc != 0 || all->n == 0)
		return answer_say(a, HTTP_NONAME, "the host name has no address: %s",
		    rc == 0 ? "none given" : gai_strerror(rc));
	if (deadline_left(t->deadline) == 0)
		return answer_say(a, HTTP_TIMEOUT, "no address within %jd ms",
		    (intmax_t)t->allowed);
	return NEXT_MORE;
}

/*
 * TCP joins a socket to itself where the kernel picks the port that is asked
 * for (RFC 9293 3.5, simultaneous open): nobody listens, and a socket like
 * that keeps the service from binding it.
 */
static bool
itself(int fd)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct address here = { .len = sizeof(here.sa) };
	struct address there = { .len = sizeof(there.sa) };

	if (getsockname(fd, (struct sockaddr *)&here.sa, &here.len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&there.sa, &there.len) < 0)
		return false;
	if (here.len != there.len || memcmp(&here.sa, &there.sa, here.len) != 0)
		return false;
	/* close(2) with a reset leaves no TIME-WAIT on the port */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return true;
}

/* 0 or an errno.  connect(2), EINPROGRESS: SO_ERROR says how it ended. */
static int
join(int fd, const struct address *to, int64_t until)
{
	socklen_t len = sizeof(int);
	int error;

	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) < 0) {
		if (errno != EINPROGRESS && errno != EINTR)
			return errno;
		error = await(fd, POLLOUT, until);
		if (error != 0)
			return error;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			return errno;
		if (error != 0)
			return error;
	}
	return itself(fd) ? ECONNREFUSED : 0;
}

static int
dial(struct talk *t, const struct address *to, int64_t until)
{
	int fd, error;

	fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	error = join(fd, to, until);
	if (error == 0)
		t->fd = fd;
	else
		close(fd);
	return error;
}

static enum next
unreached(struct talk *t, int error, struct http_answer *a)
{
	if (ours(error))
		return answer_say(a, HTTP_ERROR, "cannot connect: %s", strerror(error));
	if (error == ETIMEDOUT)
		return answer_say(a, HTTP_TIMEOUT, "no connection within %jd ms",
		    (intmax_t)t->allowed);
	if (error == ECONNREFUSED)
		return answer_say(a, HTTP_REFUSED, "connection refused");
	return answer_say(a, HTTP_REFUSED, "cannot connect: %s", strerror(error));
}

/* Each address has an equal share of the time that is left when it is due. */
static enum next
reach(struct talk *t, const struct addresses *all, struct http_answer *a)
{
	int64_t share;
	int error, said = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		share = deadline_left(t->deadline) / (int64_t)(all->n - i);
		error = dial(t, &all->at[i], deadline_in(share));
		if (error == 0)
			return NEXT_MORE;
		/* a refusal tells more than an IPv6 that is not set up */
		if (said != ECONNREFUSED || ours(error))
			said = error;
		if (ours(error))
			break;
	}
	return unreached(t, said, a);
}

/* How an exchange ended without an answer; 0 is the end of the stream. */
static enum next
broke(const struct talk *t, int error, struct http_answer *a)
{
	if (ours(error))
		return answer_say(a, HTTP_ERROR, "cannot ask: %s", strerror(error));
	if (error == ETIMEDOUT)
		return answer_say(a, HTTP_TIMEOUT, "no %sanswer within %jd ms",
		    t->head.len > 0 ? "whole " : "", (intmax_t)t->allowed);
	if (t->head.len > 0)
		return answer_say(a, HTTP_CLOSED, "closed before the end of its headers");
	if (error == 0 || error == ECONNRESET)
		return answer_say(a, HTTP_CLOSED, "closed without an answer");
	return answer_say(a, HTTP_CLOSED, "closed without an answer: %s",
	    strerror(error));
}

static enum next
ask(struct talk *t, const struct url *u, struct http_answer *a)
{
	char request[URL_PATH_MAX + URL_HOST_MAX + 256];
	size_t len, done = 0;
	ssize_t n;
	int error;

	len = (size_t)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\n"
	    "Host: %s\r\nUser-Agent: twilight-deploy\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n",
	    u->path, u->authority);
	while (done < len) {
		n = send(t->fd, request + done, len - done, MSG_NOSIGNAL);
		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		/* a peer that is gone may have answered: recv(2) will tell */
		if (errno != EAGAIN && errno != EINTR)
			return NEXT_MORE;
		error = await(t->fd, POLLOUT, t->deadline);
		if (error != 0)
			return broke(t, error, a);
	}
	return NEXT_MORE;
}

/* recv(2) once there is something, or an error of await(). */
static ssize_t
take(int fd, char *dst, size_t room, int64_t until)
{
	ssize_t n;

	do {
		errno = await(fd, POLLIN, until);
		if (errno != 0)
			return -1;
		n = recv(fd, dst, room, 0);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n;
}

static enum next
hear(struct talk *t, struct http_answer *a)
{
	enum next next = NEXT_MORE;
	ssize_t n;

	while (next == NEXT_MORE) {
		if (t->head.len == sizeof(t->head.buf))
			return answer_say(a, HTTP_GARBAGE,
			    "its headers are longer than "
			    "%d bytes",
			    HTTP_HEAD_MAX);
		n = take(t->fd, t->head.buf + t->head.len,
		    sizeof(t->head.buf) - t->head.len, t->deadline);
		if (n <= 0)
			return broke(t, n < 0 ? errno : 0, a);
		t->head.len += (size_t)n;
		next = answer_scan(&t->head, a);
	}
	return next;
}

static void
keep_body(struct talk *t, struct http_answer *a)
{
	int64_t until = deadline_in(BODY_WAIT_MS);
	size_t came = t->head.len - t->head.at;
	ssize_t n;

	if (until > t->deadline)
		until = t->deadline;
	a->body_len = came < sizeof(a->body) ? came : sizeof(a->body);
	memcpy(a->body, t->head.buf + t->head.at, a->body_len);
	while (a->body_len < t->head.body) {
		n = take(t->fd, a->body + a->body_len, t->head.body - a->body_len, until);
		if (n <= 0)
			return;
		a->body_len += (size_t)n;
	}
}

void
http_get(const struct url *u, int64_t deadline, struct http_answer *a)
{
	struct talk t = { .fd = -1, .deadline = deadline };
	struct addresses all;

	memset(a, 0, sizeof(*a));
	/* the few ms since the caller counted are no part of the words */
	t.allowed = (deadline_left(deadline) + 9) / 10 * 10;
	if (find(&t, u, &all, a) == NEXT_MORE && reach(&t, &all, a) == NEXT_MORE &&
	    ask(&t, u, a) == NEXT_MORE && hear(&t, a) == NEXT_BODY) {
		a->status = t.head.status;
		answer_say(a, HTTP_ANSWER, "answered %d", t.head.status);
		keep_body(&t, a);
	}
	if (t.fd >= 0)
		close(t.fd);
}
