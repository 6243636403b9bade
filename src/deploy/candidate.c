/*
 * Candidates: with strategy = rehearse the new version of a service first runs beside the
 * one that serves, and has to pass verification at its own address.
 *
 * MUST: end every candidate before anything else is changed, also after a kill.
 */
#include "deploy/internal.h"

#include "sys/deadline.h"

#include <bsd/string.h>
#include <string.h>

/* One that serves is going to be replaced. */
static bool
is_rehearsed(const struct deploy *d, size_t i)
{
	const struct part *to = &d->j.to.part[i];
	const struct part *from = release_part(&d->j.from, to->service);

	return target_rehearses(d->s->target, i) && from != NULL && from->served &&
	    !release_part_same(from, to);
}

bool
candidate_is_wanted(const struct deploy *d)
{
	size_t i;

	for (i = 0; i < d->j.to.n; i++)
		if (is_rehearsed(d, i))
			return true;
	return false;
}

int
candidate_possible(const struct session *s, struct fault *f)
{
	struct engine *e = s->engine;
	size_t i;

	for (i = 0; i < s->target->n_services; i++) {
		if (!target_rehearses(s->target, i))
			continue;
		if (e->candidate_check == NULL)
			return fault_set(f, FAULT_HOST, "use strategy = recreate",
			    "the engine %s cannot rehearse", e->name);
		if (e->candidate_check(e, i, f) == -1)
			return -1;
	}
	return 0;
}

int
oneoffs_end(struct deploy *d, enum oneoff_kind kind, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct oneoffs found;
	size_t i;

	if (e->oneoff_find == NULL)
		return 0;
	if (e->oneoff_find(e, kind, d->j.id, &found, f) == -1)
		return -1;
	for (i = 0; i < found.n; i++)
		if (e->oneoff_end(e, found.list[i].instance, f) == -1)
			return -1;
	return 0;
}

static int
start_candidates(struct deploy *d, struct oneoffs *found, struct fault *f)
{
	struct engine *e = d->s->engine;
	size_t i, n = 0;

	for (i = 0; i < d->j.to.n; i++) {
		if (!is_rehearsed(d, i))
			continue;
		if (e->oneoff_start(e, ONEOFF_CANDIDATE, &d->j.to, i, d->j.id, f) == -1)
			return -1;
		n++;
	}
	if (e->oneoff_find(e, ONEOFF_CANDIDATE, d->j.id, found, f) == -1)
		return -1;
	return found->n == n
	    ? 0
	    : fault_set(f, FAULT_FAILED, NULL, "a candidate has vanished");
}

/* Only its own failure is evidence about the release. */
static int
verify_candidates(struct deploy *d, const struct oneoffs *found, int64_t since,
    struct fault *f)
{
	char what[sizeof(f->what)];
	int rc;

	rc = verify_release(d->s, &d->j.to, found, NULL, since,
	    VERIFY_STOPPABLE | VERIFY_VERSION, &d->seen, f);
	d->unjudged = d->seen.stopped || d->seen.away ||
	    (rc == -1 && f->kind != FAULT_FAILED);
	if (rc == 0 || d->unjudged)
		return rc;
	(void)strlcpy(what, f->what, sizeof(what));
	fault_clear(f);
	fault_set(f, FAULT_FAILED, NULL, "rehearsal: %s", what);
	undo_report_evidence(d, f);
	/* a revert, where the old version has ended too, reports it only once */
	d->seen.service[0] = '\0';
	return -1;
}

int
candidate_run(struct deploy *d, struct fault *f)
{
	int64_t since = clock_ms();
	struct oneoffs found;

	d->unjudged = true;
	if (start_candidates(d, &found, f) == -1 ||
	    verify_candidates(d, &found, since, f) == -1)
		return -1;
	d->unjudged = true;
	if (oneoffs_end(d, ONEOFF_CANDIDATE, f) == -1 || deploy_stopped(f) == -1)
		return -1;
	d->unjudged = false;
	return 0;
}

int
candidate_recover(struct deploy *d, struct fault *f)
{
	return d->j.phase == PHASE_CANDIDATE ? oneoffs_end(d, ONEOFF_CANDIDATE, f) : 0;
}
