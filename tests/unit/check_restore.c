/*
 * check_restore.c: the column "fails" of design section 3.  Every call of a
 * deploy fails in turn, in every way that an engine has, and what ran before
 * is what runs after.
 */
#include "fake.h"

#include <bsd/string.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *restore_suite(void);

extern int (*unit_on_fsync)(int fd);

/* One call of a deploy from v1 to v2 that goes wrong. */
struct row {
	const char *name;
	enum fake_fn fn;
	unsigned nth;
	enum fake_act act;
	enum outcome outcome;
	unsigned ups;
	bool half_moved; /* the pull moved the name already */
};

#define PUT_BACK OUTCOME_PUT_BACK, 0
#define ROLLED_BACK(ups) OUTCOME_ROLLED_BACK, ups

static const struct row rows[] = {
	/* pull and identify: the names are put back */
	{ "pull fails", FAKE_PULL, 1, FAKE_FAIL, PUT_BACK, false },
	{ "pull cannot be started", FAKE_PULL, 1, FAKE_HOST, PUT_BACK, false },
	{ "pull fails late", FAKE_PULL, 1, FAKE_LATE, PUT_BACK, true },
	{ "identify fails", FAKE_IMAGE, 2, FAKE_FAIL, PUT_BACK, true },
	{ "identify gets no answer", FAKE_IMAGE, 2, FAKE_HOST, PUT_BACK, true },

	/* up: rolled back */
	{ "up fails", FAKE_UP, 1, FAKE_FAIL, ROLLED_BACK(2), true },
	{ "up cannot be started", FAKE_UP, 1, FAKE_HOST, ROLLED_BACK(2), true },
	{ "up fails half-way", FAKE_UP, 1, FAKE_HALF, ROLLED_BACK(2), true },
	{ "up fails late", FAKE_UP, 1, FAKE_LATE, ROLLED_BACK(2), true },

	/* step 8 */
	{ "up makes nothing", FAKE_UP, 1, FAKE_NOTHING, ROLLED_BACK(2), true },
	{ "up makes two", FAKE_UP, 1, FAKE_TWINS, ROLLED_BACK(2), true },
	{ "up makes another", FAKE_UP, 1, FAKE_STRANGER, ROLLED_BACK(2), true },
	{ "up does not start it", FAKE_UP, 1, FAKE_CREATED, ROLLED_BACK(2), true },
	{ "containers fails", FAKE_CONTAINERS, 2, FAKE_FAIL, ROLLED_BACK(2), true },
	{ "containers gets no answer", FAKE_CONTAINERS, 2, FAKE_HOST, ROLLED_BACK(2),
	    true },

	/* step 9 */
	{ "inspect fails", FAKE_INSPECT, 1, FAKE_FAIL, ROLLED_BACK(2), true },
	{ "inspect gets no answer", FAKE_INSPECT, 1, FAKE_HOST, ROLLED_BACK(2), true },
	{ "inspect fails later", FAKE_INSPECT, 2, FAKE_FAIL, ROLLED_BACK(2), true },
	{ "inspect gets no answer later", FAKE_INSPECT, 2, FAKE_HOST, ROLLED_BACK(2),
	    true },
	{ "inspect fails at last", FAKE_INSPECT, 3, FAKE_FAIL, ROLLED_BACK(2), true },
	{ "inspect gets no answer at last", FAKE_INSPECT, 3, FAKE_HOST, ROLLED_BACK(2),
	    true },
};

#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

static void
check_back(struct rig *r, enum outcome outcome)
{
	rig_env_is(r, "v1");
	rig_runs(r, fake_id('a'));
	ck_assert_uint_eq(fake_containers(r->fake), 1);
	rig_name_is(r, REPO ":v1", fake_id('a'));
	ck_assert(!rig_journal(r, NULL));
	rig_last_is(r, outcome, 1);
	ck_assert_str_ne(r->history[r->records - 1].why, "");
	ck_assert_uint_eq(r->fake->count[FAKE_PRUNE] + r->fake->count[FAKE_UNNAME], 0);
}

