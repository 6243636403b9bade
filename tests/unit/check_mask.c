/*
 * check_mask.c: no value of .env is printed, whoever quotes it.
 */
#include "room.h"
#include "suite.h"
#include "dotenv/mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	/* a password without a word of six bytes */
	{ "P=pa$s!w@rd", "login pa$s!w@rd.", "login *********." },
	{ "P = 'a!b\"c d' # note", "a!b\"c d", "*******" },
	{ "P=\"a!b'c d\"\r\n", "a!b'c d", "*******" },
	{ "P: a!b@c#d\n", "a!b@c#d", "*******" },
	{ "export P=a!b@c#d\t # note\r\n", "a!b@c#d", "*******" },
	{ "P=a!b@c", "a!b@c", "a!b@c" },
	{ "TWILIGHT_X=a!b@c#d", "a!b@c#d", "*******" },
	/* the version stays readable, also when another value equals it */
	{ "TWILIGHT_VERSION=sha-abc1234\nB=sha-abc1234", "sha-abc1234", "sha-abc1234" },
	{ "export TWILIGHT_VERSION='sha-abc1234'", "sha-abc1234", "sha-abc1234" },
	{ "API_VERSION=sha-abc1234\nWEB_VERSION=sha-def5678", "sha-abc1234 sha-def5678",
	    "sha-abc1234 sha-def5678" },
	{ "API_VERSIO=sha-abc1234\nAPI=sha-def5678", "sha-abc1234 sha-def5678",
	    "*********** ***********" },
	{ "TWILIGHT_VERSIONS=sha-abc1234", "sha-abc1234", "***********" },
	/* a short one, if the name says that it is secret, as a word of its own */
	{ "DB_PASSWORD=abc12", "abc12: xabc12 abc123 'abc12' abc12",
	    "*****: xabc12 abc123 '*****' *****" },
	{ "ApiKey='a b'\nXcredY=abc", "a b.abc", "***.***" },
	{ "# TOKEN=abcd", "abcd", "****" },
	{ "PASS=ab", "ab", "ab" },
	{ "SECRET=http://u:abc@h", "abc http://u:abc@h", "abc **************" },
	/* other short ones are ordinary words */
	{ "COMPOSE_PROJECT_NAME=production", "production", "production" },
	{ "A=abcde\nB=\nC\n", "abcde", "abcde" },
	/* the running container may still have what is commented out; prose it has not */
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
	{ "# AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH==", "AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH",
	    "********************************" },
	{ "#TWILIGHT_VERSION=sha-abc1234", "sha-abc1234", "sha-abc1234" },
	/* raw bytes, as in the file and as compose resolves them */
	{ "P=p\xc3\xa4ss!w", "p\xc3\xa4ss!w", "*******" },
	{ "P='a\\b!c\\d'", "a\\b!c\\d", "*******" },
	{ "P='a\\'b!c@d'", "a\\'b!c@d a'b!c@d", "******** *******" },
	{ "P=\"a\\\"b!c@d\"", "a\\\"b!c@d a\"b!c@d", "******** *******" },
	{ "P=\"a\\tb!c\\\\d\"", "a\tb!c\\d", "*******" },
	{ "P=\"a\\0101!\\0344!b\"", "aA!\xc3\xa4!b", "*******" },
	{ "P=\"a!\\0400b@c\"", "a!\\0400b@c a!\\400b@c", "********** *********" },
	{ "P=$B!a}b@c#", "!a}b@c#", "*******" },
	{ "P=\"a\\x!b@c\"", "a\\x!b@c", "*******" },
	{ "P='a\\tb!c@d'", "a\\tb!c@d", "********" },
	{ "P='a\\\\b!cd'", "a\\\\b!cd", "*******" },
	{ "P=a$$b!c@d", "a$b!c@d", "*******" },
	{ "P=\"a\\$b!c@d\"", "a$b!c@d", "*******" },
	{ "P=a!b@c#${B}d!e@f#", "a!b@c#xyd!e@f#", "******xy******" },
	{ "P=\"a!b@c#$B\"", "a!b@c#xy", "******xy" },
	{ "P=${B:-a!b@c#}d!e@f#", "a!b@c#d!e@f#", "************" },
	{ "P='a!b$B@c'", "a!b$B@c", "*******" },
	{ "P=a!b@c#$", "a!b@c#$", "*******" },
	/* several lines, as a whole and each; as JSON and Go quote it */
	{ "P=\"a!\nb!c@d#\ne!\"", "b!c@d# a!\nb!c@d#\ne!", "****** ************" },
	{ "P=\"a!b@c#\\nd!e@f#\"", "d!e@f#", "******" },
	{ "K=\"\nAbCd12==\nTWILIGHT_VERSION=x!y\n\"", "AbCd12== TWILIGHT_VERSION=x!y",
	    "******** ********************" },
	{ "P='a\"b\\c!d'", "{\"p\":\"a\\\"b\\\\c!d\"}", "{\"p\":\"*********\"}" },
	{ "P=\"a!b\nc!d\"", "a!b\\nc!d", "********" },
	/* Go escapes <, > and &, Python all but ASCII; others use capitals, and escape '/' */
	{ "P='ab<c&d>e'", "ab\\u003cc\\u0026d\\u003ee \\u0061b\\u003Cc&d\\u003Ee.",
	    "*********************** ***********************." },
	{ "P=p\xc3\xa4!s\xe2\x82\xac!\xf0\x9f\x98\x80",
	    "p\\u00e4!s\\u20ac!\\ud83d\\ude00 p\\u00E4!s\xe2\x82\xac!\xf0\x9f\x98\x80",
	    "**************************** *****************" },
	{ "P=a/b!c+d", "a\\/b!c\\u002Bd a\\x2fb!c+d", "************* **********" },
	{ "P='ab<c&d'", "ab\\u003 ab\\u003cc ab\\", "ab\\\\u003 ab\\\\u003cc ab\\\\" },
	/* two that overlap; blanks around one */
	{ "A=abc!def\nB=def!ghi", "abc!def!ghi", "***********" },
	{ "A=abc!def\nB=abc!def!ghi", "abc!def!ghi", "***********" },
	{ "A=' a!b@c# '", "a!b@c#", "******" },
	/* what follows a mistake counts too */
	{ "not a statement\nP='a!b@c#'", "a!b@c#", "******" },
	{ "P='a!b@c#", "a!b@c#", "******" },
	{ "A B=C=x\nP=\"a!b\\\"c#\"", "a!b\\\"c#", "*******" },
	{ "", "text", "text" },
};

