/*
 * service: a small HTTP/1.1 service with a behaviour that is set from outside.
 *
 * It is the program of the demo image (its only process, so PID 1), and the peer of the
 * health probe in tests.  It has one poll(2) loop, and uses only those parts of libc that
 * can be linked statically (no resolver).
 *
 *   GET /healthz, /health, /api/health   the behaviour, see below
 *   GET /health/version  {"image_tag":…,"commit_sha":…,"build_time":…}
 *   GET /                hello, with the version
 *   POST /drain, /resume GET /drain
 *                        204; 200 {"active_jobs":N}, N from FILE.jobs, 0 without it.  Each is
 *                        added to FILE.asked, FILE being that of --control
 *   POST /worker/drain GET /worker/status
 *                        the same as of /drain
 *
 * An answer with a status keeps the connection of a client that sends
 * "Connection: keep-alive".  Every flag has an environment variable, the flag wins:
 *
 *   --port N          SERVICE_PORT        8080; 0 takes a free one
 *   --port-file FILE  SERVICE_PORT_FILE   the port is written there, whole or not at all
 *   --address A       SERVICE_ADDRESS     0.0.0.0; numeric, IPv4 or IPv6
 *   --behaviour B     SERVICE_BEHAVIOUR   healthy
 *   --control FILE    SERVICE_CONTROL     "BEHAVIOUR [VERSION]", read before each answer
 *   --version V       SERVICE_VERSION     unknown; also SERVICE_COMMIT,
 * SERVICE_BUILD_TIME
 *   --check [URL]                         ask, and exit 0 (200-399) or 1: for HEALTHCHECK
 *
 * Behaviours (MS is milliseconds since the start, or since the control file was
 * replaced; the ones marked * hold for every path, the others for health only):
 *
 *   healthy     200                         hang       reads, never answers
 *   never       503                         close    * closes what it accepts
 *   after=N     503, the N-th is 200        down     * the same: "nothing runs here"
 *   slow=MS     200 after MS                exit     * ends at once with 1
 *   redirect    302                         crash=MS * 200, ends with 1 at MS
 *   garbage     binary, no HTTP             delay=MS * does not listen before MS
 *   flood       header bytes without end    trickle    one byte in a second
 *   header=N    200 behind N header bytes   empty      ends the connection unanswered
 *   bytes       what FILE.bytes holds, FILE being that of --control; no more
 *
 * Under --control the process outlives its behaviours: exit, crash and delay
 * then close connections, as docker's proxy does for a service that is not there.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef SERVICE_VERSION_DEFAULT
#define SERVICE_VERSION_DEFAULT "unknown"
#endif
#ifndef SERVICE_BEHAVIOUR_DEFAULT
#define SERVICE_BEHAVIOUR_DEFAULT "healthy"
#endif
#ifndef SERVICE_COMMIT_DEFAULT
#define SERVICE_COMMIT_DEFAULT "unknown"
#endif
#ifndef SERVICE_BUILD_TIME_DEFAULT
#define SERVICE_BUILD_TIME_DEFAULT "unknown"
#endif

enum {
	CONNS = 128,         /* open at once; more wait in the backlog */
	IDLE_MS = 60 * 1000, /* a peer that does nothing for so long is dropped */
	CHECK_S = 2,         /* --check: each of connect, send, receive */
};

enum kind {
	HEALTHY,
	NEVER,
	AFTER,
	DELAY,
	SLOW,
	GARBAGE,
	FLOOD,
	TRICKLE,
	HANG,
	CLOSE,
	CRASH,
	EXIT,
	REDIRECT,
	HEADER,
	EMPTY,
	BYTES,
	KIND__MAX
};