START_TEST(one_call_fails)
{
	const struct row *row = &rows[_i];
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, row->fn, row->nth, row->act);
	ck_assert_msg(rig_deploy(&r, "v2") == FAULT_FAILED, "%s: %d, %s", row->name,
	    (int)r.f.kind, r.f.what);
	ck_assert_uint_ge(r.fake->count[row->fn], row->nth);
	check_back(&r, row->outcome);
	ck_assert_msg(r.fake->count[FAKE_UP] == row->ups, "%s: %u ups", row->name,
	    r.fake->count[FAKE_UP]);
	ck_assert_ptr_nonnull(strstr(r.f.what, "not deployed"));
	ck_assert_ptr_nonnull(strstr(r.f.what,
	    row->outcome == OUTCOME_PUT_BACK ? "what ran runs as before"
					     : "v1 serves and is healthy"));
	/* the next one goes well, and what failed once may be tried again */
	fake_calm(r.fake);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_runs(&r, fake_id('b'));
	rig_close(&r);
}
END_TEST

/* The same where v2 meant another image: its name goes back to that. */
START_TEST(one_call_fails_and_a_name_was_displaced)
{
	const struct row *row = &rows[_i];
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'c');
	fake_on(r.fake, row->fn, row->nth, row->act);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	check_back(&r, row->outcome);
	rig_name_is(&r, REPO ":v2", fake_id('c'));
	ck_assert_int_eq(r.fake->count[FAKE_NAME] > 1, row->half_moved);
	rig_close(&r);
}
END_TEST

/* latest to latest: only the name tells what to go back to. */
START_TEST(one_call_fails_with_a_mutable_tag)
{
	const struct row *row = &rows[_i];
	struct rig r;

	rig_open(&r, NULL);
	memset(r.fake->list, 0, sizeof(r.fake->list));
	fake_forget_name(r.fake, REPO ":v1");
	fake_have(r.fake, REPO ":latest", 'a');
	fake_start(r.fake, REPO ":latest", 'a', "deploy-data-1", CONTAINER_RUNNING);
	fake_push(r.fake, "latest", 'b', FAKE_GOOD);
	rig_write_env(&r, "latest");
	fake_on(r.fake, row->fn, row->nth, row->act);
	rig_kind_is(&r, rig_deploy(&r, "latest"), FAULT_FAILED);
	rig_env_is(&r, "latest");
	rig_runs(&r, fake_id('a'));
	rig_name_is(&r, REPO ":latest", fake_id('a'));
	rig_last_is(&r, row->outcome, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* Drift: what ran comes back, and .env says what it said. */
START_TEST(one_call_fails_after_a_drift)
{
	const struct row *row = &rows[_i];
	const struct fake_call *up;
	struct rig r;

	rig_open(&r, NULL);
	rig_write_env(&r, "v0");
	fake_on(r.fake, row->fn, row->nth, row->act);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	rig_env_is(&r, "v0");
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, row->outcome, 1);
	up = fake_call(r.fake, FAKE_UP, 2);
	if (row->ups > 1) {
		ck_assert_ptr_nonnull(up);
		ck_assert_ptr_nonnull(strstr(r.said, "rolling back to v1"));
		ck_assert_str_eq(up->what, "up v1");
		ck_assert_str_eq(up->value, "v0");
	}
	rig_close(&r);
}
END_TEST

/* What the new image does that is not running well. */
START_TEST(it_is_not_well)
{
	static const enum fake_kind kinds[] = { FAKE_SICK, FAKE_MUTE, FAKE_DIES,
		FAKE_FLAPS, FAKE_RESTARTS, FAKE_EXITS };
	struct rig r;

	rig_open(&r, NULL);
	fake_push(r.fake, "v2", 'b', kinds[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 2)->what, "up v1");
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 2)->step, "rolling back");
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 2)->value, "v1");
	/* no registry is needed for it */
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 1);
	rig_close(&r);
}
END_TEST

