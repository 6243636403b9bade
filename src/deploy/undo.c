/*
 * How a deploy that failed is undone.
 *
 * MUST NOT: go forward once `revert` is in the journal.
 * MUST NOT: need a registry, or stop at a signal.
 * MUST: end in a code that never says less than what is so.
 */
#include "deploy/internal.h"

#include "sys/deadline.h"
#include "sys/signals.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* Gives `why` this kind, and says what is so now and what to do next.  Always -1. */
static int
conclude(struct fault *why, enum fault_kind kind, const char *next, const char *fmt, ...)
{
	char what[sizeof(why->what)], now[sizeof(why->now)];
	va_list ap;

	(void)strlcpy(what, why->what, sizeof(what));
	va_start(ap, fmt);
	vsnprintf(now, sizeof(now), fmt, ap);
	va_end(ap);
	fault_clear(why);
	fault_set(why, kind, next, "not deployed: %s", what);
	return fault_now(why, "%s", now);
}

static bool
any_served(const struct release *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->part[i].served)
			return true;
	return false;
}

/* Without a tag there were no instances, not even ended ones. */
static const char *
from_name(const struct deploy *d)
{
	return d->j.from.tag[0] == '\0' ? "nothing, as before" : d->j.from.tag;
}

/* Of the deploy's pre-deploy job, for `now`. */
static const char *
job_note(const struct deploy *d)
{
	return predeploy_began(d) ? "; the pre-deploy job may have changed the database"
				  : "";
}

int
undo_nothing(struct deploy *d, struct fault *why)
{
	(void)d;
	(void)why;
	return -1;
}

/* Does every instance that served before still run? */
static int
still_serves(struct deploy *d, bool *serves, struct fault *f)
{
	struct engine *e = d->s->engine;
	const struct part *p;
	struct instance now;
	size_t i;

	*serves = true;
	for (i = 0; e->observes && i < d->j.from.n; i++) {
		p = &d->j.from.part[i];
		if (!p->served)
			continue;
		if (e->look(e, p->instance, &now, f) == -1)
			return -1;
		*serves = *serves && now.state == INSTANCE_RUNNING;
	}
	return 0;
}

int
undo_drain(struct deploy *d, struct fault *f)
{
	return d->j.phase < PHASE_DRAIN ? 0 : drain_resume(d, f);
}

static int
discard_prepared(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	/* a command that still runs could move what is restored here */
	if (e->reap(e, f) == -1 || undo_drain(d, f) == -1 ||
	    e->undesire(e, &d->j.from, &d->j.to, f) == -1)
		return -1;
	return e->observes ? e->discard(e, &d->j.to, f) : 0;
}

int
undo_prepare(struct deploy *d, struct fault *why)
{
	bool serves;
	char next[sizeof(why->next)];
	struct fault f = { 0 };

	if (discard_prepared(d, &f) == -1 || still_serves(d, &serves, &f) == -1) {
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
		/* the journal stays: the next request tries again */
		return conclude(why, FAULT_UNVERIFIED, "fix this, then run `recover`",
		    "the previous state could not be restored: %.120s", f.what);
	}
	if (!serves) {
		progress_say(d->s->progress, SAY_WARN,
		    "%s has ended meanwhile: starting it again", from_name(d));
		return undo_revert(d, why);
	}
	(void)strlcpy(next,
	    why->next[0] != '\0'      ? why->next
		: signals_stop() != 0 ? "deploy again when you are ready"
				      : "fix the cause, then deploy again",
	    sizeof(next));
	conclude(why, why->kind == FAULT_REFUSED ? FAULT_REFUSED : FAULT_FAILED, next,
	    "%s%s%s", predeploy_began(d) ? "" : "nothing was changed, ",
	    any_served(&d->j.from) ? "what ran runs as before"
				   : "nothing ran before either",
	    job_note(d));
	if (d->quarantined)
		commit_nothing(d);
	else
		commit_failure(d,
		    d->j.phase == PHASE_CANDIDATE && !d->unjudged ? OUTCOME_REJECTED
								  : OUTCOME_DISCARDED,
		    why);
	return -1;
}

int
undo_oneoffs(struct deploy *d, struct fault *why)
{
	bool job = d->j.phase == PHASE_PRE_DEPLOY;
	struct engine *e = d->s->engine;
	struct fault f = { 0 };

	/* a command that still runs could start one after the search */
	if (e->reap(e, &f) == 0 &&
	    oneoffs_end(d, job ? ONEOFF_JOB : ONEOFF_CANDIDATE, &f) == 0)
		return undo_prepare(d, why);
	progress_say(d->s->progress, SAY_WARN, "%s", f.what);
	/* the journal stays: the next request tries again */
	return conclude(why, FAULT_UNVERIFIED, "fix this, then run `recover`",
	    "%s may still run: %.160s", job ? "the pre-deploy job" : "a candidate",
	    f.what);
}

void
undo_report_evidence(struct deploy *d, const struct fault *why)
{
	const struct progress *p = d->s->progress;
	const struct http_answer *a = &d->seen.answer;
	struct engine *e = d->s->engine;
	struct fault f = { 0 };
	size_t len = a->body_len;
	char body[400];

	while (len > 0 && (a->body[len - 1] == '\n' || a->body[len - 1] == '\r'))
		len--;
	progress_say(p, SAY_WARN, "%s", why->what);
	if (len > 0 || (a->why[0] != '\0' && strstr(why->what, a->why) == NULL))
		progress_say(p, SAY_WARN, "last %s answer: %s%s%s",
		    d->seen.of_version ? "version" : "health", a->why,
		    len == 0 ? "" : ": ",
		    mask_show(e->mask, body, sizeof(body), a->body, len, true));
	if (d->seen.instance[0] == '\0')
		return;
	progress_say(p, SAY_WARN, "last log lines of the container:");
	if (e->evidence(e, d->seen.instance, &f) == -1)
		progress_say(p, SAY_WARN, "%s", f.what);
}

