#include "health/probe.h"
#include "liar.h"
#include "lies.h"
#include "skip.h"
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
#include <sys/wait.h>
#include <unistd.h>

Suite *http_suite(void);
Suite *curl_suite(void);

#define OK "HTTP/1.1 200 OK\r\n"
#define SOON 200   /* ms, where nothing is to come */
#define EVER 20000 /* ms, never reached but by a bug */

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

/* Replaces that of libc, to count the bytes that http_get() reads. */
static size_t taken;

ssize_t
recv(int fd, void *to, size_t room, int flags)
{
	ssize_t n = recvfrom(fd, to, room, flags, NULL, NULL);

	if (n > 0)
		taken += (size_t)n;
	return n;
}

/* False, with a message: the host has no IPv6. */
static bool
start_lie(struct liar *l, const struct lie *lie)
{
	if (liar_start(l, lie->six ? "::1" : "127.0.0.1", &lie->script))
		return true;
	ck_assert(lie->six);
	printf("SKIP lie \"%s\": no IPv6 here\n", lie->name);
	return false;
}

START_TEST(lie_is_seen_through)
{
	const struct lie *lie = &lies[_i];
	struct http_answer a;
	struct liar l;

	if (!start_lie(&l, lie))
		return;
	taken = 0;
	get(lie->six ? "localhost" : "127.0.0.1", l.port,
	    lie->end == HTTP_TIMEOUT ? SOON : EVER, &a);
	liar_stop(&l);
	ck_assert_msg(a.end == lie->end && a.status == lie->status &&
		http_healthy(&a) == lie->healthy,
	    "%s (%s): end %d, status %d, \"%s\"", lie->name, lie->because, (int)a.end,
	    a.status, a.why);
	ck_assert_msg(strstr(a.why, lie->why) != NULL, "%s: \"%s\" lacks \"%s\"",
	    lie->name, a.why, lie->why);
	ck_assert_msg(taken <= HTTP_HEAD_MAX + HTTP_BODY_KEPT, "%s: took %zu bytes",
	    lie->name, taken);
	ck_assert_msg((taken > 0) ==
		(a.end == HTTP_ANSWER || a.end == HTTP_GARBAGE ||
		    lie->script.text != NULL || lie->script.more != NULL),
	    "%s: took %zu bytes", lie->name, taken);
}
END_TEST

