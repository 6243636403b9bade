/*
 * Recovery compares the journal with an observation.  What it decides is a pure
 * function of the two: decide().
 */
#include "deploy/internal.h"

#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

enum action {
	ABANDON, /* a person decided */
	DISCARD, /* nothing was applied */
	REVERT,
	FORWARD,  /* apply, verify, commit */
	COMPLETE, /* verify, commit */
};

/* What is there now, said of all services. */
struct found {
	bool old_desired, new_desired; /* of each; both where they are the same */
	bool stranger;                 /* a service's desired version is neither */
	bool new_runs;                 /* an instance of the new revision */
	bool replaced; /* an instance that ran is gone, and another is there */
};

static const struct observed *
observed_of(const struct observation *o, const char *service)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (strcmp(o->part[i].service, service) == 0)
			return &o->part[i];
	return NULL;
}

/* What the part of `to` says, beside that of `from`, about one service. */
static void
compare_part(const struct part *from, const struct part *to, const struct observed *o,
    struct found *found)
{
	bool runs = o->instance.state == INSTANCE_RUNNING;
	bool same = from != NULL && from->instance[0] != '\0' &&
	    strcmp(from->instance, o->instance.id) == 0;
	bool had_none = from == NULL || from->instance[0] == '\0';
	bool old = from != NULL && strcmp(o->desired, from->desired) == 0;
	bool new = strcmp(o->desired, to->desired) == 0;

	found->old_desired = found->old_desired && old;
	found->new_desired = found->new_desired && new;
	found->stranger = found->stranger || (!old && !new);
	/* one whose instance and revision stay the same counts as both */
	found->new_runs = found->new_runs && runs && to->revision[0] != '\0' &&
	    strcmp(o->instance.revision, to->revision) == 0 &&
	    strcmp(o->instance.reference, to->reference) == 0 &&
	    (!same || strcmp(from->revision, to->revision) == 0);
	found->replaced = found->replaced || (!had_none && o->n > 0 && !same);
}

static void
compare(const struct journal *j, const struct observation *o, struct found *found)
{
	const struct observed *seen;
	const struct part *from;
	size_t i;

	*found = (struct found){ .old_desired = true,
		.new_desired = true,
		.new_runs = true };
	for (i = 0; i < j->to.n; i++) {
		seen = observed_of(o, j->to.part[i].service);
		if (seen == NULL)
			continue;
		from = release_part(&j->from, j->to.part[i].service);
		compare_part(from, &j->to.part[i], seen, found);
	}
}

/* Of an engine that cannot observe only the desired version is known. */
static enum action
decide(const struct journal *j, const struct found *found, bool observes)
{
	if (found->stranger || (j->phase == PHASE_PREPARE && !found->old_desired))
		return ABANDON;
	if (!observes && j->phase == PHASE_VERIFY && found->new_desired)
		return COMPLETE;
	if (!observes)
		return j->phase == PHASE_PREPARE ? DISCARD : REVERT;
	/*
	 * From apply on, an `up` that was cut short may have told the engine to stop
	 * an instance that still runs: that it runs now says nothing.
	 */
	if (j->phase == PHASE_PREPARE)
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
	return fault_set(f, FAULT_FAILED, NULL, "the %s of %s was interrupted",
	    record_verb_name(d->j.verb), d->j.to.tag);
}

static int
abandon(struct deploy *d, struct fault *f)
{
	struct fault why = { 0 };

	interrupted(d, &why);
	progress_say(d->s->progress, SAY_WARN,
	    "%s; somebody changed the version since: it stays as it is", why.what);
	if (commit_record(d, OUTCOME_ABANDONED, &why, f) == -1)
		return -1;
	return journal_clear(d->s->dirfd, f);
}

/* What runs is verified by its revision; a reboot starts what the reference means. */
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
	return phases_run(d, "verify", f);
}

