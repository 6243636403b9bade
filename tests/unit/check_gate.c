/*
 * check_gate.c: is it there, is it the one, is it healthy, did it settle?
 */
#include "fake.h"

#include "sys/deadline.h"
#include "sys/signals.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *gate_suite(void);

static char long_wait[] = "TWILIGHT_HEALTH_TRIES=100",
	    long_pause[] = "TWILIGHT_HEALTH_SLEEP=60",
	    pause_1[] = "TWILIGHT_HEALTH_SLEEP=1",
	    short_pause[] = "TWILIGHT_HEALTH_SLEEP=0.2",
	    settle[] = "TWILIGHT_HEALTH_SETTLE=0.4",
	    settle_long[] = "TWILIGHT_HEALTH_SETTLE=3600",
	    one_try[] = "TWILIGHT_HEALTH_TRIES=1";
/* What takes these to their end is ended by Check, long before. */
static char *const patient[] = { long_wait, long_pause, NULL };
static char *const settling[] = { settle, short_pause, NULL };
static char *const for_ever[] = { settle_long, long_wait, long_pause, NULL };

/* A session as a deploy has it, with the container that rig_open() started. */
static void
open_gate(struct rig *r, struct gate *g, char *const *settings)
{
	rig_open(r, settings);
	ck_assert_int_eq(session_open(&r->s, &r->target, &r->progress, &r->who, "test",
			     &r->f),
	    0);
	r->s.engine = &r->fake->engine;
	memset(g, 0, sizeof(*g));
	g->image = fake_id('a');
	g->before = "";
}

static void
close_gate(struct rig *r)
{
	session_close(&r->s);
	rig_close(r);
}

/* As just started; what it does is of this kind. */
static struct container *
just_started(struct rig *r, enum fake_kind kind)
{
	struct container *c = &r->fake->list[0];

	fake_push(r->fake, "v1", 'a', kind);
	c->started_ms += 3600 * 1000;
	return c;
}

/* Does `act` to the container after `ms`, while the gate waits. */
static pid_t
later(struct rig *r, unsigned ms, void (*act)(struct container *))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		usleep(ms * 1000);
		act(&r->fake->list[0]);
		_exit(0);
	}
	return pid;
}

static void
act_exit(struct container *c)
{
	c->exit_code = 137;
	c->oom_killed = true;
	c->state = CONTAINER_EXITED;
}

static void
act_restart(struct container *c)
{
	strcpy(c->started, "later");
}

static void
act_count(struct container *c)
{
	c->restarts++;
}

static void
act_go(struct container *c)
{
	memset(c, 0, sizeof(*c));
}

static void
act_pause(struct container *c)
{
	c->state = CONTAINER_PAUSED;
}

static void
passes(struct rig *r, struct gate *g)
{
	ck_assert_msg(gate_pass(&r->s, g, &r->f) == 0, "%s", r->f.what);
	ck_assert_int_eq(r->f.kind, FAULT_NONE);
}

static void
fails(struct rig *r, struct gate *g, const char *why)
{
	ck_assert_int_eq(gate_pass(&r->s, g, &r->f), -1);
	ck_assert_msg(r->f.kind == FAULT_FAILED, "%d, %s", (int)r->f.kind, r->f.what);
	ck_assert_msg(strstr(r->f.what, why) != NULL, "\"%s\", not \"%s\"", r->f.what,
	    why);
}

START_TEST(healthy_at_once)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	passes(&r, &g);
	ck_assert_uint_eq(g.tries, 1);
	ck_assert_int_eq(g.answer.status, 200);
	ck_assert_str_eq(g.container, r.fake->list[0].id);
	/* the one good answer, and the one that makes it settled */
	ck_assert_uint_eq(r.fake->asked, 2);
	close_gate(&r);
}
END_TEST

START_TEST(any_image_will_do)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	g.image = "";
	passes(&r, &g);
	close_gate(&r);
}
END_TEST

START_TEST(not_the_one)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, patient);
	switch (_i) {
	case 0:
		act_go(&r.fake->list[0]);
		fails(&r, &g, "no container of service data");
		ck_assert_str_eq(g.container, "");
		break;
	case 1:
		fake_start(r.fake, REPO ":v1", 'a', "deploy-data-2", CONTAINER_RUNNING);
		fails(&r, &g, "more than one container");
		break;
	case 2:
		/* one that does not run is one too many as well */
		fake_start(r.fake, REPO ":v1", 'a', "deploy-data-2", CONTAINER_EXITED);
		fails(&r, &g, "more than one container");
		break;
	case 3:
		g.image = fake_id('b');
		fails(&r, &g, "runs image aaaaaaaaaaaa, not bbbbbbbbbbbb");
		ck_assert_str_eq(g.container, r.fake->list[0].id);
		break;
	}
	/* nobody is asked whether the wrong one is healthy */
	ck_assert_uint_eq(r.fake->asked, 0);
	ck_assert_uint_eq(g.tries, 0);
	close_gate(&r);
}
END_TEST

