/*
 * check_rollback.c: the verb: where it goes, and what becomes of it.
 */
#include "fake.h"

#include "sys/signals.h"

#include <bsd/string.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *rollback_suite(void);

/* v1, v2, v3 in a row: v3 runs. */
static void
open_three(struct rig *r)
{
	rig_open(r, NULL);
	rig_kind_is(r, rig_deploy(r, "v2"), FAULT_NONE);
	rig_kind_is(r, rig_deploy(r, "v3"), FAULT_NONE);
	fake_calm(r->fake);
}

static enum fault_kind
back(struct rig *r)
{
	return rig_run(r, "rollback", "");
}

static void
went_to(struct rig *r, const char *tag, char letter)
{
	const struct record *last;

	rig_env_is(r, tag);
	rig_runs(r, fake_id(letter));
	ck_assert_uint_eq(fake_containers(r->fake), 1);
	ck_assert(!rig_journal(r, NULL));
	rig_last_is(r, OUTCOME_DEPLOYED, 0);
	last = &r->history[r->records - 1];
	ck_assert_str_eq(last->verb, "rollback");
	ck_assert_str_eq(last->to.tag, tag);
	ck_assert_str_eq(last->to.image, fake_id(letter));
	/* no registry is needed */
	ck_assert_uint_eq(r->fake->count[FAKE_PULL], 0);
	rig_ids_are_unique(r);
}

static void
refused(struct rig *r, const char *tag)
{
	struct fake_call *log = r->fake->log;
	unsigned i;
	size_t n;

	rig_history(r);
	n = r->records;
	rig_kind_is(r, rig_run(r, "rollback", tag), FAULT_REFUSED);
	ck_assert_ptr_nonnull(strstr(r->f.what, "no proven version to go to"));
	ck_assert_str_ne(r->f.next, "");
	for (i = 0; i < r->fake->n_log; i++)
		ck_assert_msg(log[i].fn != FAKE_UP && log[i].fn != FAKE_PULL &&
			log[i].fn != FAKE_REMOVE && strcmp(log[i].step, "-") == 0,
		    "%s, %s", log[i].what, log[i].step);
	ck_assert(!rig_journal(r, NULL));
	rig_history(r);
	/* what runs may have been adopted */
	ck_assert_uint_le(r->records, n + 1);
}

START_TEST(to_the_one_before)
{
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	ck_assert_str_eq(r.history[r.records - 1].from.tag, "v3");
	rig_close(&r);
}
END_TEST

START_TEST(in_this_order)
{
	const struct fake_call *up;
	struct rig r;

	open_three(&r);
	fake_forget_name(r.fake, REPO ":v2");
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	rig_name_is(&r, REPO ":v2", fake_id('b'));
	up = fake_call(r.fake, FAKE_UP, 1);
	ck_assert_str_eq(up->what, "up v2");
	ck_assert_str_eq(up->step, "swap");
	ck_assert_str_eq(up->value, "v2");
	/* second name of what runs, then that of the target: journal first */
	ck_assert_str_eq(fake_call(r.fake, FAKE_NAME, 1)->step, "-");
	ck_assert_str_eq(fake_call(r.fake, FAKE_NAME, 2)->step, "swap");
	ck_assert_str_eq(fake_call(r.fake, FAKE_NAME, 2)->value, "v3");
	rig_close(&r);
}
END_TEST

/* Again and again: never to what was gone from. */
START_TEST(until_there_is_none)
{
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	fake_calm(r.fake);
	refused(&r, "");
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_close(&r);
}
END_TEST

/* A success takes back what a rollback said. */
START_TEST(proven_again)
{
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_NONE);
	rig_kind_is(&r, rig_deploy(&r, "v1"), FAULT_NONE);
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v3", 'c');
	rig_close(&r);
}
END_TEST

/* A deploy that was rolled back is not proven; nor one that was put back. */
START_TEST(failed_ones_are_passed_over)
{
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	rig_kind_is(&r, rig_deploy(&r, "nosuch"), FAULT_FAILED);
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	rig_close(&r);
}
END_TEST

