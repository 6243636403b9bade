/*
 * check_tag.c: a tag must follow docker's grammar, and the operator's expression must
 * match the whole of it.
 */
#include "request/tag.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
/* the default of TWILIGHT_TAG_PATTERN */
#define USUAL "sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+"

Suite *tag_suite(void);

static const char *const valid[] = { "a", "A", "0", "_", "latest", "v1.2.3",
	"sha-abc1234", "a.", "a-", "_.-", "a..b", "0.0.0-rc.1_x",
	"abcdefghijklmnopqrstuvwxyz0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-" };

static const char *const invalid[] = { "", ".", "-", ".a", "-a", "-rf", "--help", " ",
	"a b", " a", "a ", "a\n", "\n", "a\tb", "a:b", "a/b", "../a", "a@sha256", "a+b",
	"a~1", "v1;rm", "$(id)", "`id`", "a|b", "a&b", "a>b", "a*", "a?", "a[b]", "a\\b",
	"a'b", "a\"b", "a=b", "a,b", "a%b", "a#b", "a!b", "a{b}", "a^b", "a\x7f",
	"\x1b[2J", "\xc3\xa4", "a\xc2\xa0", "\xff" };

static const struct {
	const char *pattern, *tag;
	bool taken;
} rows[] = {
	{ USUAL, "latest", true },
	{ USUAL, "main", true },
	{ USUAL, "sha-0123abc", true },
	{ USUAL, "v1.2.3", true },
	{ USUAL, "v10.200.3000", true },
	{ USUAL, "sha-0123ab", false },
	{ USUAL, "sha-0123abcd", false },
	{ USUAL, "sha-0123abg", false },
	{ USUAL, "SHA-0123abc", false },
	{ USUAL, "sha-0123ABC", false },
	{ USUAL, "xsha-0123abc", false },
	{ USUAL, "latest2", false },
	{ USUAL, "evilmain", false },
	{ USUAL, "main-evil", false },
	{ USUAL, "Main", false },
	{ USUAL, "v1.2", false },
	{ USUAL, "v1.2.3.4", false },
	{ USUAL, "v1.2.3-rc1", false },
	{ USUAL, "v1x2.3", false },
	{ USUAL, "1.2.3", false },
	{ USUAL, "v.1.2", false },
	/* anchors bind more tightly than '|': each stands in one branch only */
	{ "^v[0-9]+|main$", "v1", true },
	{ "^v[0-9]+|main$", "main", true },
	{ "^v[0-9]+|main$", "v1-rm", false },
	{ "^v[0-9]+|main$", "v1.rm", false },
	{ "^v[0-9]+|main$", "evilmain", false },
	{ "^v[0-9]+|main$", "v1main", false },
	{ "^(v[0-9]+|main)$", "v12", true },
	{ "v1", "v1", true },
	{ "v1", "v10", false },
	{ "v1", "xv1", false },
	/* the longest alternative, in any position */
	{ "a|ab|abc", "a", true },
	{ "a|ab|abc", "abc", true },
	{ "abc|ab|a", "ab", true },
	{ "a|ab|abc", "abcd", false },
	{ "v1|v1\\.0", "v1.0", true },
	{ "v[0-9]+(-rc[0-9]+)?", "v1-rc2", true },
	{ "(a|ab)(c|bcd)", "abcd", true },
	/* a leftmost match that does not span the tag */
	{ "b|ab", "ab", true },
	{ "x*", "y", false },
	{ "", "v1", false },
	{ "^$", "v1", false },
	{ "()", "v1", false },
	{ ".*", "anything.goes-here_", true },
	{ ".+", "x", true },
	/* docker's grammar applies with every expression */
	{ ".*", "", false },
	{ ".*", ".x", false },
	{ ".*", "-rf", false },
	{ ".*", "a b", false },
	{ ".*", "a\nb", false },
	{ ".*", "v1;rm", false },
	{ "v1;rm", "v1;rm", false },
	{ "[^/]*", "a:b", false },
	/* characters are bytes; case matters */
	{ "[[:alnum:]]+", "Az09", true },
	{ "[[:alnum:]]+", "a_b", false },
	{ "V1", "v1", false },
	{ "[a-z]{3}", "abc", true },
	{ "[a-z]{3}", "abcd", false },
};