/* The log of what failed, and its last answer, before it is gone. */
START_TEST(evidence_comes_first)
{
	const struct fake_call *logs, *up;
	struct rig r;
	char *said;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	logs = fake_call(r.fake, FAKE_LOGS, 1);
	up = fake_call(r.fake, FAKE_UP, 2);
	ck_assert_ptr_nonnull(logs);
	ck_assert(logs < up);
	ck_assert_str_ne(logs->what, "logs");
	said = strstr(r.said, "503");
	ck_assert_ptr_nonnull(said);
	ck_assert(said < strstr(r.said, "rolling back to v1"));
	rig_close(&r);
}
END_TEST

START_TEST(evidence_is_not_needed)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_from(r.fake, FAKE_LOGS, 1, _i == 0 ? FAKE_FAIL : FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	rig_close(&r);
}
END_TEST

/* Operator's other edits survive, and so does another version of theirs. */
START_TEST(edited_meanwhile)
{
	static const enum fake_fn fns[] = { FAKE_PULL, FAKE_IMAGE, FAKE_UP };
	static const unsigned nth[] = { 1, 2, 1 };
	struct rig r;

	rig_open(&r, NULL);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	fake_on(r.fake, fns[_i], nth[_i], FAKE_EDIT);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	rig_env_is(&r, "v9");
	rig_runs(&r, fake_id('a'));
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/*
 * .env says two things by now: nothing is written into it, and the journal
 * stays for when a person has mended it.  What ran runs all the same.
 */
START_TEST(spoiled_meanwhile)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, _i == 0 ? FAKE_PULL : FAKE_UP, 1, FAKE_SPOIL);
	if (_i == 0)
		fake_on(r.fake, FAKE_PULL, 1, FAKE_LATE);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_UNVERIFIED);
	ck_assert_ptr_nonnull(strstr(r.said, "assigned a second time"));
	rig_runs(&r, fake_id('a'));
	ck_assert(rig_journal(&r, NULL));
	/* the next one can do no more */
	rig_kind_is(&r, rig_recover(&r), FAULT_HOST);
	rig_runs(&r, fake_id('a'));
	ck_assert(rig_journal(&r, NULL));
	rig_write_env(&r, _i == 0 ? "v1" : "bad");
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	check_back(&r, _i == 0 ? OUTCOME_PUT_BACK : OUTCOME_ROLLED_BACK);
	rig_close(&r);
}
END_TEST

/* ---- the second `up` ---- */

/* Only where the first of the way back failed, or nothing runs after it. */
START_TEST(up_once_more)
{
	static const enum fake_act acts[] = { FAKE_FAIL, FAKE_HOST, FAKE_HALF, FAKE_LATE,
		FAKE_NOTHING, FAKE_CREATED };
	struct rig r;

	rig_open(&r, NULL);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	fake_on(r.fake, FAKE_UP, 2, acts[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 3);
	rig_close(&r);
}
END_TEST

/* Where it cannot be seen what is left over, that is one try. */
START_TEST(leftovers_cannot_be_seen)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, FAKE_CONTAINERS, 3, FAKE_FAIL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	ck_assert_ptr_nonnull(strstr(r.said, "containers failed; once more"));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	rig_close(&r);
}
END_TEST

START_TEST(up_not_once_more)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	rig_close(&r);
}
END_TEST

/* A half-made container of the first is gone before the second. */
START_TEST(leftover_goes_before_the_second)
{
	const struct fake_call *removed;
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, FAKE_UP, 1, FAKE_HALF);
	fake_on(r.fake, FAKE_UP, 2, FAKE_HALF);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 3);
	ck_assert_uint_eq(r.fake->count[FAKE_REMOVE], 2);
	removed = fake_call(r.fake, FAKE_REMOVE, 2);
	ck_assert(removed > fake_call(r.fake, FAKE_UP, 2));
	ck_assert(removed < fake_call(r.fake, FAKE_UP, 3));
	rig_close(&r);
}
END_TEST

