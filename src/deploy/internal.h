/*
 * internal.h: what the files of this folder share.
 *
 * The phases fill one struct deploy.  Its journal is the part that survives a kill.
 */
#ifndef DEPLOY_INTERNAL_H
#define DEPLOY_INTERNAL_H

#include "deploy/deploy.h"
#include "health/http.h"
#include "request/request.h"
#include "state/journal.h"

/* What verification saw; set by verify_release(). */
struct verified {
	unsigned tries; /* windows of the slowest service */
	bool stopped;   /* a signal ended it */
	bool away;      /* the engine went away meanwhile, and may have ended instances */
	/* the service that failed; "" for none */
	char service[SERVICE_MAX];
	char instance[INSTANCE_MAX]; /* "" for none */
	struct http_answer answer;   /* why is "" when it was not asked */
	bool of_version;             /* the answer is one of version_url */
};

struct deploy {
	struct session *s;
	struct journal j;
	const struct request *asked; /* NULL: rollback, recovery */
	const char *wish;     /* rollback: the tag that was asked for, "" for any */
	enum outcome success; /* what to record when it succeeds */
	unsigned how;         /* APPLY_RESUMED: an earlier run was interrupted */
	bool unjudged;        /* its failure is no evidence about the release */
	bool begun;           /* a phase is in the journal, also of an earlier run */
	bool announced;       /* on_record got OUTCOME_STARTED, also in an earlier run */
	bool quarantined;     /* a bad release: its refusal leaves no record */
	int64_t applied;      /* when apply began (sys/deadline.h); 0: not in this run */
	const char *failed;   /* for the headline of a revert; NULL: verification */
	struct verified seen;
	struct timing ms;
};

/* ---- phases.c ---- */

/* Fills a new one: id, time, who. */
void deploy_begin(struct deploy *, struct session *, enum record_verb);

/*
 * Runs the table of phases from the row `from` on, "" for all.  A row that fails is
 * undone as the table says.
 */
int phases_run(struct deploy *, const char *from, struct fault *) MUST_CHECK;

/* FAULT_FAILED once INT or TERM came. */
int deploy_stopped(struct fault *) MUST_CHECK;

/* ---- observe.c ---- */

/* Sets j.from to what runs; its tag is "" where nothing does. */
int observe_running(struct deploy *, struct fault *) MUST_CHECK;

/*
 * The same before a change: retains the images and reports drift.  A healthy release
 * that is not known yet is adopted.
 */
int observe_from(struct deploy *, struct fault *) MUST_CHECK;

/*
 * Sets the release to what is desired, with its revisions.  FAULT_HOST where that is no
 * version of the target, or not on this host.
 */
int observe_desired(struct session *, const struct observation *, struct release *,
    struct fault *) MUST_CHECK;

/* ---- choose.c ---- */

/*
 * Puts the parts of a release of the history or the journal in the target's order, which
 * may have changed since, each with the name of its service.  Returns the service that
 * the release lacks, or NULL.
 */
const char *choose_parts(const struct target *, struct release *);

/* Sets j.to to the known-good release to go back to.  FAULT_REFUSED for none. */
int choose_release(struct deploy *, struct fault *) MUST_CHECK;

/* ---- identity.c ---- */

/*
 * Before anything is fetched.  FAULT_HOST where the engine cannot identify what the
 * request or a setting wants identified; FAULT_REFUSED where a signature is missing.
 */
int identity_possible(const struct deploy *, struct fault *) MUST_CHECK;

/*
 * Of a resolved release: FAULT_HOST where its job could run another image than the one
 * that is identified, or where it needs a signature and has two repositories.
 */
int identity_signable(const struct deploy *, struct fault *) MUST_CHECK;

/*
 * Identifies the image of a part, and sets its digest: `digest`, if the image has that,
 * else one that it has, or "".
 */
int identity_of(const struct session *, struct part *, const char *digest,
    struct identity *, struct fault *) MUST_CHECK;

/*
 * Sets the digests of j.to, and checks that its images are what the request, their tag
 * and the history say.  Parts without a revision are skipped.  FAULT_REFUSED.
 */
int identity_check(struct deploy *, struct fault *) MUST_CHECK;

/* ---- quarantine.c ---- */

/*
 * Is the prepared release, by its revisions, bad on this host?  FAULT_REFUSED if the
 * trigger runs by itself, and sets `quarantined`; a person is warned.
 */
int quarantine_check(struct deploy *, struct fault *) MUST_CHECK;

/* ---- verify.c ---- */

/*
 * Takes the parts in the target's order, as observe, resolve and choose_parts() set
 * them.  Passes when every service with a revision has exactly one instance, of that
 * revision, which runs, has run for health_settle without a restart, and answers at its
 * health URL, where it has one.  `at`: these candidates are verified, each at its own
 * address; NULL: the services.  Restarts of an instance that `before` has do not count
 * up to now.  `since`: when apply began (sys/deadline.h), 0 when not in this run.
 *
 * FAULT_FAILED with the reason.  FAULT_HOST when the engine could not be asked.
 */
#define VERIFY_STOPPABLE 1U /* a signal ends it */
#define VERIFY_VERSION 2U   /* it also names its version at version_url, if it has one */
int verify_release(struct session *, const struct release *, const struct oneoffs *at,
    const struct release *before, int64_t since, unsigned how, struct verified *,
    struct fault *) MUST_CHECK;