static const char *const broken[] = { "[", "[a", "(", "(a", "a{2,1}", "a{1", "[[:none:]]",
	"[z-a]", "\\", "a\\", "v1|(", "a{99999}" };

static const struct {
	const char *tag;
	bool release;
} releases[] = {
	{ "v1.2.3", true },
	{ "1.2.3", true },
	{ "v0.0.0", true },
	{ "v10.20.30", true },
	{ "backend-v1.2.3", true },
	{ "release_1.2.3", true },
	{ "v1.2.3.4", true },
	{ "", false },
	{ "latest", false },
	{ "main", false },
	{ "sha-1234567", false },
	{ "7", false },
	{ "1.2", false },
	{ "v1.2", false },
	{ "v1.2.", false },
	{ "v1.2.3-rc1", false },
	{ "v1.2.3-1", false },
	{ "v1.2.3x", false },
	{ "v1..3", false },
	{ "v.2.3", false },
	{ "1.x.3", false },
	{ "v1-2-3", false },
	{ ".2.3", false },
	{ "..", false },
	{ "...", false },
	{ ".", false },
	{ "v1.2.3.", false },
};

static void
is_refused(const char *tag, const char *pattern)
{
	struct fault f = { 0 };
	const char *p;

	ck_assert_msg(tag_check(tag, pattern, &f) == -1, "%s took %s", pattern, tag);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	ck_assert_int_eq(strncmp(f.what, "invalid tag: ", 13), 0);
	ck_assert_str_ne(f.next, "");
	for (p = f.what; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", f.what);
}

START_TEST(is_valid)
{
	struct fault f = { 0 };

	ck_assert(tag_is_valid(valid[_i]));
	ck_assert_int_eq(tag_check(valid[_i], ".*", &f), 0);
}
END_TEST

START_TEST(is_invalid)
{
	ck_assert(!tag_is_valid(invalid[_i]));
	is_refused(invalid[_i], ".*");
}
END_TEST

START_TEST(spans_the_whole_tag)
{
	struct fault f = { 0 };

	if (rows[_i].taken) {
		ck_assert_msg(tag_check(rows[_i].tag, rows[_i].pattern, &f) == 0,
		    "%s: %s", rows[_i].pattern, f.what);
		ck_assert_int_eq(f.kind, FAULT_NONE);
	} else
		is_refused(rows[_i].tag, rows[_i].pattern);
}
END_TEST

START_TEST(shows_what_it_refuses)
{
	struct fault f = { 0 };

	ck_assert_int_eq(tag_check("v1\x1b[2J", ".*", &f), -1);
	ck_assert_str_eq(f.what, "invalid tag: v1\\033[2J");
	fault_clear(&f);
	ck_assert_int_eq(tag_check("v9", "v1", &f), -1);
	ck_assert_str_eq(f.what, "invalid tag: v9");
	ck_assert_str_eq(f.next, "accepted here: tags that match v1");
	fault_clear(&f);
	ck_assert_int_eq(tag_check("1.0.0", USUAL, &f), -1);
	ck_assert_str_eq(f.next, "accepted here: v1.2.3, sha-abc1234, main, latest");
	fault_clear(&f);
	ck_assert_int_eq(tag_check("v1", "[0-9a-f]{40}", &f), -1);
	ck_assert_str_eq(f.next,
	    "accepted here: 0123456789abcdef0123456789abcdef01234567");
	fault_clear(&f);
	/* the operator's text, on one printable line */
	ck_assert_int_eq(tag_check("v1", "v\\.[0-9]\n\x1b", &f), -1);
	ck_assert_str_eq(f.next, "accepted here: tags that match v\\.[0-9]??");
}
END_TEST

START_TEST(knows_a_release)
{
	ck_assert_msg(tag_is_release(releases[_i].tag) == releases[_i].release, "%s",
	    releases[_i].tag);
}
END_TEST

START_TEST(bounds_the_length)
{
	char tag[300];
	struct fault f = { 0 };
	size_t len;

	memset(tag, 'a', sizeof(tag));
	for (len = 1; len < sizeof(tag); len++) {
		tag[len] = '\0';
		ck_assert_int_eq(tag_is_valid(tag), len <= 128);
		if (len == 128)
			ck_assert_int_eq(tag_check(tag, "a*", &f), 0);
		if (len > 128)
			is_refused(tag, "a*");
		tag[len] = 'a';
	}
}
END_TEST

START_TEST(blames_the_operator_for_the_pattern)
{
	struct fault f = { 0 };

	ck_assert_int_eq(tag_check("v1", broken[_i], &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "TWILIGHT_TAG_PATTERN: "));
	ck_assert_str_ne(f.next, "");
}
END_TEST

/* A bad tag is refused even if the expression is bad, too. */
START_TEST(judges_the_tag_before_the_pattern)
{
	is_refused("-rf", "[");
}
END_TEST

START_TEST(survives_every_byte_everywhere)
{
	char tag[] = "v1.2.3";
	size_t i, len = strlen(tag);
	struct fault f;
	int c;

	for (i = 0; i < len; i++)
		for (c = 1; c < 256; c++) {
			char saved = tag[i];
			bool word = strchr("abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
					c) != NULL;

			tag[i] = (char)c;
			ck_assert_int_eq(tag_is_valid(tag),
			    word || (i > 0 && (c == '.' || c == '-')));
			memset(&f, 0, sizeof(f));
			if (tag_check(tag, USUAL, &f) == -1)
				ck_assert_int_eq(f.kind, FAULT_REFUSED);
			else
				ck_assert(tag_is_valid(tag) && tag_is_release(tag));
			tag[i] = saved;
		}
}
END_TEST

/* The longest tag, with expressions that need exponential time in a backtracking matcher. */
START_TEST(ends_in_time)
{
	static const char *const heavy[] = { "(a*)*b", "(a|a)*b", "(a|aa)+",
		"a*a*a*a*a*b", "([a-z]+)+\\.[0-9]" };
	struct fault f = { 0 };
	char tag[129];

	memset(tag, 'a', sizeof(tag));
	tag[128] = '\0';
	if (tag_check(tag, heavy[_i], &f) == -1)
		ck_assert_int_eq(f.kind, FAULT_REFUSED);
}
END_TEST

START_TEST(removes_a_prefix)
{
	ck_assert_str_eq(tag_bare("be-sha-abc1234", "be-"), "sha-abc1234");
	ck_assert_str_eq(tag_bare("sha-abc1234", "be-"), "sha-abc1234");
	ck_assert_str_eq(tag_bare("v1", ""), "v1");
}
END_TEST

Suite *
tag_suite(void)
{
	Suite *s = suite_create("tag");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_loop_test(core, is_valid, 0, N(valid));
	tcase_add_loop_test(core, spans_the_whole_tag, 0, N(rows));
	tcase_add_test(core, shows_what_it_refuses);
	tcase_add_test(core, removes_a_prefix);
	tcase_add_loop_test(core, knows_a_release, 0, N(releases));
	suite_add_tcase(s, core);
	tcase_add_test(limits, bounds_the_length);
	tcase_add_loop_test(limits, blames_the_operator_for_the_pattern, 0, N(broken));
	tcase_add_test(limits, judges_the_tag_before_the_pattern);
	suite_add_tcase(s, limits);
	tcase_set_timeout(hostile, 60);
	tcase_add_loop_test(hostile, is_invalid, 0, N(invalid));
	tcase_add_test(hostile, survives_every_byte_everywhere);
	tcase_add_loop_test(hostile, ends_in_time, 0, 5);
	suite_add_tcase(s, hostile);
	return s;
}
