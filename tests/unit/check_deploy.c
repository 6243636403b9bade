/*
 * check_deploy.c: a deploy that goes well, and one that is refused before it
 * changes anything.  What is undone is in check_restore.c.
 */
#include "fake.h"

#include "state/lock.h"
#include "sys/deadline.h"
#include "sys/signals.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *deploy_suite(void);

struct seen {
	const char *what;
	const char *step, *value;
	int records;
};

#define A12 "aaaaaaaaaaaa"
#define B12 "bbbbbbbbbbbb"

/* Design section 3, as the engine sees it. */
static const struct seen order[] = {
	{ "hello", "-", "v1", 0 },
	{ "describe v2", "-", "v1", 0 },
	{ "root", "-", "v1", 0 },
	{ "containers", "-", "v1", 0 },
	{ "name A " SECOND ":" A12, "-", "v1", 0 },
	{ "image " REPO ":v2", "-", "v1", 1 }, /* adopted by now */
	{ "pull v2", "pull", "v1", 1 },
	{ "image " REPO ":v2", "pull", "v1", 1 },
	{ "up v2", "swap", "v2", 1 },
	{ "containers", "swap", "v2", 1 },
	{ "inspect", "swap", "v2", 1 },
	{ "name B " SECOND ":" B12, "-", "v2", 2 },
	{ "containers", "-", "v2", 2 }, /* what runs is not pruned */
	{ "names " REPO, "-", "v2", 2 },
	{ "names " SECOND, "-", "v2", 2 },
	{ "prune", "-", "v2", 2 },
};

/* Ids are told by a letter, the looks at one container are one. */
static size_t
shorten(struct rig *r, struct fake_call *out)
{
	struct fake *k = r->fake;
	char want[2][100] = { "name ", "name " };
	unsigned i;
	size_t n = 0;

	strcat(want[0], fake_id('a'));
	strcat(want[1], fake_id('b'));
	for (i = 0; i < k->n_log; i++) {
		if (k->log[i].fn == FAKE_INSPECT && n > 0 &&
		    out[n - 1].fn == FAKE_INSPECT)
			continue;
		out[n] = k->log[i];
		if (out[n].fn == FAKE_INSPECT)
			strcpy(out[n].what, "inspect");
		if (strncmp(out[n].what, want[0], strlen(want[0])) == 0)
			snprintf(out[n].what, sizeof(out[n].what), "name A%s",
			    k->log[i].what + strlen(want[0]));
		if (strncmp(out[n].what, want[1], strlen(want[1])) == 0)
			snprintf(out[n].what, sizeof(out[n].what), "name B%s",
			    k->log[i].what + strlen(want[1]));
		n++;
	}
	return n;
}

START_TEST(in_this_order)
{
	static struct fake_call calls[FAKE_CALLS];
	const size_t want = sizeof(order) / sizeof(order[0]);
	struct rig r;
	size_t n, i;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	n = shorten(&r, calls);
	for (i = 0; i < n && i < want; i++) {
		ck_assert_str_eq(calls[i].what, order[i].what);
		ck_assert_msg(strcmp(calls[i].step, order[i].step) == 0,
		    "%s: the journal says %s", order[i].what, calls[i].step);
		ck_assert_msg(strcmp(calls[i].value, order[i].value) == 0,
		    "%s: .env says %s", order[i].what, calls[i].value);
		ck_assert_msg(calls[i].records == order[i].records, "%s: %d records",
		    order[i].what, calls[i].records);
	}
	ck_assert_uint_eq(n, want);
	rig_close(&r);
}
END_TEST

