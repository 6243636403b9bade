#include "health/http.h"
#include "liar.h"
#include "sys/deadline.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

Suite	*http_suite(void);

#define BYTES(s) .text = s, .len = sizeof(s) - 1
#define OK "HTTP/1.1 200 OK\r\n"
#define SOON 200	/* ms, where nothing is to come */
#define EVER 20000	/* ms, never reached but by a bug */

struct row {
	const char		*name;
	struct liar_script	script;
	enum http_end		end;
	int			status;
	const char		*why;	/* a part of it; NULL: "answered N" */
	int64_t			ms;	/* 0: EVER */
};

static const struct row core[] = {
	{ "1.1", { BYTES(OK "\r\n") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "1.0", { BYTES("HTTP/1.0 200 OK\r\n\r\n") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "no reason", { BYTES("HTTP/1.1 200\r\n\r\n") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "empty reason", { BYTES("HTTP/1.1 200 \r\n\r\n") }, HTTP_ANSWER, 200,
	    NULL, 0 },
	{ "1.0, bare", { BYTES("HTTP/1.0 204\n\n") }, HTTP_ANSWER, 204, NULL, 0 },
	{ "fields and body",
	    { BYTES(OK "Content-Length: 2\r\nServer: x\r\n\r\nok") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "chunked", { BYTES(OK "Transfer-Encoding: chunked\r\n\r\n"
	    "2\r\nok\r\n0\r\n\r\n") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "redirect", { BYTES("HTTP/1.1 302 Found\r\n"
	    "Location: http://127.0.0.1:1/\r\n\r\n") }, HTTP_ANSWER, 302, NULL, 0 },
	{ "not found", { BYTES("HTTP/1.1 404 Not Found\r\n\r\n") },
	    HTTP_ANSWER, 404, NULL, 0 },
	{ "unavailable", { BYTES("HTTP/1.1 503 Service Unavailable\r\n\r\n") },
	    HTTP_ANSWER, 503, NULL, 0 },
	{ "last status", { BYTES("HTTP/1.1 599 \r\n\r\n") }, HTTP_ANSWER, 599,
	    NULL, 0 },
	{ "100 then 200", { BYTES("HTTP/1.1 100 Continue\r\n\r\n" OK "\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "102, 103, 503", { BYTES("HTTP/1.1 102 Processing\r\n\r\n"
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	    "HTTP/1.1 503 No\r\n\r\n") }, HTTP_ANSWER, 503, NULL, 0 },
	{ "one byte per chunk", { BYTES("HTTP/1.1 100 \r\n\r\n" OK
	    "Content-Length: 2\r\n\r\nok"), .chunk = 1 },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "half closed", { BYTES(OK "\r\nbody"), .end = LIAR_HALF },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "no close, no body", { BYTES(OK "Content-Length: 0\r\n\r\n"),
	    .end = LIAR_HANG }, HTTP_ANSWER, 200, NULL, 0 },
};

static const struct row hostile[] = {
	/* lenient, where RFC 9112 says so */
	{ "bare LF", { BYTES("HTTP/1.1 200 OK\nA: b\n\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "mixed line ends", { BYTES("HTTP/1.1 200 OK\r\nA: b\n\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "obs-fold", { BYTES(OK "A: b\r\n c\r\n\td\r\n\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "duplicate length", { BYTES(OK "Content-Length: 2\r\n"
	    "Content-Length: 200\r\n\r\nok") }, HTTP_GARBAGE, 0, "not one number", 0 },
	{ "negative length", { BYTES(OK "Content-Length: -1\r\n\r\nok") },
	    HTTP_GARBAGE, 0, "not one number", 0 },
	{ "the same length again", { BYTES(OK "Content-Length: 2, 2\r\n"
	    "Content-Length: 2\r\n\r\nok") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "huge length", { BYTES(OK "Content-Length: "
	    "99999999999999999999999999999999999999999999999999\r\n\r\nok") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "empty length", { BYTES(OK "Content-Length:\r\n\r\nok") },
	    HTTP_GARBAGE, 0, "not one number", 0 },
	{ "a length and no body", { BYTES(OK "Content-Length: 9\r\n\r\n"),
	    .end = LIAR_HANG }, HTTP_ANSWER, 200, NULL, 0 },
	{ "body never ends, nor comes", { BYTES(OK "\r\n"), .end = LIAR_HANG },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "endless body", { BYTES(OK "\r\n"), .more = "xxxxxxxxxxxxxxxx",
	    .times = LIAR_ENDLESS }, HTTP_ANSWER, 200, NULL, 0 },
	{ "binary body", { BYTES(OK "\r\n\0\1\2\xff") }, HTTP_ANSWER, 200, NULL, 0 },
	{ "obs-text", { BYTES("HTTP/1.1 200 \xc3\xb6\r\nA: \xff\x80\r\n\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "tabs", { BYTES("HTTP/1.1 200 \tOK\r\nA:\tb\r\n\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "space before the colon", { BYTES(OK "A : b\r\n\r\n") },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "8 KiB of fields", { BYTES(OK), .more = "A: 3456\r\n", .times = 910,
	    .last = "\r\n" }, HTTP_ANSWER, 200, NULL, 0 },
	{ "answers before it is asked", { BYTES(OK "\r\n"), .deaf = true },
	    HTTP_ANSWER, 200, NULL, 0 },
	{ "answers, then RST", { BYTES(OK "Content-Length: 9\r\n\r\nok"),
	    .end = LIAR_RESET }, HTTP_ANSWER, 200, NULL, 0 },

	/* ends too early */
	{ "nothing", { .end = LIAR_CLOSE }, HTTP_CLOSED, 0,
	    "closed without an answer", 0 },
	{ "nothing, half closed", { .end = LIAR_HALF }, HTTP_CLOSED, 0,
	    "closed without an answer", 0 },
	{ "RST", { .end = LIAR_RESET }, HTTP_CLOSED, 0,
	    "closed without an answer", 0 },
	{ "RST at once", { .end = LIAR_DROP }, HTTP_CLOSED, 0,
	    "closed without an answer", 0 },
	{ "truncated name", { BYTES("HTTP") }, HTTP_CLOSED, 0, "headers", 0 },
	{ "truncated status", { BYTES("HTTP/1.1 20") }, HTTP_CLOSED, 0,
	    "headers", 0 },
	{ "truncated status line", { BYTES("HTTP/1.1 200") }, HTTP_CLOSED, 0,
	    "headers", 0 },
	{ "truncated CRLF", { BYTES("HTTP/1.1 200 OK\r") }, HTTP_CLOSED, 0,
	    "headers", 0 },
	{ "status line only", { BYTES(OK) }, HTTP_CLOSED, 0, "headers", 0 },
	{ "truncated field", { BYTES(OK "Server: ngi") }, HTTP_CLOSED, 0,
	    "headers", 0 },
	{ "no empty line", { BYTES(OK "Server: nginx\r\n") }, HTTP_CLOSED, 0,
	    "headers", 0 },
	{ "half an empty line", { BYTES(OK "A: b\r\n\r"), .end = LIAR_RESET },
	    HTTP_CLOSED, 0, "headers", 0 },
	{ "100 and no more", { BYTES("HTTP/1.1 100 Continue\r\n\r\n") },
	    HTTP_CLOSED, 0, "headers", 0 },

	/* hangs */
	{ "hangs", { .end = LIAR_HANG }, HTTP_TIMEOUT, 0,
	    "no answer within", SOON },
	{ "hangs in the status line", { BYTES("HTTP/1.1 2"), .end = LIAR_HANG },
	    HTTP_TIMEOUT, 0, "no whole answer within", SOON },
	{ "hangs in the fields", { BYTES(OK "A: b\r\n"), .end = LIAR_HANG },
	    HTTP_TIMEOUT, 0, "no whole answer within", SOON },
	{ "hangs after 100", { BYTES("HTTP/1.1 100 \r\n\r\n"),
	    .end = LIAR_HANG }, HTTP_TIMEOUT, 0, "no whole answer within", SOON },
	{ "trickles without end", { BYTES(OK "A: "), .more = "aaaaaaaa",
	    .times = LIAR_ENDLESS, .chunk = 1, .pause_ms = 20 },
	    HTTP_TIMEOUT, 0, "no whole answer within", SOON },

	/* too much */
	{ "100 KiB of fields", { BYTES(OK), .more = "A: 34567890\r\n",
	    .times = 8000, .last = "\r\n" }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "one endless field", { BYTES(OK "A: "), .more = "bbbbbbbbbbbbbbbb",
	    .times = LIAR_ENDLESS }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "endless fields", { BYTES(OK), .more = "A: 34567890\r\n",
	    .times = LIAR_ENDLESS }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "endless reason", { BYTES("HTTP/1.1 200 "), .more = "OK OK OK OK ",
	    .times = LIAR_ENDLESS }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "endless fold", { BYTES(OK "A: b\r\n"), .more = " c\r\n",
	    .times = LIAR_ENDLESS }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "100 flood", { .more = "HTTP/1.1 100 Continue\r\n\r\n",
	    .times = LIAR_ENDLESS }, HTTP_GARBAGE, 0, "longer than", 0 },
	{ "100 flood, then 200", { .more = "HTTP/1.1 103 \r\n\r\n",
	    .times = 2000, .last = OK "\r\n" }, HTTP_GARBAGE, 0,
	    "longer than", 0 },

	/* something else */
	{ "endless bytes", { .more = "yyyyyyyyyyyyyyyy", .times = LIAR_ENDLESS },
	    HTTP_GARBAGE, 0, "begins \"yyyyyy", 0 },
	{ "endless NUL", { BYTES("\0"), .more = "\1", .times = LIAR_ENDLESS,
	    .chunk = 1 }, HTTP_GARBAGE, 0, "not HTTP", 0 },
	{ "HTTP/0.9", { BYTES("<html>ok</html>\n") }, HTTP_GARBAGE, 0,
	    "not HTTP; it begins \"<html>ok</html>\"", 0 },
	{ "binary", { BYTES("\x7f" "ELF\2\1\1\0\0\0\0\x1b[2J\n") },
	    HTTP_GARBAGE, 0, "begins \"\\177ELF", 0 },
	{ "TLS alert", { BYTES("\x15\3\1\0\2\2\x46") }, HTTP_GARBAGE, 0,
	    "speaks TLS; only http is supported", 0 },
	{ "TLS handshake", { BYTES("\x16\3\3\0\x7a\2\0\0\x76") },
	    HTTP_GARBAGE, 0, "speaks TLS; only http is supported", 0 },
	{ "HTTP/2 settings", { BYTES("\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80") },
	    HTTP_GARBAGE, 0, "speaks HTTP/2", 0 },
	{ "HTTP/2 preface", { BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
	    HTTP_GARBAGE, 0, "speaks HTTP/2", 0 },
	{ "HTTP/2 status", { BYTES("HTTP/2 200\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "speaks HTTP/2", 0 },
	{ "SSH", { BYTES("SSH-2.0-OpenSSH_9.2\r\n"), .end = LIAR_HANG },
	    HTTP_GARBAGE, 0, "begins \"SSH-2.0-OpenSSH_9.2\"", 0 },
	{ "SMTP", { BYTES("220 mail ESMTP\r\n"), .deaf = true, .end = LIAR_HANG },
	    HTTP_GARBAGE, 0, "begins \"220 mail ESMTP\"", 0 },
	{ "echo", { .echo = true }, HTTP_GARBAGE, 0, "begins \"GET /", 0 },
	{ "a request", { BYTES("GET / HTTP/1.1\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "empty line first", { BYTES("\r\n" OK "\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "blank first", { BYTES(" " OK "\r\n") }, HTTP_GARBAGE, 0, "not HTTP", 0 },
	{ "lower case", { BYTES("http/1.1 200 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "HTTP/1.2", { BYTES("HTTP/1.2 200 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "HTTP/11", { BYTES("HTTP/11 200 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "ICY", { BYTES("ICY 200 OK\r\n\r\n") }, HTTP_GARBAGE, 0, "not HTTP", 0 },
	{ "status 20", { BYTES("HTTP/1.1 20 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "begins \"HTTP/1.1 20 OK\"", 0 },
	{ "status 99", { BYTES("HTTP/1.1 99 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 099", { BYTES("HTTP/1.1 099 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 000", { BYTES("HTTP/1.1 000 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 600", { BYTES("HTTP/1.1 600 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 2000", { BYTES("HTTP/1.1 2000 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status -20", { BYTES("HTTP/1.1 -20 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 2x0", { BYTES("HTTP/1.1 2x0 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "status 200OK", { BYTES("HTTP/1.1 200OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "no status", { BYTES("HTTP/1.1\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "two spaces", { BYTES("HTTP/1.1  200 OK\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "not HTTP", 0 },
	{ "tab for a space", { BYTES("HTTP/1.1\t200 OK\r\n\r\n") },
	    HTTP_GARBAGE, 0, "not HTTP", 0 },
	{ "101", { BYTES("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n") },
	    HTTP_GARBAGE, 0, "answered 101", 0 },
	{ "100, then no HTTP", { BYTES("HTTP/1.1 100 \r\n\r\nok\n") },
	    HTTP_GARBAGE, 0, "begins \"ok\"", 0 },
	{ "NUL in the status line", { BYTES("HTTP/1.1 200 O\0K\r\n\r\n") },
	    HTTP_GARBAGE, 0, "control byte", 0 },
	{ "NUL in a field", { BYTES(OK "A: \0\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "control byte", 0 },
	{ "escape in a field", { BYTES(OK "A: \x1b[2J\r\n\r\n") },
	    HTTP_GARBAGE, 0, "control byte", 0 },
	{ "bare CR", { BYTES("HTTP/1.1 200 OK\rA: b\r\n\r\n") },
	    HTTP_GARBAGE, 0, "control byte", 0 },
	{ "CR CR LF", { BYTES("HTTP/1.1 200 OK\r\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "control byte", 0 },
	{ "DEL", { BYTES(OK "A\x7f: b\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "control byte", 0 },
	{ "no colon", { BYTES(OK "nonsense\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "no name", 0 },
	{ "no name", { BYTES(OK ": b\r\n\r\n") }, HTTP_GARBAGE, 0, "no name", 0 },
	{ "fold first", { BYTES(OK " A: b\r\n\r\n") }, HTTP_GARBAGE, 0,
	    "a blank follows", 0 },
};

static void
url_of(struct url *u, const char *host, const char *port)
{
	memset(u, 0, sizeof(*u));
	ck_assert_uint_lt(strlen(host), sizeof(u->host));
	strcpy(u->host, host);
	strcpy(u->port, port);
	strcpy(u->path, "/");
	snprintf(u->authority, sizeof(u->authority), "%.200s:%s", host, port);
}

static int
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
get(const char *host, const char *port, int64_t ms, struct http_answer *a)
{
	int before = descriptors();
	struct url u;
	const char *p;

	url_of(&u, host, port);
	memset(a, 0x5a, sizeof(*a));
	http_get(&u, deadline_in(ms), a);
	ck_assert_int_eq(descriptors(), before);
	ck_assert_uint_le(a->body_len, sizeof(a->body));
	ck_assert_str_ne(a->why, "");
	for (p = a->why; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", a->why);
}

static void
run(const struct row *r)
{
	int64_t began = clock_ms(), ms = r->ms > 0 ? r->ms : EVER;
	struct http_answer a;
	struct liar l;
	char why[32];

	ck_assert(liar_start(&l, "127.0.0.1", &r->script));
	get("127.0.0.1", l.port, ms, &a);
	liar_stop(&l);
	ck_assert_msg(a.end == r->end && a.status == r->status,
	    "%s: end %d, status %d, \"%s\"", r->name, (int)a.end, a.status, a.why);
	snprintf(why, sizeof(why), "answered %d", r->status);
	ck_assert_msg(strstr(a.why, r->why == NULL ? why : r->why) != NULL,
	    "%s: \"%s\"", r->name, a.why);
	ck_assert_msg(clock_ms() - began < EVER, "%s: took too long", r->name);
}

START_TEST(answers)
{
	run(&core[_i]);
}
END_TEST

START_TEST(lies)
{
	run(&hostile[_i]);
}
END_TEST

START_TEST(request_is_as_promised)
{
	static const struct liar_script script = { .text = OK "\r\n", .echo = true };
	struct http_answer a;
	struct liar l;
	char want[512];
	struct url u;

	ck_assert(liar_start(&l, "127.0.0.1", &script));
	url_of(&u, "localhost", l.port);
	strcpy(u.path, "/a?b");
	http_get(&u, deadline_in(EVER), &a);
	liar_stop(&l);
	snprintf(want, sizeof(want), "GET /a?b HTTP/1.1\r\nHost: localhost:%s\r\n"
	    "User-Agent: twilight-deploy\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n", l.port);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.body_len, strlen(want));
	ck_assert_mem_eq(a.body, want, a.body_len);
}
END_TEST

START_TEST(body_is_kept_up_to_its_bound)
{
	static const struct liar_script ok = {
		.text = OK "content-LENGTH: \t2 \r\n\r\nok", .chunk = 1,
		.end = LIAR_HANG
	}, flood = {
		.text = OK "\r\n", .more = "0123456789abcdef", .times = 4096
	}, none = {
		.text = "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
		.end = LIAR_HANG
	};
	struct http_answer a;
	struct liar l;

	ck_assert(liar_start(&l, "127.0.0.1", &ok));
	get("127.0.0.1", l.port, EVER, &a);
	liar_stop(&l);
	ck_assert_uint_eq(a.body_len, 2);
	ck_assert_mem_eq(a.body, "ok", 2);

	ck_assert(liar_start(&l, "127.0.0.1", &flood));
	get("127.0.0.1", l.port, EVER, &a);
	liar_stop(&l);
	ck_assert_uint_eq(a.body_len, HTTP_BODY_KEPT);
	ck_assert_mem_eq(a.body + HTTP_BODY_KEPT - 4, "cdef", 4);

	ck_assert(liar_start(&l, "127.0.0.1", &none));
	get("127.0.0.1", l.port, EVER, &a);
	liar_stop(&l);
	ck_assert_int_eq(a.status, 304);
	ck_assert_uint_eq(a.body_len, 0);
}
END_TEST

/* The head fills its bound to the byte, and is one longer. */
START_TEST(head_bound_is_exact)
{
	static char text[HTTP_HEAD_MAX + 2];
	const size_t line = strlen(OK "A: ");
	struct liar_script script = { .text = text };
	struct http_answer a;
	struct liar l;
	size_t over;

	for (over = 0; over < 2; over++) {
		memset(text, 'b', sizeof(text));
		memcpy(text, OK "A: ", line);
		strcpy(text + HTTP_HEAD_MAX + over - 4, "\r\n\r\n");
		ck_assert_uint_eq(strlen(text), HTTP_HEAD_MAX + over);
		ck_assert(liar_start(&l, "127.0.0.1", &script));
		get("127.0.0.1", l.port, EVER, &a);
		liar_stop(&l);
		ck_assert_int_eq(a.end, over ? HTTP_GARBAGE : HTTP_ANSWER);
		ck_assert_uint_eq(a.body_len, 0);
	}
}
END_TEST

/* A port that was free a moment ago. */
static void
free_port(const char *host, char port[6])
{
	int fd;

	strcpy(port, "0");
	fd = liar_listen(host, port, 1);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(refused_port)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct http_answer a;
	char port[6];
	size_t i;

	for (i = 0; i < 2; i++) {
		free_port("127.0.0.1", port);
		get(hosts[i], port, EVER, &a);
		ck_assert_int_eq(a.end, HTTP_REFUSED);
		ck_assert_str_eq(a.why, "connection refused");
		ck_assert_int_eq(a.status, 0);
	}
}
END_TEST

START_TEST(unreachable_address)
{
	struct http_answer a;

	/* no TCP goes to a broadcast address, whatever the host's routes */
	get("255.255.255.255", "80", EVER, &a);
	ck_assert_int_eq(a.end, HTTP_REFUSED);
	ck_assert_ptr_nonnull(strstr(a.why, "cannot connect: "));
}
END_TEST

START_TEST(ipv6_only_listener)
{
	static const struct liar_script script = { .text = OK "\r\n" };
	static const char *const hosts[] = { "::1", "localhost", "LOCALHOST" };
	struct http_answer a;
	struct liar l;
	size_t i;

	if (!liar_start(&l, "::1", &script))
		return;
	for (i = 0; i < 3; i++) {
		get(hosts[i], l.port, EVER, &a);
		ck_assert_int_eq(a.status, 200);
	}
	get("127.0.0.1", l.port, EVER, &a);
	ck_assert_int_eq(a.end, HTTP_REFUSED);
	liar_stop(&l);
}
END_TEST

START_TEST(ipv4_comes_first)
{
	static const struct liar_script four = { .text = OK "\r\n" };
	static const struct liar_script six = { .text = "HTTP/1.1 500 six\r\n\r\n" };
	struct http_answer a;
	struct liar l4, l6;
	int fd;

	if (!liar_start(&l6, "::1", &six))
		return;
	/* the same port for both, where the other family has it free */
	strcpy(l4.port, l6.port);
	fd = liar_listen("127.0.0.1", l4.port, 1);
	if (fd >= 0) {
		get("localhost", l4.port, SOON, &a);
		ck_assert_int_eq(a.end, HTTP_TIMEOUT);
		close(fd);
	}
	liar_stop(&l6);
	ck_assert(liar_start(&l4, "127.0.0.1", &four));
	get("localhost", l4.port, EVER, &a);
	ck_assert_int_eq(a.status, 200);
	liar_stop(&l4);
}
END_TEST

/* Fills the queue of `port`, so that the kernel drops what comes next. */
static void
clog_queue(const char *port, int *fds, size_t n)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	size_t i;

	sin.sin_port = htons((unsigned short)atoi(port));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fds[i], 0);
		(void)connect(fds[i], (struct sockaddr *)&sin, sizeof(sin));
	}
}

START_TEST(next_address_when_one_hangs)
{
	static const struct liar_script script = { .text = OK "\r\n" };
	struct http_answer a;
	struct liar l;
	int fd, fds[8];
	size_t i;

	if (!liar_start(&l, "::1", &script))
		return;
	fd = liar_listen("127.0.0.1", l.port, 0);
	if (fd >= 0) {
		clog_queue(l.port, fds, 8);
		get("127.0.0.1", l.port, SOON, &a);
		ck_assert_int_eq(a.end, HTTP_TIMEOUT);
		ck_assert_ptr_nonnull(strstr(a.why, "no connection within"));
		get("localhost", l.port, 2000, &a);
		ck_assert_int_eq(a.end, HTTP_ANSWER);
		ck_assert_int_eq(a.status, 200);
		for (i = 0; i < 8; i++)
			close(fds[i]);
		close(fd);
	}
	liar_stop(&l);
}
END_TEST

START_TEST(no_such_name)
{
	struct http_answer a;

	/* an empty label is refused before any server is asked */
	get("no..name", "80", EVER * 10, &a);
	ck_assert_int_eq(a.end, HTTP_NONAME);
	ck_assert_int_eq(a.status, 0);
	ck_assert_ptr_nonnull(strstr(a.why, "no address"));
}
END_TEST

START_TEST(a_passed_deadline_is_a_timeout)
{
	static const struct liar_script script = { .text = OK "\r\n" };
	struct http_answer a;
	struct liar l;

	ck_assert(liar_start(&l, "127.0.0.1", &script));
	get("127.0.0.1", l.port, 0, &a);
	ck_assert_int_eq(a.end, HTTP_TIMEOUT);
	get("127.0.0.1", l.port, -1000000, &a);
	ck_assert_int_eq(a.end, HTTP_TIMEOUT);
	liar_stop(&l);
}
END_TEST

/* What is ours is not held against the service. */
START_TEST(no_descriptors_is_our_error)
{
	struct rlimit limit;
	struct http_answer a;
	struct url u;
	int fd;

	url_of(&u, "127.0.0.1", "1");
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	http_get(&u, deadline_in(EVER), &a);
	close(fd);
	ck_assert_int_eq(a.end, HTTP_ERROR);
	ck_assert_ptr_nonnull(strstr(a.why, "Too many open files"));
}
END_TEST

/* A stream that ends too early is never taken for an answer. */
START_TEST(cut_anywhere)
{
	static const char whole[] = "HTTP/1.1 103 Early Hints\r\nA: b\r\n c\r\n\r\n"
	    OK "Content-Length: 2\r\n\r\nok";
	const size_t head = sizeof(whole) - 3;
	struct liar_script script = { .text = whole };
	struct http_answer a;
	struct liar l;

	for (script.len = 1; script.len < sizeof(whole); script.len++) {
		ck_assert(liar_start(&l, "127.0.0.1", &script));
		get("127.0.0.1", l.port, EVER, &a);
		liar_stop(&l);
		ck_assert_int_eq(a.end,
		    script.len < head ? HTTP_CLOSED : HTTP_ANSWER);
	}
}
END_TEST

Suite *
http_suite(void)
{
	Suite *s = suite_create("http");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_loop_test(c, answers, 0, sizeof(core) / sizeof(core[0]));
	tcase_add_test(c, request_is_as_promised);
	tcase_add_test(c, refused_port);
	tcase_add_test(c, unreachable_address);
	tcase_add_test(c, ipv6_only_listener);
	tcase_add_test(c, ipv4_comes_first);
	tcase_add_test(c, no_such_name);
	tcase_add_test(limits, body_is_kept_up_to_its_bound);
	tcase_add_test(limits, head_bound_is_exact);
	tcase_add_test(limits, a_passed_deadline_is_a_timeout);
	tcase_add_test(limits, next_address_when_one_hangs);
	tcase_add_test(limits, no_descriptors_is_our_error);
	tcase_add_loop_test(h, lies, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(h, cut_anywhere);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
