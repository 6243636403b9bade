/*
 * deploy.h: from one version to another, or back.
 *
 * A deploy is a struct that the steps fill; what must survive a kill is in
 * its journal.  The ways that share it: deploy and rollback (deploy.c), the
 * way back (restore.c), mending what was interrupted (recover.c).
 */
#ifndef DEPLOY_DEPLOY_H
#define DEPLOY_DEPLOY_H

#include "deploy/gate.h"
#include "deploy/session.h"
#include "state/envfile.h"
#include "state/history.h"
#include "state/journal.h"

struct deploy {
	struct session *s;
	struct journal j;
	struct envfile env;
	struct service service; /* as described with j.to.tag */
	enum outcome success;   /* what to record when it goes well */
	bool recreate;          /* an `up` was cut short: the next one makes it anew */
	bool interrupted;       /* and never judged by the gate */
	bool leftovers;         /* half-made containers were seen */
	bool with_depends;      /* start what the service depends on too */
	bool resumed;           /* it goes on with what an earlier run began */
	struct gate gate;       /* the last one */
	int64_t up_began;       /* sys/deadline.h; 0: not in this run */
	int64_t pull_ms, up_ms, health_ms;
};

/*
 * The verbs.  0: the version runs, healthy.  FAULT_FAILED: what ran before
 * runs, verified, or nothing was changed.  FAULT_UNVERIFIED, FAULT_HOST,
 * FAULT_REFUSED, FAULT_SUPERSEDED (`seq` is older than the number in force;
 * 0 for none) as in sys/fault.h.  Lock held, nothing interrupted left over.
 */
int deploy_run(struct session *, const char *tag, int64_t seq, struct fault *) MUST_CHECK;

/* `tag` is "" for the newest proven version that is not the running one. */
int rollback_run(struct session *, const char *tag, struct fault *) MUST_CHECK;

/* ---- step.c and snapshot.c: shared by the files of this folder ---- */

/* A new one: id, time, who. */
void deploy_begin(struct deploy *, struct session *, const char *verb);

/* .env as it is, old_value from it; stale temp files go. */
int deploy_read(struct deploy *, struct fault *) MUST_CHECK;

/*
 * The service as compose makes it with j.to.tag; j.to.ref from it.  It must
 * end in that tag, or the compose file does not use the variable.
 */
int deploy_describe(struct deploy *, struct fault *) MUST_CHECK;

/* What runs: j.from, j.container; its image gets a second name. */
int deploy_snapshot(struct deploy *, struct fault *) MUST_CHECK;

/* Which image j.to.ref means on this host now; "" for none. */
int deploy_resolve(struct deploy *, char id[IMAGE_ID_MAX], struct fault *) MUST_CHECK;

/* FAULT_FAILED once INT or TERM came. */
int deploy_stopped(struct fault *) MUST_CHECK;

/* Swap, up, gate, history.  On failure reverts. */
int deploy_forward(struct deploy *, struct fault *) MUST_CHECK;

/*
 * The engine does not answer after `up`: `why` becomes FAULT_UNVERIFIED, and the
 * journal stays.  Always -1.
 */
int deploy_unanswered(struct deploy *, struct fault *why);

/* The history, then the journal, then the pruning. */
void deploy_commit(struct deploy *);

/* `up`, half-made containers of an earlier one removed first; timed. */
int deploy_up(struct deploy *, const char *tag, struct fault *) MUST_CHECK;

/* The gate for `image`, timed; the struct's gate tells what was seen. */
int deploy_gate(struct deploy *, const char *image, bool stoppable,
    struct fault *) MUST_CHECK;

/* One record of this deploy, durable; the code is that of `why` (or 0). */
int deploy_record(struct deploy *, enum outcome, const struct fault *why,
    struct fault *) MUST_CHECK;

/* Removes half-made containers that a killed `up` left: they block names. */
int deploy_sweep(struct deploy *, struct fault *) MUST_CHECK;

/* The tag of a reference, "" when it has none. */
void deploy_tag_of(const char *ref, char tag[TAG_MAX]);

/* Gives an image its second name, by which no prune takes it. */
int deploy_keep_image(struct deploy *, const char *image, struct fault *) MUST_CHECK;

/* The repository of those names: "twilight-deploy/<project>-<service>". */
void deploy_second_names(const struct deploy *, char repository[REF_MAX]);

/*
 * restore.c: lets `ref` mean `image` again, if it does not.  An image that is
 * gone cannot be named: that is no fault here, `up` and the gate judge it.
 * FAULT_HOST: to be tried again.
 */
int deploy_name_again(struct deploy *, const char *image, const char *ref,
    struct fault *) MUST_CHECK;

/* rollback.c: j.to.ref is to mean the proven image j.to.image. */
int rollback_name(struct deploy *, struct fault *) MUST_CHECK;

/*
 * restore.c.  The way back before the swap: names, and .env where the swap
 * was half done.  `why` is what failed; the fault then is FAULT_FAILED (or
 * why's own kind).  Always -1.
 */
int restore_names_only(struct deploy *, struct fault *why);

/*
 * The way back after it: .env, names, up, gate.  `why` becomes FAULT_FAILED
 * when what ran runs again, verified, else FAULT_UNVERIFIED.  Always -1.
 */
int restore_all(struct deploy *, struct fault *why);

/*
 * prune.c.  After a success; failures are only told.
 */
void prune_after(struct deploy *);

/* The history alone; after a failure too, or a row of them fills the disk. */
void prune_history(struct deploy *);

/* "127.0.0.1:5000/demo:v1" to "127.0.0.1:5000/demo"; "" for none. */
void prune_repository(const char *ref, char out[REF_MAX]);

/*
 * Is there as much space as TWILIGHT_DISK_MIN says, for the state folder and
 * for the engine's images?  Where not, prunes and looks again.  FAULT_HOST.
 */
int prune_until_space(struct deploy *, struct fault *) MUST_CHECK;

#endif
