/* check_deadline.c: limits of time. */
#include "suite.h"
#include "sys/deadline.h"

#include <limits.h>
#include <time.h>

Suite *deadline_suite(void);

static void
nap(long ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) == -1)
		continue;
}

START_TEST(clock_moves_forward)
{
	int64_t before = clock_ms();

	nap(30);
	ck_assert_int_ge(clock_ms() - before, 29);
}
END_TEST

START_TEST(left_counts_down)
{
	int64_t deadline = deadline_in(10000);

	ck_assert_int_le(deadline_left(deadline), 10000);
	nap(30);
	ck_assert_int_le(deadline_left(deadline), 9971);
	ck_assert_int_gt(deadline_left(deadline), 0);
}
END_TEST

START_TEST(passed_is_zero)
{
	int64_t deadline = deadline_in(10);

	nap(30);
	ck_assert_int_eq(deadline_left(deadline), 0);
	ck_assert_int_eq(deadline_poll(deadline, 1000), 0);
	ck_assert_int_eq(deadline_left(deadline_in(0)), 0);
	ck_assert_int_eq(deadline_left(deadline_in(-1000)), 0);
	ck_assert_int_eq(deadline_left(0), 0);
}
END_TEST

START_TEST(poll_takes_the_shorter)
{
	ck_assert_int_eq(deadline_poll(deadline_in(10000), 250), 250);
	ck_assert_int_le(deadline_poll(deadline_in(100), 10000), 100);
	ck_assert_int_eq(deadline_poll(deadline_in(10000), 0), 0);
}
END_TEST

START_TEST(poll_fits_an_int)
{
	int64_t far = deadline_in((int64_t)INT_MAX * 100);

	ck_assert_int_eq(deadline_poll(far, INT64_MAX), INT_MAX);
	ck_assert_int_eq(deadline_poll(far, (int64_t)INT_MAX + 1), INT_MAX);
	ck_assert_int_eq(deadline_poll(INT64_MAX, INT64_MAX), INT_MAX);
}
END_TEST

Suite *
deadline_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), ONCE(clock_moves_forward),
		ONCE(left_counts_down), ONCE(passed_is_zero),
		ONCE(poll_takes_the_shorter), CASE("Limits"), ONCE(poll_fits_an_int) };

	return unit_suite("deadline", NULL, NULL, tests, N(tests));
}
