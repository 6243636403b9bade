/*
 * check_status.c: how a look at a target is judged (code for monitors, drift, deploy in
 * progress), and that no row is wider than 80 columns.
 */
#include "cli/status.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *status_suite(void);

static struct target target;
static struct status s;

static void
run(size_t i, const char *service, const char *tag)
{
	struct observed *o = &s.survey.seen.part[i];

	snprintf(o->service, sizeof(o->service), "%s", service);
	snprintf(target.service[i].name, SERVICE_MAX, "%s", service);
	strcpy(o->desired, "v1");
	o->n = o->running = 1;
	strcpy(o->instance.id, service);
	snprintf(o->instance.revision, REVISION_MAX, "sha256:%s", tag);
	snprintf(o->instance.reference, REFERENCE_MAX, "r.example/%s:%s", service, tag);
	o->instance.state = INSTANCE_RUNNING;
	o->instance.started_ms = 999000;
}

/* Two services run v1, as deployed; the first one has a health URL. */
static void
setup(void)
{
	memset(&target, 0, sizeof(target));
	memset(&s, 0, sizeof(s));
	strcpy(target.name, "default");
	strcpy(target.variable, "TWILIGHT_VERSION");
	strcpy(target.value, "%t");
	target.n_services = s.survey.seen.n = 2;
	s.target = &target;
	s.now = 1000;
	s.survey.target = &target;
	s.survey.good = &s.good;
	s.survey.observes = s.survey.observed = s.recorded = true;
	run(0, "api", "v1");
	run(1, "worker", "v1");
	s.asked[0] = true;
	s.answer[0].status = 200;
	strcpy(s.answer[0].why, "answered 200");
	strcpy(s.good.id, "1");
	strcpy(s.good.time, "1970-01-01T00:10:00Z");
	strcpy(s.good.who.actor, "ci");
	strcpy(s.good.to.tag, "v1");
	s.good.to.n = 2;
	strcpy(s.good.to.part[0].service, "api");
	strcpy(s.good.to.part[0].revision, "sha256:v1");
	strcpy(s.good.to.part[1].service, "worker");
	strcpy(s.good.to.part[1].revision, "sha256:v1");
	s.last = s.good;
}

static void
unhealthy(void)
{
	s.answer[0].status = 503;
	strcpy(s.answer[0].why, "answered 503");
}

static void
down(void)
{
	s.survey.seen.part[1].running = 0;
	s.survey.seen.part[1].instance.state = INSTANCE_EXITED;
}

static void
no_engine(void)
{
	s.survey.observed = false;
	fault_set(&s.why, FAULT_HOST, NULL, "no engine");
}

static void
no_engine_unhealthy(void)
{
	no_engine();
	unhealthy();
}

static void
put_interrupted(void)
{
	s.flight.state = FLIGHT_INTERRUPTED;
	s.flight.has_journal = true;
	strcpy(s.flight.journal.to.tag, "v2");
	strcpy(s.flight.journal.time, "1970-01-01T00:16:00Z");
	s.flight.journal.phase = PHASE_VERIFY;
}

static void
running(void)
{
	put_interrupted();
	s.flight.state = FLIGHT_RUNNING;
	strcpy(s.flight.journal.who.actor, "ci");
}

static void
polled(void)
{
	running();
	s.flight.journal.who.trigger = TRIGGER_POLL;
}

static void
just_begun(void)
{
	s.flight.state = FLIGHT_RUNNING;
	strcpy(s.flight.holder, "deploy v2 by ci, pid 12, since 1970-01-01T00:16:00Z");
}

static void
interrupted_down(void)
{
	put_interrupted();
	down();
}

static void
other_desired(void)
{
	strcpy(s.survey.seen.part[0].desired, "v2");
}

static void
other_runs(void)
{
	run(1, "worker", "v0");
}

static void
other_image(void)
{
	strcpy(s.survey.seen.part[1].instance.revision, "sha256:other");
}

static void
scaled(void)
{
	s.survey.seen.part[1].n = s.survey.seen.part[1].running = 2;
}

static void
not_of_the_form(void)
{
	strcpy(target.value, "r.example/api:%t");
}

static void
untagged(void)
{
	/* docker shows the id once the reference names another image */
	strcpy(s.survey.seen.part[0].instance.reference, "sha256:v1");
}

static void
frozen(void)
{
	s.frozen = true;
	s.freeze = (struct freeze){ .reason = "the database moves",
		.who.actor = "alice",
		.time = "1970-01-01T00:00:00Z",
		.until = "2026-11-24T14:00:00Z" };
}

static void
fine(void)
{
}

static const struct {
	void (*change)(void);
	int code;
	const char *why;
} rows[] = {
	{ fine, 0, "healthy, and as deployed" },
	{ untagged, 0, "healthy, and as deployed" },
	{ frozen, 0, "healthy, and as deployed" },
	{ unhealthy, 5, "api is not healthy: answered 503" },
	{ down, 5, "worker does not run" },
	{ no_engine, 4, "no engine" },
	{ no_engine_unhealthy, 5, "api is not healthy: answered 503" },
	{ put_interrupted, 1,
	    "run `recover`: deploy v2 was interrupted, phase verify, 40 s ago" },
	{ interrupted_down, 5, "worker does not run" },
	{ running, 1, "deploy v2 by ci, phase verify, for 40 s" },
	{ polled, 1, "deploy v2 by ci (poll), phase verify, for 40 s" },
	{ just_begun, 1, "deploy v2 by ci" },
	{ other_desired, 1, "TWILIGHT_VERSION is v2, but api runs v1" },
	{ other_runs, 1, "TWILIGHT_VERSION is v1, but worker runs v0" },
	{ other_image, 1, "worker runs another image of v1, but v1 was deployed last" },
	{ scaled, 1, "worker runs in 2 containers" },
	{ not_of_the_form, 1, "TWILIGHT_VERSION is v1, but api runs v1" },
};