START_TEST(not_running)
{
	static const struct {
		enum container_state state;
		const char *why;
	} rows[] = {
		{ CONTAINER_CREATED, "not running" },
		{ CONTAINER_PAUSED, "not running" },
		{ CONTAINER_REMOVING, "not running" },
		{ CONTAINER_DEAD, "has ended" },
		{ CONTAINER_EXITED, "has ended (exit 7)" },
		{ CONTAINER_RESTARTING, "restarts (exit 7)" },
	};
	struct gate g;
	struct rig r;

	open_gate(&r, &g, patient);
	r.fake->list[0].state = rows[_i].state;
	r.fake->list[0].exit_code = 7;
	fails(&r, &g, rows[_i].why);
	close_gate(&r);
}
END_TEST

/* One good answer is not enough. */
START_TEST(one_answer_and_no_more)
{
	static const struct {
		enum fake_kind kind;
		const char *why;
	} rows[] = {
		{ FAKE_DIES, "has ended (exit 1)" },
		{ FAKE_FLAPS, "was restarted" },
	};
	struct gate g;
	struct rig r;

	open_gate(&r, &g, patient);
	(void)just_started(&r, rows[_i].kind);
	fails(&r, &g, rows[_i].why);
	close_gate(&r);
}
END_TEST

/* What goes wrong while it is waited for ends the wait. */
START_TEST(watched_while_it_does_not_answer)
{
	static const struct {
		void (*act)(struct container *);
		const char *why;
	} rows[] = {
		{ act_exit, "has ended (exit 137, out of memory)" },
		{ act_restart, "was restarted" },
		{ act_count, "was restarted" },
		{ act_go, "is gone" },
		{ act_pause, "not running" },
	};
	static const enum fake_kind kinds[] = { FAKE_MUTE, FAKE_SICK };
	struct gate g;
	struct rig r;
	pid_t pid;

	open_gate(&r, &g, patient);
	(void)just_started(&r, kinds[_i % 2]);
	pid = later(&r, 200, rows[_i / 2].act);
	fails(&r, &g, rows[_i / 2].why);
	ck_assert_uint_gt(r.fake->asked, 0);
	waitpid(pid, NULL, 0);
	close_gate(&r);
}
END_TEST

/* One good answer is not enough: the second is bad, and the wait goes on. */
START_TEST(answers_once_and_wavers)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	(void)just_started(&r, FAKE_WAVERS);
	if (_i == 1) {
		r.target.health_tries = 1;
		fails(&r, &g, "answered 503, after 1 tries");
	} else
		passes(&r, &g);
	ck_assert_uint_eq(g.tries, _i == 1 ? 1 : 2);
	ck_assert_uint_eq(r.fake->asked, _i == 1 ? 2 : 4);
	close_gate(&r);
}
END_TEST

START_TEST(watched_while_it_settles)
{
	static void (*const acts[])(
	    struct container *) = { act_exit, act_restart, act_count, act_go };
	struct gate g;
	struct rig r;
	pid_t pid;

	open_gate(&r, &g, for_ever);
	(void)just_started(&r, FAKE_GOOD);
	pid = later(&r, 200, acts[_i]);
	fails(&r, &g, "the container");
	waitpid(pid, NULL, 0);
	close_gate(&r);
}
END_TEST

START_TEST(spent)
{
	static const enum fake_kind kinds[] = { FAKE_SICK, FAKE_MUTE };
	static const char *const why[] = { "answered 503, after 2 tries",
		"after 2 tries" };
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	(void)just_started(&r, kinds[_i]);
	fails(&r, &g, why[_i]);
	ck_assert_uint_eq(g.tries, 2);
	/* SLEEP=0: a try is one attempt */
	ck_assert_uint_eq(r.fake->asked, 2);
	ck_assert_str_ne(g.answer.why, "");
	close_gate(&r);
}
END_TEST

START_TEST(windows_are_counted)
{
	static char *const settings[][3] = { { one_try, long_pause },
		{ one_try, pause_1 } };
	int64_t began = clock_ms();
	struct gate g;
	struct rig r;

	open_gate(&r, &g, settings[_i]);
	(void)just_started(&r, _i == 0 ? FAKE_SLOW : FAKE_SICK);
	if (_i == 0)
		passes(&r, &g);
	else {
		fails(&r, &g, "after 1 tries");
		ck_assert_int_ge(clock_ms() - began, 1000);
	}
	ck_assert_uint_eq(g.tries, 1);
	close_gate(&r);
}
END_TEST

/* ---- settled ---- */

START_TEST(settles_for_as_long_as_asked)
{
	int64_t began;
	struct gate g;
	struct rig r;

	open_gate(&r, &g, settling);
	(void)just_started(&r, FAKE_GOOD);
	began = clock_ms();
	passes(&r, &g);
	ck_assert_int_ge(clock_ms() - began, 350);
	close_gate(&r);
}
END_TEST

