/*
 * check_recover.c: what is found of an interrupted deploy decides what is
 * done, row by row of the table in design section 4; and a kill before every
 * single step of every verb, mended by the next run.
 */
#include "fake.h"

#include "sys/signals.h"

#include <bsd/string.h>
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *recover_suite(void);

#define ID "20260101T000000Z-0000aa"
#define NOBODY '\0'

/* All pairs of two kills would take a minute, and sanitizers fork slowly. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 4
#define STRIDE 40
#else
#define STEP 1
#define STRIDE 9
#endif

/* From v1, image a, to v2, image b. */
struct row {
	const char *name;
	/* found */
	const char *verb;
	enum journal_step step;
	const char *value;   /* in .env */
	char runs;           /* which image, NOBODY for none */
	bool recorded;       /* it is the container of the journal */
	enum fake_kind a, b; /* how they behave when started */
	/* wanted */
	enum fault_kind kind;
	enum outcome outcome;
	const char *value_then;
	char runs_then;
	unsigned ups;
	bool asks; /* the service is asked */
};

#define DEPLOY "deploy", JOURNAL_SWAP
#define ROLLBACK "rollback", JOURNAL_SWAP
#define GOOD FAKE_GOOD, FAKE_GOOD
#define BACK FAULT_FAILED, OUTCOME_ROLLED_BACK, "v1", 'a'

static const struct row rows[] = {
	/* .env holds neither value */
	{ "edited before the swap", "deploy", JOURNAL_PULL, "v9", 'a', true, GOOD,
	    FAULT_NONE, OUTCOME_ABANDONED, "v9", 'a', 0, false },
	{ "edited after it", DEPLOY, "v9", 'b', false, GOOD, FAULT_NONE,
	    OUTCOME_ABANDONED, "v9", 'b', 0, false },
	{ "edited while going back", "deploy", JOURNAL_ROLLBACK, "v9", NOBODY, false,
	    GOOD, FAULT_NONE, OUTCOME_ABANDONED, "v9", NOBODY, 0, false },
	{ "edited in a rollback", ROLLBACK, "v9", 'b', false, GOOD, FAULT_NONE,
	    OUTCOME_ABANDONED, "v9", 'b', 0, false },

	/* before the swap, or the old value and the recorded container */
	{ "in the pull", "deploy", JOURNAL_PULL, "v1", 'a', true, GOOD, FAULT_FAILED,
	    OUTCOME_PUT_BACK, "v1", 'a', 0, false },
	{ "in the pull, sick", "deploy", JOURNAL_PULL, "v1", 'a', true, FAKE_SICK,
	    FAKE_GOOD, FAULT_FAILED, OUTCOME_PUT_BACK, "v1", 'a', 0, false },
	{ "in the pull, and down since", "deploy", JOURNAL_PULL, "v1", NOBODY, false,
	    GOOD, FAULT_FAILED, OUTCOME_PUT_BACK, "v1", NOBODY, 0, false },
	{ "before the rename", DEPLOY, "v1", 'a', true, GOOD, FAULT_FAILED,
	    OUTCOME_PUT_BACK, "v1", 'a', 0, false },
	{ "before the rename, sick", DEPLOY, "v1", 'a', true, FAKE_SICK, FAKE_GOOD,
	    FAULT_FAILED, OUTCOME_PUT_BACK, "v1", 'a', 0, false },
	{ "going back, nothing moved", "deploy", JOURNAL_ROLLBACK, "v1", 'a', true, GOOD,
	    FAULT_FAILED, OUTCOME_PUT_BACK, "v1", 'a', 0, false },
	{ "a rollback before the rename", ROLLBACK, "v1", 'a', true, GOOD, FAULT_FAILED,
	    OUTCOME_PUT_BACK, "v1", 'a', 0, false },

	/* rolling back: never forward again */
	{ "going back, the new is healthy", "deploy", JOURNAL_ROLLBACK, "v2", 'b', false,
	    GOOD, BACK, 1, true },
	{ "going back, nothing runs", "deploy", JOURNAL_ROLLBACK, "v2", NOBODY, false,
	    GOOD, BACK, 1, true },
	{ "going back, .env is", "deploy", JOURNAL_ROLLBACK, "v1", 'b', false, GOOD, BACK,
	    1, true },
	{ "going back, all but the gate", "deploy", JOURNAL_ROLLBACK, "v1", 'a', false,
	    GOOD, BACK, 1, true },
	{ "going back, the old is sick", "deploy", JOURNAL_ROLLBACK, "v2", 'b', false,
	    FAKE_SICK, FAKE_GOOD, FAULT_UNVERIFIED, OUTCOME_UNVERIFIED, "v1", 'a', 1,
	    true },
	{ "going back, the old dies", "deploy", JOURNAL_ROLLBACK, "v2", 'b', false,
	    FAKE_DIES, FAKE_GOOD, FAULT_UNVERIFIED, OUTCOME_UNVERIFIED, "v1", NOBODY, 1,
	    true },
	{ "a rollback going back", "rollback", JOURNAL_ROLLBACK, "v2", 'b', false, GOOD,
	    BACK, 1, true },

	/* a rollback is completed */
	{ "a rollback, up came", ROLLBACK, "v2", 'b', false, GOOD, FAULT_NONE,
	    OUTCOME_RECOVERED, "v2", 'b', 1, true },
	{ "a rollback, nothing runs", ROLLBACK, "v2", NOBODY, false, GOOD, FAULT_NONE,
	    OUTCOME_RECOVERED, "v2", 'b', 1, true },
	{ "a rollback before up", ROLLBACK, "v2", 'a', true, GOOD, FAULT_NONE,
	    OUTCOME_RECOVERED, "v2", 'b', 1, true },
	{ "a rollback, its container gone", ROLLBACK, "v1", NOBODY, false, GOOD,
	    FAULT_NONE, OUTCOME_RECOVERED, "v2", 'b', 1, true },
	{ "a rollback, its target sick", ROLLBACK, "v2", 'b', false, FAKE_GOOD, FAKE_SICK,
	    BACK, 2, true },
	{ "a rollback, both sick", ROLLBACK, "v2", 'b', false, FAKE_SICK, FAKE_SICK,
	    FAULT_UNVERIFIED, OUTCOME_UNVERIFIED, "v1", 'a', 2, true },

	/* the new value, the new image, and the gate */
	{ "up came", DEPLOY, "v2", 'b', false, GOOD, FAULT_NONE, OUTCOME_RECOVERED, "v2",
	    'b', 0, true },
	{ "up came, sick", DEPLOY, "v2", 'b', false, FAKE_GOOD, FAKE_SICK, BACK, 1,
	    true },
	{ "up came, it dies", DEPLOY, "v2", 'b', false, FAKE_GOOD, FAKE_DIES, BACK, 1,
	    true },
	{ "up came, both sick", DEPLOY, "v2", 'b', false, FAKE_SICK, FAKE_SICK,
	    FAULT_UNVERIFIED, OUTCOME_UNVERIFIED, "v1", 'a', 1, true },

	/* anything else */
	{ "before up", DEPLOY, "v2", 'a', true, GOOD, BACK, 1, true },
	{ "nothing runs", DEPLOY, "v2", NOBODY, false, GOOD, BACK, 1, true },
	{ "another runs", DEPLOY, "v2", 'e', false, GOOD, BACK, 1, true },
	{ "the old value, nothing runs", DEPLOY, "v1", NOBODY, false, GOOD, BACK, 1,
	    true },
	{ "the old value, the new image", DEPLOY, "v1", 'b', false, GOOD, BACK, 1, true },
	{ "the old image in another container", DEPLOY, "v1", 'a', false, GOOD, BACK, 1,
	    true },
	{ "nothing runs, the old is sick", DEPLOY, "v2", NOBODY, false, FAKE_SICK,
	    FAKE_GOOD, FAULT_UNVERIFIED, OUTCOME_UNVERIFIED, "v1", 'a', 1, true },
};