START_TEST(success)
{
	const struct record *last;
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	rig_name_is(&r, REPO ":v1", fake_id('a'));
	rig_name_is(&r, REPO ":v2", fake_id('b'));
	rig_name_is(&r, SECOND ":" A12, fake_id('a'));
	rig_name_is(&r, SECOND ":" B12, fake_id('b'));
	ck_assert(!rig_journal(&r, NULL));
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_uint_eq(r.records, 2);
	last = &r.history[1];
	ck_assert_str_eq(last->verb, "deploy");
	ck_assert_str_eq(last->who.actor, "tester");
	ck_assert_str_eq(last->from.tag, "v1");
	ck_assert_str_eq(last->from.image, fake_id('a'));
	ck_assert_str_eq(last->from.ref, REPO ":v1");
	ck_assert_str_eq(last->to.tag, "v2");
	ck_assert_str_eq(last->to.image, fake_id('b'));
	ck_assert_str_eq(last->to.ref, REPO ":v2");
	ck_assert_str_eq(last->why, "");
	ck_assert_uint_eq(last->tries, 1);
	rig_close(&r);
}
END_TEST

/* The journal of step 5 tells the image before anything is swapped. */
START_TEST(image_is_in_the_journal_before_the_swap)
{
	struct journal j = { .id = "" };
	struct rig r;
	unsigned n;

	for (n = 1; j.step != JOURNAL_SWAP; n++) {
		rig_open(&r, NULL);
		ck_assert(rig_run_killed(&r, "deploy", "v2", n));
		if (!rig_journal(&r, &j))
			j.step = JOURNAL_PULL;
		else if (j.step == JOURNAL_PULL)
			ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
		if (j.step == JOURNAL_SWAP)
			rig_env_is(&r, "v1");
		rig_close(&r);
	}
	ck_assert_str_eq(j.to.image, fake_id('b'));
	ck_assert_str_eq(j.from.image, fake_id('a'));
	ck_assert_str_eq(j.old_value, "v1");
	ck_assert_str_eq(j.verb, "deploy");
	ck_assert_str_ne(j.container, "");
}
END_TEST

START_TEST(adopted_once)
{
	struct rig r;
	size_t i, n = 0;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_NONE);
	rig_history(&r);
	ck_assert_uint_eq(r.records, 5);
	for (i = 0; i < r.records; i++)
		n += r.history[i].outcome == OUTCOME_ADOPTED;
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(r.history[0].outcome, OUTCOME_ADOPTED);
	ck_assert_str_eq(r.history[0].to.tag, "v1");
	ck_assert_str_eq(r.history[0].to.image, fake_id('a'));
	rig_ids_are_unique(&r);
	rig_close(&r);
}
END_TEST

/* What does not answer, or does not run, is proven by nothing. */
START_TEST(not_adopted)
{
	struct rig r;

	rig_open(&r, NULL);
	if (_i == 0)
		fake_push(r.fake, "v1", 'a', FAKE_SICK);
	else
		r.fake->list[0].state = CONTAINER_EXITED;
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_runs(&r, fake_id('b'));
	rig_history(&r);
	ck_assert_uint_eq(r.records, 1);
	ck_assert_str_eq(r.history[0].from.tag, "v1");
	/* said before anything is changed: perhaps it is the URL that is wrong */
	ck_assert((_i == 0) == (strstr(r.said, "v1 runs and is not healthy: ") != NULL));
	rig_close(&r);
}
END_TEST