/* It is counted since StartedAt: one that took long has settled already. */
START_TEST(settled_long_ago)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, for_ever);
	r.fake->list[0].started_ms -= INT64_C(2) * 3600 * 1000;
	passes(&r, &g);
	close_gate(&r);
}
END_TEST

/* A wall clock that was set back must not make it wait for a day. */
START_TEST(started_in_the_future)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, settling);
	r.fake->list[0].started_ms += INT64_C(48) * 3600 * 1000;
	passes(&r, &g);
	close_gate(&r);
}
END_TEST

/* A restart count is news, unless it is that of the one that ran before. */
START_TEST(restarts_of_long_ago)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	r.fake->list[0].restarts = 5;
	if (_i == 0) {
		g.before = r.fake->list[0].id;
		passes(&r, &g);
	} else {
		g.before = _i == 1 ? "" : "some other";
		fails(&r, &g, "was restarted");
	}
	close_gate(&r);
}
END_TEST

/* ---- told to stop ---- */

START_TEST(told_to_stop)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, patient);
	(void)just_started(&r, FAKE_MUTE);
	ck_assert_int_eq(signals_init(&r.f), 0);
	fake_on(r.fake, FAKE_INSPECT, (unsigned)_i + 1, FAKE_TERM);
	g.stoppable = true;
	fails(&r, &g, "told to stop");
	close_gate(&r);
}
END_TEST

START_TEST(told_to_stop_while_settling)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, for_ever);
	(void)just_started(&r, FAKE_GOOD);
	ck_assert_int_eq(signals_init(&r.f), 0);
	fake_on(r.fake, FAKE_INSPECT, 2, FAKE_TERM);
	g.stoppable = true;
	fails(&r, &g, "told to stop");
	close_gate(&r);
}
END_TEST

START_TEST(not_to_be_stopped)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, settling);
	(void)just_started(&r, FAKE_GOOD);
	ck_assert_int_eq(signals_init(&r.f), 0);
	fake_on(r.fake, FAKE_CONTAINERS, 1, FAKE_TERM);
	fake_on(r.fake, FAKE_INSPECT, 1, FAKE_TERM);
	passes(&r, &g);
	close_gate(&r);
}
END_TEST

/* ---- the engine ---- */

START_TEST(engine_does_not_answer)
{
	static const enum fake_fn fns[] = { FAKE_CONTAINERS, FAKE_INSPECT, FAKE_INSPECT,
		FAKE_INSPECT };
	static const unsigned nth[] = { 1, 1, 2, 3 };
	struct gate g;
	struct rig r;

	open_gate(&r, &g, NULL);
	fake_from(r.fake, fns[_i], nth[_i], FAKE_HOST);
	ck_assert_int_eq(gate_pass(&r.s, &g, &r.f), -1);
	ck_assert_int_eq(r.f.kind, FAULT_HOST);
	close_gate(&r);
}
END_TEST

START_TEST(silent_engine_is_not_asked)
{
	struct gate g;
	struct rig r;

	open_gate(&r, &g, for_ever);
	r.fake->quiet = r.fake->engine.silent = true;
	strcpy(r.fake->served, _i == 0 ? "v1" : "bad");
	r.target.health_tries = 2;
	r.target.health_sleep = 0;
	if (_i == 0)
		passes(&r, &g);
	else
		fails(&r, &g, "answered 503");
	ck_assert_uint_eq(r.fake->n_log, 0);
	close_gate(&r);
}
END_TEST

Suite *
gate_suite(void)
{
	Suite *s = suite_create("gate");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_test(c, healthy_at_once);
	tcase_add_test(c, any_image_will_do);
	tcase_add_loop_test(c, not_the_one, 0, 4);
	tcase_add_loop_test(c, not_running, 0, 6);
	tcase_add_loop_test(c, spent, 0, 2);
	tcase_add_test(c, settles_for_as_long_as_asked);
	tcase_add_test(c, settled_long_ago);
	tcase_add_loop_test(c, restarts_of_long_ago, 0, 3);
	tcase_add_loop_test(limits, windows_are_counted, 0, 2);
	tcase_add_test(limits, started_in_the_future);
	tcase_add_loop_test(limits, told_to_stop, 0, 2);
	tcase_add_test(limits, told_to_stop_while_settling);
	tcase_add_test(limits, not_to_be_stopped);
	tcase_add_loop_test(limits, silent_engine_is_not_asked, 0, 2);
	tcase_add_loop_test(h, one_answer_and_no_more, 0, 2);
	tcase_add_loop_test(h, answers_once_and_wavers, 0, 2);
	tcase_add_loop_test(h, watched_while_it_does_not_answer, 0, 10);
	tcase_add_loop_test(h, watched_while_it_settles, 0, 4);
	tcase_add_loop_test(h, engine_does_not_answer, 0, 4);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
