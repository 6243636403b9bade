/*
 * check_api.c: reads from an engine with scripted answers, over a real Unix socket.
 */
#include "engine/compose/api.h"

#include "skip.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *api_suite(void);

/* One answer to one request; then the connection is kept, closed or left silent. */
struct reply {
	const char *bytes;
	enum { KEEP, CLOSE, HANG } then;
};

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define ANSWER(status, length, body)                                         \
	{                                                                    \
		HEAD(status) "Content-Length: " length "\r\n\r\n" body, KEEP \
	}
#define VERSION_41 \
	ANSWER("200 OK", "45", "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}\n\n")
#define VERSION_99 \
	ANSWER("200 OK", "45", "{\"ApiVersion\":\"1.99\",\"MinAPIVersion\":\"1.44\"}\n\n")
#define GOOD ANSWER("200 OK", "8", "{\"a\":\"\"}")

static struct {
	pid_t pid;
	char dir[32], path[64];
} engine;

static bool
read_one_request(int fd, int log)
{
	char buf[4096];
	size_t len = 0;

	while (len < sizeof(buf) - 1) {
		ssize_t n = read(fd, buf + len, 1);

		if (n <= 0)
			return false;
		len++;
		buf[len] = '\0';
		if (len >= 4 && memcmp(buf + len - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	/* logs the path, for asked() */
	buf[strcspn(buf + 4, " ") + 4] = '\n';
	(void)!write(log, buf + 4, strcspn(buf + 4, "\n") + 1);
	return true;
}

static _Noreturn void
serve(int listener, const struct reply *r)
{
	char path[64];
	FILE *log;
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60);
	snprintf(path, sizeof(path), "%s/asked", engine.dir);
	log = fopen(path, "a");
	for (; r->bytes != NULL; r++) {
		for (;;) {
			if (fd == -1)
				fd = accept(listener, NULL, NULL);
			if (read_one_request(fd, fileno(log)))
				break;
			close(fd);
			fd = -1;
		}
		(void)!write(fd, r->bytes, strlen(r->bytes));
		if (r->then == HANG) {
			while (read(fd, path, 1) > 0)
				continue;
		}
		if (r->then != KEEP) {
			close(fd);
			fd = -1;
		}
	}
	_exit(0);
}

static void
start(const struct reply *script)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(engine.dir, "/tmp/check_api.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(engine.dir));
	snprintf(engine.path, sizeof(engine.path), "%s/docker.sock", engine.dir);
	strcpy(sun.sun_path, engine.path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	fflush(NULL);
	engine.pid = fork();
	ck_assert_int_ge(engine.pid, 0);
	if (engine.pid == 0)
		serve(fd, script);
	close(fd);
}

/* The requests that came, one a line. */
static const char *
asked(void)
{
	static char text[4096];
	char path[64];
	FILE *log;
	size_t n;

	snprintf(path, sizeof(path), "%s/asked", engine.dir);
	log = fopen(path, "r");
	n = log == NULL ? 0 : fread(text, 1, sizeof(text) - 1, log);
	if (log != NULL)
		fclose(log);
	text[n] = '\0';
	return text;
}

static void
stop(void)
{
	char command[128];

	kill(engine.pid, SIGKILL);
	waitpid(engine.pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", engine.dir);
	ck_assert_int_eq(system(command), 0);
}

static void
open_api(struct api *a, int64_t limit_ms)
{
	api_init(a, limit_ms, NULL, NULL);
	strcpy(a->path, engine.path);
}

#define EVER 60000 /* ms; never reached */

static const struct {
	const char *name;
	struct reply script[6];
	int rc;
	bool gone;
	const char *what; /* part of the fault */
} rows[] = {
	{ "an answer", { VERSION_41, GOOD }, 0, false, NULL },
	{ "chunks",
	    { VERSION_41,
		{ HEAD(
		      "200 OK") "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\":\"\"}"
				"\r\n0\r\n\r\n",
		    KEEP } },
	    0, false, NULL },
	{ "up to the close", { VERSION_41, { HEAD("200 OK") "\r\n{\"a\":\"\"}", CLOSE } },
	    0, false, NULL },
	{ "gone", { VERSION_41, ANSWER("404 Not Found", "15", "{\"message\":\"x\"}") }, 0,
	    true, NULL },
	{ "500 once",
	    { VERSION_41, ANSWER("500 Oops", "15", "{\"message\":\"x\"}"), GOOD }, 0,
	    false, NULL },
	{ "429 once", { VERSION_41, ANSWER("429 Later", "0", ""), GOOD }, 0, false,
	    NULL },
	{ "closed once", { VERSION_41, { "", CLOSE }, GOOD }, 0, false, NULL },
	{ "closed twice", { VERSION_41, { "", CLOSE }, { "", CLOSE }, GOOD }, 0, false,
	    NULL },
	{ "cut in its head", { VERSION_41, { "HTTP/1.1 20", CLOSE }, GOOD }, 0, false,
	    NULL },
	{ "cut in its body",
	    { VERSION_41, { HEAD("200 OK") "Content-Length: 8\r\n\r\n{\"a\"", CLOSE },
		GOOD },
	    0, false, NULL },
	{ "cut in a chunk",
	    { VERSION_41,
		{ HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"a\":\"\"}",
		    CLOSE },
		GOOD },
	    0, false, NULL },
	{ "wrong chunks",
	    { VERSION_41,
		{ HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n{\"a\":\"\"}",
		    CLOSE },
		GOOD },
	    0, false, NULL },
	{ "an empty object", { VERSION_41, ANSWER("200 OK", "2", "{}"), GOOD }, 0, false,
	    NULL },
	{ "null", { VERSION_41, ANSWER("200 OK", "11", "{\"a\": null}"), GOOD }, 0, false,
	    NULL },
	{ "a list", { VERSION_41, ANSWER("200 OK", "2", "[]"), GOOD }, 0, false, NULL },
	{ "a NUL in a string",
	    { VERSION_41, ANSWER("200 OK", "21", "{\"a\":\"\",\"b\":\"\\u0000\"}") }, 0,
	    false, NULL },
	{ "not JSON", { VERSION_41, ANSWER("200 OK", "2", "[}"), GOOD }, 0, false, NULL },
	{ "not HTTP", { VERSION_41, { "SSH-2.0-x\r\n", CLOSE }, GOOD }, 0, false, NULL },
	{ "the version fails once", { ANSWER("503 x", "0", ""), VERSION_41, GOOD }, 0,
	    false, NULL },
	{ "upgraded meanwhile",
	    { VERSION_41,
		ANSWER("400 x", "57",
		    "{\"message\":\"client version 1.41 is too old. Minimum\"}      "),
		VERSION_99, GOOD },
	    0, false, NULL },
	{ "a refusal",
	    { VERSION_41, ANSWER("400 x", "22", "{\"message\":\"no\\u0007\"}") }, -1,
	    false, "refuses a request (400): no" },
	{ "no such question",
	    { VERSION_41, ANSWER("404 x", "28", "{\"message\":\"page not found\"}") }, -1,
	    false, "page not found" },
};

START_TEST(asks_until_it_is_answered)
{
	struct fault f = { 0 };
	json_t *doc = NULL;
	struct api a;
	int rc;

	start(rows[_i].script);
	open_api(&a, EVER);
	rc = api_connect(&a, &f);
	if (rc == 0)
		rc = api_get(&a, "/x", "a", &doc, &f);
	ck_assert_msg(rc == rows[_i].rc, "%s: %s", rows[_i].name, f.what);
	ck_assert_int_eq(f.kind, rc == 0 ? FAULT_NONE : FAULT_HOST);
	ck_assert_int_eq(doc != NULL, rc == 0 && !rows[_i].gone);
	if (doc != NULL)
		ck_assert(json_is_string(json_object_get(doc, "a")));
	if (rows[_i].what != NULL)
		ck_assert_msg(strstr(f.what, rows[_i].what) != NULL, "%s: %s",
		    rows[_i].name, f.what);
	json_decref(doc);
	api_close(&a);
	stop();
}
END_TEST

START_TEST(settles_on_a_version)
{
	static const struct reply script[] = { VERSION_99, GOOD, GOOD, { NULL, KEEP } };
	struct fault f = { 0 };
	json_t *doc;
	struct api a;
	int i;

	start(script);
	open_api(&a, EVER);
	ck_assert_int_eq(api_connect(&a, &f), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(api_get(&a, "/x?y", "a", &doc, &f), 0);
		json_decref(doc);
	}
	ck_assert_str_eq(asked(), "/version\n/v1.51/x?y\n/v1.51/x?y\n");
	api_close(&a);
	stop();
}
END_TEST

static const struct {
	struct reply script[2];
	const char *what;
} strangers[] = {
	{ { ANSWER("200 OK", "46",
	      "{\"ApiVersion\":\"1.40\", \"MinAPIVersion\":\"1.12\"}\n\n") },
	    "too old: it has API 1.40, 1.41 is needed" },
	{ { ANSWER("200 OK", "46",
	      "{\"ApiVersion\":\"1.99\", \"MinAPIVersion\":\"1.60\"}\n\n") },
	    "too new: it has API 1.60 and later, not 1.51" },
	{ { ANSWER("200 OK", "18", "{\"ApiVersion\":\"x\"}") }, "it has API x, 1.41 is" },
	{ { ANSWER("404 x", "2", "{}") }, "refuses" },
};

START_TEST(refuses_other_versions)
{
	struct fault f = { 0 };
	struct api a;

	start(strangers[_i].script);
	open_api(&a, EVER);
	ck_assert_int_eq(api_connect(&a, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, strangers[_i].what) != NULL, "%s", f.what);
	api_close(&a);
	stop();
}
END_TEST

/* An engine that hangs, or has gone, is waited for until the limit. */
START_TEST(gives_up_in_the_end)
{
	static const struct reply script[] = { VERSION_41, { "", HANG }, { "", HANG },
		{ "", HANG }, { "", HANG }, { NULL, KEEP } };
	struct fault f = { 0 };
	json_t *doc;
	struct api a;

	start(script);
	open_api(&a, 300);
	ck_assert_int_eq(api_connect(&a, &f), 0);
	ck_assert_int_eq(api_get(&a, "/x", "a", &doc, &f), -1);
	ck_assert_ptr_null(doc);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "does not answer: no answer within"));
	ck_assert_int_eq(unlink(engine.path), 0);
	fault_clear(&f);
	ck_assert_int_eq(api_get(&a, "/x", "a", &doc, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "No such file or directory"));
	api_close(&a);
	stop();
}
END_TEST

START_TEST(waits_for_nothing_that_was_never_there)
{
	struct fault f = { 0 };
	struct api a;

	strcpy(engine.path, "/nonexistent/docker.sock");
	open_api(&a, EVER);
	ck_assert_int_eq(api_connect(&a, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "No such file or directory"));
	ck_assert_ptr_nonnull(strstr(f.next, "start it"));
}
END_TEST

static void
back_to_root(int sig)
{
	(void)sig;
	(void)!seteuid(0);
}

/* An engine that starts binds its socket before its group may use it. */
START_TEST(waits_for_permission)
{
	static const struct reply script[] = { VERSION_41, GOOD, { NULL, KEEP } };
	const struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct fault f = { 0 };
	json_t *doc;
	struct api a;

	if (geteuid() != 0)
		SKIP("not run as root");
	start(script);
	open_api(&a, EVER);
	ck_assert_int_eq(api_connect(&a, &f), 0);
	http_close(&a.http);
	signal(SIGALRM, back_to_root);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_msg(api_get(&a, "/x", "a", &doc, &f) == 0, "%s", f.what);
	json_decref(doc);
	api_close(&a);
	stop();
}
END_TEST

START_TEST(streams)
{
	static const struct reply script[] = { VERSION_41,
		{ HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
		    CLOSE },
		ANSWER("500 x", "0", ""), { NULL, KEEP } };
	struct fault f = { 0 };
	char buf[64];
	struct http http;
	struct api a;
	ssize_t n, len = 0;

	start(script);
	open_api(&a, EVER);
	http_init(&http, engine.path);
	ck_assert_int_eq(api_connect(&a, &f), 0);
	api_close(&a);
	ck_assert(api_stream(&a, &http, "/events"));
	while ((n = http_stream_read(&http, buf + len, 8)) >= 0)
		len += n;
	ck_assert_int_eq(len, 3);
	ck_assert_mem_eq(buf, "{}\n", 3);
	http_close(&http);
	ck_assert(!api_stream(&a, &http, "/events"));
	ck_assert_int_eq(http.fd, -1);
	stop();
}
END_TEST

START_TEST(encodes)
{
	char out[32] = "/x?";

	api_append(out, sizeof(out), "a/b:c {\"\xff");
	ck_assert_str_eq(out, "/x?a/b:c%20%7B%22%FF");
	api_append(out, sizeof(out), "{{{{{{{{{{");
	ck_assert_uint_lt(strlen(out), sizeof(out));
}
END_TEST

Suite *
api_suite(void)
{
	Suite *s = suite_create("api");
	TCase *core = tcase_create("Core");

	tcase_set_timeout(core, 60);
	tcase_add_loop_test(core, asks_until_it_is_answered, 0, N(rows));
	tcase_add_test(core, settles_on_a_version);
	tcase_add_loop_test(core, refuses_other_versions, 0, N(strangers));
	tcase_add_test(core, gives_up_in_the_end);
	tcase_add_test(core, waits_for_nothing_that_was_never_there);
	tcase_add_test(core, waits_for_permission);
	tcase_add_test(core, streams);
	tcase_add_test(core, encodes);
	suite_add_tcase(s, core);
	return s;
}