/* A `created` container of another name is somebody's: it is left alone. */
START_TEST(only_half_made_ones_go)
{
	static const char *const names[] = { "deploy-data-2", "0123456789a_deploy-data-1",
		"0123456789abc_deploy-data-1", "0123456789AB_deploy-data-1",
		"0123456789ab-deploy-data-1" };
	struct rig r;

	rig_open(&r, NULL);
	fake_start(r.fake, REPO ":v1", 'e', names[_i], CONTAINER_CREATED);
	(void)rig_deploy(&r, "v2");
	ck_assert_uint_eq(r.fake->count[FAKE_REMOVE], 0);
	rig_close(&r);
}
END_TEST

/* ---- not verified: 5 ---- */

struct worse {
	const char *name;
	enum fake_fn fn;
	unsigned first;
	enum fake_act act;
	bool journal; /* it is tried again by the next run */
};

static const struct worse worse[] = {
	{ "up fails for ever", FAKE_UP, 2, FAKE_FAIL, false },
	{ "up cannot be started", FAKE_UP, 2, FAKE_HOST, true },
	{ "up makes nothing", FAKE_UP, 2, FAKE_NOTHING, false },
	{ "up makes another", FAKE_UP, 2, FAKE_STRANGER, false },
	{ "up makes two", FAKE_UP, 2, FAKE_TWINS, false },
	{ "up does not start it", FAKE_UP, 2, FAKE_CREATED, false },
	{ "the image cannot be found out", FAKE_IMAGE, 3, FAKE_HOST, true },
	{ "docker is gone", FAKE_INSPECT, 1, FAKE_HOST, true },
	{ "docker was gone before", FAKE_CONTAINERS, 2, FAKE_HOST, true },
};

#define WORSE (int)(sizeof(worse) / sizeof(worse[0]))

START_TEST(not_verified)
{
	const struct worse *w = &worse[_i];
	struct rig r;

	rig_open(&r, NULL);
	fake_push(r.fake, "v2", 'b', FAKE_SICK);
	fake_from(r.fake, w->fn, w->first, w->act);
	ck_assert_msg(rig_deploy(&r, "v2") == FAULT_UNVERIFIED, "%s: %d, %s", w->name,
	    (int)r.f.kind, r.f.what);
	ck_assert_str_ne(r.f.next, "");
	ck_assert_msg(rig_journal(&r, NULL) == w->journal, "%s: %s", w->name, r.f.what);
	if (!w->journal)
		rig_last_is(&r, OUTCOME_UNVERIFIED, 5);
	if (w->fn == FAKE_UP)
		rig_env_is(&r, "v1");
	/* docker is well again: what is left to mend is mended */
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), w->journal ? FAULT_FAILED : FAULT_NONE);
	if (w->journal) {
		rig_env_is(&r, "v1");
		rig_runs(&r, fake_id('a'));
		rig_ids_are_unique(&r);
	}
	/* a service of two is a person's to scale down */
	if (w->act != FAKE_TWINS) {
		rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_NONE);
		ck_assert_uint_eq(fake_containers(r.fake), 1);
	}
	rig_close(&r);
}
END_TEST

/* `up` failed, which the gate is to judge; but then docker is gone. */
START_TEST(docker_goes_after_up)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_from(r.fake, FAKE_UP, 2, FAKE_FAIL);
	fake_from(r.fake, FAKE_CONTAINERS, 5, FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_UNVERIFIED);
	ck_assert_uint_eq(r.fake->count[FAKE_CONTAINERS], 5);
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	rig_close(&r);
}
END_TEST

