/*
 * The table of phases.  Deploy and rollback begin at its first row, recovery at the
 * row where an interrupted deploy continues.
 *
 * MUST: write a phase to the journal before any part of it is done.
 * MUST NOT: touch what runs before every revision is on this host.
 * MUST NOT: stop at a signal in apply.  Prepare, verify and the end of a phase may.
 */
#include "deploy/internal.h"

#include "state/ledger.h"
#include "sys/deadline.h"
#include "sys/signals.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

void
deploy_begin(struct deploy *d, struct session *s, enum record_verb verb)
{
	memset(d, 0, sizeof(*d));
	d->s = s;
	d->success = OUTCOME_DEPLOYED;
	snprintf(d->j.id, sizeof(d->j.id), "%.4s%.2s%.2sT%.2s%.2s%.2sZ-%06x", s->time,
	    s->time + 5, s->time + 8, s->time + 11, s->time + 14, s->time + 17,
	    arc4random() & 0xffffff);
	d->j.verb = verb;
	d->j.who = *s->who;
	(void)strlcpy(d->j.engine, s->engine->name, sizeof(d->j.engine));
	(void)strlcpy(d->j.time, s->time, sizeof(d->j.time));
}

int
deploy_stopped(struct fault *f)
{
	int signal = signals_stop();

	if (signal == 0)
		return 0;
	return fault_set(f, FAULT_FAILED, NULL, "interrupted (SIG%s)",
	    sigabbrev_np(signal));
}

/* An older commit must not replace a newer one. */
static int
check_sequence(struct deploy *d, struct fault *f)
{
	char tag[TAG_MAX];
	int64_t in_force;

	if (d->j.seq == 0)
		return 0;
	if (ledger_sequence(d->s->dirfd, &in_force, tag, f) == -1)
		return -1;
	if (d->j.seq >= in_force)
		return 0;
	return fault_set(f, FAULT_SUPERSEDED,
	    "a plain `deploy TAG` ignores the sequence number",
	    "superseded: seq=%lld, but seq=%lld (%s) is deployed; nothing was changed",
	    (long long)d->j.seq, (long long)in_force, tag);
}

static int
run_check(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (d->j.verb == RECORD_DEPLOY &&
	    freeze_check(d->s->dirfd, d->s->time, d->s->target->name, f) == -1)
		return -1;
	if (check_sequence(d, f) == -1 || e->check(e, f) == -1 ||
	    (d->asked != NULL && identity_possible(d, f) == -1) ||
	    (d->j.verb == RECORD_DEPLOY && predeploy_check(d->s, f) == -1))
		return -1;
	return history_writable(d->s->dirfd, f);
}

/* Rollback: the release, then what its tag resolves to now.  Deploy: the tag. */
static int
run_choose(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (d->j.verb == RECORD_ROLLBACK && choose_release(d, f) == -1)
		return -1;
	if (e->resolve(e, d->j.to.tag, &d->j.to, f) == -1)
		return -1;
	/* the images of a rollback are on this host already, and were checked */
	if (d->j.verb == RECORD_DEPLOY &&
	    (identity_signable(d, f) == -1 || candidate_possible(d->s, f) == -1 ||
		commit_space(d, true, f) == -1))
		return -1;
	return deploy_stopped(f);
}

static void
report_begin(struct deploy *d)
{
	const struct progress *p = d->s->progress;
	const char *from = d->j.from.tag;

	if (d->j.verb == RECORD_ROLLBACK) {
		progress_say(p, SAY_RESULT, "running:         %s",
		    from[0] == '\0' ? "nothing" : from);
		progress_say(p, SAY_RESULT, "rolling back to: %s", d->j.to.tag);
	} else {
		progress_say(p, SAY_RESULT, "rollback target: %s",
		    from[0] == '\0' ? "none, nothing runs yet" : from);
		progress_say(p, SAY_RESULT, "deploying:       %s", d->j.to.tag);
	}
}

static int
run_prepare(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (e->prepare(e, &d->j.to, f) == 0 && identity_check(d, f) == 0 &&
	    quarantine_check(d, f) == 0 && deploy_stopped(f) == 0)
		return 0;
	/* the release never ran: nothing is evidence about it */
	d->unjudged = true;
	return -1;
}

