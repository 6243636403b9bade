#include "health/body.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *body_suite(void);

enum end { DONE, OPEN, BAD };

static const struct {
	const char *bytes, *data;
	enum end end;
} chunked[] = {
	{ "0\r\n\r\n", "", DONE },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello", DONE },
	{ "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", DONE },
	{ "5;name=value\r\nhello\r\n0\r\n\r\n", "hello", DONE },
	{ "5 ; a=\"b\"\r\nhello\r\n0\r\n\r\n", "hello", DONE },
	{ "00005\r\nhello\r\n000\r\n\r\n", "hello", DONE },
	{ "a\r\n0123456789\r\n0\r\n\r\n", "0123456789", DONE },
	{ "A\n0123456789\n0\n\n", "0123456789", DONE },
	{ "0\r\nTrailer: x\r\nOther: y\r\n\r\n", "", DONE },
	{ "3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK", "abc", DONE },
	{ "2\r\n\r\n\r\n0\r\n\r\n", "\r\n", DONE },
	/* it broke off */
	{ "", "", OPEN },
	{ "5", "", OPEN },
	{ "5\r\nhel", "hel", OPEN },
	{ "5\r\nhello", "hello", OPEN },
	{ "5\r\nhello\r\n0\r\n", "hello", OPEN },
	{ "0\r\nTrailer: x\r\n", "", OPEN },
	{ "ffffffffffffffff\r\nabc", "abc", OPEN },
	/* it is not chunks */
	{ "\r\nhello", "", BAD },
	{ "g\r\n", "", BAD },
	{ "-1\r\n", "", BAD },
	{ "0x5\r\nhello", "", BAD },
	{ ";a\r\n", "", BAD },
	{ "5\r\nhelloX", "hello", BAD },
	{ "11111111111111111\r\n", "", BAD },
	{ "{\"a\": 1}", "", BAD },
};

/* The bytes in pieces of `piece`. */
static void
decode(struct body *b, const char *bytes, size_t piece, char *data)
{
	size_t len = strlen(bytes), at, n, out = 0;
	char buf[128];

	for (at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		memcpy(buf, bytes + at, n);
		n = body_decode(b, buf, n);
		memcpy(data + out, buf, n);
		out += n;
		n = len - at < piece ? len - at : piece;
	}
	data[out] = '\0';
}

START_TEST(decodes_chunks_however_they_are_cut)
{
	char data[128];
	struct body b;
	size_t piece;

	for (piece = 1; piece <= strlen(chunked[_i].bytes) + 1; piece++) {
		body_init(&b, BODY_CHUNKED, 7);
		decode(&b, chunked[_i].bytes, piece, data);
		ck_assert_str_eq(data, chunked[_i].data);
		ck_assert_int_eq(b.done, chunked[_i].end == DONE);
		ck_assert_int_eq(b.bad, chunked[_i].end == BAD);
	}
}
END_TEST

START_TEST(ends_at_its_length)
{
	char data[128];
	struct body b;

	body_init(&b, BODY_LENGTH, 0);
	ck_assert(b.done);
	body_init(&b, BODY_LENGTH, 5);
	decode(&b, "hel", 3, data);
	ck_assert(!b.done);
	decode(&b, "lo, and more", 2, data);
	ck_assert(b.done && !b.bad);
	ck_assert_str_eq(data, "lo");
	body_init(&b, BODY_LENGTH, UINT64_MAX);
	decode(&b, "abc", 3, data);
	ck_assert(!b.done && !b.bad);
	ck_assert_str_eq(data, "abc");
}
END_TEST

START_TEST(goes_on_to_the_close)
{
	char data[128];
	struct body b;

	body_init(&b, BODY_TO_CLOSE, 0);
	decode(&b, "5\r\nhello", 2, data);
	ck_assert_str_eq(data, "5\r\nhello");
	ck_assert(!b.done && !b.bad);
}
END_TEST

Suite *
body_suite(void)
{
	Suite *s = suite_create("body");
	TCase *core = tcase_create("Core");

	tcase_add_loop_test(core, decodes_chunks_however_they_are_cut, 0, N(chunked));
	tcase_add_test(core, ends_at_its_length);
	tcase_add_test(core, goes_on_to_the_close);
	suite_add_tcase(s, core);
	return s;
}