START_TEST(first_deploy)
{
	struct rig r;

	rig_open_bare(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_ptr_nonnull(strstr(r.said, "no container"));
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_uint_eq(r.records, 1);
	ck_assert_str_eq(r.history[0].from.tag, "");
	rig_close(&r);
}
END_TEST

START_TEST(same_version_again)
{
	char id[IMAGE_ID_MAX];
	struct rig r;

	rig_open(&r, NULL);
	/* what happened to it long ago is no news */
	r.fake->list[0].restarts = 3;
	strcpy(id, r.fake->list[0].id);
	rig_kind_is(&r, rig_deploy(&r, "v1"), FAULT_NONE);
	rig_env_is(&r, "v1");
	ck_assert_ptr_nonnull(fake_running(r.fake));
	ck_assert_str_eq(fake_running(r.fake)->id, id);
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	rig_close(&r);
}
END_TEST

static void
set_latest(struct rig *r)
{
	rig_open(r, NULL);
	memset(r->fake->list, 0, sizeof(r->fake->list));
	fake_forget_name(r->fake, REPO ":v1");
	fake_have(r->fake, REPO ":latest", 'a');
	fake_start(r->fake, REPO ":latest", 'a', "deploy-data-1", CONTAINER_RUNNING);
	rig_write_env(r, "latest");
	fake_push(r->fake, "latest", 'b', FAKE_GOOD);
}

/* The name moved, and nothing but its second name holds the image that ran. */
START_TEST(mutable_tag)
{
	struct rig r;

	set_latest(&r);
	rig_kind_is(&r, rig_deploy(&r, "latest"), FAULT_NONE);
	rig_env_is(&r, "latest");
	rig_runs(&r, fake_id('b'));
	rig_name_is(&r, REPO ":latest", fake_id('b'));
	ck_assert_uint_ge(r.fake->count[FAKE_PRUNE], 1);
	rig_name_is(&r, fake_id('a'), fake_id('a'));
	rig_name_is(&r, SECOND ":" A12, fake_id('a'));
	rig_close(&r);
}
END_TEST

START_TEST(drift_is_said)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_write_env(&r, "v0");
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_ptr_nonnull(strstr(r.said, "drift"));
	rig_env_is(&r, "v2");
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_str_eq(r.history[r.records - 1].from.tag, "v1");
	rig_close(&r);
}
END_TEST

/* Where no tag can be read from what runs, it counts as what .env says. */
START_TEST(runs_without_a_tag)
{
	static const char *const refs[] = { REPO, REPO "@sha256:0123",
		"sha256:0123456789abcdef" };
	struct rig r;

	rig_open(&r, NULL);
	if (_i < 3)
		strcpy(r.fake->list[0].ref, refs[_i]);
	else
		/* longer than docker knows any */
		memset(r.fake->list[0].ref + strlen(REPO ":"), 'x', TAG_MAX);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_ptr_null(strstr(r.said, "drift"));
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_str_eq(r.history[r.records - 1].from.tag, "v1");
	ck_assert_str_eq(r.history[r.records - 1].from.image, fake_id('a'));
	rig_close(&r);
}
END_TEST

/* Half-made containers go before `up`; those with a name of their own stay. */
START_TEST(leftovers_go_first)
{
	const struct fake_call *removed, *up;
	struct rig r;

	rig_open(&r, NULL);
	if (_i == 1)
		/* docker lists the newest first */
		memset(r.fake->list, 0, sizeof(r.fake->list));
	fake_start(r.fake, REPO ":v2", 'b', "0123456789ab_deploy-data-1",
	    CONTAINER_CREATED);
	if (_i == 1)
		fake_start(r.fake, REPO ":v1", 'a', "deploy-data-1", CONTAINER_RUNNING);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_ptr_null(strstr(r.said, "drift"));
	removed = fake_call(r.fake, FAKE_REMOVE, 1);
	up = fake_call(r.fake, FAKE_UP, 1);
	ck_assert_ptr_nonnull(removed);
	ck_assert(removed < up);
	ck_assert_str_ne(removed->step, "-");
	ck_assert_uint_eq(r.fake->count[FAKE_REMOVE], 1);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	ck_assert_uint_eq(fake_containers(r.fake), 1);
	rig_runs(&r, fake_id('b'));
	rig_close(&r);
}
END_TEST

START_TEST(healthy_after_a_while)
{
	static char pause[] = "TWILIGHT_HEALTH_SLEEP=1";
	static char *const settings[] = { pause, NULL };
	struct rig r;

	rig_open(&r, settings);
	fake_push(r.fake, "v2", 'b', FAKE_SLOW);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_ptr_nonnull(strstr(r.said, "healthy after 1 tries"));
	rig_close(&r);
}
END_TEST

