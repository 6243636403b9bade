#include "health/said.h"
#include "health/version.h"

#include <check.h>
#include <string.h>

Suite *version_suite(void);

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static const struct {
	const char *tag, *label, *text;
	bool hex;
} versions[] = {
	{ "sha-abc1234", "", "abc1234", true },
	{ "sha-" COMMIT, "", COMMIT, true },
	{ COMMIT, "", COMMIT, true },
	{ "sha-abc123", "", "sha-abc123", false }, /* too few for a commit */
	{ "sha-xyz1234", "", "sha-xyz1234", false },
	{ "v1.2.3", COMMIT, "1.2.3", false },
	{ "1.2.3", "", "1.2.3", false },
	{ "20240131", "", "20240131", false },
	{ "very2", "", "very2", false },
	{ "latest", COMMIT, "0123456", true },
	{ "main", "", "", true },
};

START_TEST(version_text)
{
	struct version v;

	version_of(&v, versions[_i].tag, versions[_i].label);
	ck_assert_str_eq(v.text, versions[_i].text);
	ck_assert_int_eq(v.hex, versions[_i].hex);
}
END_TEST

static const struct {
	const char *tag, *expect, *body;
	bool said;
} answers[] = {
	{ "sha-abc1234", "", "{\"commit_sha\": \"abc1234ffff\"}", true },
	{ "sha-abc1234", "", "sha-abc1234", true },
	{ "sha-abc1234", "", "abc1235, dabc1234", false },
	{ "sha-abc1234", "", "", false },
	{ "v1.2.3", "", "version 1.2.3\n", true },
	{ "v1.2.3", "", "v1.2.3", true },
	{ "v1.2.3", "", "1.2.3+abc1234", true },
	{ "v1.2.3", "", "runs 1.2.3.", true },
	{ "v1.2.3", "", "1.2.30", false },
	{ "v1.2.3", "", "11.2.3", false },
	{ "v1.2.3", "", "0.1.2.3", false },
	{ "v1.2.3", "", "1.2.3.4", false },
	{ "v1.2.3", "", "1.2.3-rc1", false },
	{ "v1.2.3", "", "dev1.2.3", false },
	{ "v1.2.3", "", "1.2.30 and 1.2.3", true },
	{ "latest", "", "anything", true }, /* no label: nothing is expected */
	{ "v1.2.3", "build=%t;", "build=v1.2.3; x", true },
	{ "v1.2.3", "build=%t;", "build=1.2.3; x", false },
	{ "v1.2.3", "build %h", "build 1.2.3", true },
	{ "v1.2.3", "build %h", "build 1.2.31", false },
	{ "sha-abc1234", "commit %h", "commit abc1234567", true },
	{ "sha-abc1234", "\"%h\"", "\"abc1234567\"", false },
	{ "sha-abc1234", "git.sha", "{\"git\": {\"sha\": \"abc1234567\"}}", true },
	{ "sha-abc1234", "git.sha", "{\"git\": {\"sha\": \"sha-abc1234\"}}", true },
	{ "sha-abc1234", "git.sha", "{\"git\": {\"sha\": \"xabc1234\"}}", false },
	{ "sha-abc1234", "git.sha", "{\"git\": \"abc1234\"}", false },
	{ "sha-abc1234", "git.sha", "{\"git\": {\"sha\": 7}}", false },
	{ "sha-abc1234", "sha", "{\"sha\": \"abc1234\"", false },
	{ "sha-abc1234", "sha", "abc1234", false },
	{ "v1.2.3", "version", "{\"version\": \"1.2.3\"}", true },
	{ "v1.2.3", "version", "{\"version\": \"v1.2.3\"}", true },
	{ "v1.2.3", "version", "{\"version\": \"1.2.30\", \"x\": \"1.2.3\"}", false },
};

START_TEST(version_answer)
{
	struct version v;

	version_of(&v, answers[_i].tag, "");
	ck_assert_msg(version_is_said(&v, answers[_i].expect, answers[_i].body,
			  strlen(answers[_i].body)) == answers[_i].said,
	    "%s, expecting '%s': %s", answers[_i].tag, answers[_i].expect,
	    answers[_i].body);
}
END_TEST

/* The body is bytes: it may have a NUL, and no NUL ends it. */
START_TEST(version_bytes)
{
	static const char body[] = "x\0abc1234";
	struct version v;

	version_of(&v, "sha-abc1234", "");
	ck_assert(version_is_said(&v, "", body, sizeof(body) - 1));
	ck_assert(!version_is_said(&v, "", body, sizeof(body) - 2));
}
END_TEST

static const struct {
	const char *claim, *body;
	bool so;
} claims[] = {
	{ "active_jobs=0", "{\"active_jobs\": 0}", true },
	{ "active_jobs=0", "{\"active_jobs\": 10}", false },
	{ "active_jobs=0", "{\"active_jobs\": \"0\"}", true },
	{ "status=idle", "{\"status\": \"idle\"}", true },
	{ "status=idle", "{\"status\": \"idle \"}", false },
	{ "worker.busy=false", "{\"worker\": {\"busy\": false}}", true },
	{ "worker.busy=false", "{\"worker\": {\"busy\": true}}", false },
	{ "worker=", "{\"worker\": {}}", false },
	{ "status=idle", "{\"status\": \"idle\\u0000\"}", false },
	{ "status=idle", "not JSON", false },
	{ "status=idle", "", false },
	{ "status", "{\"status\": \"\"}", false },
	{ "=x", "{\"\": \"x\"}", true },
};

START_TEST(claim_is_so)
{
	ck_assert_msg(said_so(claims[_i].body, strlen(claims[_i].body),
			  claims[_i].claim) == claims[_i].so,
	    "%s: %s", claims[_i].claim, claims[_i].body);
}
END_TEST

Suite *
version_suite(void)
{
	Suite *s = suite_create("version");
	TCase *t = tcase_create("Core");

	tcase_add_loop_test(t, version_text, 0, sizeof(versions) / sizeof(versions[0]));
	tcase_add_loop_test(t, version_answer, 0, sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(t, version_bytes);
	tcase_add_loop_test(t, claim_is_so, 0, sizeof(claims) / sizeof(claims[0]));
	suite_add_tcase(s, t);
	return s;
}