static void
journal_of(struct rig *r, struct journal *j, const char *verb, enum journal_step at)
{
	const struct container *c = fake_running(r->fake);

	memset(j, 0, sizeof(*j));
	strcpy(j->id, ID);
	(void)strlcpy(j->verb, verb, sizeof(j->verb));
	j->step = at;
	strcpy(j->from.tag, "v1");
	strcpy(j->from.image, fake_id('a'));
	strcpy(j->from.ref, REPO ":v1");
	strcpy(j->to.tag, "v2");
	strcpy(j->to.ref, REPO ":v2");
	if (at != JOURNAL_PULL)
		strcpy(j->to.image, fake_id('b'));
	if (c != NULL)
		strcpy(j->container, c->id);
	strcpy(j->old_value, "v1");
	strcpy(j->actor, "somebody");
	strcpy(j->time, "2026-01-01T00:00:00Z");
}

static void
start_anew(struct rig *r, char letter)
{
	char ref[64];

	memset(r->fake->list, 0, sizeof(r->fake->list));
	snprintf(ref, sizeof(ref), REPO ":%s", letter == 'a' ? "v1" : "v2");
	if (letter != NOBODY)
		fake_start(r->fake, ref, letter, "deploy-data-1", CONTAINER_RUNNING);
}

static void
find(struct rig *r, const struct row *row, struct journal *j)
{
	rig_open(r, NULL);
	fake_push(r->fake, "v1", 'a', row->a);
	fake_push(r->fake, "v2", 'b', row->b);
	fake_have(r->fake, REPO ":v2", 'b');
	journal_of(r, j, row->verb, row->step);
	if (!row->recorded)
		start_anew(r, row->runs);
	rig_write_env(r, row->value);
	rig_plant_journal(r, j);
}

static const char *
id_or_none(char letter)
{
	return letter == NOBODY ? "" : fake_id(letter);
}

/* Has the gate looked at what was begun?  Else a kill ended it, which proves nothing. */
static bool
is_judged(const struct row *row)
{
	if (row->outcome == OUTCOME_ABANDONED || row->outcome == OUTCOME_PUT_BACK)
		return false;
	return row->outcome == OUTCOME_RECOVERED ||
	    (row->step == JOURNAL_SWAP &&
		(strcmp(row->verb, "rollback") == 0 ||
		    (strcmp(row->value, "v2") == 0 && row->runs == 'b')));
}