/* By its own clock it has run for an hour: what `up` took to now is all that counts. */
START_TEST(clock_is_set_forth)
{
	static char settle[] = "TWILIGHT_HEALTH_SETTLE=0.4";
	static char *const settings[] = { settle, NULL };
	int64_t began = clock_ms();
	struct rig r;

	rig_open(&r, settings);
	fake_on(r.fake, FAKE_UP, 1, FAKE_CLOCK);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_int_ge(clock_ms() - began, 350);
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_int_ge(r.history[1].total_ms, r.history[1].health_ms);
	ck_assert_int_le(r.history[1].total_ms, clock_ms() - began);
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
	rig_env_is(&r, "v2");
	ck_assert_str_eq(r.fake->served, "v2");
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 1);
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 1);
	ck_assert_uint_eq(r.fake->count[FAKE_PRUNE], 1);
	ck_assert_str_eq(fake_call(r.fake, FAKE_PULL, 1)->step, "pull");
	ck_assert_str_eq(fake_call(r.fake, FAKE_PULL, 1)->value, "v1");
	ck_assert_str_eq(fake_call(r.fake, FAKE_UP, 1)->step, "swap");
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert_str_eq(r.history[0].from.tag, "v1");
	ck_assert_str_eq(r.history[0].to.tag, "v2");
	rig_close(&r);
}
END_TEST

/* ---- refused at the door ---- */

static void
nothing_changed(struct rig *r)
{
	rig_runs(r, fake_id('a'));
	rig_name_is(r, REPO ":v1", fake_id('a'));
	rig_name_is(r, REPO ":v2", "");
	ck_assert_uint_eq(r->fake->count[FAKE_PULL] + r->fake->count[FAKE_UP] +
		r->fake->count[FAKE_REMOVE],
	    0);
	ck_assert(!rig_journal(r, NULL));
}

static void
write_raw(struct rig *r, const char *bytes)
{
	FILE *fp = fopen(r->target.env_file, "we");

	ck_assert_ptr_nonnull(fp);
	fputs(bytes, fp);
	fclose(fp);
}

START_TEST(env_is_not_ready)
{
	static const char *const bytes[] = { "", "OTHER=1\n", "TWILIGHT_VERSION=\n",
		"TWILIGHT_VERSION=v1\nTWILIGHT_VERSION=v1\n", "TWILIGHT_VERSION='v1\n",
		"TWILIGHT_VERSION=$V\n", "TWILIGHT_VERSION=v1\nSECRET='do not show\n" };
	char got[256] = "";
	struct rig r;
	FILE *fp;

	rig_open(&r, NULL);
	write_raw(&r, bytes[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	ck_assert_ptr_null(strstr(r.f.what, "do not show"));
	ck_assert_str_ne(r.f.next, "");
	nothing_changed(&r);
	fp = fopen(r.target.env_file, "re");
	ck_assert_ptr_nonnull(fp);
	got[fread(got, 1, sizeof(got) - 1, fp)] = '\0';
	fclose(fp);
	ck_assert_str_eq(got, bytes[_i]);
	rig_close(&r);
}
END_TEST

START_TEST(env_is_not_there)
{
	struct rig r;
	struct stat st;

	rig_open(&r, NULL);
	ck_assert_int_eq(unlink(r.target.env_file), 0);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(r.f.what, "missing env file"));
	/* nothing was made, not even the state folder */
	ck_assert_int_eq(stat(r.target.state, &st), -1);
	rig_close(&r);
}
END_TEST

/* A compose file that does not use the variable would deploy who knows what. */
START_TEST(compose_file_without_the_variable)
{
	static const char *const refs[] = { REPO ":stable", REPO, REPO ":v22",
		"127.0.0.1:v2/demo" };
	struct rig r;

	rig_open(&r, NULL);
	strcpy(r.fake->fixed, refs[_i]);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	nothing_changed(&r);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

START_TEST(two_containers_run)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_start(r.fake, REPO ":v1", 'a', "deploy-data-2", CONTAINER_RUNNING);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	rig_env_is(&r, "v1");
	ck_assert_uint_eq(fake_containers(r.fake), 2);
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 0);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* More than are looked at: the one that runs may be among the others. */
START_TEST(very_many_containers)
{
	char name[32];
	struct rig r;
	int i;

	rig_open(&r, NULL);
	for (i = 2; i <= GATE_CONTAINERS_MAX + _i; i++) {
		snprintf(name, sizeof(name), "deploy-data-%d", i);
		fake_start(r.fake, REPO ":v1", 'a', name, CONTAINER_EXITED);
	}
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(r.f.what, "more than one container"));
	nothing_changed(&r);
	rig_close(&r);
}
END_TEST