/* What `up` did not replace goes on with its work; a blind engine cannot tell. */
static void
resume_kept(struct deploy *d)
{
	struct fault f = { 0 };

	if (drain_resume(d, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
}

static int
run_apply(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	int rc;

	d->applied = clock_ms();
	d->failed = "UP";
	rc = e->apply(e, &d->j.to, &d->j.from, d->how, f);
	if (rc == 0) {
		d->failed = "RESTART";
		rc = restart_others(d, f);
	}
	if (rc == 0)
		resume_kept(d);
	/* a command that fails is no evidence about the release */
	d->unjudged = d->unjudged || rc == -1;
	return rc;
}

static int
run_verify(struct deploy *d, struct fault *f)
{
	unsigned how = VERIFY_STOPPABLE;
	int rc;

	d->failed = NULL;
	/* an older release may have no such URL */
	if (d->j.verb == RECORD_DEPLOY)
		how |= VERIFY_VERSION;
	rc = verify_release(d->s, &d->j.to, NULL, &d->j.from, d->applied, how, &d->seen,
	    f);
	d->unjudged = d->unjudged || d->seen.stopped || d->seen.away;
	return rc;
}

static int
run_commit(struct deploy *d, struct fault *f)
{
	(void)f;
	commit_success(d);
	return 0;
}

#define DEPLOY (1U << RECORD_DEPLOY)
#define BOTH (1U << RECORD_DEPLOY | 1U << RECORD_ROLLBACK)

static const struct row {
	const char *name;
	const char *doing; /* for the report; NULL: not in the journal */
	enum phase phase;  /* what the journal says before it begins */
	unsigned verbs;    /* whose phase it is */
	int (*run)(struct deploy *, struct fault *);
	int (*undo)(struct deploy *, struct fault *);       /* FAULT_FAILED, … */
	int (*unanswered)(struct deploy *, struct fault *); /* FAULT_HOST */
	bool (*wanted)(const struct deploy *);              /* NULL: always */
} rows[] = {
	{ "check", NULL, 0, BOTH, run_check, undo_nothing, undo_nothing, NULL },
	{ "observe", NULL, 0, BOTH, observe_from, undo_nothing, undo_nothing, NULL },
	{ "choose", NULL, 0, BOTH, run_choose, undo_nothing, undo_nothing, NULL },
	{ "prepare", "fetching", PHASE_PREPARE, DEPLOY, run_prepare, undo_prepare,
	    undo_prepare, NULL },
	{ "pre-deploy", "running the pre-deploy job of", PHASE_PRE_DEPLOY, DEPLOY,
	    predeploy_run, undo_oneoffs, undo_oneoffs, predeploy_is_wanted },
	{ "candidate", "rehearsing", PHASE_CANDIDATE, DEPLOY, candidate_run, undo_oneoffs,
	    undo_oneoffs, candidate_is_wanted },
	{ "drain", "draining for", PHASE_DRAIN, BOTH, drain_run, undo_prepare,
	    undo_prepare, drain_is_wanted },
	{ "apply", "starting", PHASE_APPLY, BOTH, run_apply, undo_revert, undo_unapplied,
	    NULL },
	{ "verify", "verifying", PHASE_VERIFY, BOTH, run_verify, undo_revert, undo_later,
	    NULL },
	{ "commit", NULL, 0, BOTH, run_commit, NULL, NULL, NULL },
};

/*
 * Once, and as early as possible: a kill from now on leaves a journal, whose recovery has
 * a record.  What runs by itself may ask for a bad release every minute, which is found
 * out in prepare: it is announced after that.
 */
static void
announce(struct deploy *d)
{
	if (d->announced ||
	    (d->j.phase == PHASE_PREPARE && trigger_is_automatic(d->j.who.trigger)))
		return;
	d->announced = true;
	commit_started(d);
}

static int
enter_phase(struct deploy *d, const struct row *row, struct fault *f)
{
	enum phase before = d->j.phase;

	if (row->doing == NULL)
		return 0;
	if (!d->begun)
		report_begin(d);
	d->begun = true;
	progress_say(d->s->progress, SAY_NOTE, "%s %s", row->doing, d->j.to.tag);
	d->j.phase = row->phase;
	if (journal_write(d->s->dirfd, &d->j, f) == 0) {
		announce(d);
		return 0;
	}
	d->failed = "JOURNAL";
	/* nothing of it was done; a disk that refuses is no evidence about the release */
	d->j.phase = before;
	d->unjudged = true;
	return -1;
}

static int
run_timed(struct deploy *d, const struct row *row, struct fault *f)
{
	int64_t began = clock_ms();
	int rc = row->run(d, f);

	if (row->doing != NULL)
		d->ms.phase[row->phase] = clock_ms() - began;
	return rc;
}

int
phases_run(struct deploy *d, const char *from, struct fault *f)
{
	int (*undo)(struct deploy *, struct fault *) = undo_nothing;
	bool begun = from[0] == '\0';
	size_t i;

	d->begun = d->announced = !begun;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begun = begun || strcmp(rows[i].name, from) == 0;
		if (!begun || (rows[i].verbs & 1U << d->j.verb) == 0 ||
		    (rows[i].wanted != NULL && !rows[i].wanted(d)))
			continue;
		/* nothing of this phase was done: undo the ones before */
		if (enter_phase(d, &rows[i], f) == -1)
			return undo(d, f);
		undo = rows[i].undo;
		if (run_timed(d, &rows[i], f) == -1)
			return f->kind == FAULT_HOST ? rows[i].unanswered(d, f)
						     : undo(d, f);
	}
	return 0;
}

int
deploy_run(struct session *s, const char *tag, const struct request *r, struct fault *f)
{
	struct deploy d;

	deploy_begin(&d, s, RECORD_DEPLOY);
	(void)strlcpy(d.j.to.tag, tag, sizeof(d.j.to.tag));
	d.j.seq = r->seq;
	d.asked = r;
	return phases_run(&d, "", f);
}

int
rollback_run(struct session *s, const char *tag, struct fault *f)
{
	struct deploy d;

	deploy_begin(&d, s, RECORD_ROLLBACK);
	d.wish = tag;
	return phases_run(&d, "", f);
}