static const struct {
	const char *word;
	enum kind kind;
	bool number;
} words[] = {
	{ "healthy", HEALTHY, false },
	{ "never", NEVER, false },
	{ "after", AFTER, true },
	{ "delay", DELAY, true },
	{ "slow", SLOW, true },
	{ "garbage", GARBAGE, false },
	{ "flood", FLOOD, false },
	{ "trickle", TRICKLE, false },
	{ "hang", HANG, false },
	{ "close", CLOSE, false },
	{ "down", CLOSE, false },
	{ "crash", CRASH, true },
	{ "exit", EXIT, false },
	{ "crashloop", EXIT, false },
	{ "redirect", REDIRECT, false },
	{ "header", HEADER, true },
	{ "empty", EMPTY, false },
	{ "bytes", BYTES, false },
};

struct behaviour {
	enum kind kind;
	long number;   /* N or MS, where the word has one */
	int64_t since; /* ms, monotonic: what MS counts from */
	long asked;    /* requests for /healthz since then */
};

struct conn {
	int fd; /* -1: free */
	bool answering;
	bool keeps;   /* the peer asked for it, and the answer says so */
	int status;   /* as answered; 0: nothing that is HTTP */
	int64_t next; /* not written to before */
	int64_t idle; /* closed then */
	long step;    /* ms between two bytes; 0: as fast as the peer reads */
	size_t nin;
	char in[2048];
	char out[512]; /* then `fill` filler bytes, then tail */
	size_t nout, sent;
	size_t fill;
	const char *tail;
};

struct service {
	struct behaviour behaviour;
	char version[128];
	char commit[128];
	char built[128];
	const char *control; /* NULL: the behaviour never changes */
	struct stat control_seen;
	int listener;
	struct conn conns[CONNS];
};

static struct service service;

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The kernel delivers no signal without a handler to PID 1. */
static void
on_signal(int sig)
{
	(void)sig;
	_exit(0);
}

static const char *
setting(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : otherwise;
}

/* Copies bytes that need no escape in JSON and HTML; others become '_'. */
static void
copy_plain(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i] != '\0'; i++)
		to[i] = isalnum((unsigned char)from[i]) ||
			strchr("._:+/@-", from[i]) != NULL
		    ? from[i]
		    : '_';
	to[i] = '\0';
}

static bool
parse_number(const char *s, long max, long *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtol(s, &end, 10);
	return errno == 0 && *end == '\0' && *out <= max;
}

static bool
parse_behaviour(const char *s, struct behaviour *b)
{
	size_t i, len = strcspn(s, "=");

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i].word) != len || strncmp(words[i].word, s, len) != 0)
			continue;
		if (words[i].number != (s[len] == '='))
			return false;
		b->number = 0;
		if (words[i].number && !parse_number(s + len + 1, INT_MAX, &b->number))
			return false;
		b->kind = words[i].kind;
		b->since = now_ms();
		b->asked = 0;
		return true;
	}
	return false;
}

/* The control file is replaced, never rewritten: a new inode is a new behaviour.
 * A file that is missing, cut or unknown changes nothing. */