/* v2 failed since it was healthy: the last word counts. */
START_TEST(failed_since)
{
	struct rig r;

	open_three(&r);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

START_TEST(adopted_is_proven)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

START_TEST(none)
{
	struct rig r;

	if (_i == 0)
		rig_open(&r, NULL);
	else
		rig_open_bare(&r, NULL);
	refused(&r, "");
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

START_TEST(gone_from_the_host)
{
	struct rig r;

	open_three(&r);
	fake_lose(r.fake, 'b');
	if (_i == 0) {
		rig_kind_is(&r, back(&r), FAULT_NONE);
		went_to(&r, "v1", 'a');
	} else {
		fake_lose(r.fake, 'a');
		refused(&r, "");
		rig_env_is(&r, "v3");
		rig_runs(&r, fake_id('c'));
	}
	rig_close(&r);
}
END_TEST

START_TEST(by_tag)
{
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, rig_run(&r, "rollback", "v1"), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

START_TEST(by_tag_that_is_no_target)
{
	static const char *const tags[] = { "v9", "bad", "v2", "v", "v22" };
	struct rig r;

	open_three(&r);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	if (_i == 2)
		fake_lose(r.fake, 'b');
	fake_calm(r.fake);
	refused(&r, tags[_i]);
	ck_assert_ptr_nonnull(strstr(r.f.what, tags[_i]));
	rig_env_is(&r, "v3");
	rig_runs(&r, fake_id('c'));
	rig_close(&r);
}
END_TEST

/* By image: that its name means another by now does not matter. */
START_TEST(its_name_moved_on)
{
	struct rig r;

	open_three(&r);
	fake_have(r.fake, REPO ":v2", 'e');
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	rig_name_is(&r, REPO ":v2", fake_id('b'));
	rig_close(&r);
}
END_TEST

static void
open_latest(struct rig *r)
{
	rig_open(r, NULL);
	fake_push(r->fake, "latest", 'b', FAKE_GOOD);
	rig_kind_is(r, rig_deploy(r, "latest"), FAULT_NONE);
	fake_push(r->fake, "latest", 'c', FAKE_GOOD);
	rig_kind_is(r, rig_deploy(r, "latest"), FAULT_NONE);
	fake_calm(r->fake);
}

START_TEST(mutable_tag)
{
	struct rig r;

	open_latest(&r);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "latest", 'b');
	rig_name_is(&r, REPO ":latest", fake_id('b'));
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

START_TEST(mutable_tag_that_is_not_well)
{
	struct rig r;

	open_latest(&r);
	fake_push(r.fake, "x", 'b', FAKE_SICK);
	rig_kind_is(&r, back(&r), FAULT_FAILED);
	rig_env_is(&r, "latest");
	rig_runs(&r, fake_id('c'));
	rig_name_is(&r, REPO ":latest", fake_id('c'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	rig_close(&r);
}
END_TEST

/* ---- it fails ---- */

START_TEST(target_is_not_well)
{
	static const enum fake_kind kinds[] = { FAKE_SICK, FAKE_MUTE, FAKE_DIES,
		FAKE_RESTARTS, FAKE_EXITS };
	struct rig r;

	open_three(&r);
	fake_push(r.fake, "v2", 'b', kinds[_i]);
	rig_kind_is(&r, back(&r), FAULT_FAILED);
	rig_env_is(&r, "v3");
	rig_runs(&r, fake_id('c'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	/* and it is no target any more */
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

START_TEST(neither_is_well)
{
	struct rig r;

	open_three(&r);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	fake_push(r.fake, "v3", 'c', FAKE_SICK);
	rig_kind_is(&r, back(&r), FAULT_UNVERIFIED);
	rig_env_is(&r, "v3");
	rig_last_is(&r, OUTCOME_UNVERIFIED, 5);
	ck_assert(!rig_journal(&r, NULL));
	/* still one can go back further */
	fake_calm(r.fake);
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v1", 'a');
	rig_close(&r);
}
END_TEST

struct row {
	const char *name;
	enum fake_fn fn;
	unsigned nth;
	enum fake_act act;
	enum fault_kind kind;
	unsigned ups;
};

static const struct row rows[] = {
	{ "describe", FAKE_DESCRIBE, 1, FAKE_HOST, FAULT_HOST, 0 },
	{ "containers", FAKE_CONTAINERS, 1, FAKE_HOST, FAULT_HOST, 0 },
	{ "second name", FAKE_NAME, 1, FAKE_FAIL, FAULT_HOST, 0 },
	{ "proven image", FAKE_IMAGE, 1, FAKE_HOST, FAULT_HOST, 0 },
	{ "describe the target", FAKE_DESCRIBE, 2, FAKE_HOST, FAULT_HOST, 0 },
	{ "what its name means", FAKE_IMAGE, 2, FAKE_HOST, FAULT_HOST, 0 },
	{ "naming it", FAKE_NAME, 2, FAKE_FAIL, FAULT_FAILED, 0 },
	{ "naming it, no answer", FAKE_NAME, 2, FAKE_HOST, FAULT_FAILED, 0 },
	{ "naming it, late", FAKE_NAME, 2, FAKE_LATE, FAULT_FAILED, 0 },
	{ "up", FAKE_UP, 1, FAKE_FAIL, FAULT_FAILED, 2 },
	{ "up, half-way", FAKE_UP, 1, FAKE_HALF, FAULT_FAILED, 2 },
	{ "up, no answer", FAKE_UP, 1, FAKE_HOST, FAULT_FAILED, 2 },
	{ "step 8", FAKE_CONTAINERS, 2, FAKE_HOST, FAULT_FAILED, 2 },
	{ "step 9", FAKE_INSPECT, 1, FAKE_HOST, FAULT_FAILED, 2 },
};

#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

START_TEST(one_call_fails)
{
	const struct row *row = &rows[_i];
	struct rig r;

	open_three(&r);
	fake_have(r.fake, REPO ":v2", 'e');
	fake_on(r.fake, row->fn, row->nth, row->act);
	ck_assert_msg(back(&r) == row->kind, "%s: %d, %s", row->name, (int)r.f.kind,
	    r.f.what);
	rig_env_is(&r, "v3");
	rig_runs(&r, fake_id('c'));
	rig_name_is(&r, REPO ":v3", fake_id('c'));
	rig_name_is(&r, REPO ":v2", fake_id('e'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], row->ups);
	ck_assert(!rig_journal(&r, NULL));
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 0);
	rig_close(&r);
}
END_TEST

START_TEST(told_to_stop)
{
	static const enum fake_fn fns[] = { FAKE_DESCRIBE, FAKE_NAME, FAKE_UP };
	static const unsigned nth[] = { 1, 2, 1 };
	struct fault f = { 0 };
	struct rig r;

	open_three(&r);
	fake_forget_name(r.fake, REPO ":v2");
	ck_assert_int_eq(signals_init(&f), 0);
	fake_on(r.fake, fns[_i], nth[_i], FAKE_TERM);
	rig_kind_is(&r, back(&r), FAULT_FAILED);
	rig_env_is(&r, "v3");
	rig_runs(&r, fake_id('c'));
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

START_TEST(env_edited_meanwhile)
{
	struct rig r;

	open_three(&r);
	fake_on(r.fake, FAKE_UP, 1, FAKE_EDIT);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	rig_kind_is(&r, back(&r), FAULT_FAILED);
	rig_env_is(&r, "v9");
	rig_runs(&r, fake_id('c'));
	rig_close(&r);
}
END_TEST

/* ---- where nothing runs ---- */

START_TEST(nothing_runs)
{
	struct rig r;

	open_three(&r);
	if (_i == 0)
		r.fake->list[0].state = r.fake->list[1].state = r.fake->list[2].state =
		    CONTAINER_GONE;
	else {
		/* it is there, but has ended */
		struct container *c = &r.fake->list[fake_running(r.fake) - r.fake->list];

		c->state = CONTAINER_EXITED;
		fake_push(r.fake, "v3", 'c', FAKE_EXITS);
	}
	rig_kind_is(&r, back(&r), FAULT_NONE);
	ck_assert_ptr_nonnull(fake_running(r.fake));
	if (_i == 1)
		went_to(&r, "v2", 'b');
	rig_close(&r);
}
END_TEST

/* ---- a silent engine ---- */

START_TEST(silent)
{
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_NONE);
	fake_calm(r.fake);
	if (_i == 1)
		fake_push(r.fake, "v2", 'b', FAKE_SICK);
	rig_kind_is(&r, back(&r), _i == 0 ? FAULT_NONE : FAULT_FAILED);
	rig_env_is(&r, _i == 0 ? "v2" : "v3");
	ck_assert_str_eq(r.fake->served, _i == 0 ? "v2" : "v3");
	ck_assert_uint_eq(r.fake->count[FAKE_UP], _i == 0 ? 1 : 2);
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 0);
	rig_close(&r);
}
END_TEST

/* It told of images once: what is known of them is of no use to it now. */
START_TEST(silent_since)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	r.fake->quiet = true;
	rig_kind_is(&r, back(&r), FAULT_NONE);
	rig_env_is(&r, "v1");
	ck_assert_str_eq(r.fake->served, "v1");
	rig_close(&r);
}
END_TEST

START_TEST(silent_has_none)
{
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	refused(&r, "");
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	fake_calm(r.fake);
	refused(&r, "");
	rig_env_is(&r, "v2");
	rig_close(&r);
}
END_TEST

/* ---- a history that is not what it was ---- */

START_TEST(records_of_nothing)
{
	struct record record = { .id = "odd",
		.verb = "deploy",
		.outcome = OUTCOME_DEPLOYED };
	struct rig r;

	rig_open(&r, NULL);
	/* no image, no reference, an image that never was, one of another name */
	strcpy(record.to.tag, "v7");
	rig_plant_record(&r, &record);
	strcpy(record.id, "odd-2");
	strcpy(record.to.image, fake_id('9'));
	rig_plant_record(&r, &record);
	refused(&r, "");
	refused(&r, "v7");
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_close(&r);
}
END_TEST

/* As many as there may be, all of them failed but the oldest. */
START_TEST(a_long_history)
{
	struct record record = { .verb = "deploy", .outcome = OUTCOME_DEPLOYED };
	struct rig r;
	int i;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	strcpy(record.id, "first");
	strcpy(record.to.tag, "v2");
	strcpy(record.to.image, fake_id('b'));
	strcpy(record.to.ref, REPO ":v2");
	rig_plant_record(&r, &record);
	record.outcome = OUTCOME_ROLLED_BACK;
	for (i = 0; i < 50; i++) {
		snprintf(record.id, sizeof(record.id), "id-%d", i);
		snprintf(record.to.tag, sizeof(record.to.tag), "t%d", i);
		snprintf(record.to.image, sizeof(record.to.image), "sha256:%064d", i);
		rig_plant_record(&r, &record);
	}
	rig_kind_is(&r, back(&r), FAULT_NONE);
	went_to(&r, "v2", 'b');
	rig_close(&r);
}
END_TEST

/* Many proven ones whose images are gone do not hide the one that is here. */
START_TEST(a_long_history_of_lost_images)
{
	struct record record = { .verb = "deploy", .outcome = OUTCOME_DEPLOYED };
	struct rig r;
	int i;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	strcpy(record.id, "first");
	strcpy(record.to.tag, "v2");
	strcpy(record.to.image, fake_id('b'));
	strcpy(record.to.ref, REPO ":v2");
	rig_plant_record(&r, &record);
	for (i = 0; i < 80; i++) {
		snprintf(record.id, sizeof(record.id), "id-%d", i);
		snprintf(record.to.tag, sizeof(record.to.tag), "t%d", i);
		snprintf(record.to.image, sizeof(record.to.image), "sha256:%064d", i);
		rig_plant_record(&r, &record);
	}
	rig_kind_is(&r, back(&r), FAULT_NONE);
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	rig_close(&r);
}
END_TEST

Suite *
rollback_suite(void)
{
	Suite *s = suite_create("rollback");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_test(c, to_the_one_before);
	tcase_add_test(c, in_this_order);
	tcase_add_test(c, until_there_is_none);
	tcase_add_test(c, proven_again);
	tcase_add_test(c, failed_ones_are_passed_over);
	tcase_add_test(c, failed_since);
	tcase_add_test(c, adopted_is_proven);
	tcase_add_loop_test(c, none, 0, 2);
	tcase_add_test(c, by_tag);
	tcase_add_test(c, its_name_moved_on);
	tcase_add_test(c, mutable_tag);
	tcase_add_test(c, mutable_tag_that_is_not_well);
	tcase_add_loop_test(c, target_is_not_well, 0, 5);
	tcase_add_test(c, neither_is_well);
	tcase_add_loop_test(c, one_call_fails, 0, ROWS);
	tcase_add_loop_test(c, silent, 0, 2);
	tcase_add_loop_test(limits, gone_from_the_host, 0, 2);
	tcase_add_loop_test(limits, by_tag_that_is_no_target, 0, 5);
	tcase_add_loop_test(limits, nothing_runs, 0, 2);
	tcase_add_test(limits, silent_since);
	tcase_add_test(limits, silent_has_none);
	tcase_add_test(limits, a_long_history);
	tcase_add_test(limits, a_long_history_of_lost_images);
	tcase_add_loop_test(h, told_to_stop, 0, 3);
	tcase_add_test(h, env_edited_meanwhile);
	tcase_add_test(h, records_of_nothing);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