static void
check_row(struct rig *r, const struct row *row)
{
	rig_env_is(r, row->value_then);
	rig_runs(r, id_or_none(row->runs_then));
	rig_name_is(r, REPO ":v1", fake_id('a'));
	ck_assert_uint_eq(r->fake->count[FAKE_UP], row->ups);
	ck_assert_uint_eq(r->fake->count[FAKE_PULL], 0);
	ck_assert_int_eq(r->fake->asked > 0, row->asks);
	ck_assert(!rig_journal(r, NULL));
	rig_history(r);
	ck_assert_uint_eq(r->records, 1);
	ck_assert_str_eq(r->history[0].id, ID);
	ck_assert_str_eq(r->history[0].verb, row->verb);
	ck_assert_str_eq(r->history[0].who.actor, "somebody");
	ck_assert_str_eq(r->history[0].from.tag, "v1");
	ck_assert_str_eq(r->history[0].to.tag, "v2");
	ck_assert_msg(r->history[0].outcome == row->outcome, "recorded: %s",
	    outcome_name(r->history[0].outcome));
	ck_assert_int_eq(r->history[0].interrupted, !is_judged(row));
	ck_assert_int_eq(strstr(r->history[0].why, "was interrupted") != NULL,
	    !is_judged(row));
}

START_TEST(found_decides)
{
	const struct row *row = &rows[_i];
	struct journal j;
	struct rig r;

	find(&r, row, &j);
	rig_recover(&r);
	ck_assert_msg(r.f.kind == row->kind, "%s: %d, %s\n%s", row->name, (int)r.f.kind,
	    r.f.what, r.said);
	check_row(&r, row);
	if (row->kind != FAULT_NONE)
		ck_assert_int_eq(r.history[0].code, (int)row->kind);
	/* the first thing is to see what the killed run's docker is at */
	ck_assert_int_eq(r.fake->log[1].fn, FAKE_SETTLE);
	rig_close(&r);
}
END_TEST

/* Whatever it came to, the request that found it goes on. */
START_TEST(found_and_the_request_goes_on)
{
	const struct row *row = &rows[_i];
	struct journal j;
	struct rig r;

	find(&r, row, &j);
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_NONE);
	rig_env_is(&r, "v3");
	rig_runs(&r, fake_id('c'));
	rig_history(&r);
	ck_assert_str_eq(r.history[0].id, ID);
	ck_assert_int_eq(r.history[0].outcome, row->outcome);
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	rig_ids_are_unique(&r);
	rig_close(&r);
}
END_TEST

START_TEST(nothing_to_mend)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_history(&r);
	ck_assert_uint_eq(r.records, 0);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

/* Its own record closes a journal, whatever else is found. */
START_TEST(recorded_already)
{
	const struct row *row = &rows[_i];
	struct record record = { .id = ID,
		.verb = "deploy",
		.outcome = OUTCOME_DEPLOYED };
	struct journal j;
	struct rig r;

	find(&r, row, &j);
	rig_plant_record(&r, &record);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	ck_assert(!rig_journal(&r, NULL));
	rig_env_is(&r, row->value);
	ck_assert_uint_eq(r.fake->count[FAKE_UP] + r.fake->count[FAKE_NAME] +
		r.fake->count[FAKE_REMOVE] + r.fake->asked,
	    0);
	rig_history(&r);
	ck_assert_uint_eq(r.records, 1);
	rig_close(&r);
}
END_TEST

/* Before the swap the value of .env is a person's, the new one too. */
START_TEST(new_value_before_the_swap)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	journal_of(&r, &j, "deploy", JOURNAL_PULL);
	rig_plant_journal(&r, &j);
	rig_write_env(&r, "v2");
	(void)rig_recover(&r);
	ck_assert_ptr_nonnull(strstr(r.said, ".env was edited since"));
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('a'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* latest to latest: only names and containers tell the two apart. */
static void mutable(struct rig *r, struct journal *j, enum journal_step at)
{
	rig_open(r, NULL);
	fake_push(r->fake, "latest", 'b', FAKE_GOOD);
	start_anew(r, NOBODY);
	fake_forget_name(r->fake, REPO ":v1");
	fake_have(r->fake, REPO ":latest", 'b');
	fake_start(r->fake, REPO ":latest", 'a', "deploy-data-1", CONTAINER_RUNNING);
	rig_write_env(r, "latest");
	journal_of(r, j, "deploy", at);
	strcpy(j->old_value, "latest");
	strcpy(j->from.tag, "latest");
	strcpy(j->from.ref, REPO ":latest");
	strcpy(j->to.tag, "latest");
	strcpy(j->to.ref, REPO ":latest");
	strcpy(j->displaced, fake_id('a'));
	rig_plant_journal(r, j);
}

START_TEST(mutable_tag_is_put_back)
{
	static const enum journal_step steps[] = { JOURNAL_PULL, JOURNAL_SWAP,
		JOURNAL_ROLLBACK };
	struct journal j;
	struct rig r;

	mutable(&r, &j, steps[_i]);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":latest", fake_id('a'));
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* A boot's own `up` took what the pull had moved the name to. */
START_TEST(mutable_tag_after_a_boot)
{
	char path[PATH_MAX + 16];
	struct journal j;
	struct rig r;

	mutable(&r, &j, JOURNAL_PULL);
	start_anew(&r, NOBODY);
	fake_start(r.fake, REPO ":latest", 'b', "deploy-data-1", CONTAINER_RUNNING);
	if (_i == 1) {
		/* a folder where its temp file would be: the word cannot be written */
		snprintf(path, sizeof(path), "%s/journal.new", r.target.state);
		ck_assert_int_eq(mkdir(path, 0700), 0);
		rig_kind_is(&r, rig_recover(&r), FAULT_HOST);
		ck_assert_uint_eq(r.fake->count[FAKE_UP] + r.fake->count[FAKE_NAME], 0);
		rig_runs(&r, fake_id('b'));
		ck_assert_int_eq(rmdir(path), 0);
	}
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":latest", fake_id('a'));
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	rig_close(&r);
}
END_TEST

