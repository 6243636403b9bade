#include "cli/status.h"

#include "cli/people.h"
#include "cli/records.h"
#include "deploy/deploy.h"
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
	if (s->good.id[0] == '\0' && outcome_is_good(r->outcome))
		s->good = *r;
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

/* What runs, as a release. */
static void
running_release(const struct status *s, struct release *r)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < s->seen.n; i++) {
		const struct observed *o = &s->seen.part[i];

		(void)strlcpy(r->part[i].service, o->service, SERVICE_MAX);
		(void)strlcpy(r->part[i].revision, o->instance.revision, REVISION_MAX);
	}
	r->n = s->seen.n;
	if (r->n > 0 && !s->observes)
		(void)target_tag_of(s->target, s->seen.part[0].desired, r->tag);
	else if (r->n > 0)
		(void)status_tag(s, 0, r->tag);
}

static void
look_at_engine(struct status *s, char *const *env, const struct who *who)
{
	struct session look;
	struct release running;
	struct fault f = { 0 };

	if (session_look(&look, s->target, env, NULL, who, &f) == -1) {
		note_fault(s, &f);
		return;
	}
	s->observes = look.engine->observes;
	s->observed = look.engine->observe(look.engine, &s->seen, &f) == 0;
	if (s->observed) {
		running_release(s, &running);
		(void)!rollback_choice(&look, &running, s->rollback, &f);
	}
	if (f.kind != FAULT_NONE)
		note_fault(s, &f);
	session_close(&look);
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
	look_at_engine(s, env, who);
	look_at_health(s);
	if (dirfd != -1)
		close(dirfd);
}

/* ---- what it means ---- */

const char *
status_tag(const struct status *s, size_t i, char tag[TAG_MAX])
{
	const struct instance *now = &s->seen.part[i].instance;
	const struct part *p;

	if (!s->observes) {
		tag[0] = '\0';
		(void)target_tag_of(s->target, s->seen.part[i].desired, tag);
		return tag;
	}
	release_tag_of(now->reference, tag);
	p = release_part(&s->good.to, s->seen.part[i].service);
	/* docker shows an id once the reference names another image */
	if (tag[0] == '\0' && p != NULL && now->revision[0] != '\0' &&
	    strcmp(p->revision, now->revision) == 0)
		(void)strlcpy(tag, s->good.to.tag, TAG_MAX);
	return tag;
}

static bool
service_drifts(const struct status *s, size_t i, char *out, size_t size)
{
	const struct observed *o = &s->seen.part[i];
	const struct part *p = release_part(&s->good.to, o->service);
	const char *desired = o->desired;
	char tag[TAG_MAX], wanted[TAG_MAX];
	bool formed = target_tag_of(s->target, desired, wanted);

	if (formed)
		desired = wanted;
	if (o->instance.id[0] == '\0')
		return false;
	if (o->running > 1)
		snprintf(out, size, "%s runs in %zu containers", o->service, o->running);
	else if (strcmp(status_tag(s, i, tag), desired) != 0 || !formed)
		snprintf(out, size, "%s is %s, but %s runs %s", s->target->variable,
		    desired, o->service, tag[0] == '\0' ? "another image" : tag);
	else if (s->good.id[0] != '\0' && p != NULL && p->revision[0] != '\0' &&
	    strcmp(p->revision, o->instance.revision) != 0)
		snprintf(out, size, "%s runs %s%s, but %s was deployed last", o->service,
		    strcmp(tag, s->good.to.tag) == 0 ? "another image of " : "", tag,
		    s->good.to.tag);
	else
		return false;
	return true;
}

bool
status_drift(const struct status *s, char *out, size_t size)
{
	size_t i;

	out[0] = '\0';
	if (!s->observed || !s->observes)
		return false;
	for (i = 0; i < s->seen.n; i++)
		if (service_drifts(s, i, out, size))
			return true;
	return false;
}

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
		if (s->observed && s->observes && s->seen.part[i].running == 0) {
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
	if (status_drift(s, out, size))
		return FAULT_FAILED;
	(void)strlcpy(out, "healthy, and as deployed", size);
	return 0;
}

const char *
status_flight_text(const struct flight *fl, int64_t now, char *out, size_t size)
{
	const struct journal *j = &fl->journal;
	const char *end = strstr(fl->holder, ", pid ");
	char age[PEOPLE_SHORT];

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
		    record_verb_name(j->verb), j->to.tag, j->who.actor,
		    phase_name(j->phase), age);
	else if (fl->holder[0] == '\0')
		(void)strlcpy(out, "a request that has just begun", size);
	else
		snprintf(out, size, "%.*s",
		    (int)(end == NULL ? sizeof(fl->holder) : (size_t)(end - fl->holder)),
		    fl->holder);
	return out;
}
