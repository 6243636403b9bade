/*
 * internal.h: what the files of this folder share.
 *
 * A deploy is a struct that the phases fill; what must survive a kill is in its
 * journal.
 */
#ifndef DEPLOY_INTERNAL_H
#define DEPLOY_INTERNAL_H

#include "deploy/deploy.h"
#include "health/http.h"
#include "state/journal.h"

/* What verification saw; filled by verify_release(). */
struct verified {
	unsigned tries; /* windows of the slowest service */
	bool stopped;   /* a signal ended it: nothing is judged */
	/* the service that failed, if one did */
	char service[SERVICE_MAX];
	char instance[INSTANCE_MAX]; /* "" for none */
	struct http_answer answer;   /* why is "" when it was not asked */
};

struct deploy {
	struct session *s;
	struct journal j;
	const char *wish;     /* rollback: the tag that was asked for, "" for any */
	enum outcome success; /* what to record when it succeeds */
	unsigned how;         /* APPLY_RESUMED: an earlier run was interrupted */
	bool unjudged;        /* what failed says nothing about the release */
	int64_t applied;      /* when apply began (sys/deadline.h); 0: not in this run */
	struct verified seen;
	struct timing ms;
};

/* ---- phases.c ---- */

/* Fills a new one: id, time, who. */
void deploy_begin(struct deploy *, struct session *, enum record_verb);

/*
 * Runs the rows of the table of phases from the one named `from` on ("" for all).
 * A row that fails is undone as its row says.
 */
int phases_run(struct deploy *, const char *from, struct fault *) MUST_CHECK;

/* FAULT_FAILED once INT or TERM came. */
int deploy_stopped(struct fault *) MUST_CHECK;

/* ---- observe.c ---- */

/* What runs becomes j.from; no tag: nothing does. */
int observe_running(struct deploy *, struct fault *) MUST_CHECK;

/*
 * The same, retained and reported, for it may be reverted to; a healthy release that
 * is not known yet is adopted.
 */
int observe_from(struct deploy *, struct fault *) MUST_CHECK;

/* ---- choose.c ---- */

/* The known-good release to go back to becomes j.to. */
int choose_release(struct deploy *, struct fault *) MUST_CHECK;

/* ---- verify.c ---- */

/*
 * Passes when, for every service, exactly one instance is there, of the release's
 * revision, running, has run as long as it must without a restart, and answers at its
 * health URL, where it has one.  `before` is the release whose instances are no news;
 * `since` is when they were started (0 when not in this run).  A signal ends it where
 * `stoppable` is set.  FAULT_FAILED with the reason, or FAULT_HOST when the engine
 * could not be asked.
 */
int verify_release(struct session *, const struct release *, const struct release *before,
    int64_t since, bool stoppable, struct verified *, struct fault *) MUST_CHECK;

/* ---- undo.c ---- */

/*
 * These end a deploy that failed for the reason `why`, write its record and clear its
 * journal.  Always -1, with `why` extended by what follows from it: FAULT_FAILED when
 * what served before serves (or nothing did), else FAULT_UNVERIFIED; the journal then
 * stays where it is worth trying again.
 */

/* Nothing was changed: `why` is as it is, and no record is made. */
int undo_nothing(struct deploy *, struct fault *why);

/* Before apply: references mean what they meant. */
int undo_prepare(struct deploy *, struct fault *why);

/* From apply on: `from` is applied, and verified. */
int undo_revert(struct deploy *, struct fault *why);

/* Nothing of apply was begun, in this run: as before it; else reverted. */
int undo_unapplied(struct deploy *, struct fault *why);

/*
 * The engine does not answer after apply, which is no evidence about the release:
 * the journal stays.
 */
int undo_later(struct deploy *, struct fault *why);

/* ---- commit.c ---- */

/* The record, then the journal; then pruning.  Failures are reported, never undone. */
void commit_success(struct deploy *);
void commit_failure(struct deploy *, enum outcome, const struct fault *why);

/* One record of this deploy, durable; its code is that of `why` (or 0). */
int commit_record(struct deploy *, enum outcome, const struct fault *why,
    struct fault *) MUST_CHECK;

/*
 * Is there as much space as the setting disk_min requires, for the state folder and
 * for the engine's images?  Where not, prunes and looks again, if it may.  FAULT_HOST.
 */
int commit_space(struct deploy *, bool may_prune, struct fault *) MUST_CHECK;

#endif