START_TEST(another_holds_the_lock)
{
	struct fault f = { 0 };
	struct rig r;
	int fd;

	rig_open(&r, NULL);
	ck_assert_int_eq(mkdir(r.target.state, 0700), 0);
	fd = lock_take(r.target.lock, "deploy v9 by someone", &f);
	ck_assert_int_ne(fd, -1);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_BUSY);
	ck_assert_ptr_nonnull(strstr(r.f.what, "deploy v9 by someone"));
	ck_assert_uint_eq(r.fake->n_log, 0);
	lock_release(fd);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_close(&r);
}
END_TEST

/* Before the journal docker must answer, and nothing was changed: 4. */
START_TEST(docker_does_not_answer)
{
	static const enum fake_fn fns[] = { FAKE_HELLO, FAKE_DESCRIBE, FAKE_ROOT,
		FAKE_CONTAINERS, FAKE_NAME, FAKE_IMAGE };
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, fns[_i], 1, FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	nothing_changed(&r);
	rig_env_is(&r, "v1");
	ck_assert_str_ne(r.f.next, "");
	/* and it is no reason to refuse the next one */
	fake_calm(r.fake);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_close(&r);
}
END_TEST

START_TEST(second_name_fails)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_on(r.fake, FAKE_NAME, 1, FAKE_FAIL);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	nothing_changed(&r);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