START_TEST(judges)
{
	char why[FAULT_WHAT_MAX];

	setup();
	rows[_i].change();
	ck_assert_int_eq(status_judge(&s, why, sizeof(why)), rows[_i].code);
	ck_assert_str_eq(why, rows[_i].why);
}
END_TEST

/* The output of report_status().  The test loses its stdout: it is a process of its own. */
static const char *
report(bool named)
{
	static char got[8192];
	struct output o;
	int fd[2];
	ssize_t n;

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	dup2(fd[1], STDOUT_FILENO);
	close(fd[1]);
	output_init(&o);
	report_status(&o, &s, named);
	close(STDOUT_FILENO);
	n = read(fd[0], got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	return got;
}

START_TEST(reports)
{
	setup();
	strcpy(s.survey.rollback, "v0");
	ck_assert_str_eq(report(true),
	    "target:           default\n"
	    "api:              healthy, v1, up 1 s, deployed 6 min ago by ci\n"
	    "worker:           running, v1, up 1 s, deployed 6 min ago by ci\n"
	    "last:             deploy v1: deployed (0), 6 min ago by ci\n"
	    "can roll back to: v0\n"
	    "in flight:        none\n"
	    "drift:            none\n");
}
END_TEST

START_TEST(reports_a_freeze)
{
	json_t *doc;

	setup();
	doc = report_object(&s);
	ck_assert(json_is_null(json_object_get(doc, "freeze")));
	json_decref(doc);
	frozen();
	ck_assert_ptr_nonnull(strstr(report(false),
	    "frozen:           the database moves (by alice, until 2026-11-24 14:00 "
	    "UTC)\n"));
	doc = report_object(&s);
	ck_assert_str_eq(json_string_value(
			     json_object_get(json_object_get(doc, "freeze"), "until")),
	    s.freeze.until);
	json_decref(doc);
}
END_TEST

/* A tag of 40 digits hides nothing else. */
START_TEST(wraps_a_long_tag)
{
	static const char tag[] = "0123456789abcdef0123456789abcdef01234567";
	const char *got;

	setup();
	run(0, "api", tag);
	strcpy(s.good.to.tag, tag);
	snprintf(s.good.to.part[0].revision, REVISION_MAX, "sha256:%s", tag);
	s.last = s.good;
	s.last.outcome = OUTCOME_ROLLED_BACK;
	got = report(false);
	ck_assert_ptr_nonnull(strstr(got,
	    "api:              healthy, 0123456789abcdef0123456789abcdef01234567, up 1 s\n"
	    "                  deployed 6 min ago by ci\n"));
	ck_assert_ptr_nonnull(strstr(got,
	    "last:             deploy 0123456789abcdef0123456789..: rolled back (0)\n"
	    "                  6 min ago by ci\n"));
}
END_TEST

/* In each of these states, with the longest names. */
START_TEST(fits_a_terminal)
{
	const char *line;
	json_t *doc;

	setup();
	rows[_i].change();
	memset(s.last.to.tag, 't', sizeof(s.last.to.tag) - 1);
	memset(s.last.why, 'w', sizeof(s.last.why) - 1);
	memset(s.freeze.reason, 'r', sizeof(s.freeze.reason) - 1);
	memset(s.flight.journal.to.tag, 't', sizeof(s.flight.journal.to.tag) - 1);
	memset(s.answer[0].why, 'a', sizeof(s.answer[0].why) - 1);
	memset(target.service[1].name, 's', SERVICE_MAX - 1);
	memset(s.survey.seen.part[1].service, 's', SERVICE_MAX - 1);
	memset(s.survey.seen.part[1].instance.reference + 2, ':', 1);
	memset(s.survey.seen.part[1].instance.reference + 3, 'r', 120);
	for (line = report(true); *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_msg(strcspn(line, "\n") <= 80, "%s", line);
	doc = report_object(&s);
	ck_assert_ptr_nonnull(doc);
	/* the reference was replaced: drift */
	ck_assert_int_eq(json_integer_value(json_object_get(doc, "code")),
	    rows[_i].code == 0 ? 1 : rows[_i].code);
	json_decref(doc);
}
END_TEST

Suite *
status_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *core = tcase_create("Core"), *limits = tcase_create("Limits");

	tcase_add_loop_test(core, judges, 0, N(rows));
	tcase_add_test(core, reports);
	tcase_add_test(core, reports_a_freeze);
	tcase_add_test(core, wraps_a_long_tag);
	suite_add_tcase(suite, core);
	tcase_add_loop_test(limits, fits_a_terminal, 0, N(rows));
	suite_add_tcase(suite, limits);
	return suite;
}