/*
 * A way back was begun, but its word did not get to the disk: the name is the
 * old one's already.  What is completed must be what the name means.
 */
START_TEST(completed_with_its_name)
{
	struct journal j;
	struct rig r;

	mutable(&r, &j, JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	fake_start(r.fake, REPO ":latest", 'b', "deploy-data-1", CONTAINER_RUNNING);
	fake_have(r.fake, REPO ":latest", 'a');
	if (_i == 1)
		fake_on(r.fake, FAKE_NAME, 1, FAKE_FAIL);
	rig_kind_is(&r, rig_recover(&r), _i == 0 ? FAULT_NONE : FAULT_HOST);
	if (_i == 1) {
		ck_assert(rig_journal(&r, NULL));
		fake_calm(r.fake);
		rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	}
	rig_name_is(&r, REPO ":latest", fake_id('b'));
	rig_runs(&r, fake_id('b'));
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

/* Told to stop before the swap of a resumed rollback, whose `up` had come. */
START_TEST(resumed_rollback_is_stopped)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	journal_of(&r, &j, "rollback", JOURNAL_SWAP);
	start_anew(&r, 'b');
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	fake_on(r.fake, FAKE_NAME, 1, FAKE_TERM);
	ck_assert_int_eq(signals_init(&r.f), 0);
	/* in a process of its own: it stays told to stop */
	ck_assert(!rig_run_killed(&r, "recover", "", UINT_MAX));
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

/* The image that an interrupted rollback goes to is gone: back to what ran. */
START_TEST(target_of_a_rollback_is_gone)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	journal_of(&r, &j, "rollback", JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

START_TEST(mutable_tag_is_completed)
{
	struct journal j;
	struct rig r;

	mutable(&r, &j, JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	fake_start(r.fake, REPO ":latest", 'b', "deploy-data-1", CONTAINER_RUNNING);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_name_is(&r, REPO ":latest", fake_id('b'));
	rig_runs(&r, fake_id('b'));
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

START_TEST(mutable_tag_is_rolled_back)
{
	struct journal j;
	struct rig r;

	mutable(&r, &j, _i == 0 ? JOURNAL_SWAP : JOURNAL_ROLLBACK);
	start_anew(&r, NOBODY);
	if (_i == 1)
		fake_start(r.fake, REPO ":latest", 'b', "deploy-data-1",
		    CONTAINER_RUNNING);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":latest", fake_id('a'));
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	rig_close(&r);
}
END_TEST

/* What the pull took the name from gets it back, though it does not run. */
START_TEST(displaced_name_is_put_back)
{
	static const enum journal_step steps[] = { JOURNAL_PULL, JOURNAL_SWAP,
		JOURNAL_ROLLBACK };
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	fake_have(r.fake, "", 'c');
	journal_of(&r, &j, "deploy", steps[_i]);
	strcpy(j.displaced, fake_id('c'));
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":v2", fake_id('c'));
	rig_name_is(&r, REPO ":v1", fake_id('a'));
	rig_close(&r);
}
END_TEST

/* A container that `up` did not get to start blocks the next one. */
START_TEST(half_made_is_removed)
{
	static const enum journal_step steps[] = { JOURNAL_SWAP, JOURNAL_ROLLBACK };
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	journal_of(&r, &j, "deploy", steps[_i]);
	start_anew(&r, NOBODY);
	fake_start(r.fake, REPO ":v2", 'b', "0123456789ab_deploy-data-1",
	    CONTAINER_CREATED);
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_runs(&r, fake_id('a'));
	ck_assert_uint_eq(fake_containers(r.fake), 1);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	rig_close(&r);
}
END_TEST

/* So does one that a rollback left: its target comes all the same. */
START_TEST(half_made_of_a_rollback)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	journal_of(&r, &j, "rollback", JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	fake_start(r.fake, REPO ":v2", 'b', "0123456789ab_deploy-data-1",
	    CONTAINER_CREATED);
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_runs(&r, fake_id('b'));
	ck_assert_uint_eq(fake_containers(r.fake), 1);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

/* At boot what the service depends on may be down: `up` starts it too. */
START_TEST(dependencies_are_started)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	r.fake->depends_down = _i == 0;
	journal_of(&r, &j, "deploy", JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 1)->what,
	    _i == 0 ? "up v1 +depends" : "up v1");
	rig_runs(&r, fake_id('a'));
	rig_close(&r);
}
END_TEST

/* ---- a first deploy ---- */

static void
first(struct rig *r, char runs, enum fake_kind kind, bool old_is_here)
{
	struct journal j;

	rig_open_bare(r, NULL);
	fake_push(r->fake, "v2", 'b', kind);
	fake_have(r->fake, REPO ":v2", 'b');
	if (old_is_here)
		fake_have(r->fake, REPO ":v1", 'a');
	journal_of(r, &j, "deploy", JOURNAL_SWAP);
	memset(&j.from, 0, sizeof(j.from));
	start_anew(r, runs);
	rig_write_env(r, "v2");
	rig_plant_journal(r, &j);
}

START_TEST(first_deploy_is_completed)
{
	struct rig r;

	first(&r, 'b', FAKE_GOOD, false);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

START_TEST(first_deploy_goes_away)
{
	struct rig r;

	first(&r, 'b', FAKE_SICK, _i == 1);
	rig_kind_is(&r, rig_recover(&r), _i == 1 ? FAULT_FAILED : FAULT_UNVERIFIED);
	rig_env_is(&r, "v1");
	rig_runs(&r, _i == 1 ? fake_id('a') : "");
	ck_assert_uint_eq(fake_containers(r.fake), _i == 1 ? 1 : 0);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(r.f.what, "nothing serves"));
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* ---- a silent engine ---- */

START_TEST(silent_is_always_rolled_back)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	journal_of(&r, &j, "deploy", _i == 3 ? JOURNAL_ROLLBACK : JOURNAL_SWAP);
	j.silent = true;
	j.container[0] = j.to.image[0] = j.to.ref[0] = '\0';
	j.from.image[0] = j.from.ref[0] = '\0';
	if (_i == 2)
		strcpy(j.verb, "rollback");
	rig_write_env(&r, _i == 1 ? "v1" : "v2");
	strcpy(r.fake->served, "v2");
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_env_is(&r, "v1");
	ck_assert_str_eq(r.fake->served, "v1");
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

START_TEST(silent_before_the_swap)
{
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	r.fake->quiet = true;
	journal_of(&r, &j, "deploy", JOURNAL_PULL);
	j.silent = true;
	j.container[0] = j.to.ref[0] = j.from.image[0] = j.from.ref[0] = '\0';
	rig_plant_journal(&r, &j);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	rig_close(&r);
}
END_TEST

/* ---- what cannot be mended now ---- */

/* A docker that does not answer: 4, the journal stays, nothing else is run. */
START_TEST(no_docker_no_mending)
{
	static const enum fake_fn fns[] = { FAKE_HELLO, FAKE_SETTLE, FAKE_DESCRIBE,
		FAKE_CONTAINERS, FAKE_DEPENDS, FAKE_IMAGE, FAKE_UP, FAKE_INSPECT };
	const enum fake_fn fn = fns[_i / 2];
	struct journal j, left;
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":v2", 'b');
	journal_of(&r, &j, "deploy", JOURNAL_SWAP);
	start_anew(&r, NOBODY);
	rig_write_env(&r, "v2");
	rig_plant_journal(&r, &j);
	fake_from(r.fake, fn, 1, FAKE_HOST);
	rig_kind_is(&r, rig_run(&r, _i % 2 == 0 ? "recover" : "deploy", "v3"),
	    FAULT_HOST);
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 0);
	ck_assert(rig_journal(&r, &left));
	ck_assert_str_eq(left.id, ID);
	rig_history(&r);
	ck_assert_uint_eq(r.records, 0);

	/* and when it is back, all is mended */
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* What runs is the new one: that it cannot be asked is no verdict on it. */
START_TEST(no_docker_no_verdict)
{
	struct journal j;
	struct rig r;

	find(&r, &rows[0], &j);
	start_anew(&r, 'b');
	rig_write_env(&r, "v2");
	journal_of(&r, &j, "deploy", JOURNAL_SWAP);
	strcpy(j.container, "another");
	rig_plant_journal(&r, &j);
	fake_from(r.fake, FAKE_INSPECT, 1, FAKE_HOST);
	rig_kind_is(&r, rig_recover(&r), FAULT_HOST);
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP] + r.fake->count[FAKE_NAME], 0);
	ck_assert(rig_journal(&r, &j));
	ck_assert_int_eq(j.step, JOURNAL_SWAP);
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_NONE);
	rig_last_is(&r, OUTCOME_RECOVERED, 0);
	rig_close(&r);
}
END_TEST

