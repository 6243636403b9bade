/*
 * The verbs that change no version: plan, verify, start.
 */
#include "deploy/internal.h"

#include "state/ledger.h"
#include "state/lock.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static int
refuse_busy(const struct session *s, struct fault *f)
{
	char holder[256];

	if (!lock_held(s->target->lock, holder, sizeof(holder)))
		return 0;
	return fault_set(f, FAULT_BUSY, "`status --wait` waits for its end",
	    "deploy already running%s%s%s", holder[0] == '\0' ? "" : " (", holder,
	    holder[0] == '\0' ? "" : ")");
}

static int
warn_interrupted(const struct session *s, struct fault *f)
{
	struct journal j;
	bool found, ended = true;

	if (s->dirfd == -1)
		return 0;
	if (journal_read(s->dirfd, &j, &found, f) == -1 ||
	    (found && history_has(s->dirfd, j.id, &ended, f) == -1))
		return -1;
	if (found && !ended)
		progress_say(s->progress, SAY_WARN,
		    "the %s of %s was interrupted: the next deploy recovers it first",
		    record_verb_name(j.verb), j.to.tag);
	return 0;
}

/* ---- plan ---- */

/* Of the images that are on this host. */
static int
report_identity(struct deploy *d, struct fault *f)
{
	struct fault why = { 0 };

	if (identity_check(d, &why) == 0 && quarantine_check(d, &why) == 0)
		return 0;
	if (why.kind != FAULT_REFUSED)
		return fault_set(f, why.kind, why.next, "%s", why.what);
	progress_say(d->s->progress, SAY_WARN, "on this host: %s", why.what);
	return 0;
}

int
plan_run(struct session *s, const char *tag, const struct request *r,
    struct release *from, struct release *to, struct fault *f)
{
	struct engine *e = s->engine;
	struct deploy d;

	deploy_begin(&d, s, RECORD_DEPLOY);
	d.asked = r;
	if (refuse_busy(s, f) == -1 || warn_interrupted(s, f) == -1 ||
	    freeze_check(s->dirfd, s->time, s->target->name, f) == -1 ||
	    e->check(e, f) == -1 || predeploy_check(s, f) == -1 ||
	    identity_possible(&d, f) == -1 || observe_running(&d, f) == -1 ||
	    e->resolve(e, tag, &d.j.to, f) == -1 || identity_signable(&d, f) == -1 ||
	    candidate_possible(s, f) == -1 || commit_space(&d, false, f) == -1)
		return -1;
	if (e->observes &&
	    (e->revisions(e, &d.j.to, f) == -1 || report_identity(&d, f) == -1))
		return -1;
	*from = d.j.from;
	*to = d.j.to;
	return 0;
}

/* ---- verify ---- */

static int
last_good(struct session *s, struct release *r, struct fault *f)
{
	const char *lacks;
	char safe[100];
	size_t n = 0;

	if (s->dirfd != -1 && ledger_good(s->dirfd, false, r, 1, &n, f) == -1)
		return -1;
	if (n == 0)
		return fault_set(f, FAULT_UNVERIFIED, "deploy a version",
		    "nothing was ever deployed, healthy, here");
	lacks = choose_parts(s->target, r);
	return lacks == NULL
	    ? 0
	    : fault_set(f, FAULT_UNVERIFIED, "deploy it",
		  "service %s is not part of what was deployed last, %s", lacks,
		  text_escape(safe, sizeof(safe), r->tag, strlen(r->tag)));
}

/* Did a rollback make this release the one that runs? */
struct landed {
	const struct release *release;
	bool by_rollback;
};

static bool
find_landed_by(void *arg, const struct record *r)
{
	struct landed *l = arg;
	bool found = outcome_is_good(r->outcome) && release_same(&r->to, l->release);

	if (found)
		l->by_rollback = r->verb == RECORD_ROLLBACK &&
		    r->outcome != OUTCOME_ADOPTED;
	return !found;
}

int
verify_run(struct session *s, struct release *r, struct fault *f)
{
	struct landed last = { .release = r };
	unsigned how = VERIFY_STOPPABLE;
	struct verified seen;
	struct deploy d;

	deploy_begin(&d, s, RECORD_DEPLOY);
	if (refuse_busy(s, f) == -1 || warn_interrupted(s, f) == -1 ||
	    last_good(s, r, f) == -1 ||
	    history_walk(s->dirfd, find_landed_by, &last, f) == -1 ||
	    observe_running(&d, f) == -1)
		return -1;
	if (!last.by_rollback)
		how |= VERIFY_VERSION;
	progress_say(s->progress, SAY_NOTE, "verifying %s", r->tag);
	if (verify_release(s, r, NULL, &d.j.from, 0, how, &seen, f) == 0)
		return 0;
	if (f->kind != FAULT_FAILED || seen.stopped)
		return -1;
	f->kind = FAULT_UNVERIFIED;
	snprintf(f->next, sizeof(f->next), "look now: `status`, %s", s->engine->by_hand);
	return -1;
}

/* ---- start ---- */

int
start_run(struct session *s, struct fault *f)
{
	struct engine *e = s->engine;
	struct observation o;
	struct release r;

	if (e->check(e, f) == -1 || e->observe(e, &o, f) == -1 ||
	    observe_desired(s, &o, &r, f) == -1)
		return -1;
	progress_say(s->progress, SAY_NOTE, "starting %s", r.tag);
	if (e->apply(e, &r, &r, APPLY_BOOT, f) == 0)
		return 0;
	/* what serves now is not known */
	if (f->kind == FAULT_FAILED)
		f->kind = FAULT_UNVERIFIED;
	return -1;
}