START_TEST(the_old_one_is_not_well)
{
	static const enum fake_kind kinds[] = { FAKE_SICK, FAKE_MUTE, FAKE_DIES,
		FAKE_FLAPS, FAKE_RESTARTS, FAKE_EXITS };
	struct rig r;

	rig_open(&r, NULL);
	fake_push(r.fake, "v1", 'a', kinds[_i]);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	rig_last_is(&r, OUTCOME_UNVERIFIED, 5);
	ck_assert(!rig_journal(&r, NULL));
	/* nobody is kept from fixing forward */
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_close(&r);
}
END_TEST

/* The names cannot be put back: the next run tries again. */
START_TEST(name_cannot_be_put_back)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'c');
	fake_on(r.fake, FAKE_PULL, 1, FAKE_LATE);
	fake_from(r.fake, _i < 2 ? FAKE_NAME : FAKE_IMAGE, 2,
	    _i % 2 == 0 ? FAKE_FAIL : FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":v2", fake_id('c'));
	check_back(&r, OUTCOME_PUT_BACK);
	rig_close(&r);
}
END_TEST

/* Nothing is left, and nothing will start: .env says the old one all the same. */
START_TEST(nothing_comes_back)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, FAKE_UP, 1, FAKE_NOTHING);
	fake_from(r.fake, FAKE_UP, 2, FAKE_FAIL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	rig_runs(&r, "");
	rig_last_is(&r, OUTCOME_UNVERIFIED, 5);
	rig_close(&r);
}
END_TEST

/* ---- a first deploy ---- */