/* The same before the swap, where only a name is to be put back. */
START_TEST(no_docker_no_name)
{
	struct journal j;
	struct rig r;

	mutable(&r, &j, JOURNAL_PULL);
	fake_from(r.fake, _i == 0 ? FAKE_IMAGE : FAKE_NAME, 1, FAKE_HOST);
	rig_kind_is(&r, rig_recover(&r), FAULT_HOST);
	ck_assert(rig_journal(&r, NULL));
	fake_calm(r.fake);
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_name_is(&r, REPO ":latest", fake_id('a'));
	rig_close(&r);
}
END_TEST

static void
damage(struct rig *r, const char *bytes)
{
	char path[200];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/.twilight-deploy/journal", r->fake->home);
	fp = fopen(path, "we");
	ck_assert_ptr_nonnull(fp);
	fputs(bytes, fp);
	fclose(fp);
}

START_TEST(unreadable_journal)
{
	static const char *const bytes[] = { "", "{", "[]", "{\"v\":1}", "\n\n",
		"{\"v\":2,\"id\":\"x\"}", "{\"v\":\"1\"}", "{\"v\":1,\"v\":1}" };
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	journal_of(&r, &j, "deploy", JOURNAL_SWAP);
	rig_plant_journal(&r, &j);
	rig_write_env(&r, "v2");
	damage(&r, bytes[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_HOST);
	ck_assert_str_ne(r.f.next, "");
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('a'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP] + r.fake->count[FAKE_PULL] +
		r.fake->count[FAKE_NAME] + r.fake->count[FAKE_REMOVE],
	    0);
	rig_close(&r);
}
END_TEST

