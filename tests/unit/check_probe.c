#include "health/probe.h"
#include "liar.h"

#include <check.h>
#include <string.h>

Suite *probe_suite(void);

static const struct http_answer answered200 = { .end = HTTP_ANSWER, .status = 200 };
static const struct http_answer answered503 = { .end = HTTP_ANSWER, .status = 503 };
static const struct http_answer refused = { .end = HTTP_REFUSED };
static const struct http_answer closed = { .end = HTTP_CLOSED };
static const struct http_answer hung = { .end = HTTP_TIMEOUT };

START_TEST(healthy_is_200_to_399)
{
	struct http_answer a = { .end = HTTP_ANSWER };
	int end;

	for (a.status = 0; a.status < 700; a.status++)
		ck_assert_int_eq(http_healthy(&a), a.status >= 200 && a.status <= 399);
	a.status = 200;
	for (end = 0; end < HTTP__MAX; end++) {
		a.end = (enum http_end)end;
		ck_assert_int_eq(http_healthy(&a), end == HTTP_ANSWER);
	}
}
END_TEST

START_TEST(good_at_once)
{
	struct probe p;

	probe_init(&p, NULL, 3, 2000);
	ck_assert_uint_eq(p.window, 0);
	ck_assert_int_eq(probe_judge(&p, &answered200, 5000), PROBE_GOOD);
	ck_assert_uint_eq(p.window, 1);
	ck_assert_int_eq(p.pause_ms, 0);
}
END_TEST

START_TEST(quick_pauses_grow)
{
	/* when, and the pause then: a thirtieth, from 20 to 250 ms */
	static const int64_t want[][2] = { { 0, 20 }, { 300, 20 }, { 900, 30 },
		{ 1500, 50 }, { 6000, 200 }, { 7500, 250 }, { 50000, 250 } };
	struct probe p;
	size_t i;

	probe_init(&p, NULL, 1, 60000);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_int_eq(probe_judge(&p, i % 2 ? &refused : &closed, want[i][0]),
		    PROBE_AGAIN);
		ck_assert_int_eq(p.pause_ms, want[i][1]);
	}
}
END_TEST

START_TEST(other_pauses_are_steady)
{
	struct http_answer a = answered503;
	struct probe p;
	int end;

	probe_init(&p, NULL, 1, 60000);
	for (end = 0; end < HTTP__MAX; end++) {
		a.end = (enum http_end)end;
		if (a.end == HTTP_REFUSED || a.end == HTTP_CLOSED)
			continue;
		ck_assert_int_eq(probe_judge(&p, &a, end), PROBE_AGAIN);
		ck_assert_int_eq(p.pause_ms, 250);
	}
	/* a service that restarts is as fresh as one that starts */
	ck_assert_int_eq(probe_judge(&p, &refused, 100), PROBE_AGAIN);
	ck_assert_int_eq(p.pause_ms, 20);
}
END_TEST

START_TEST(windows_follow_each_other)
{
	struct probe p;

	probe_init(&p, NULL, 3, 2000);
	ck_assert_int_eq(probe_judge(&p, &answered503, 100), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 1);
	ck_assert_int_eq(probe_judge(&p, &answered503, 2099), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 1);
	ck_assert_int_eq(p.pause_ms, 1);
	ck_assert_int_eq(probe_judge(&p, &answered503, 2100), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 2);
	ck_assert_int_eq(p.pause_ms, 250);
	ck_assert_int_eq(probe_judge(&p, &answered503, 4100), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 3);
	ck_assert_int_eq(probe_judge(&p, &answered200, 6100), PROBE_GOOD);
	ck_assert_uint_eq(p.window, 3);
}
END_TEST

START_TEST(a_good_answer_closes_no_window)
{
	struct probe p;

	probe_init(&p, NULL, 2, 1000);
	ck_assert_int_eq(probe_judge(&p, &answered200, 0), PROBE_GOOD);
	ck_assert_int_eq(probe_judge(&p, &answered200, 9000), PROBE_GOOD);
	ck_assert_uint_eq(p.window, 1);
	ck_assert_int_eq(probe_judge(&p, &answered503, 9500), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 2);
	ck_assert_int_eq(p.window_end, 10500);
}
END_TEST

/* Acts as a caller: waits for the pause; an attempt takes `cost` ms. */
static int64_t
spend(struct probe *p, const struct http_answer *a, int64_t cost, unsigned *attempts)
{
	enum probe_verdict v;
	int64_t now = 0;

	*attempts = 0;
	do {
		now += cost;
		v = probe_judge(p, a, now);
		ck_assert_int_ne(v, PROBE_GOOD);
		ck_assert_int_ge(p->pause_ms, 0);
		ck_assert_int_le(p->pause_ms, 250);
		ck_assert_uint_le(p->window, p->tries);
		now += p->pause_ms;
		(*attempts)++;
	} while (v == PROBE_AGAIN && *attempts < 100000);
	ck_assert_int_eq(v, PROBE_SPENT);
	ck_assert_int_eq(probe_judge(p, a, now), PROBE_SPENT);
	return now;
}

