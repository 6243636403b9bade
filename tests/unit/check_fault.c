/* check_fault.c: the error convention. */
#include "suite.h"
#include "sys/fault.h"

#include <string.h>

Suite *fault_suite(void);

START_TEST(sets_all_three)
{
	struct fault f = { 0 };

	ck_assert_int_eq(fault_set(&f, FAULT_HOST, "look", "no %s in %d", "x", 7), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what, "no x in 7");
	ck_assert_str_eq(f.next, "look");
}
END_TEST

START_TEST(needs_no_next)
{
	struct fault f = { 0 };

	strcpy(f.next, "left over");
	ck_assert_int_eq(fault_set(&f, FAULT_BUSY, NULL, "busy"), -1);
	ck_assert_str_eq(f.next, "");
}
END_TEST

START_TEST(keeps_the_first_error)
{
	struct fault f = { 0 };

	fault_set(&f, FAULT_REFUSED, "first next", "first");
	ck_assert_int_eq(fault_set(&f, FAULT_HOST, "second next", "second"), -1);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	ck_assert_str_eq(f.what, "first");
	ck_assert_str_eq(f.next, "first next");
}
END_TEST

START_TEST(names_the_memory)
{
	struct fault f = { 0 };

	ck_assert_int_eq(fault_memory(&f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what, "out of memory");
	ck_assert_str_ne(f.next, "");
}
END_TEST

START_TEST(cleared_takes_another)
{
	struct fault f = { 0 };

	fault_set(&f, FAULT_REFUSED, "first next", "first");
	fault_clear(&f);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	ck_assert_str_eq(f.what, "");
	ck_assert_str_eq(f.next, "");
	fault_set(&f, FAULT_BUG, NULL, "second");
	ck_assert_int_eq(f.kind, FAULT_BUG);
	ck_assert_str_eq(f.what, "second");
}
END_TEST

/* They are the exit codes, which are an interface. */
START_TEST(kinds_are_the_exit_codes)
{
	ck_assert_int_eq(FAULT_NONE, 0);
	ck_assert_int_eq(FAULT_FAILED, 1);
	ck_assert_int_eq(FAULT_REFUSED, 2);
	ck_assert_int_eq(FAULT_BUSY, 3);
	ck_assert_int_eq(FAULT_HOST, 4);
	ck_assert_int_eq(FAULT_UNVERIFIED, 5);
	ck_assert_int_eq(FAULT_SUPERSEDED, 6);
	ck_assert_int_eq(FAULT_BUG, 70);
}
END_TEST

START_TEST(cuts_what_is_too_long)
{
	struct fault f = { 0 };
	char text[1024];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fault_set(&f, FAULT_HOST, text, "%s", text);
	ck_assert_uint_eq(strlen(f.what), sizeof(f.what) - 1);
	ck_assert_uint_eq(strlen(f.next), sizeof(f.next) - 1);
}
END_TEST

START_TEST(next_is_no_format)
{
	struct fault f = { 0 };

	fault_set(&f, FAULT_HOST, "%s%n", "%s", "%n%s");
	ck_assert_str_eq(f.what, "%n%s");
	ck_assert_str_eq(f.next, "%s%n");
}
END_TEST

START_TEST(knows_the_worse)
{
	static const enum fault_kind order[] = { 70, 5, 4, 1, 3, 6, 2, 0 };
	int i, j;

	for (i = 0; i < 8; i++)
		for (j = i; j < 8; j++) {
			ck_assert_int_eq(fault_worse(order[i], order[j]), order[i]);
			ck_assert_int_eq(fault_worse(order[j], order[i]), order[i]);
		}
}
END_TEST

Suite *
fault_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), ONCE(sets_all_three),
		ONCE(needs_no_next), ONCE(names_the_memory), ONCE(keeps_the_first_error),
		ONCE(cleared_takes_another), ONCE(kinds_are_the_exit_codes),
		ONCE(knows_the_worse), CASE("Limits"), ONCE(cuts_what_is_too_long),
		CASE("Hostile"), ONCE(next_is_no_format) };

	return unit_suite("fault", NULL, NULL, tests, N(tests));
}