/* ---- what a killed run leaves lying about ---- */

static void
scribble(struct rig *r, const char *name, const char *bytes)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", r->fake->home, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
}

START_TEST(torn_files)
{
	struct record record = { .id = "before",
		.verb = "deploy",
		.outcome = OUTCOME_DEPLOYED };
	struct journal j;
	struct rig r;

	rig_open(&r, NULL);
	journal_of(&r, &j, "deploy", JOURNAL_SWAP);
	rig_plant_journal(&r, &j);
	rig_plant_record(&r, &record);
	scribble(&r, ".twilight-deploy/history.jsonl", "{\"v\":1,\"id\":\"" ID "\",\"ti");
	scribble(&r, ".twilight-deploy/history.jsonl.new", "{\"v\":1,\"id\":\"");
	scribble(&r, ".twilight-deploy/journal.new", "{\"v\":1,\"id\":\"");
	scribble(&r, ".env.twilight-deploy." ID, "SECRET='do not sh");
	rig_kind_is(&r, rig_recover(&r), FAULT_FAILED);
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	ck_assert_uint_eq(r.records, 2);
	ck_assert_str_eq(r.history[0].id, "before");
	rig_env_is(&r, "v1");
	ck_assert_int_eq(chdir(r.target.state), 0);
	ck_assert_int_eq(access("history.jsonl.new", F_OK), -1);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
	ck_assert_int_eq(chdir("/"), 0);
	rig_close(&r);
}
END_TEST

/* ---- killed before every step ---- */

struct scene {
	const char *name;
	void (*set)(struct rig *);
	const char *verb, *tag;
	/* how .env and the running image may pair up then: "v1" with 'a' ... */
	const char *pairs[4];
	const char *latest; /* the reference that must mean what runs, or NULL */
	unsigned steps;     /* at least so many */
};

static void
set_plain(struct rig *r)
{
	rig_open(r, NULL);
}

static void
set_displacing(struct rig *r)
{
	rig_open(r, NULL);
	fake_have(r->fake, REPO ":v2", 'c');
}

static void
set_sick(struct rig *r)
{
	rig_open(r, NULL);
	fake_push(r->fake, "v2", 'b', FAKE_SICK);
}

static void
set_half(struct rig *r)
{
	rig_open(r, NULL);
	fake_on(r->fake, FAKE_UP, 1, FAKE_HALF);
}

/* Neither the first `up` of the way back gets through. */
static void
set_half_twice(struct rig *r)
{
	rig_open(r, NULL);
	fake_on(r->fake, FAKE_UP, 1, FAKE_HALF);
	fake_on(r->fake, FAKE_UP, 2, FAKE_HALF);
}

static void
set_no_pull(struct rig *r)
{
	rig_open(r, NULL);
	fake_on(r->fake, FAKE_PULL, 1, FAKE_LATE);
}

static void
set_latest(struct rig *r, enum fake_kind kind)
{
	rig_open(r, NULL);
	start_anew(r, NOBODY);
	fake_forget_name(r->fake, REPO ":v1");
	fake_have(r->fake, REPO ":latest", 'a');
	fake_start(r->fake, REPO ":latest", 'a', "deploy-data-1", CONTAINER_RUNNING);
	rig_write_env(r, "latest");
	fake_push(r->fake, "latest", 'b', kind);
}

static void
set_latest_good(struct rig *r)
{
	set_latest(r, FAKE_GOOD);
}

static void
set_latest_sick(struct rig *r)
{
	set_latest(r, FAKE_SICK);
}

/* v1, then v2: so that there is one to go back to. */
static void
set_rollback(struct rig *r)
{
	rig_open(r, NULL);
	rig_kind_is(r, rig_deploy(r, "v2"), FAULT_NONE);
	fake_calm(r->fake);
}

static void
set_rollback_sick(struct rig *r)
{
	set_rollback(r);
	fake_push(r->fake, "v1", 'a', FAKE_SICK);
}

static void
set_first(struct rig *r)
{
	rig_open_bare(r, NULL);
	fake_have(r->fake, REPO ":v1", 'a');
}

static void
set_first_sick(struct rig *r)
{
	set_first(r);
	fake_push(r->fake, "v2", 'b', FAKE_SICK);
}

/* Interrupted once already: half-made containers, and all of it to be undone. */
static void
set_mending(struct rig *r)
{
	struct journal j;

	rig_open(r, NULL);
	fake_have(r->fake, REPO ":v2", 'b');
	fake_have(r->fake, REPO ":v1", 'c');
	fake_have(r->fake, "", 'a');
	journal_of(r, &j, "deploy", JOURNAL_SWAP);
	start_anew(r, NOBODY);
	fake_start(r->fake, REPO ":v2", 'b', "0123456789ab_deploy-data-1",
	    CONTAINER_CREATED);
	rig_write_env(r, "v2");
	rig_plant_journal(r, &j);
}