static void
report_revert(struct deploy *d)
{
	const struct progress *p = d->s->progress;

	if (d->seen.stopped)
		progress_say(p, SAY_SHOUT, "interrupted (SIG%s) -- rolling back to %s",
		    sigabbrev_np(signals_stop()), from_name(d));
	else
		progress_say(p, SAY_SHOUT, "%s FAILED -- rolling back to %s",
		    d->failed == NULL ? "HEALTH" : d->failed, from_name(d));
}

/* Is every service that had no instance before without one again? */
static int
check_removed(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	const struct part *from;
	struct observation o;
	size_t i;

	if (!e->observes)
		return 0;
	if (e->observe(e, &o, f) == -1)
		return -1;
	for (i = 0; i < o.n; i++) {
		from = release_part(&d->j.from, o.part[i].service);
		if ((from == NULL || from->instance[0] == '\0') && o.part[i].n > 0)
			return fault_set(f, FAULT_FAILED, NULL,
			    "the new container of service %s is still there",
			    o.part[i].service);
	}
	return 0;
}

/* A service whose instance had ended before is started too, but need not stay up. */
static int
verify_served(struct deploy *d, struct fault *f)
{
	struct release r = d->j.from;
	unsigned tries = d->seen.tries;
	size_t i;
	int rc;

	for (i = 0; i < r.n; i++)
		if (!r.part[i].served)
			r.part[i].revision[0] = '\0';
	if (any_served(&r))
		progress_say(d->s->progress, SAY_NOTE, "verifying %s", from_name(d));
	rc = verify_release(d->s, &r, NULL, &r, d->applied, 0, &d->seen, f);
	d->seen.tries = tries; /* the record's are those of `to` */
	return rc == -1 ? -1 : check_removed(d, f);
}

/* Applies and verifies `from`. */
static int
revert(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct fault late = { 0 };
	int rc;

	if (e->reap(e, f) == -1 || (e->observes && e->discard(e, &d->j.to, f) == -1))
		return -1;
	/*
	 * After a command that failed, what looks well may be an instance that was told
	 * to stop and runs for some seconds more: there is nothing to verify.
	 */
	rc = e->apply(e, &d->j.from, &d->j.to, d->how | APPLY_REVERT, f);
	if (rc == -1 && f->kind == FAULT_HOST)
		return -1;
	if (rc == 0 && restart_others(d, &late) == -1) {
		progress_say(d->s->progress, SAY_WARN, "%s", late.what);
		fault_clear(&late);
	}
	/* what `up` did not replace */
	if (rc == 0)
		rc = drain_resume(d, f);
	if (rc == 0)
		rc = verify_served(d, f);
	/* whatever runs, a reboot must not start what failed */
	if (e->reap(e, &late) == 0 && e->undesire(e, &d->j.from, &d->j.to, &late) == 0)
		return rc;
	*f = late;
	f->kind = FAULT_HOST;
	return -1;
}

int
undo_revert(struct deploy *d, struct fault *why)
{
	const char *next = d->seen.stopped
	    ? "deploy again when you are ready"
	    : "fix the cause (see the lines above), then deploy again";
	int64_t began = clock_ms();
	struct fault f = { 0 };
	char look[80];
	int rc;

	if (d->applied != 0 || d->seen.service[0] != '\0') {
		undo_report_evidence(d, why);
		report_revert(d);
	}
	d->j.phase = PHASE_REVERT;
	/* without it the next run decides by what it finds */
	if (journal_write(d->s->dirfd, &d->j, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
	fault_clear(&f);
	rc = revert(d, &f);
	d->ms.phase[PHASE_REVERT] = clock_ms() - began;
	if (rc == 0) {
		if (any_served(&d->j.from))
			conclude(why, FAULT_FAILED, next,
			    "rolled back, %s serves and is healthy%s", from_name(d),
			    job_note(d));
		else if (d->j.from.tag[0] != '\0')
			conclude(why, FAULT_FAILED, next,
			    "%s is started again; it had ended before", from_name(d));
		else
			conclude(why, FAULT_FAILED, next,
			    "what it started is removed; nothing ran before either");
		commit_failure(d, OUTCOME_ROLLED_BACK, why);
		return -1;
	}
	snprintf(look, sizeof(look), "look now: `status`, %s", d->s->engine->by_hand);
	conclude(why, FAULT_UNVERIFIED, look, "%s could not be verified: %.160s",
	    d->j.from.tag[0] == '\0' ? "the previous state" : d->j.from.tag, f.what);
	/* an engine that does not answer, a full disk: the next request tries again */
	if (f.kind != FAULT_HOST)
		commit_failure(d, OUTCOME_UNVERIFIED, why);
	return -1;
}

int
undo_later(struct deploy *d, struct fault *why)
{
	return conclude(why, FAULT_UNVERIFIED, "fix this, then run `recover`",
	    "%s may run, but could not be verified", d->j.to.tag);
}

int
undo_unapplied(struct deploy *d, struct fault *why)
{
	return d->how != 0 ? undo_later(d, why) : undo_prepare(d, why);
}