/* After the commit nothing can fail any more. */
START_TEST(done_is_done)
{
	static const enum fake_fn fns[] = { FAKE_NAME, FAKE_NAMES, FAKE_NAMES, FAKE_PRUNE,
		FAKE_UNNAME };
	static const unsigned nth[] = { 2, 1, 2, 1, 1 };
	char said[32];
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":old", 'e');
	fake_on(r.fake, fns[_i / 2], nth[_i / 2], _i % 2 == 0 ? FAKE_FAIL : FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_uint_ge(r.fake->count[fns[_i / 2]], nth[_i / 2]);
	/* what is used by somebody is kept without a word */
	snprintf(said, sizeof(said), "fake: %s ", fake_fn_name(fns[_i / 2]));
	ck_assert_int_eq(strstr(r.said, said) != NULL, fns[_i / 2] != FAKE_UNNAME);
	rig_env_is(&r, "v2");
	rig_runs(&r, fake_id('b'));
	rig_last_is(&r, OUTCOME_DEPLOYED, 0);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* The state folder takes nothing: what is not recorded is not begun. */
START_TEST(no_journal_no_pull)
{
	char path[PATH_MAX + 16];
	struct rig r;

	rig_open(&r, NULL);
	ck_assert_int_eq(mkdir(r.target.state, 0700), 0);
	/* a folder where the journal's temp file would be */
	snprintf(path, sizeof(path), "%s/journal.new", r.target.state);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	rmdir(path);
	nothing_changed(&r);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

/* ---- signals ---- */

static void
expect_signals(void)
{
	struct fault f = { 0 };

	ck_assert_int_eq(signals_init(&f), 0);
}

START_TEST(told_to_stop_before_the_pull)
{
	static const enum fake_fn fns[] = { FAKE_DESCRIBE, FAKE_CONTAINERS, FAKE_NAME,
		FAKE_IMAGE };
	struct rig r;

	rig_open(&r, NULL);
	expect_signals();
	fake_on(r.fake, fns[_i], 1, FAKE_TERM);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	nothing_changed(&r);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

START_TEST(told_to_stop_in_the_pull)
{
	struct rig r;

	rig_open(&r, NULL);
	expect_signals();
	fake_have(r.fake, REPO ":v2", 'c');
	fake_on(r.fake, _i == 0 ? FAKE_PULL : FAKE_IMAGE, (unsigned)_i + 1, FAKE_TERM);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_name_is(&r, REPO ":v2", fake_id('c'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 0);
	rig_last_is(&r, OUTCOME_PUT_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* In `up` and after it: rolled back, verified. */
START_TEST(told_to_stop_after_the_swap)
{
	static const enum fake_fn fns[] = { FAKE_UP, FAKE_CONTAINERS, FAKE_INSPECT };
	static const unsigned nth[] = { 1, 2, 1 };
	struct rig r;

	rig_open(&r, NULL);
	expect_signals();
	fake_push(r.fake, "v2", 'b', FAKE_MUTE);
	fake_on(r.fake, fns[_i], nth[_i], FAKE_TERM);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_FAILED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	ck_assert_uint_eq(r.fake->count[FAKE_UP], 2);
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	ck_assert(!rig_journal(&r, NULL));
	rig_close(&r);
}
END_TEST

/* A second one on the way back changes nothing. */
START_TEST(told_to_stop_on_the_way_back)
{
	struct rig r;

	rig_open(&r, NULL);
	expect_signals();
	fake_on(r.fake, FAKE_UP, 2, FAKE_TERM);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_last_is(&r, OUTCOME_ROLLED_BACK, 1);
	rig_close(&r);
}
END_TEST

/* ---- many in a row ---- */

START_TEST(forth_and_back_for_long)
{
	static const char *const tags[] = { "v2", "bad", "v3", "nosuch", "v1", "v1" };
	struct rig r;
	unsigned i;

	rig_open(&r, NULL);
	for (i = 0; i < 30; i++) {
		const char *tag = tags[i % 6];
		bool good = tag[0] == 'v';

		fake_calm(r.fake);
		rig_kind_is(&r, rig_deploy(&r, tag), good ? FAULT_NONE : FAULT_FAILED);
		if (good)
			rig_env_is(&r, tag);
		ck_assert_ptr_nonnull(fake_running(r.fake));
		ck_assert_uint_eq(fake_containers(r.fake), 1);
		ck_assert(!rig_journal(&r, NULL));
	}
	rig_ids_are_unique(&r);
	ck_assert_uint_eq(r.records, 31);
	rig_close(&r);
}
END_TEST

Suite *
deploy_suite(void)
{
	Suite *s = suite_create("deploy");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_test(c, in_this_order);
	tcase_add_test(c, success);
	tcase_add_test(c, image_is_in_the_journal_before_the_swap);
	tcase_add_test(c, adopted_once);
	tcase_add_loop_test(c, not_adopted, 0, 2);
	tcase_add_test(c, first_deploy);
	tcase_add_test(c, same_version_again);
	tcase_add_test(c, mutable_tag);
	tcase_add_test(c, drift_is_said);
	tcase_add_loop_test(c, runs_without_a_tag, 0, 4);
	tcase_add_loop_test(c, leftovers_go_first, 0, 2);
	tcase_add_test(c, healthy_after_a_while);
	tcase_add_test(c, silent);
	tcase_add_test(limits, clock_is_set_forth);
	tcase_add_test(limits, env_is_not_there);
	tcase_add_loop_test(limits, env_is_not_ready, 0, 7);
	tcase_add_loop_test(limits, compose_file_without_the_variable, 0, 4);
	tcase_add_test(limits, two_containers_run);
	tcase_add_loop_test(limits, very_many_containers, 0, 3);
	tcase_add_test(limits, another_holds_the_lock);
	tcase_add_loop_test(limits, docker_does_not_answer, 0, 6);
	tcase_add_test(limits, second_name_fails);
	tcase_add_loop_test(limits, done_is_done, 0, 10);
	tcase_add_test(limits, no_journal_no_pull);
	tcase_add_loop_test(h, told_to_stop_before_the_pull, 0, 4);
	tcase_add_loop_test(h, told_to_stop_in_the_pull, 0, 2);
	tcase_add_loop_test(h, told_to_stop_after_the_swap, 0, 3);
	tcase_add_test(h, told_to_stop_on_the_way_back);
	tcase_add_test(h, forth_and_back_for_long);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
