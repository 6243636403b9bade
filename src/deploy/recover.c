/*
 * Recovery compares the journal with an observation.  decide() is a pure function of
 * the two: the table in docs/architecture.md, Recovery.
 */
#include "deploy/internal.h"

#include "deploy/signature.h"
#include "state/folder.h"
#include "state/freeze.h"
#include "state/lock.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum action {
	ABANDON,
	DISCARD,
	REVERT,
	FORWARD,  /* apply, verify, commit */
	COMPLETE, /* verify, commit */
};

/* What was observed, compared with the journal.  "All": of every service. */
struct found {
	bool old_desired, new_desired; /* all; both where the values are the same */
	bool stranger;                 /* the desired version of one is neither */
	bool new_runs;                 /* all run the new revision */
	bool kept;                     /* one has the instance that it had before */
	/* one has another instance than before, or where none was, one of what was fetched */
	bool replaced;
};

static void
compare_part(const struct part *from, const struct part *to, const struct observed *o,
    struct found *found)
{
	const struct instance *now = &o->instance;
	bool had = from->instance[0] != '\0';
	bool same = strcmp(from->instance, now->id) == 0;
	bool old = strcmp(o->desired, from->desired) == 0;
	bool new = strcmp(o->desired, to->desired) == 0;
	bool of_new = strcmp(now->reference, to->reference) == 0;

	found->old_desired = found->old_desired && old;
	found->new_desired = found->new_desired && new;
	found->stranger = found->stranger || (!old && !new);
	found->new_runs = found->new_runs && now->state == INSTANCE_RUNNING &&
	    to->revision[0] != '\0' && strcmp(now->revision, to->revision) == 0 && of_new;
	found->kept = found->kept || (had && same);
	found->replaced = found->replaced ||
	    (o->n > 0 && !same &&
		(had || (of_new && strcmp(now->revision, to->previous) != 0)));
}

/* All three have the target's order: check_settings() saw to it. */
static void
compare(const struct journal *j, const struct observation *o, struct found *found)
{
	size_t i;

	*found = (struct found){ .old_desired = true,
		.new_desired = true,
		.new_runs = true };
	for (i = 0; i < o->n; i++)
		compare_part(&j->from.part[i], &j->to.part[i], &o->part[i], found);
}

static enum action
decide(const struct journal *j, const struct found *found, bool observes)
{
	bool unapplied = phase_is_before_apply(j->phase);

	if (found->stranger || (unapplied && !found->old_desired))
		return ABANDON;
	if (!observes && !unapplied)
		return j->phase == PHASE_VERIFY && found->new_desired ? COMPLETE : REVERT;
	/*
	 * From apply on nothing is discarded, though the old instances run: an `up`
	 * that was cut short may have told the engine to stop them.
	 */
	if (unapplied)
		return found->replaced ? REVERT : DISCARD;
	if (j->phase == PHASE_REVERT)
		return REVERT;
	if (j->verb == RECORD_ROLLBACK)
		return FORWARD;
	return found->new_desired && found->new_runs ? COMPLETE : REVERT;
}

static int
interrupted(struct deploy *d, struct fault *f)
{
	d->unjudged = true;
	return fault_set(f, FAULT_FAILED, NULL, "the %s of %s was interrupted%s",
	    record_verb_name(d->j.verb), d->j.to.tag,
	    d->j.phase == PHASE_PRE_DEPLOY
		? " in its pre-deploy job, which may have changed the database"
		: "");
}

/* Does what a person chose run, on every service? */
static int
verify_chosen(struct deploy *d, const struct observation *o, const struct found *found,
    struct fault *f)
{
	struct release r;

	if (!d->s->engine->observes)
		return fault_set(f, FAULT_FAILED, NULL,
		    "this engine cannot tell what runs");
	/* as in decide() */
	if (!phase_is_before_apply(d->j.phase) && found->kept)
		return fault_set(f, FAULT_FAILED, NULL,
		    "an instance may have been told to stop");
	if (observe_desired(d->s, o, &r, f) == -1)
		return -1;
	return verify_release(d->s, &r, NULL, &d->j.from, 0, VERIFY_STOPPABLE, &d->seen,
	    f);
}

