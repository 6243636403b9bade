/*
 * check_people.c: ages, durations, short reasons.
 */
#include "cli/people.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *people_suite(void);

static const struct {
	int64_t seconds;
	const char *age;
} ages[] = {
	{ -5, "0 s" }, /* the clock was set back */
	{ 0, "0 s" },
	{ 119, "119 s" },
	{ 120, "2 min" },
	{ 7199, "119 min" },
	{ 7200, "2 h" },
	{ 48 * 3600 - 1, "47 h" },
	{ 48 * 3600, "2 d" },
	{ 729 * 86400, "729 d" },
	{ 730 * 86400, "2 y" },
	{ 400LL * 365 * 86400, "400 y" },
};

START_TEST(shows_an_age)
{
	char out[PEOPLE_SHORT];

	ck_assert_str_eq(people_age(1000, 1000 + ages[_i].seconds, out), ages[_i].age);
}
END_TEST

START_TEST(reads_a_time)
{
	static const char *const bad[] = { "", "2024-01-31", "2024-01-31T12:00:00",
		"2024-01-31T12:00:00Zx", "2024-13-31T12:00:00Z", "now" };
	char out[PEOPLE_SHORT];
	int i;

	ck_assert_int_eq(people_time("1970-01-02T00:00:01Z"), 86401);
	ck_assert_int_eq(people_time("2024-02-29T12:00:00Z"), 1709208000);
	for (i = 0; i < N(bad); i++)
		ck_assert_int_eq(people_time(bad[i]), -1);
	ck_assert_str_eq(people_age(-1, 1000, out), "?");
}
END_TEST

START_TEST(shows_who_asked)
{
	static const struct {
		enum trigger trigger;
		const char *text;
	} rows[] = { { TRIGGER_UNKNOWN, "ci" }, { TRIGGER_SSH, "ci" },
		{ TRIGGER_PROMPT, "ci" }, { TRIGGER_WEBHOOK, "ci (webhook)" },
		{ TRIGGER_POLL, "ci (poll)" }, { TRIGGER_BOOT, "ci (boot)" } };
	struct who w = { .actor = "ci" };
	char out[PEOPLE_WHO_MAX];
	int i;

	for (i = 0; i < N(rows); i++) {
		w.trigger = rows[i].trigger;
		ck_assert_str_eq(people_who(&w, out), rows[i].text);
	}
	memset(w.actor, 'a', sizeof(w.actor) - 1);
	w.trigger = TRIGGER_WEBHOOK;
	ck_assert_uint_eq(strlen(people_who(&w, out)), sizeof(w.actor) - 1 + 10);
}
END_TEST

START_TEST(shows_a_duration)
{
	static const struct {
		int64_t ms;
		const char *took;
	} rows[] = { { -1, "0.0 s" }, { 0, "0.0 s" }, { 99, "0.0 s" }, { 3450, "3.4 s" },
		{ 59999, "59.9 s" }, { 60000, "60 s" }, { 300000, "5 min" } };
	char out[PEOPLE_SHORT];
	int i;

	for (i = 0; i < N(rows); i++)
		ck_assert_str_eq(people_took(rows[i].ms, out), rows[i].took);
}
END_TEST

START_TEST(cuts_a_text)
{
	char out[40];

	ck_assert_str_eq(people_cut("v1.2.3", 6, out, sizeof(out)), "v1.2.3");
	ck_assert_str_eq(people_cut("v1.2.34", 6, out, sizeof(out)), "v1.2..");
	ck_assert_str_eq(people_cut("0123456789abcdef0123456789abcdef01234567", 14, out,
			     sizeof(out)),
	    "0123456789ab..");
}
END_TEST

START_TEST(shortens_a_reason)
{
	char out[FAULT_WHAT_MAX];

	ck_assert_str_eq(people_reason("not deployed: x answered 503; rolled back, y",
			     out, sizeof(out)),
	    "x answered 503");
	ck_assert_str_eq(people_reason("the pull failed", out, sizeof(out)),
	    "the pull failed");
}
END_TEST

static struct record
record(enum record_verb verb, enum outcome outcome, const char *from, const char *to)
{
	struct record r = { .verb = verb, .outcome = outcome, .ms.total = 3450 };

	strcpy(r.from.tag, from);
	strcpy(r.to.tag, to);
	return r;
}

START_TEST(tells_of_success)
{
	static const struct {
		enum record_verb verb;
		enum outcome outcome;
		const char *from, *to, *target, *line;
	} rows[] = {
		{ RECORD_DEPLOY, OUTCOME_DEPLOYED, "v1", "v2", NULL,
		    "deployed v2 (was v1) in 3.4 s; to go back: rollback" },
		{ RECORD_DEPLOY, OUTCOME_DEPLOYED, "v1", "v2", "web",
		    "deployed v2 (was v1) in 3.4 s; to go back: rollback target=web" },
		{ RECORD_DEPLOY, OUTCOME_DEPLOYED,
		    "0123456789abcdef0123456789abcdef01234567",
		    "123456789abcdef0123456789abcdef012345678", NULL,
		    "deployed 123456789abcdef0123456.. (was 0123456789abcdef012345..) in "
		    "3.4 s; to go back: rollback" },
		{ RECORD_DEPLOY, OUTCOME_DEPLOYED, "v2", "v2", NULL,
		    "deployed v2 (was v2) in 3.4 s" },
		{ RECORD_DEPLOY, OUTCOME_DEPLOYED, "", "v1", NULL,
		    "deployed v1 (nothing ran before) in 3.4 s" },
		{ RECORD_ROLLBACK, OUTCOME_DEPLOYED, "v2", "v1", NULL,
		    "rolled back to v1 (was v2) in 3.4 s" },
		{ RECORD_DEPLOY, OUTCOME_RECOVERED, "v1", "v2", NULL,
		    "completed the interrupted deploy of v2 (was v1) in 3.4 s; "
		    "to go back: rollback" },
	};
	struct record r;
	char out[400];
	int i;

	for (i = 0; i < N(rows); i++) {
		r = record(rows[i].verb, rows[i].outcome, rows[i].from, rows[i].to);
		ck_assert_str_eq(people_success(&r, rows[i].target, out, sizeof(out)),
		    rows[i].line);
	}
}
END_TEST

Suite *
people_suite(void)
{
	Suite *s = suite_create("people");
	TCase *core = tcase_create("Core");

	tcase_add_loop_test(core, shows_an_age, 0, N(ages));
	tcase_add_test(core, reads_a_time);
	tcase_add_test(core, shows_who_asked);
	tcase_add_test(core, shows_a_duration);
	tcase_add_test(core, cuts_a_text);
	tcase_add_test(core, shortens_a_reason);
	tcase_add_test(core, tells_of_success);
	suite_add_tcase(s, core);
	return s;
}
