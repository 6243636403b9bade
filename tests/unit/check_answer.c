#include "health/answer.h"
#include "lies.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *answer_suite(void);

/* The result of a parse. */
struct verdict {
	enum next next;
	struct http_answer answer;
	struct head head;
};

static size_t
add(char *to, size_t len, const char *from, size_t n)
{
	if (from == NULL || n == 0)
		return len;
	if (n > HTTP_HEAD_MAX - len)
		n = HTTP_HEAD_MAX - len;
	memcpy(to + len, from, n);
	return len + n;
}

/* The first HTTP_HEAD_MAX bytes of what is said. */
static size_t
script_bytes(const struct liar_script *s, char *to)
{
	size_t i, len;

	len = add(to, 0, s->text,
	    s->len > 0 || s->text == NULL ? s->len : strlen(s->text));
	for (i = 0; s->more != NULL && i < s->times && len < HTTP_HEAD_MAX; i++)
		len = add(to, len, s->more, strlen(s->more));
	return add(to, len, s->last, s->last == NULL ? 0 : strlen(s->last));
}

/* The bytes up to `end` come in one piece. */
static void
hear(struct verdict *v, const char *bytes, size_t end)
{
	if (v->next != NEXT_MORE || end <= v->head.len)
		return;
	memcpy(v->head.buf + v->head.len, bytes + v->head.len, end - v->head.len);
	v->head.len = end;
	v->next = answer_scan(&v->head, &v->answer);
	ck_assert_uint_le(v->head.at, v->head.len);
}

static void
same(const struct lie *lie, const struct verdict *a, const struct verdict *b, size_t cut)
{
	ck_assert_msg(a->next == b->next && a->answer.end == b->answer.end,
	    "%s: cut at %zu: %d instead of %d, \"%s\"", lie->name, cut, (int)b->next,
	    (int)a->next, b->answer.why);
	if (a->next == NEXT_BODY)
		ck_assert_msg(a->head.at == b->head.at &&
			a->head.body.framing == b->head.body.framing &&
			a->head.body.left == b->head.body.left &&
			a->head.status == b->head.status,
		    "%s: cut at %zu", lie->name, cut);
}

/* The verdict does not depend on how the bytes are split into packets. */
START_TEST(any_cut_is_the_same)
{
	static char bytes[HTTP_HEAD_MAX];
	static struct verdict whole, cut;
	const struct lie *lie = &lies[_i];
	size_t len = script_bytes(&lie->script, bytes), at;

	memset(&whole, 0, sizeof(whole));
	hear(&whole, bytes, len);
	if (lie->end == HTTP_ANSWER) {
		ck_assert_int_eq(whole.next, NEXT_BODY);
		ck_assert_int_eq(whole.head.status, lie->status);
	} else
		ck_assert_int_eq(whole.next == NEXT_END,
		    lie->end == HTTP_GARBAGE && strstr(lie->why, "longer") == NULL &&
			len > 0);
	/* long ones are all alike in their middle */
	for (at = 1; at < len; at += at < 256 ? 1 : 61) {
		memset(&cut, 0, sizeof(cut));
		hear(&cut, bytes, at);
		hear(&cut, bytes, len);
		same(lie, &whole, &cut, at);
	}
	memset(&cut, 0, sizeof(cut));
	for (at = 1; at <= len; at++)
		hear(&cut, bytes, at);
	same(lie, &whole, &cut, 0);
}
END_TEST

/* Whichever byte of a good answer is replaced, the reason stays printable. */
START_TEST(any_byte_anywhere)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
	static struct verdict v;
	char bytes[sizeof(good) - 1];
	size_t at;
	const char *p;

	for (at = 0; at < sizeof(bytes); at++) {
		memcpy(bytes, good, sizeof(bytes));
		bytes[at] = (char)_i;
		memset(&v, 0, sizeof(v));
		hear(&v, bytes, sizeof(bytes));
		for (p = v.answer.why; *p != '\0'; p++)
			ck_assert_msg(*p >= ' ' && *p <= '~', "byte %d at %zu", _i, at);
		if (v.next == NEXT_BODY)
			ck_assert_int_ge(v.head.status, 200);
		if (v.next == NEXT_END)
			ck_assert_str_ne(v.answer.why, "");
	}
}
END_TEST

Suite *
answer_suite(void)
{
	Suite *s = suite_create("answer");
	TCase *c = tcase_create("Hostile");

	tcase_add_loop_test(c, any_cut_is_the_same, 0, (int)lies_count);
	tcase_add_loop_test(c, any_byte_anywhere, 0, 256);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	return s;
}