static int
abandon(struct deploy *d, const struct observation *o, const struct found *found,
    struct fault *f)
{
	struct fault why = { 0 };
	char look[80];

	d->unjudged = true;
	snprintf(look, sizeof(look), "look now: `status`, %s", d->s->engine->by_hand);
	fault_set(f, FAULT_UNVERIFIED, look,
	    "the %s of %s was interrupted, and somebody changed the desired version since",
	    record_verb_name(d->j.verb), d->j.to.tag);
	/* a person's choice is not undone, and must not block the next deploy */
	if (undo_drain(d, &why) == 0 && verify_chosen(d, o, found, &why) == 0) {
		progress_say(d->s->progress, SAY_WARN, "%s; that one runs, healthy",
		    f->what);
		fault_clear(f);
		commit_failure(d, OUTCOME_ABANDONED, NULL);
		return 0;
	}
	fault_now(f, "nothing was undone; the desired version is not verified: %.180s",
	    why.what);
	commit_failure(d, OUTCOME_ABANDONED, f);
	return -1;
}

/*
 * What runs was started by the interrupted run.  Its references mean its revisions
 * again, as a reboot starts what they mean.
 */
static int
complete(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct release r = d->j.to;
	size_t i;

	for (i = 0; i < r.n; i++)
		(void)strlcpy(r.part[i].previous, r.part[i].revision,
		    sizeof(r.part[i].previous));
	if (e->observes && e->discard(e, &r, f) == -1)
		return undo_later(d, f);
	/* what follows `up` in apply may be missing */
	if (d->j.phase == PHASE_APPLY && restart_others(d, f) == -1) {
		d->unjudged = true;
		return undo_revert(d, f);
	}
	return phases_run(d, "verify", f);
}

static int
resume(struct deploy *d, enum action action, struct fault *f)
{
	d->how = APPLY_RESUMED;
	if (action == FORWARD)
		return phases_run(d, "apply", f);
	interrupted(d, f);
	return undo_revert(d, f);
}

static int
other_setting(const struct deploy *d, const char *key, const char *value, struct fault *f)
{
	char next[256], safe[160];

	text_escape(safe, sizeof(safe), value, strlen(value));
	snprintf(next, sizeof(next), "set %s = %s, then run `recover`", key, safe);
	return fault_set(f, FAULT_HOST, next, "the interrupted %s of %s had %s = %s",
	    record_verb_name(d->j.verb), d->j.to.tag, key, safe);
}

/* A journal says nothing about another engine, or other services, than its own. */
static int
check_settings(struct deploy *d, struct fault *f)
{
	const struct target *t = d->s->target;
	char services[SERVICES_MAX * (SERVICE_MAX + 1)] = "";
	size_t i;

	if (strcmp(d->j.engine, d->s->engine->name) != 0)
		return other_setting(d, "engine", d->j.engine, f);
	if (d->j.to.n == t->n_services && choose_parts(t, &d->j.from) == NULL &&
	    choose_parts(t, &d->j.to) == NULL)
		return 0;
	/* format 1 does not name its service */
	if (d->j.to.part[0].service[0] == '\0')
		return fault_set(f, FAULT_HOST,
		    "set `services` to that one, then run `recover`",
		    "the interrupted %s of %s was one of a single service",
		    record_verb_name(d->j.verb), d->j.to.tag);
	for (i = 0; i < d->j.to.n; i++) {
		(void)strlcat(services, i == 0 ? "" : ",", sizeof(services));
		(void)strlcat(services, d->j.to.part[i].service, sizeof(services));
	}
	return other_setting(d, "services", services, f);
}

/* The record of a deploy that ended, but whose journal was not cleared. */
struct ended {
	const char *id;
	bool found;
	int code;
	char why[FAULT_WHAT_MAX];
};

static bool
find_ended(void *arg, const struct record *r)
{
	struct ended *e = arg;

	if (strcmp(r->id, e->id) != 0)
		return true;
	e->found = true;
	e->code = r->code;
	(void)strlcpy(e->why, r->why, sizeof(e->why));
	return false;
}

static int
repeat_end(struct deploy *d, const struct ended *e, struct fault *f)
{
	if (journal_clear(d->s->dirfd, f) == -1)
		return -1;
	return e->code == 0 ? 0
			    : fault_set(f, (enum fault_kind)e->code, NULL, "%s", e->why);
}

