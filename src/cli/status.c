#include "cli/status.h"

#include "cli/people.h"
#include "cli/records.h"
#include "health/probe.h"
#include "state/folder.h"
#include "state/lock.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- looking ---- */

/* Keeps the first fault. */
static void
note_fault(struct status *s, const struct fault *f)
{
	if (s->why.kind == FAULT_NONE)
		s->why = *f;
}

/* A journal whose id is in the history belongs to a deploy that has ended. */
static int
read_unfinished(int dirfd, struct flight *fl, struct fault *f)
{
	bool over;

	fl->has_journal = false;
	if (dirfd == -1)
		return 0;
	if (journal_read(dirfd, &fl->journal, &fl->has_journal, f) == -1)
		return -1;
	if (!fl->has_journal)
		return 0;
	if (history_has(dirfd, fl->journal.id, &over, f) == -1)
		return -1;
	fl->has_journal = !over;
	return 0;
}

int
status_flight(const struct target *t, int dirfd, struct flight *fl, struct fault *f)
{
	bool held = lock_held(t->lock, fl->holder, sizeof(fl->holder));
	int rc = read_unfinished(dirfd, fl, f);

	/* the deploy may have begun after the first look at the lock */
	if (rc == 0 && fl->has_journal && !held)
		held = lock_held(t->lock, fl->holder, sizeof(fl->holder));
	fl->state = held      ? FLIGHT_RUNNING
	    : rc == -1        ? FLIGHT_UNKNOWN
	    : fl->has_journal ? FLIGHT_INTERRUPTED
			      : FLIGHT_NONE;
	return rc;
}

/* An adopted release was found running: that is no deploy. */
static bool
take_record(void *arg, const struct record *r)
{
	struct status *s = arg;

	if (s->last.id[0] == '\0' && r->outcome != OUTCOME_ADOPTED)
		s->last = *r;
	if (s->good.id[0] == '\0' && outcome_is_good(r->outcome)) {
		s->good = *r;
		release_name_parts(&s->good.to, s->target->service[0].name);
	}
	return s->last.id[0] == '\0' || s->good.id[0] == '\0';
}

static void
look_at_state(struct status *s, int dirfd)
{
	struct fault f = { 0 };

	if (status_flight(s->target, dirfd, &s->flight, &f) == -1)
		note_fault(s, &f);
	fault_clear(&f);
	s->recorded = dirfd == -1 || history_walk(dirfd, take_record, s, &f) == 0;
	if (!s->recorded)
		note_fault(s, &f);
}

static void
look_at_freeze(struct status *s, int dirfd)
{
	struct fault f = { 0 };
	char now[32];

	session_now(now, sizeof(now));
	if (dirfd != -1 && freeze_read(dirfd, now, &s->freeze, &s->frozen, &f) == -1)
		note_fault(s, &f);
}

static void
look_at_engine(struct status *s, char *const *env, const struct who *who)
{
	struct session look;
	struct fault f = { 0 };

	if (session_look(&look, s->target, env, NULL, who, &f) == 0) {
		(void)!survey_run(&look, &s->good, &s->survey, &f);
		session_close(&look);
	}
	if (f.kind != FAULT_NONE)
		note_fault(s, &f);
}

/* Needs no engine: it is asked also when the engine does not answer. */
static void
look_at_health(struct status *s)
{
	const struct target *t = s->target;
	struct fault f = { 0 };
	struct url url;
	size_t i;

	for (i = 0; i < t->n_services; i++) {
		if (t->service[i].health_url[0] == '\0' ||
		    url_parse(&url, t->service[i].health_url, &f) == -1)
			continue;
		http_get(&url, deadline_in(PROBE_ANSWER_MS), &s->answer[i]);
		s->asked[i] = true;
	}
}

void
status_look(struct status *s, const struct target *t, char *const *env,
    const struct who *who)
{
	struct fault f = { 0 };
	int dirfd;

	memset(s, 0, sizeof(*s));
	s->target = t;
	s->now = time(NULL);
	s->flight.state = FLIGHT_UNKNOWN;
	dirfd = folder_open(t->state, false, &f);
	if (dirfd == -1 && f.kind == FAULT_NONE && records_home(t, &f) == 0)
		s->flight.state = FLIGHT_NONE;
	if (f.kind != FAULT_NONE) {
		note_fault(s, &f);
		return;
	}
	look_at_state(s, dirfd);
	look_at_freeze(s, dirfd);
	look_at_engine(s, env, who);
	look_at_health(s);
	if (dirfd != -1)
		close(dirfd);
}

/* ---- what it means ---- */

/* `out` says which service is down. */
static bool
find_down(const struct status *s, char *out, size_t size)
{
	const struct target *t = s->target;
	size_t i;

	for (i = 0; i < t->n_services; i++) {
		if (s->asked[i] && !http_healthy(&s->answer[i])) {
			snprintf(out, size, "%s is not healthy: %s", t->service[i].name,
			    s->answer[i].why);
			return true;
		}
		if (s->survey.observed && s->survey.observes &&
		    s->survey.seen.part[i].running == 0) {
			snprintf(out, size, "%s does not run", t->service[i].name);
			return true;
		}
	}
	return false;
}

int
status_judge(const struct status *s, char *out, size_t size)
{
	if (find_down(s, out, size))
		return FAULT_UNVERIFIED;
	if (s->why.kind != FAULT_NONE) {
		(void)strlcpy(out, s->why.what, size);
		return FAULT_HOST;
	}
	if (s->flight.state != FLIGHT_NONE) {
		(void)status_flight_text(&s->flight, s->now, out, size);
		return FAULT_FAILED;
	}
	if (survey_drift(&s->survey, out, size))
		return FAULT_FAILED;
	(void)strlcpy(out, "healthy, and as deployed", size);
	return 0;
}

const char *
status_flight_text(const struct flight *fl, int64_t now, char *out, size_t size)
{
	const struct journal *j = &fl->journal;
	const char *end = strstr(fl->holder, ", pid ");
	char age[PEOPLE_SHORT], who[PEOPLE_WHO_MAX];

	(void)people_age(people_time(j->time), now, age);
	if (fl->state == FLIGHT_NONE)
		(void)strlcpy(out, "none", size);
	else if (fl->state == FLIGHT_UNKNOWN)
		(void)strlcpy(out, "unknown", size);
	else if (fl->state == FLIGHT_INTERRUPTED)
		snprintf(out, size,
		    "run `recover`: %s %s was interrupted, phase %s, %s ago",
		    record_verb_name(j->verb), j->to.tag, phase_name(j->phase), age);
	else if (fl->has_journal)
		snprintf(out, size, "%s %s by %s, phase %s, for %s",
		    record_verb_name(j->verb), j->to.tag, people_who(&j->who, who),
		    phase_name(j->phase), age);
	else if (fl->holder[0] == '\0')
		(void)strlcpy(out, "a request that has just begun", size);
	else
		snprintf(out, size, "%.*s",
		    (int)(end == NULL ? sizeof(fl->holder) : (size_t)(end - fl->holder)),
		    fl->holder);
	return out;
}