static int
curl(const char *host, const char *port)
{
	char url[64];
	int status;
	pid_t pid;

	snprintf(url, sizeof(url), "http://%s:%s/", host, port);
	pid = fork();
	if (pid == 0) {
		execlp("curl", "curl", "-q", "-f", "-s", "-o", "/dev/null", "--noproxy",
		    "*", "-m", "1", url, (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

START_TEST(beside_curl)
{
	const struct lie *lie = &lies[_i];
	struct liar l;
	int rc;

	if (!start_lie(&l, lie))
		return;
	rc = curl(lie->six ? "[::1]" : "127.0.0.1", l.port);
	liar_stop(&l);
	if ((rc == 0) != lie->healthy)
		printf("%s: %shealthy for us, curl -f ends with %d\n", lie->name,
		    lie->healthy ? "" : "not ", rc);
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
	snprintf(want, sizeof(want),
	    "GET /a?b HTTP/1.1\r\nHost: localhost:%s\r\n"
	    "User-Agent: twilight-deploy\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n",
	    l.port);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.body_len, strlen(want));
	ck_assert_mem_eq(a.body, want, a.body_len);
}
END_TEST

START_TEST(body_is_kept_up_to_its_bound)
{
	static const struct liar_script
	    ok = { .text = OK "content-LENGTH: \t2 \r\n\r\nok",
		    .chunk = 1,
		    .pause_ms = 1,
		    .end = LIAR_HANG },
	    flood = { .text = OK "\r\n", .more = "0123456789abcdef", .times = 4096 },
	    none = { .text = "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
		    .end = LIAR_HANG };
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

/* A head of exactly the limit, and one that is a byte longer. */
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

/* A POST says that it has no body; the answer's is read whole, beyond what is kept. */
START_TEST(post_is_as_promised)
{
	struct liar_script script = { .text = OK "\r\n", .echo = true };
	char expected[300], *body;
	struct http_answer a;
	struct liar l;
	struct url u;
	size_t len;

	ck_assert(liar_start(&l, "127.0.0.1", &script));
	url_of(&u, "127.0.0.1", l.port);
	http_ask("POST", &u, deadline_in(EVER), 4096, &a, &body, &len);
	liar_stop(&l);
	snprintf(expected, sizeof(expected),
	    "POST / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUser-Agent: twilight-deploy\r\n"
	    "Accept: */*\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	    l.port);
	ck_assert_int_eq(a.end, HTTP_ANSWER);
	ck_assert_ptr_nonnull(body);
	ck_assert_str_eq(body, expected);
	ck_assert_uint_eq(len, strlen(expected));
	free(body);
}
END_TEST

START_TEST(asked_body_is_bounded)
{
	struct liar_script script = { .text = OK "\r\n",
		.more = "xxxxxxxxxx",
		.times = 200 };
	struct http_answer a;
	struct liar l;
	struct url u;
	size_t len, max;
	char *body;

	for (max = 1999; max <= 2000; max++) {
		ck_assert(liar_start(&l, "127.0.0.1", &script));
		url_of(&u, "127.0.0.1", l.port);
		http_ask("GET", &u, deadline_in(EVER), max, &a, &body, &len);
		liar_stop(&l);
		ck_assert_int_eq(a.end, max == 2000 ? HTTP_ANSWER : HTTP_GARBAGE);
		ck_assert_int_eq(body != NULL, max == 2000);
		free(body);
	}
}
END_TEST

START_TEST(refused_port)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct http_answer a;
	char port[6] = "0";
	size_t i;
	int fd = liar_bind("127.0.0.1", port);

	ck_assert_int_ge(fd, 0);
	for (i = 0; i < 2; i++) {
		get(hosts[i], port, EVER, &a);
		ck_assert_int_eq(a.end, HTTP_REFUSED);
		ck_assert_str_eq(a.why, "connection refused");
		ck_assert_int_eq(a.status, 0);
	}
	close(fd);
}
END_TEST

START_TEST(unreachable_address)
{
	struct http_answer a;

	/* TCP never connects to a broadcast address, whatever the routes are */
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
		SKIP("no IPv6 here");
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
		SKIP("no IPv6 here");
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
		SKIP("no IPv6 here");
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

/* A lack of resources on our side says nothing about the service. */
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

/* An answer that ends too early is not an answer. */
START_TEST(cut_anywhere)
{
	static const char whole[] = "HTTP/1.1 103 Early Hints\r\nA: b\r\n c\r\n\r\n" OK
				    "Content-Length: 2\r\n\r\nok";
	const size_t head = sizeof(whole) - 3;
	struct liar_script script = { .text = whole };
	struct http_answer a;
	struct liar l;

	for (script.len = 1; script.len < sizeof(whole); script.len++) {
		ck_assert(liar_start(&l, "127.0.0.1", &script));
		get("127.0.0.1", l.port, EVER, &a);
		liar_stop(&l);
		ck_assert_int_eq(a.end, script.len < head ? HTTP_CLOSED : HTTP_ANSWER);
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

	tcase_add_test(c, request_is_as_promised);
	tcase_add_test(c, post_is_as_promised);
	tcase_add_test(limits, asked_body_is_bounded);
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
	tcase_add_loop_test(h, lie_is_seen_through, 0, (int)lies_count);
	tcase_add_test(h, cut_anywhere);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}

Suite *
curl_suite(void)
{
	Suite *s = suite_create("curl");
	TCase *c = tcase_create("Shown");

	tcase_add_loop_test(c, beside_curl, 0, (int)lies_count);
	suite_add_tcase(s, c);
	return s;
}