/* ---- instance.c ---- */

/*
 * They return NULL for nothing, or a text, which may be `out`.  Does `now` run without a
 * restart since `first`?  More restarts than `restarts` count.
 */
const char *instance_trouble(const struct instance *first, int64_t restarts,
    const struct instance *now, char *out, size_t size);

/* Is there one instance, of the part's revision? */
const char *instance_mismatch(const struct part *, const struct observed *, char *out,
    size_t size);

/* ---- predeploy.c ---- */

/* Is there a pre-deploy job? */
bool predeploy_is_wanted(const struct deploy *);

/* FAULT_HOST: there is one, and the engine has none. */
int predeploy_check(const struct session *, struct fault *) MUST_CHECK;

/* Did the deploy come to its job, which may have changed a database? */
bool predeploy_began(const struct deploy *);

/*
 * Runs the job, and waits for its end.  FAULT_FAILED: it failed, did not end within its
 * limit, or a signal came, after its end.  FAULT_HOST: the engine could not be asked.
 */
int predeploy_run(struct deploy *, struct fault *) MUST_CHECK;

/* When the deploy ends: removes what is left of its job; a failure is reported. */
void predeploy_tidy(struct deploy *);

/* For a recovery: waits for the job of an earlier run, within its limit, and ends it. */
int predeploy_recover(struct deploy *, struct fault *) MUST_CHECK;

/* ---- candidate.c ---- */

/* Has a service that is going to be replaced the strategy `rehearse`? */
bool candidate_is_wanted(const struct deploy *);

/* Of a resolved release: FAULT_HOST where a service cannot be rehearsed. */
int candidate_possible(const struct session *, struct fault *) MUST_CHECK;

/*
 * Starts the candidates, verifies them, and ends them.  FAULT_FAILED: one failed, or a
 * signal.  FAULT_HOST: the engine could not be asked.
 */
int candidate_run(struct deploy *, struct fault *) MUST_CHECK;

/* For a recovery: ends the candidates of an earlier run. */
int candidate_recover(struct deploy *, struct fault *) MUST_CHECK;

/* Stops the one-off instances of the deploy that run, and removes all of them. */
int oneoffs_end(struct deploy *, enum oneoff_kind, struct fault *) MUST_CHECK;

/* ---- drain.c ---- */

/* Does a service that serves have a drain_url, and will it be replaced? */
bool drain_is_wanted(const struct deploy *);

/* Drains those services.  FAULT_FAILED: a signal; whatever else fails is a warning. */
int drain_run(struct deploy *, struct fault *) MUST_CHECK;

/* Resumes the instances that were drained and still run, or restarts them. */
int drain_resume(struct deploy *, struct fault *) MUST_CHECK;

/* ---- restart.c ---- */

/* After apply: restarts what the setting `restart` names.  FAULT_FAILED. */
int restart_others(struct deploy *, struct fault *) MUST_CHECK;

/* ---- undo.c ---- */

/*
 * They end a deploy that failed for the reason `why`, write its record and clear its
 * journal.  Always -1, with what is so now added to `why`: FAULT_FAILED when what
 * served before serves, or nothing did; else FAULT_UNVERIFIED.  The journal stays where
 * a later try may succeed.
 */

/* Nothing was changed: no record, and `why` stays as it is. */
int undo_nothing(struct deploy *, struct fault *why);

/* Before apply: resumes what was drained, and discards.  FAULT_REFUSED stays. */
int undo_prepare(struct deploy *, struct fault *why);

/* The same after the pre-deploy job or the candidates were started; ends them. */
int undo_oneoffs(struct deploy *, struct fault *why);

/* Reports what is known of the instance that failed, before it is removed. */
void undo_report_evidence(struct deploy *, const struct fault *why);

/* Resumes what was drained, if the deploy came to that. */
int undo_drain(struct deploy *, struct fault *) MUST_CHECK;

/* From apply on: reverts. */
int undo_revert(struct deploy *, struct fault *why);

/* No answer before `up`: discards; where an earlier run may have applied, as the next. */
int undo_unapplied(struct deploy *, struct fault *why);

/* No answer, which is no evidence about the release: the journal stays as it is. */
int undo_later(struct deploy *, struct fault *why);

/* ---- commit.c ---- */

/* Adds a record to the history, and tells the session's on_record. */
int commit_record(struct session *, const struct record *, struct fault *) MUST_CHECK;

/* Tells the session's on_record that the deploy begins; nothing is written. */
void commit_started(struct deploy *);

/*
 * They write the record, clear the journal, and free space.  What fails is reported.
 * The code of a failure's record is the kind of `why`, 0 for NULL.
 */
void commit_success(struct deploy *);
void commit_failure(struct deploy *, enum outcome, const struct fault *why);

/* Clears the journal of a deploy that leaves no record. */
void commit_nothing(struct deploy *);

/*
 * Is there as much space as the setting disk_min says, in the state folder and where
 * the engine keeps images?  With `may_prune`, prunes and looks again.  FAULT_HOST.
 */
int commit_space(struct deploy *, bool may_prune, struct fault *) MUST_CHECK;

#endif