START_TEST(the_budget_is_tries_times_sleep)
{
	unsigned attempts;
	struct probe p;

	probe_init(&p, NULL, 30, 2000);
	ck_assert_int_eq(spend(&p, &refused, 0, &attempts), 60000);
	probe_init(&p, NULL, 30, 2000);
	ck_assert_int_eq(spend(&p, &answered503, 0, &attempts), 60000);
	/* begun and ended by an attempt: each window is at most one longer */
	probe_init(&p, NULL, 30, 2000);
	ck_assert_int_le(spend(&p, &answered503, 3, &attempts), 60000 + 31 * 3);
	ck_assert_uint_eq(p.window, 30);
}
END_TEST

START_TEST(a_hang_uses_up_one_window)
{
	unsigned attempts;
	struct probe p;

	probe_init(&p, NULL, 5, 1000);
	p.window = 1, p.window_end = 1000;
	spend(&p, &hung, 2000, &attempts);
	ck_assert_uint_eq(attempts, 5);

	probe_init(&p, NULL, 3, 1000);
	p.window = 1, p.window_end = 1000;
	ck_assert_int_eq(probe_judge(&p, &hung, 2000), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 2);
	ck_assert_int_eq(p.window_end, 3000);
	ck_assert_int_eq(probe_judge(&p, &hung, 600000), PROBE_AGAIN);
	ck_assert_uint_eq(p.window, 3);
}
END_TEST

START_TEST(no_sleep_makes_single_attempts)
{
	unsigned attempts;
	struct probe p;

	probe_init(&p, NULL, 7, 0);
	ck_assert_int_eq(spend(&p, &refused, 0, &attempts), 0);
	ck_assert_uint_eq(attempts, 7);
	probe_init(&p, NULL, 1, 0);
	spend(&p, &answered503, 5, &attempts);
	ck_assert_uint_eq(attempts, 1);
	probe_init(&p, NULL, 3, 0);
	ck_assert_int_eq(probe_judge(&p, &refused, 1), PROBE_AGAIN);
	ck_assert_int_eq(probe_judge(&p, &answered200, 2), PROBE_GOOD);
	ck_assert_uint_eq(p.window, 2);
}
END_TEST

START_TEST(far_limits_do_not_overflow)
{
	unsigned attempts;
	struct probe p;

	probe_init(&p, NULL, 1, 365LL * 86400 * 1000);
	ck_assert_int_eq(probe_judge(&p, &refused, INT64_C(1) << 60), PROBE_AGAIN);
	ck_assert_int_eq(p.pause_ms, 20);
	probe_init(&p, NULL, 2000, 1);
	spend(&p, &refused, 0, &attempts);
	ck_assert_uint_le(attempts, 2001);
	probe_init(&p, NULL, 0, 0);
	ck_assert_int_eq(probe_judge(&p, &refused, 0), PROBE_SPENT);
}
END_TEST

static void
url_of(struct url *u, const struct liar *l)
{
	memset(u, 0, sizeof(*u));
	strcpy(u->host, "127.0.0.1");
	strcpy(u->authority, "127.0.0.1");
	strcpy(u->path, "/");
	memcpy(u->port, l->port, sizeof(u->port));
}

START_TEST(asks_for_real)
{
	static const struct liar_script script = {
		.text = "HTTP/1.1 204 No Content\r\n\r\n"
	};
	struct http_answer a;
	struct liar l;
	struct probe p;
	struct url u;

	ck_assert(liar_start(&l, "127.0.0.1", &script));
	url_of(&u, &l);
	probe_init(&p, &u, 1, 1000);
	ck_assert_int_eq(probe_ask(&p, &a), PROBE_GOOD);
	ck_assert_str_eq(a.why, "answered 204");
	ck_assert_uint_eq(p.window, 1);
	liar_stop(&l);

	probe_init(&p, &u, 2, 0);
	ck_assert_int_eq(probe_ask(&p, &a), PROBE_AGAIN);
	ck_assert_int_eq(probe_ask(&p, &a), PROBE_SPENT);
	ck_assert_str_eq(a.why, "connection refused");
}
END_TEST

START_TEST(a_hanging_service_costs_one_try)
{
	static const struct liar_script script = { .end = LIAR_HANG };
	struct http_answer a;
	struct liar l;
	struct probe p;
	struct url u;

	ck_assert(liar_start(&l, "127.0.0.1", &script));
	url_of(&u, &l);
	probe_init(&p, &u, 2, 1);
	ck_assert_int_eq(probe_ask(&p, &a), PROBE_AGAIN);
	ck_assert_int_eq(a.end, HTTP_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(a.why, "no answer within"));
	ck_assert_uint_eq(p.window, 2);
	liar_stop(&l);
}
END_TEST

Suite *
probe_suite(void)
{
	Suite *s = suite_create("probe");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_test(core, healthy_is_200_to_399);
	tcase_add_test(core, good_at_once);
	tcase_add_test(core, quick_pauses_grow);
	tcase_add_test(core, other_pauses_are_steady);
	tcase_add_test(core, windows_follow_each_other);
	tcase_add_test(core, a_good_answer_closes_no_window);
	tcase_add_test(core, asks_for_real);
	tcase_add_test(limits, the_budget_is_tries_times_sleep);
	tcase_add_test(limits, no_sleep_makes_single_attempts);
	tcase_add_test(limits, far_limits_do_not_overflow);
	tcase_add_test(hostile, a_hang_uses_up_one_window);
	tcase_add_test(hostile, a_hanging_service_costs_one_try);
	tcase_set_timeout(core, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(hostile, 60);
	suite_add_tcase(s, core);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, hostile);
	return s;
}
