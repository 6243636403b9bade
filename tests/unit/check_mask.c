/*
 * check_mask.c: no value of .env is shown, whoever quotes it.
 */
#include "state/mask.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *mask_suite(void);

static const struct {
	const char *env, *text, *want;
} rows[] = {
	{ "S=hunter2", "lookup hunter2: no such host", "lookup *******: no such host" },
	{ "S=hunter2\n", "hunter2hunter2", "**************" },
	{ "S='hunter2'", "\"hunter2\"", "\"*******\"" },
	{ "S=\"pa$hunter2\"", "The \"hunter2\" variable is not set",
	    "The \"*******\" variable is not set" },
	{ "S=${hunter78", "Invalid template: \"hunter78\"",
	    "Invalid template: \"********\"" },
	{ "S=${hunter78", "Invalid template: \"${hunter78\"",
	    "Invalid template: \"**********\"" },
	{ "S=a${b c}hunter79", "\"a${b c}hunter79\"", "\"***************\"" },
	{ "URL=pg://user:hunter2@db.internal/x", "ip address hunter2:a",
	    "ip address *******:a" },
	{ "export  S = hunter2 # note", "x hunter2 y", "x ******* y" },
	{ "S: hunter2\r\n", "hunter2", "*******" },
	{ "=hunter81\n", "invalid environment variable: =hunter81",
	    "invalid environment variable: *********" },
	{ "K=\"-----BEGIN\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC==\n\"",
	    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "********************************" },
	{ "K=\"x\nsecondline\n\"", "secondline", "**********" },
	/* no word of six in it, and yet a password */
	{ "P=pa$s!w@rd", "login pa$s!w@rd.", "login *********." },
	{ "P = 'a!b\"c d' # note", "a!b\"c d", "*******" },
	{ "P=\"a!b'c d\"\r\n", "a!b'c d", "*******" },
	{ "P: a!b@c#d\n", "a!b@c#d", "*******" },
	{ "export P=a!b@c#d\t # note\r\n", "a!b@c#d", "*******" },
	{ "P=a!b@c", "a!b@c", "a!b@c" },
	{ "TWILIGHT_X=a!b@c#d", "a!b@c#d", "a!b@c#d" },
	/* ours are no secrets, and short ones are words like any other */
	{ "TWILIGHT_IMAGE=registry.example/demo", "manifest for registry.example/demo",
	    "manifest for registry.example/demo" },
	{ "COMPOSE_PROJECT_NAME=production", "production", "production" },
	{ "A=abcde\nB=\nC\n", "abcde", "abcde" },
	/* what is commented out may be in the container that runs; prose is in none */
	{ "#S=hunter2", "hunter2", "*******" },
	{ "  # export S = \"pass word\"", "pass word", "*********" },
	{ "# the password was hunter2, once", "hunter2 was once the password",
	    "******* was once the password" },
	{ "# Note: the version of this container", "the container's version is v1",
	    "the container's version is v1" },
	{ "# The port on 127.0.0.1", "listen tcp4 127.0.0.1:8081: bind",
	    "listen tcp4 127.0.0.1:8081: bind" },
	{ "# was hunTers, correct_horse, correcthorsebattery, 123456",
	    "hunTers correct_horse correcthorsebattery 123456",
	    "******* ************* ******************* ******" },
	{ "#TWILIGHT_IMAGE=registry.example/demo", "registry.example/demo",
	    "registry.example/demo" },
	{ "", "text", "text" },
};

static void
write_env(const char *path, const char *bytes)
{
	FILE *fp = fopen(path, "w");

	ck_assert_ptr_nonnull(fp);
	fputs(bytes, fp);
	ck_assert_int_eq(fclose(fp), 0);
}

START_TEST(masks)
{
	char path[] = "/tmp/check_mask.XXXXXX", text[200];
	struct fault f = { 0 };
	struct mask m;

	close(mkstemp(path));
	write_env(path, rows[_i].env);
	ck_assert_int_eq(mask_load(&m, path, &f), 0);
	unlink(path);
	strcpy(text, rows[_i].text);
	mask_apply(&m, text);
	ck_assert_str_eq(text, rows[_i].want);
	mask_free(&m);
}
END_TEST

START_TEST(hides_nothing_of_nothing)
{
	struct fault f = { 0 };
	struct mask m;
	char text[] = "text";

	ck_assert_int_eq(mask_load(&m, "/nonexistent/.env", &f), 0);
	mask_apply(&m, text);
	ck_assert_str_eq(text, "text");
	mask_free(&m);
	ck_assert_int_eq(mask_load(&m, "/dev", &f), 0);
	mask_free(&m);
}
END_TEST

Suite *
mask_suite(void)
{
	Suite *s = suite_create("mask");
	TCase *core = tcase_create("Core"), *limits = tcase_create("Limits");

	tcase_add_loop_test(core, masks, 0, N(rows));
	tcase_add_test(limits, hides_nothing_of_nothing);
	suite_add_tcase(s, core);
	suite_add_tcase(s, limits);
	return s;
}