START_TEST(first_fails_before_up)
{
	static const enum fake_fn fns[] = { FAKE_PULL, FAKE_PULL, FAKE_IMAGE };
	static const enum fake_act acts[] = { FAKE_FAIL, FAKE_LATE, FAKE_HOST };
	struct rig r;

	rig_open_bare(&r, NULL);
	fake_on(r.fake, fns[_i], _i == 2 ? 2 : 1, acts[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	rig_env_is(&r, "v1");
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	ck_assert_ptr_nonnull(strstr(r.f.what, "nothing ran before either"));
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* The old value's image is not here: what was made goes, and nothing serves. */
START_TEST(first_is_not_well)
{
	static const enum fake_kind kinds[] = { FAKE_SICK, FAKE_DIES, FAKE_RESTARTS,
		FAKE_EXITS };
	struct rig r;

	rig_open_bare(&r, NULL);
	fake_push(r.fake, "v2", 'b', kinds[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_UNVERIFIED);
	ck_assert_ptr_nonnull(strstr(r.f.what, "nothing serves"));
	rig_env_is(&r, "v1");
	ck_assert_uint_eq(fake_containers(r.fake), 0);
	rig_last_is(&r, OUTCOME_UNVERIFIED, 5);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

START_TEST(first_goes_to_the_old_value)
{
	struct rig r;

	rig_open_bare(&r, NULL);
	fake_have(r.fake, REPO ":v1", 'a');
	if (_i == 1)
		fake_push(r.fake, "v1", 'a', FAKE_SICK);
	rig_kind_is(&r, rig_deploy(&r, "bad"), _i == 0 ? FAULT_FAILED : FAULT_UNVERIFIED);
	ck_assert_ptr_nonnull(strstr(r.said, "rolling back to v1"));
	ck_assert_ptr_nonnull(strstr(r.f.what, _i == 0 ? "v1 serves" : "v1 could not"));
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	ck_assert_uint_eq(fake_containers(r.fake), 1);
	rig_last_is(&r, _i == 0 ? OUTCOME_ROLLED_BACK : OUTCOME_UNVERIFIED,
	    _i == 0 ? 1 : 5);
	rig_close(&r);
}
END_TEST

/* What was made cannot be removed now: the next run tries again. */
START_TEST(first_cannot_be_removed)
{
	struct rig r;

	rig_open_bare(&r, NULL);
	fake_have(r.fake, REPO ":v1", 'a');
	if (_i == 0)
		fake_on(r.fake, FAKE_CONTAINERS, 3, FAKE_HOST);
	else
		fake_on(r.fake, FAKE_REMOVE, 1, FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_UNVERIFIED);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_runs(&r, fake_id('a'));
	rig_close(&r);
}
END_TEST

/* .env named it already: there is nothing older to try. */
START_TEST(first_of_the_old_value)
{
	struct rig r;

	rig_open_bare(&r, NULL);
	fake_push(r.fake, "v1", 'a', FAKE_SICK);
	rig_kind_is(&r, rig_deploy(&r, "v1"), FAULT_UNVERIFIED);
	ck_assert_ptr_nonnull(strstr(r.f.what, "nothing serves"));
	rig_env_is(&r, "v1");
	ck_assert_uint_eq(fake_containers(r.fake), 0);
	rig_close(&r);
}
END_TEST

/* What ran had ended: it counts as what ran, and comes back. */
START_TEST(the_old_one_was_down)
{
	struct rig r;

	rig_open(&r, NULL);
	r.fake->list[0].state = CONTAINER_EXITED;
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	check_back(&r, OUTCOME_ROLLED_BACK);
	rig_close(&r);
}
END_TEST

/* ---- a silent engine ---- */

/* Twice up and no more, whatever comes of it. */
START_TEST(silent_goes_back)
{
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	if (_i == 1)
		fake_push(r.fake, "v1", 'a', FAKE_SICK);
	rig_kind_is(&r, rig_deploy(&r, "bad"), _i == 0 ? FAULT_FAILED : FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	ck_assert_str_eq(r.fake->served, "v1");
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 2)->what, "up v1");
	rig_last_is(&r, _i == 0 ? OUTCOME_ROLLED_BACK : OUTCOME_UNVERIFIED,
	    _i == 0 ? 1 : 5);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

START_TEST(silent_pull_fails)
{
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	rig_kind_is(&r, rig_deploy(&r, "nosuch"), FAULT_FAILED);
	rig_env_is(&r, "v1");
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	rig_close(&r);
}
END_TEST

/* ---- the disk ---- */

/* .env cannot be replaced at the swap: put back, its bytes as they were. */
START_TEST(env_cannot_be_swapped)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, FAKE_PULL, 1, FAKE_FULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	check_back(&r, OUTCOME_PUT_BACK);
	rig_close(&r);
}
END_TEST

/*
 * It cannot be written back: what ran runs, but .env lies.  So the journal
 * stays until it does not, whether the old version is well or not.
 */
START_TEST(env_cannot_be_put_back)
{
	struct rig r;

	rig_open(&r, NULL);
	if (_i == 1)
		fake_push(r.fake, "v1", 'a', FAKE_SICK);
	fake_on(r.fake, FAKE_UP, 1, FAKE_FULL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_UNVERIFIED);
	rig_env_is(&r, "bad");
	rig_runs(&r, fake_id('a'));
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), _i == 0 ? FAULT_FAILED : FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* What is gone cannot be named again: that keeps nobody from deploying. */
START_TEST(displaced_image_is_gone)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'c');
	fake_on(r.fake, FAKE_PULL, 1, FAKE_LOSE);
	fake_on(r.fake, FAKE_PULL, 1, FAKE_LATE);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	check_back(&r, OUTCOME_PUT_BACK);
	rig_close(&r);
}
END_TEST

/* A docker call that cannot be ended may still move what would be put back. */
START_TEST(a_call_cannot_be_ended)
{
	struct rig r;

	rig_open(&r, NULL);
	if (_i == 0)
		fake_on(r.fake, FAKE_PULL, 1, FAKE_HOST);
	else
		fake_on(r.fake, FAKE_UP, 1, FAKE_HOST);
	fake_from(r.fake, FAKE_SETTLE, 1, FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_UNVERIFIED);
	ck_assert(rig_journal(&r, NULL));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], (unsigned)_i);
	rig_env_is(&r, _i == 0 ? "v1" : "v2");
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	check_back(&r, _i == 0 ? OUTCOME_PUT_BACK : OUTCOME_ROLLED_BACK);
	rig_close(&r);
}
END_TEST