static void
follow_control(void)
{
	char line[256], word[64], version[128] = "";
	struct stat st;
	ssize_t n;
	int fd;

	if (service.control == NULL)
		return;
	if ((fd = open(service.control, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	if (fstat(fd, &st) == 0 &&
	    (st.st_ino != service.control_seen.st_ino ||
		st.st_mtim.tv_sec != service.control_seen.st_mtim.tv_sec ||
		st.st_mtim.tv_nsec != service.control_seen.st_mtim.tv_nsec) &&
	    (n = read(fd, line, sizeof line - 1)) > 0) {
		line[n] = '\0';
		if (sscanf(line, "%63s %127s", word, version) >= 1 &&
		    parse_behaviour(word, &service.behaviour)) {
			service.control_seen = st;
			if (*version != '\0')
				copy_plain(service.version, sizeof service.version,
				    version);
		}
	}
	close(fd);
}

/* Does the service look as if it did not run now? */
static bool
absent(void)
{
	const struct behaviour *b = &service.behaviour;
	int64_t age = now_ms() - b->since;

	switch (b->kind) {
	case CLOSE:
		return true;
	case EXIT:
		return service.control != NULL;
	case CRASH:
		return service.control != NULL && age >= b->number;
	case DELAY:
		return service.control != NULL && age < b->number;
	default:
		return false;
	}
}

static void
drop(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
}

static void
put_answer(struct conn *c, int status, const char *reason, const char *more,
    const char *body)
{
	int n = snprintf(c->out, sizeof c->out,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: %s\r\n%s\r\n%s",
	    status, reason, *body == '{' ? "application/json" : "text/plain",
	    strlen(body), c->keeps ? "keep-alive" : "close", more, body);

	c->nout = n > 0 && (size_t)n < sizeof c->out ? (size_t)n : 0;
	c->status = status;
}

static void
put_bytes(struct conn *c, const char *bytes, size_t n)
{
	memcpy(c->out, bytes, n);
	c->nout = n;
}

/* For FLOOD and HEADER: a header line of `n` bytes, then `tail`. */
static void
put_header(struct conn *c, size_t n, const char *tail)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nX-Filler: ";

	put_bytes(c, head, sizeof head - 1);
	c->fill = n;
	c->tail = tail;
}

static void
put_file(struct conn *c)
{
	char path[PATH_MAX];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "%s.bytes",
	    service.control == NULL ? "" : service.control);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, c->out, sizeof c->out);
		close(fd);
	}
	c->nout = n > 0 ? (size_t)n : 0;
}

static void
answer_health(struct conn *c)
{
	static const char noise[] =
	    "\x00\xff\xfe\x1b[2J\x80\x81\r\n\x00\x07not http\r\n\r\n";
	static const char end[] = "\r\nContent-Length: 3\r\n\r\nok\n";
	struct behaviour *b = &service.behaviour;

	b->asked++;
	switch (b->kind) {
	case NEVER:
		put_answer(c, 503, "Service Unavailable", "", "not healthy\n");
		break;
	case AFTER:
		if (b->asked < b->number)
			put_answer(c, 503, "Service Unavailable", "", "not yet\n");
		else
			put_answer(c, 200, "OK", "", "ok\n");
		break;
	case REDIRECT:
		put_answer(c, 302, "Found", "Location: http://127.0.0.1:1/elsewhere\r\n",
		    "");
		break;
	case GARBAGE:
		put_bytes(c, noise, sizeof noise - 1);
		break;
	case FLOOD:
		put_header(c, SIZE_MAX, "");
		break;
	case HEADER:
		put_header(c, (size_t)b->number, end);
		break;
	case EMPTY:
		break;
	case BYTES:
		put_file(c);
		break;
	case HANG:
		c->next = INT64_MAX;
		break;
	case SLOW:
		c->next = now_ms() + b->number;
		put_answer(c, 200, "OK", "", "ok\n");
		break;
	case TRICKLE:
		c->step = 1000;
		put_answer(c, 200, "OK", "", "ok\n");
		break;
	default:
		put_answer(c, 200, "OK", "", "ok\n");
	}
	printf("healthz %ld: %d\n", b->asked, c->status);
}

static bool
path_is(const struct conn *c, const char *path)
{
	const char *p = strchr(c->in, ' ');
	size_t len = strlen(path);

	return p != NULL && strncmp(p + 1, path, len) == 0 &&
	    (p[1 + len] == ' ' || p[1 + len] == '?');
}

static bool
path_is_health(const struct conn *c)
{
	return path_is(c, "/healthz") || path_is(c, "/health") ||
	    path_is(c, "/api/health");
}

/* Adds a line to FILE.asked. */
static void
note_asked(const char *what)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof path, "%s.asked", service.control);
	if (service.control == NULL || (f = fopen(path, "a")) == NULL)
		return;
	fprintf(f, "%s\n", what);
	fclose(f);
}