static char room[ROOM_MAX];
static struct mask m;

static void
write_env(const char *bytes)
{
	room_put(".env", bytes, strlen(bytes));
}

static void
setup(void)
{
	(void)room_enter(room);
}

static void
teardown(void)
{
	mask_free(&m);
	room_leave();
}

static void
load(const char *env)
{
	struct fault f = { 0 };

	write_env(env);
	ck_assert_int_eq(mask_load(&m, ".env", "TWILIGHT_VERSION",
			     "WEB_VERSION TWILIGHT_VERSION API_VERSION", &f),
	    0);
}

static void
shows(const char *text, bool cut, const char *want)
{
	char shown[200];

	mask_show(&m, shown, sizeof(shown), text, strlen(text), cut);
	ck_assert_str_eq(shown, want);
}

START_TEST(masks)
{
	load(rows[_i].env);
	shows(rows[_i].text, false, rows[_i].want);
}
END_TEST

/* A text that was cut may end in the beginning of a value. */
static const struct {
	const char *text, *want;
} ends[] = {
	{ "login hunter", "login ******" },
	{ "login hun", "login ***" },
	{ "login hu", "login hu" },
	{ "login p\344!", "login ***" },
	{ "hunter2 hunter", "******* ******" },
	{ "hunters", "hunters" },
	{ "q!r\\u003cs", "**********" },
	{ "q!r\\u003", "********" },
	{ "q!r\\", "****" },
};

START_TEST(masks_the_beginning_at_a_cut)
{
	load("A=hunter2\nB='p\344!ssw'\nC='q!r<s&t!u'\n");
	shows(ends[_i].text, true, ends[_i].want);
	if (_i == 0)
		shows(ends[_i].text, false, ends[_i].text);
}
END_TEST

/* Escaping makes a value longer: it is across the cut at every offset. */
START_TEST(masks_before_it_cuts)
{
	char text[120], shown[64];

	load("A=\"hun\\\\ter\344\"\n");
	memset(text, '.', sizeof(text));
	memcpy(text + _i, "hun\\ter\344", 8);
	mask_show(&m, shown, sizeof(shown), text, sizeof(text), false);
	ck_assert_ptr_null(strstr(shown, "h"));
	ck_assert_ptr_null(strstr(shown, "t"));
	ck_assert_str_eq(shown + strlen(shown) - 3, "...");
}
END_TEST

START_TEST(reads_a_file_that_was_changed)
{
	load("A=hunter2\n");
	write_env("A=swordfish\n");
	shows("hunter2, swordfish", false, "*******, *********");
	unlink(".env");
	shows("hunter2, swordfish", false, "*******, *********");
}
END_TEST

START_TEST(keeps_many)
{
	char env[4000] = "", line[16];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "K=secret%03d\n", i);
		strcat(env, line);
	}
	load(env);
	shows("secret000 secret199", false, "********* *********");
}
END_TEST

START_TEST(hides_nothing_of_nothing)
{
	struct fault f = { 0 };
	char shown[32];

	ck_assert_int_eq(mask_load(&m, _i == 0 ? "/nonexistent/.env" : "/dev", "V", "",
			     &f),
	    0);
	shows("text\n", false, "text\\n");
	mask_show(NULL, shown, sizeof(shown), "text\n", 5, true);
	ck_assert_str_eq(shown, "text\\n");
}
END_TEST

Suite *
mask_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), EACH(masks, N(rows)),
		ONCE(reads_a_file_that_was_changed), CASE("Limits"),
		EACH(masks_the_beginning_at_a_cut, N(ends)),
		EACH(masks_before_it_cuts, 80), ONCE(keeps_many),
		EACH(hides_nothing_of_nothing, 2) };

	return unit_suite("mask", setup, teardown, tests, N(tests));
}