static int
act(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct observation o;
	struct found found;
	enum action action;

	if (e->observe(e, &o, f) == -1)
		return -1;
	compare(&d->j, &o, &found);
	action = decide(&d->j, &found, e->observes);
	switch (action) {
	case ABANDON:
		return abandon(d, &o, &found, f);
	case DISCARD:
		interrupted(d, f);
		return undo_prepare(d, f);
	case COMPLETE:
		return complete(d, f);
	default:
		return resume(d, action, f);
	}
}

static int
recover(struct deploy *d, struct fault *f)
{
	struct session *s = d->s;
	struct ended ended = { .id = d->j.id };

	if (s->engine->reap(s->engine, f) == -1 ||
	    history_walk(s->dirfd, find_ended, &ended, f) == -1)
		return -1;
	if (ended.found)
		return repeat_end(d, &ended, f);
	if (check_settings(d, f) == -1)
		return -1;
	progress_say(s->progress, SAY_NOTE,
	    "recovering the interrupted %s of %s (begun %s, phase %s)",
	    record_verb_name(d->j.verb), d->j.to.tag, d->j.time, phase_name(d->j.phase));
	/* before anything else: it must not run beside what follows */
	return predeploy_recover(d, f) == -1 || candidate_recover(d, f) == -1 ? -1
									      : act(d, f);
}

/* A journal that had to stay decides the code, and keeps the request from running. */
static int
conclude_recovery(const struct deploy *d, int rc, bool *left, struct fault *f)
{
	struct fault none = { 0 };
	struct journal there;

	if (journal_read(d->s->dirfd, &there, left, &none) == -1)
		*left = true;
	if (!*left)
		return rc;
	if (rc == 0)
		fault_set(f, FAULT_HOST, "see the disk of the state folder",
		    "the interrupted %s is recovered, but that cannot be recorded",
		    record_verb_name(d->j.verb));
	f->kind = phase_changes_nothing(d->j.phase) ? FAULT_HOST : FAULT_UNVERIFIED;
	if (f->now[0] == '\0')
		fault_now(f, "the interrupted %s of %s is not recovered",
		    record_verb_name(d->j.verb), d->j.to.tag);
	return -1;
}

int
recover_run(struct session *s, bool *left, struct fault *f)
{
	struct deploy d = { .s = s, .success = OUTCOME_RECOVERED, .wish = "" };

	journal_sweep(s->dirfd);
	history_sweep(s->dirfd);
	freeze_sweep(s->dirfd);
	signature_sweep(s->dirfd);
	if (journal_read(s->dirfd, &d.j, left, f) == -1) {
		*left = true;
		/* it does not say that nothing was changed */
		f->kind = FAULT_UNVERIFIED;
		return -1;
	}
	/* a `recover --start` that was killed leaves a command, and no journal */
	if (!*left) {
		*left = s->engine->reap(s->engine, f) == -1;
		return *left ? -1 : 0;
	}
	return conclude_recovery(&d, recover(&d, f), left, f);
}

static void
judge_journal(int dirfd, struct fault *why)
{
	struct fault f = { 0 };
	struct journal j;
	bool found, ended;

	if (journal_read(dirfd, &j, &found, &f) == -1) {
		why->kind = FAULT_UNVERIFIED;
		fault_now(why, "%s", f.what);
		return;
	}
	if (!found || (history_has(dirfd, j.id, &ended, &f) == 0 && ended))
		return;
	if (!phase_changes_nothing(j.phase))
		why->kind = FAULT_UNVERIFIED;
	fault_now(why, "the interrupted %s of %s is not recovered",
	    record_verb_name(j.verb), j.to.tag);
}

void
recover_later(const struct target *t, bool locked, struct fault *why)
{
	struct fault none = { 0 };
	char holder[256];
	int dirfd;

	if (why->kind != FAULT_HOST ||
	    (!locked && lock_held(t->lock, holder, sizeof(holder))))
		return;
	dirfd = folder_open(t->state, false, &none);
	if (dirfd == -1)
		return;
	judge_journal(dirfd, why);
	close(dirfd);
}