static long
active_jobs(void)
{
	char path[PATH_MAX];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s.jobs",
	    service.control == NULL ? "" : service.control);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fscanf(f, "%ld", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* False: it is another request. */
static bool
answer_drain(struct conn *c)
{
	bool post = strncmp(c->in, "POST ", 5) == 0;
	bool drain = path_is(c, "/drain") ||
	    path_is(c, post ? "/worker/drain" : "/worker/status");
	char body[64];

	if (post && (drain || path_is(c, "/resume"))) {
		note_asked(drain ? "drain" : "resume");
		put_answer(c, 204, "No Content", "", "");
	} else if (!post && drain) {
		note_asked("idle?");
		snprintf(body, sizeof body, "{\"active_jobs\":%ld}\n", active_jobs());
		put_answer(c, 200, "OK", "", body);
	} else {
		return false;
	}
	return true;
}

static void
answer(struct conn *c)
{
	char body[448];

	c->answering = true;
	if (answer_drain(c)) {
		/* it is answered */
	} else if (strncmp(c->in, "GET ", 4) != 0 && strncmp(c->in, "HEAD ", 5) != 0) {
		put_answer(c, 405, "Method Not Allowed", "Allow: GET, HEAD\r\n", "");
	} else if (path_is_health(c)) {
		answer_health(c);
	} else if (path_is(c, "/health/version")) {
		snprintf(body, sizeof body,
		    "{\"image_tag\":\"%.90s\",\"commit_sha\":\"%.90s\",\"build_time\":\"%"
		    ".40s\"}\n",
		    service.version, service.commit, service.built);
		put_answer(c, 200, "OK", "", body);
	} else if (path_is(c, "/")) {
		snprintf(body, sizeof body, "hello from %s\n", service.version);
		put_answer(c, 200, "OK", "", body);
	} else {
		put_answer(c, 404, "Not Found", "", "not found\n");
	}
	/* the answer to a HEAD ends with the blank line */
	if (strncmp(c->in, "HEAD ", 5) == 0 && c->fill == 0 && c->nout > 4) {
		char *blank = memmem(c->out, c->nout, "\r\n\r\n", 4);

		if (blank != NULL)
			c->nout = (size_t)(blank - c->out) + 4;
	}
}

static void
on_readable(struct conn *c)
{
	char rest[1024];
	ssize_t n;

	if (c->answering) {
		/* more bytes of the peer are read, so that close(2) sends no reset */
		if (recv(c->fd, rest, sizeof rest, 0) == 0 && c->next == INT64_MAX)
			drop(c);
		return;
	}
	n = recv(c->fd, c->in + c->nin, sizeof c->in - 1 - c->nin, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->nin += (size_t)n;
	c->in[c->nin] = '\0';
	if (strstr(c->in, "\r\n\r\n") != NULL || strstr(c->in, "\n\n") != NULL) {
		follow_control();
		c->keeps = strcasestr(c->in, "\r\nConnection: keep-alive\r\n") != NULL;
		if (absent())
			drop(c);
		else
			answer(c);
	} else if (c->nin == sizeof c->in - 1) {
		drop(c);
	}
}

/* close(2) with unread bytes, or with a half-sent answer, would reset the connection. */
static void
finish(struct conn *c)
{
	int fd = c->fd;

	if (c->keeps && c->status != 0) {
		memset(c, 0, sizeof *c);
		c->fd = fd;
		c->idle = now_ms() + IDLE_MS;
		return;
	}
	shutdown(c->fd, SHUT_WR);
	drop(c);
}

/* Takes the next part: the filler, then the tail.  False: all is written. */
static bool
refill(struct conn *c)
{
	if (c->sent < c->nout)
		return true;
	c->sent = 0;
	c->nout = 0;
	if (c->fill > 0) {
		c->nout = c->fill < sizeof c->out ? c->fill : sizeof c->out;
		memset(c->out, 'a', c->nout);
		if (c->fill != SIZE_MAX)
			c->fill -= c->nout;
	} else if (c->tail != NULL) {
		c->nout = strlen(c->tail);
		memcpy(c->out, c->tail, c->nout);
		c->tail = NULL;
	}
	return c->nout > 0;
}

static void
on_writable(struct conn *c)
{
	size_t want;
	ssize_t n;

	if (!refill(c)) {
		finish(c);
		return;
	}
	want = c->step > 0 ? 1 : c->nout - c->sent;
	n = send(c->fd, c->out + c->sent, want, 0);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		drop(c);
		return;
	}
	if (n > 0) {
		c->sent += (size_t)n;
		c->idle = now_ms() + IDLE_MS;
	}
	if (c->step > 0)
		c->next = now_ms() + c->step;
	else if (!refill(c))
		finish(c);
}

static void
on_connection(void)
{
	struct conn *c;
	int fd = accept4(service.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1)
		return;
	follow_control();
	if (absent()) {
		close(fd);
		return;
	}
	for (c = service.conns; c < service.conns + CONNS; c++) {
		if (c->fd != -1)
			continue;
		memset(c, 0, sizeof *c);
		c->fd = fd;
		c->idle = now_ms() + IDLE_MS;
		return;
	}
	close(fd);
}

static int
wait_ms(int64_t until)
{
	int64_t left = until - now_ms();

	return left <= 0 ? 0 : left > IDLE_MS ? IDLE_MS : (int)left;
}

/* One round of the loop: waits for events and for what is due. */
static void
turn(void)
{
	struct pollfd fds[CONNS + 1];
	int64_t due = INT64_MAX, now = now_ms();
	struct behaviour *b = &service.behaviour;
	size_t i;

	fds[0] = (struct pollfd){ .fd = service.listener, .events = POLLIN };
	if (b->kind == CRASH && service.control == NULL)
		due = b->since + b->number;
	for (i = 0; i < CONNS; i++) {
		struct conn *c = &service.conns[i];

		fds[i + 1] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		if (c->fd == -1)
			continue;
		if (c->answering && c->next <= now)
			fds[i + 1].events |= POLLOUT;
		else if (c->answering && c->next < due)
			due = c->next;
		if (c->idle < due)
			due = c->idle;
	}
	fflush(stdout);
	if (poll(fds, CONNS + 1, due == INT64_MAX ? -1 : wait_ms(due)) == -1 &&
	    errno != EINTR)
		err(1, "poll");
	if (b->kind == CRASH && service.control == NULL &&
	    now_ms() >= b->since + b->number)
		errx(1, "crashed as told, %ld ms after the start", b->number);
	for (i = 0; i < CONNS; i++) {
		struct conn *c = &service.conns[i];

		if (c->fd == -1)
			continue;
		if (fds[i + 1].revents & POLLERR || now_ms() >= c->idle)
			drop(c);
		else if (fds[i + 1].revents & (POLLIN | POLLHUP))
			on_readable(c);
		if (c->fd != -1 && fds[i + 1].revents & POLLOUT)
			on_writable(c);
	}
	if (fds[0].revents & POLLIN)
		on_connection();
}

/* Binds the port; until listen(2) it refuses connections, as a container does. */
static in_port_t
bind_listener(const char *address, in_port_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	struct sockaddr *sa = is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = is4 ? sizeof v4 : sizeof v6;
	int on = 1;

	if (!is4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		errx(2, "not a numeric address: %s", address);
	service.listener = socket(is4 ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (service.listener == -1)
		err(1, "socket");
	setsockopt(service.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(service.listener, sa, len) == -1 ||
	    getsockname(service.listener, sa, &len) == -1)
		err(1, "bind %s port %d", address, port);
	return ntohs(is4 ? v4.sin_port : v6.sin6_port);
}

static void
write_port(const char *path, in_port_t port)
{
	char temp[PATH_MAX];
	FILE *f;

	if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
		errx(2, "name too long: %s", path);
	if ((f = fopen(temp, "w")) == NULL)
		err(1, "%s", temp);
	fprintf(f, "%d\n", port);
	if (fclose(f) != 0 || rename(temp, path) == -1)
		err(1, "%s", path);
}

static void
sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

/* http://A.B.C.D[:PORT][/PATH]; localhost is 127.0.0.1, there is no resolver. */
static int
check(const char *url, in_port_t port)
{
	struct timeval limit = { .tv_sec = CHECK_S };
	struct sockaddr_in to = { .sin_family = AF_INET };
	char host[64] = "127.0.0.1", path[256] = "/healthz", text[512];
	int fd, n, given = port;

	if (url != NULL) {
		given = 80;
		if (sscanf(url, "http://%63[^:/]:%d%255s", host, &given, path) < 2 &&
		    sscanf(url, "http://%63[^:/]%255s", host, path) < 1)
			errx(1, "not a URL for --check: %s", url);
	}
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	to.sin_port = htons((in_port_t)given);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		errx(1, "not a numeric address: %s", host);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	n = snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == -1)
		err(1, "connect");
	if (send(fd, text, (size_t)n, 0) != n)
		err(1, "send");
	memset(text, 0, sizeof text);
	if (recv(fd, text, 12, MSG_WAITALL) != 12)
		errx(1, "no answer");
	close(fd);
	if (strncmp(text, "HTTP/1.", 7) != 0 || (text[9] != '2' && text[9] != '3'))
		errx(1, "unhealthy: %.12s", text);
	return 0;
}

static in_port_t
port_of(const char *s)
{
	long n;

	if (!parse_number(s, 65535, &n))
		errx(2, "not a port: %s", s);
	return (in_port_t)n;
}

static void
serve(const char *address, in_port_t port, const char *port_file)
{
	struct behaviour *b = &service.behaviour;
	size_t i;

	for (i = 0; i < CONNS; i++)
		service.conns[i].fd = -1;
	follow_control();
	if (b->kind == EXIT && service.control == NULL)
		errx(1, "ended as told, version %s", service.version);
	port = bind_listener(address, port);
	if (port_file != NULL)
		write_port(port_file, port);
	if (b->kind == DELAY && service.control == NULL)
		sleep_ms(b->number);
	if (listen(service.listener, CONNS) == -1)
		err(1, "listen");
	printf("version %s listens on %s port %d\n", service.version, address, port);
	for (;;)
		turn();
}

int
main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "port-file", required_argument, NULL, 'f' },
		{ "address", required_argument, NULL, 'a' },
		{ "behaviour", required_argument, NULL, 'b' },
		{ "control", required_argument, NULL, 'c' },
		{ "version", required_argument, NULL, 'v' },
		{ "check", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	const char *port = setting("SERVICE_PORT", "8080");
	const char *port_file = setting("SERVICE_PORT_FILE", NULL);
	const char *address = setting("SERVICE_ADDRESS", "0.0.0.0");
	const char *behaviour = setting("SERVICE_BEHAVIOUR", SERVICE_BEHAVIOUR_DEFAULT);
	const char *version = setting("SERVICE_VERSION", SERVICE_VERSION_DEFAULT);
	struct sigaction end = { .sa_handler = on_signal };
	bool checking = false;
	int ch;

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	service.control = setting("SERVICE_CONTROL", NULL);
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'p':
			port = optarg;
			break;
		case 'f':
			port_file = optarg;
			break;
		case 'a':
			address = optarg;
			break;
		case 'b':
			behaviour = optarg;
			break;
		case 'c':
			service.control = optarg;
			break;
		case 'v':
			version = optarg;
			break;
		case 'k':
			checking = true;
			break;
		default:
			return 2;
		}
	}
	if (checking)
		return check(argc > optind ? argv[optind] : NULL, port_of(port));
	if (argc > optind)
		errx(2, "not understood: %s", argv[optind]);
	if (!parse_behaviour(behaviour, &service.behaviour))
		errx(2, "no such behaviour: %s", behaviour);
	copy_plain(service.version, sizeof service.version, version);
	copy_plain(service.commit, sizeof service.commit,
	    setting("SERVICE_COMMIT", SERVICE_COMMIT_DEFAULT));
	copy_plain(service.built, sizeof service.built,
	    setting("SERVICE_BUILD_TIME", SERVICE_BUILD_TIME_DEFAULT));
	serve(address, port_of(port), port_file);
	return 0;
}
