/* check_text.c: foreign bytes made safe to print; similar words. */
#include "suite.h"
#include "sys/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

Suite *text_suite(void);

static const struct {
	const char *src;
	size_t len;
	const char *dst;
} rows[] = {
	{ "", 0, "" },
	{ "deploy sha-abc1234", 18, "deploy sha-abc1234" },
	{ "a b~!", 5, "a b~!" },
	{ "a\\b", 3, "a\\\\b" },
	{ "a\nb", 3, "a\\nb" },
	{ "a\tb", 3, "a\\tb" },
	{ "a\r", 2, "a\\r" },
	{ "\033[2J", 4, "\\033[2J" },
	{ "\0", 1, "\\000" },
	{ "a\0b", 3, "a\\000b" },
	{ "\0"
	  "1",
	    2, "\\0001" },
	{ "\177", 1, "\\177" },
	{ "\xc3\xa4", 2, "\\303\\244" },
	{ "\xa0\xff", 2, "\\240\\377" },
	{ "abc", 2, "ab" },
};

START_TEST(escapes)
{
	char buf[64];

	ck_assert_ptr_eq(text_escape(buf, sizeof(buf), rows[_i].src, rows[_i].len), buf);
	/* vis(3) may write NUL in two ways */
	if (memchr(rows[_i].src, '\0', rows[_i].len) != NULL)
		ck_assert_ptr_nonnull(strstr(buf, "\\0"));
	else
		ck_assert_str_eq(buf, rows[_i].dst);
}
END_TEST

START_TEST(cuts_plain_text_late)
{
	char buf[16];

	text_escape(buf, sizeof(buf), "123456789012", 12);
	ck_assert_str_eq(buf, "123456789012");
	text_escape(buf, sizeof(buf), "1234567890123", 13);
	ck_assert_str_eq(buf, "123456789012...");
}
END_TEST

START_TEST(cuts_between_escapes)
{
	char buf[16];

	text_escape(buf, sizeof(buf), "\001\001\001", 3);
	ck_assert_str_eq(buf, "\\001\\001\\001");
	text_escape(buf, sizeof(buf), "\001\001\001\001", 4);
	ck_assert_str_eq(buf, "\\001\\001\\001...");
}
END_TEST

static bool
is_printable(const char *s, size_t max)
{
	size_t i;

	for (i = 0; i < max && s[i] != '\0'; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return i < max;
}

/* All sizes and lengths stay in the buffer (seen by ASan). */
START_TEST(never_overruns)
{
	char src[80], *dst;
	size_t size, len, i;
	bool ok = true;

	for (i = 0; i < sizeof(src); i++)
		src[i] = _i == 256 ? 'a' : (char)_i;
	for (size = 16; size <= 70; size += 3)
		for (len = 0; len <= sizeof(src); len++) {
			if ((dst = malloc(size)) == NULL)
				ck_abort_msg("no memory");
			ok = ok && is_printable(text_escape(dst, size, src, len), size);
			free(dst);
		}
	ck_assert_msg(ok, "byte %d", _i);
}
END_TEST

START_TEST(mixed_bytes_stay_printable)
{
	char src[256], dst[2048];
	size_t i;

	for (i = 0; i < sizeof(src); i++)
		src[i] = (char)i;
	text_escape(dst, sizeof(dst), src, sizeof(src));
	ck_assert(is_printable(dst, sizeof(dst)));
}
END_TEST

static const struct {
	const char *a, *b;
	unsigned distance;
	bool near;
} words[] = {
	{ "", "", 0, false },
	{ "a", "a", 0, true },
	{ "a", "b", 1, false },
	{ "ab", "", 2, false },
	{ "keep", "keeep", 1, true },
	{ "keep", "kep", 1, true },
	{ "keep", "kepe", 1, true },
	{ "keep", "peek", 2, true },
	{ "hoem", "home", 1, true },
	{ "statsu", "status", 1, true },
	{ "service", "services", 1, true },
	{ "sitting", "kitten", 3, false },
	{ "zzzz", "home", 4, false },
	/* longer than 63 bytes: never near */
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b", 63,
	    false },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64,
	    false },
};

START_TEST(knows_near_words)
{
	unsigned n = text_distance(words[_i].a, words[_i].b);

	ck_assert_uint_eq(n, words[_i].distance);
	ck_assert_uint_eq(text_distance(words[_i].b, words[_i].a), n);
	ck_assert_int_eq(text_is_near(words[_i].a, n), words[_i].near);
}
END_TEST

static const struct {
	int64_t bytes;
	const char *want;
} sizes[] = {
	{ 0, "0 bytes" },
	{ 1023, "1023 bytes" },
	{ 1024, "1 KiB" },
	{ (1 << 20) - 1, "1023 KiB" },
	{ 1 << 20, "1 MiB" },
	{ INT64_C(1) << 40, "1048576 MiB" },
	{ INT64_MAX, "8796093022207 MiB" },
};

START_TEST(shows_sizes)
{
	char out[TEXT_SIZE_MAX];

	ck_assert_str_eq(text_size(out, sizes[_i].bytes), sizes[_i].want);
}
END_TEST

START_TEST(splits_words)
{
	char text[] = "  migrate --to  head\t", many[] = "a,b c", none[] = "";
	const char *got[3] = { NULL };

	ck_assert_uint_eq(text_words(text, " ", got, 3), 3);
	ck_assert_str_eq(got[0], "migrate");
	ck_assert_str_eq(got[1], "--to");
	ck_assert_str_eq(got[2], "head\t");
	ck_assert_uint_eq(text_words(many, " ,", got, 2), 2);
	ck_assert_str_eq(got[1], "b");
	ck_assert_uint_eq(text_words(none, " ", got, 3), 0);
}
END_TEST

Suite *
text_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), EACH(escapes, N(rows)),
		EACH(knows_near_words, N(words)), EACH(shows_sizes, N(sizes)),
		ONCE(splits_words), CASE("Limits"), ONCE(cuts_plain_text_late),
		ONCE(cuts_between_escapes), CASE("Hostile"), EACH(never_overruns, 257),
		ONCE(mixed_bytes_stay_printable) };

	return unit_suite("text", NULL, NULL, tests, N(tests));
}