static void
set_completing(struct rig *r)
{
	struct journal j;

	rig_open(r, NULL);
	fake_have(r->fake, REPO ":v2", 'b');
	journal_of(r, &j, "deploy", JOURNAL_SWAP);
	start_anew(r, 'b');
	rig_write_env(r, "v2");
	rig_plant_journal(r, &j);
}

static void
set_completing_rollback(struct rig *r)
{
	struct journal j;

	rig_open(r, NULL);
	fake_have(r->fake, "", 'b');
	journal_of(r, &j, "rollback", JOURNAL_SWAP);
	start_anew(r, NOBODY);
	rig_write_env(r, "v2");
	rig_plant_journal(r, &j);
}

#define V1_A "v1 a"
#define V2_B "v2 b"

static const struct scene scenes[] = {
	{ "deploy", set_plain, "deploy", "v2", { V1_A, V2_B }, NULL, 30 },
	{ "deploy that displaces a name", set_displacing, "deploy", "v2", { V1_A, V2_B },
	    NULL, 30 },
	{ "sick deploy", set_sick, "deploy", "v2", { V1_A }, NULL, 30 },
	{ "half an up", set_half, "deploy", "v2", { V1_A }, NULL, 30 },
	{ "half an up, twice", set_half_twice, "deploy", "v2", { V1_A }, NULL, 30 },
	{ "failing pull", set_no_pull, "deploy", "v2", { V1_A }, NULL, 15 },
	{ "mutable tag", set_latest_good, "deploy", "latest", { "latest a", "latest b" },
	    REPO ":latest", 30 },
	{ "sick mutable tag", set_latest_sick, "deploy", "latest", { "latest a" },
	    REPO ":latest", 30 },
	{ "rollback", set_rollback, "rollback", "", { V1_A, V2_B }, NULL, 25 },
	{ "sick rollback", set_rollback_sick, "rollback", "", { V2_B }, NULL, 25 },
	/* where nothing ran, nothing need run before `up` */
	{ "first deploy", set_first, "deploy", "v2", { "v1 -", V1_A, V2_B }, NULL, 25 },
	{ "sick first deploy", set_first_sick, "deploy", "v2", { "v1 -", V1_A }, NULL,
	    25 },
	{ "mending", set_mending, "recover", "", { V1_A }, NULL, 15 },
	{ "completing", set_completing, "recover", "", { V2_B }, NULL, 10 },
	{ "completing a rollback", set_completing_rollback, "recover", "", { V2_B }, NULL,
	    15 },
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static bool
is_paired(struct rig *r, const struct scene *s)
{
	const struct container *c = fake_running(r->fake);
	struct envfile e;
	struct fault f = { 0 };
	char pair[ENVFILE_VALUE_MAX + 8];
	size_t i;

	ck_assert_int_eq(envfile_read(&e, r->target.env_file, TARGET_VARIABLE, &f), 0);
	snprintf(pair, sizeof(pair), "%s %c", e.value, c == NULL ? '-' : c->image[7]);
	envfile_free(&e);
	for (i = 0; i < 4 && s->pairs[i] != NULL; i++)
		if (strcmp(pair, s->pairs[i]) == 0)
			return true;
	return false;
}

/* Right after the kill: .env is one of the two, to the byte. */
static void
check_whole(struct rig *r, const struct scene *s, unsigned n)
{
	struct envfile e;
	struct fault f = { 0 };
	char value[ENVFILE_VALUE_MAX];

	ck_assert_msg(envfile_read(&e, r->target.env_file, TARGET_VARIABLE, &f) == 0,
	    "%s, step %u: %s", s->name, n, f.what);
	strcpy(value, e.value);
	envfile_free(&e);
	ck_assert_msg(strcmp(value, "v1") == 0 || strcmp(value, "v2") == 0 ||
		strcmp(value, "latest") == 0,
	    "%s, step %u: %s", s->name, n, value);
	rig_env_is(r, value);
}

static void
check_mended(struct rig *r, const struct scene *s, unsigned n)
{
	const struct container *c = fake_running(r->fake);

	ck_assert_msg(r->f.kind == FAULT_NONE || r->f.kind == FAULT_FAILED ||
		(s->pairs[0][3] == '-' && r->f.kind == FAULT_UNVERIFIED),
	    "%s, step %u: %d, %s", s->name, n, (int)r->f.kind, r->f.what);
	ck_assert_msg(!rig_journal(r, NULL), "%s, step %u: the journal stays", s->name,
	    n);
	ck_assert_msg(is_paired(r, s), "%s, step %u: %.20s runs; %s\n%s", s->name, n,
	    c == NULL ? "nothing" : c->image, r->f.what, r->said);
	if (s->latest != NULL)
		ck_assert_msg(c != NULL &&
			strcmp(fake_image_of(r->fake, s->latest), c->image) == 0,
		    "%s, step %u: %s is not what runs", s->name, n, s->latest);
	if (c != NULL)
		ck_assert_msg(strcmp(fake_image_of(r->fake, c->ref), c->image) == 0,
		    "%s, step %u: %s is not what runs", s->name, n, c->ref);
	rig_ids_are_unique(r);
}

/* What did not run before is in the history, or was brought back. */
static void
check_recorded(struct rig *r, const struct scene *s, unsigned n, const char *before)
{
	const struct container *c = fake_running(r->fake);
	const struct record *last;

	if (c == NULL || strcmp(c->image, before) == 0)
		return;
	rig_history(r);
	ck_assert_msg(r->records > 0, "%s, step %u: nothing was recorded", s->name, n);
	last = &r->history[r->records - 1];
	ck_assert_msg(last->outcome == OUTCOME_ROLLED_BACK ||
		(outcome_proves(last->outcome) && strcmp(last->to.image, c->image) == 0),
	    "%s, step %u: %.20s runs, recorded is %s %s", s->name, n, c->image,
	    outcome_name(last->outcome), last->to.tag);
}

/* And then all goes on as if nothing had been. */
static void
check_alive(struct rig *r, const struct scene *s, unsigned n)
{
	fake_calm(r->fake);
	ck_assert_msg(rig_deploy(r, "v3") == FAULT_NONE, "%s, step %u: v3: %s", s->name,
	    n, r->f.what);
	rig_env_is(r, "v3");
	rig_runs(r, fake_id('c'));
	ck_assert_uint_eq(fake_containers(r->fake), 1);
	rig_last_is(r, OUTCOME_DEPLOYED, 0);
	rig_ids_are_unique(r);
	ck_assert(!rig_journal(r, NULL));
}

START_TEST(killed_at_every_step)
{
	const struct scene *s = &scenes[_i];
	const struct container *c;
	char before[IMAGE_ID_MAX];
	struct rig r;
	bool killed;
	unsigned n;

	for (n = 1, killed = true; killed; n += STEP) {
		s->set(&r);
		c = fake_running(r.fake);
		strcpy(before, c == NULL ? "" : c->image);
		killed = rig_run_killed(&r, s->verb, s->tag, n);
		check_whole(&r, s, n);
		/* what a rule was for is behind it: the host is well again */
		fake_calm(r.fake);
		(void)rig_recover(&r);
		check_mended(&r, s, n);
		check_recorded(&r, s, n, before);
		check_alive(&r, s, n);
		rig_close(&r);
	}
	ck_assert_msg(n > s->steps, "%s: only %u steps", s->name, n);
}
END_TEST

/* The request that finds it mends it, as `recover` does. */
START_TEST(killed_and_the_next_deploy_mends)
{
	const struct scene *s = &scenes[_i];
	struct rig r;
	bool killed;
	unsigned n;

	for (n = 1, killed = true; killed; n += STEP) {
		s->set(&r);
		killed = rig_run_killed(&r, s->verb, s->tag, n);
		check_alive(&r, s, n);
		rig_close(&r);
	}
}
END_TEST

/* The mending is killed too, at some of its steps, each time at others. */
START_TEST(killed_and_killed_again)
{
	const struct scene *s = &scenes[_i];
	struct rig r;
	bool killed, again;
	unsigned n, m;

	for (n = 1, killed = true; killed; n += STEP)
		for (m = 1 + n % STRIDE, again = true; again; m += STRIDE) {
			s->set(&r);
			killed = rig_run_killed(&r, s->verb, s->tag, n);
			fake_calm(r.fake);
			again = rig_run_killed(&r, "recover", "", m);
			check_whole(&r, s, n);
			fake_calm(r.fake);
			(void)rig_recover(&r);
			check_mended(&r, s, n * 1000 + m);
			rig_close(&r);
		}
}
END_TEST

Suite *
recover_suite(void)
{
	const int n = (int)(sizeof(rows) / sizeof(rows[0]));
	Suite *s = suite_create("recover");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_loop_test(c, found_decides, 0, n);
	tcase_add_loop_test(c, found_and_the_request_goes_on, 0, n);
	tcase_add_loop_test(c, recorded_already, 0, n);
	tcase_add_test(c, nothing_to_mend);
	tcase_add_test(c, new_value_before_the_swap);
	tcase_add_loop_test(c, mutable_tag_is_put_back, 0, 3);
	tcase_add_loop_test(c, mutable_tag_after_a_boot, 0, 2);
	tcase_add_test(c, mutable_tag_is_completed);
	tcase_add_loop_test(c, completed_with_its_name, 0, 2);
	tcase_add_test(c, resumed_rollback_is_stopped);
	tcase_add_test(c, target_of_a_rollback_is_gone);
	tcase_add_loop_test(c, mutable_tag_is_rolled_back, 0, 2);
	tcase_add_loop_test(c, displaced_name_is_put_back, 0, 3);
	tcase_add_loop_test(c, half_made_is_removed, 0, 2);
	tcase_add_test(c, half_made_of_a_rollback);
	tcase_add_loop_test(c, dependencies_are_started, 0, 2);
	tcase_add_test(c, first_deploy_is_completed);
	tcase_add_loop_test(c, first_deploy_goes_away, 0, 2);
	tcase_add_loop_test(c, silent_is_always_rolled_back, 0, 4);
	tcase_add_test(c, silent_before_the_swap);
	tcase_add_loop_test(limits, no_docker_no_mending, 0, 16);
	tcase_add_test(limits, no_docker_no_verdict);
	tcase_add_loop_test(limits, no_docker_no_name, 0, 2);
	tcase_add_loop_test(h, unreadable_journal, 0, 8);
	tcase_add_test(h, torn_files);
	tcase_add_loop_test(h, killed_at_every_step, 0, SCENES);
	tcase_add_loop_test(h, killed_and_the_next_deploy_mends, 0, SCENES);
	tcase_add_loop_test(h, killed_and_killed_again, 0, SCENES);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 300);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