static int
act(struct deploy *d, enum action action, struct fault *f)
{
	switch (action) {
	case ABANDON:
		return abandon(d, f);
	case DISCARD:
		interrupted(d, f);
		return undo_prepare(d, f);
	case FORWARD:
		d->how = APPLY_RESUMED;
		return phases_run(d, "apply", f);
	case COMPLETE:
		return complete(d, f);
	case REVERT:
		break;
	}
	d->how = APPLY_RESUMED;
	interrupted(d, f);
	return undo_revert(d, f);
}

/* A journal says nothing about another engine than its own. */
static int
check_engine(const struct deploy *d, struct fault *f)
{
	char next[160], safe[32];

	if (strcmp(d->j.engine, d->s->engine->name) == 0)
		return 0;
	text_escape(safe, sizeof(safe), d->j.engine, strlen(d->j.engine));
	snprintf(next, sizeof(next), "set engine = %s, then run `recover`", safe);
	return fault_set(f, FAULT_HOST, next,
	    "the interrupted %s of %s was begun with the engine %s",
	    record_verb_name(d->j.verb), d->j.to.tag, safe);
}

/* The names that format 1 does not have. */
static void
name_parts(struct deploy *d)
{
	const struct target *t = d->s->target;

	release_name_parts(&d->j.from, t->service[0].name);
	release_name_parts(&d->j.to, t->service[0].name);
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

/* It says what it would have said. */
static int
repeat_end(struct deploy *d, const struct ended *e, struct fault *f)
{
	if (journal_clear(d->s->dirfd, f) == -1)
		return -1;
	return e->code == 0 ? 0
			    : fault_set(f, (enum fault_kind)e->code, NULL, "%s", e->why);
}

static int
recover(struct deploy *d, struct fault *f)
{
	struct session *s = d->s;
	struct observation o;
	struct found found;
	struct ended ended = { .id = d->j.id };

	if (check_engine(d, f) == -1 || s->engine->reap(s->engine, f) == -1 ||
	    history_walk(s->dirfd, find_ended, &ended, f) == -1)
		return -1;
	if (ended.found)
		return repeat_end(d, &ended, f);
	name_parts(d);
	progress_say(s->progress, SAY_NOTE,
	    "recovering the interrupted %s of %s (begun %s, phase %s)",
	    record_verb_name(d->j.verb), d->j.to.tag, d->j.time, phase_name(d->j.phase));
	if (s->engine->observe(s->engine, &o, f) == -1)
		return -1;
	compare(&d->j, &o, &found);
	return act(d, decide(&d->j, &found, s->engine->observes), f);
}

/*
 * Where the journal had to stay, nothing else may be begun; and the exit code
 * says whether the interrupted run had changed anything.
 */
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
	f->kind = d->j.phase == PHASE_PREPARE ? FAULT_HOST : FAULT_UNVERIFIED;
	return -1;
}

int
recover_run(struct session *s, bool *left, struct fault *f)
{
	struct deploy d = { .s = s, .success = OUTCOME_RECOVERED, .wish = "" };

	journal_sweep(s->dirfd);
	history_sweep(s->dirfd);
	if (journal_read(s->dirfd, &d.j, left, f) == -1) {
		*left = true;
		return -1;
	}
	/* a `recover --start` that was killed leaves no journal */
	if (!*left)
		return s->engine->reap(s->engine, f);
	return conclude_recovery(&d, recover(&d, f), left, f);
}

void
recover_later(struct session *s, struct fault *why)
{
	struct fault none = { 0 };
	struct journal j;
	bool found, done;

	if (journal_read(s->dirfd, &j, &found, &none) == -1 || !found ||
	    (history_has(s->dirfd, j.id, &done, &none) == 0 && done))
		return;
	progress_say(s->progress, SAY_WARN, "the interrupted %s of %s is not recovered",
	    record_verb_name(j.verb), j.to.tag);
	if (j.phase != PHASE_PREPARE)
		why->kind = FAULT_UNVERIFIED;
}