static ino_t records;

static int
refuse_records(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && st.st_ino == records ? -1 : 0;
}

/* What is not known to be on the disk keeps its journal, however it ended. */
START_TEST(history_cannot_be_written)
{
	static const char *const tags[] = { "v3", "bad", "nosuch" };
	char path[PATH_MAX + 32];
	struct stat st;
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	snprintf(path, sizeof(path), "%s/history.jsonl", r.target.state);
	ck_assert_int_eq(stat(path, &st), 0);
	records = st.st_ino;
	unit_on_fsync = refuse_records;
	rig_kind_is(&r, rig_deploy(&r, tags[_i]), _i == 0 ? FAULT_NONE : FAULT_FAILED);
	unit_on_fsync = NULL;
	ck_assert_ptr_nonnull(strstr(r.said, "cannot write the history"));
	ck_assert(rig_journal(&r, NULL));
	rig_runs(&r, fake_id(_i == 0 ? 'c' : 'b'));
	/* it is there all the same: the next one finds it, and says it once */
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	ck_assert(!rig_journal(&r, NULL));
	rig_ids_are_unique(&r);
	ck_assert_uint_eq(r.records, 3);
	rig_close(&r);
}
END_TEST

Suite *
restore_suite(void)
{
	Suite *s = suite_create("restore");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_loop_test(c, one_call_fails, 0, ROWS);
	tcase_add_loop_test(c, one_call_fails_and_a_name_was_displaced, 0, ROWS);
	tcase_add_loop_test(c, one_call_fails_with_a_mutable_tag, 0, ROWS);
	tcase_add_loop_test(c, one_call_fails_after_a_drift, 0, ROWS);
	tcase_add_loop_test(c, it_is_not_well, 0, 6);
	tcase_add_test(c, evidence_comes_first);
	tcase_add_loop_test(c, first_fails_before_up, 0, 3);
	tcase_add_loop_test(c, first_is_not_well, 0, 4);
	tcase_add_loop_test(c, first_goes_to_the_old_value, 0, 2);
	tcase_add_loop_test(c, first_cannot_be_removed, 0, 2);
	tcase_add_test(c, first_of_the_old_value);
	tcase_add_test(c, the_old_one_was_down);
	tcase_add_loop_test(c, silent_goes_back, 0, 2);
	tcase_add_test(c, silent_pull_fails);
	tcase_add_loop_test(limits, up_once_more, 0, 6);
	tcase_add_test(limits, leftovers_cannot_be_seen);
	tcase_add_test(limits, up_not_once_more);
	tcase_add_test(limits, leftover_goes_before_the_second);
	tcase_add_loop_test(limits, only_half_made_ones_go, 0, 5);
	tcase_add_loop_test(limits, evidence_is_not_needed, 0, 2);
	tcase_add_loop_test(h, edited_meanwhile, 0, 3);
	tcase_add_loop_test(h, spoiled_meanwhile, 0, 2);
	tcase_add_loop_test(h, not_verified, 0, WORSE);
	tcase_add_test(h, docker_goes_after_up);
	tcase_add_loop_test(h, the_old_one_is_not_well, 0, 6);
	tcase_add_loop_test(h, name_cannot_be_put_back, 0, 4);
	tcase_add_test(h, nothing_comes_back);
	tcase_add_test(h, env_cannot_be_swapped);
	tcase_add_loop_test(h, env_cannot_be_put_back, 0, 2);
	tcase_add_test(h, displaced_image_is_gone);
	tcase_add_loop_test(h, a_call_cannot_be_ended, 0, 2);
	tcase_add_loop_test(h, history_cannot_be_written, 0, 3);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
