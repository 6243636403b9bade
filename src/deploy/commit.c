/*
 * How a deploy ends: the record, then the journal, then the disk space that is no
 * longer needed.
 */
#include "deploy/internal.h"

#include "request/tag.h"
#include "state/folder.h"
#include "state/ledger.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void
tell_caller(const struct session *s, const struct record *r)
{
	if (s->on_record != NULL)
		s->on_record(s->arg, s->target, r);
}

int
commit_record(struct session *s, const struct record *r, struct fault *f)
{
	if (history_append(s->dirfd, r, f) == -1)
		return -1;
	tell_caller(s, r);
	return 0;
}

/* The record of this deploy; its code is that of `why`, 0 for NULL. */
static void
make_record(const struct deploy *d, enum outcome outcome, const struct fault *why,
    struct record *r)
{
	memset(r, 0, sizeof(*r));
	(void)strlcpy(r->id, d->j.id, sizeof(r->id));
	(void)strlcpy(r->time, d->j.time, sizeof(r->time));
	r->verb = d->j.verb;
	r->who = d->j.who;
	r->from = d->j.from;
	r->to = d->j.to;
	r->outcome = outcome;
	r->unjudged = d->unjudged;
	r->seq = d->j.seq;
	r->tries = d->seen.tries;
	r->ms = d->ms;
	r->ms.total = clock_ms() - d->s->began;
	if (why != NULL) {
		r->code = (int)why->kind;
		(void)strlcpy(r->why, why->what, sizeof(r->why));
	}
}

void
commit_started(struct deploy *d)
{
	struct record r;

	make_record(d, OUTCOME_STARTED, NULL, &r);
	tell_caller(d->s, &r);
}

struct trim {
	struct engine *e;
	struct fault f; /* of the engine, which is not asked again then */
};

/* A tag with a version number is never used again; others matter while they can run. */
static bool
is_worth_a_record(void *arg, const struct release *r)
{
	struct trim *t = arg;
	bool here;

	if (tag_is_release(r->tag))
		return true;
	/* no answer does not mean that the images are gone */
	return t->e->observes &&
	    (t->f.kind != FAULT_NONE || t->e->available(t->e, r, &here, &t->f) == -1 ||
		here);
}

static void
trim_history(struct deploy *d)
{
	struct trim t = { .e = d->s->engine };
	struct fault f = { 0 };

	if (ledger_trim(d->s->dirfd, is_worth_a_record, &t, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "history not trimmed: %s", f.what);
}

/* Keeps the images of this release, of the one before and of the newest known-good. */
static int
prune_images(struct deploy *d, struct fault *f)
{
	size_t keep = d->s->target->keep < 2 ? 2 : (size_t)d->s->target->keep, n;
	struct engine *e = d->s->engine;
	struct release *list = calloc(keep + 2, sizeof(*list));
	int rc;

	if (list == NULL)
		return fault_memory(f);
	rc = ledger_good(d->s->dirfd, false, list, keep, &n, f);
	if (rc == 0) {
		list[n++] = d->j.from;
		list[n++] = d->j.to;
		rc = e->prune(e, list, n, f);
	}
	free(list);
	return rc;
}

static void
prune_reported(struct deploy *d)
{
	struct fault f = { 0 };

	if (prune_images(d, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "not pruned: %s", f.what);
}

/* The journal stays where the disk refuses the record: recovery writes it. */
static bool
close_journal(struct deploy *d, enum outcome outcome, const struct fault *why)
{
	struct fault f = { 0 };

	/* before the record, after which a recovery does nothing more */
	predeploy_tidy(d);
	make_record(d, outcome, why, &d->s->record);
	if (commit_record(d->s, &d->s->record, &f) == 0 &&
	    journal_clear(d->s->dirfd, &f) == 0)
		return true;
	progress_say(d->s->progress, SAY_WARN, "%s; %s", f.what, f.next);
	return false;
}

void
commit_success(struct deploy *d)
{
	struct engine *e = d->s->engine;
	struct fault f = { 0 };

	if (d->seen.tries == 0)
		progress_say(d->s->progress, SAY_RESULT, "running and stable");
	else
		progress_say(d->s->progress, SAY_RESULT, "healthy after %u tries",
		    d->seen.tries);
	if (!close_journal(d, d->success, NULL))
		return;
	if (e->observes && e->retain(e, &d->j.to, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
	prune_reported(d);
	trim_history(d);
}

void
commit_failure(struct deploy *d, enum outcome outcome, const struct fault *why)
{
	/* many failures must not fill the disk either */
	if (close_journal(d, outcome, why))
		trim_history(d);
}

void
commit_nothing(struct deploy *d)
{
	struct fault f = { 0 };

	if (journal_clear(d->s->dirfd, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s; %s", f.what, f.next);
}

/* ---- space ---- */

struct space {
	int64_t min;          /* bytes */
	char place[PATH_MAX]; /* the first folder with less; "" for none */
	int64_t free;
};

static void
measure(void *arg, const char *place)
{
	struct space *s = arg;
	int64_t free = folder_free_space(place);

	/* -1: the folder does not exist, so nothing is written there */
	if (s->place[0] != '\0' || free < 0 || free >= s->min)
		return;
	(void)strlcpy(s->place, place, sizeof(s->place));
	s->free = free;
}

static int
measure_all(struct deploy *d, struct space *s, struct fault *f)
{
	struct engine *e = d->s->engine;

	memset(s, 0, sizeof(*s));
	s->min = d->s->target->disk_min;
	measure(s, d->s->target->state);
	return e->observes ? e->places(e, measure, s, f) : 0;
}

int
commit_space(struct deploy *d, bool may_prune, struct fault *f)
{
	char has[TEXT_SIZE_MAX], needs[TEXT_SIZE_MAX];
	struct space s;

	if (measure_all(d, &s, f) == -1)
		return -1;
	if (s.place[0] == '\0')
		return 0;
	if (may_prune) {
		progress_say(d->s->progress, SAY_WARN,
		    "little space is left: pruning first");
		prune_reported(d);
		return commit_space(d, false, f);
	}
	return fault_set(f, FAULT_HOST, "free some space there, or lower disk_min",
	    "not enough disk space: %s free at %.200s, %s required",
	    text_size(has, s.free), s.place, text_size(needs, s.min));
}
