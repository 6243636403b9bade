/*
 * engine.h: the interface between deploy/ and what runs containers.  A new engine is a
 * file or folder here, and a row of the table in open.c.
 *
 * All functions return 0, or -1 with the fault set.  FAULT_HOST: the engine could not be
 * asked, or the host is not ready; it says nothing about a release.  FAULT_FAILED: a
 * command was started, and failed.  An engine repeats a read that fails until
 * call_limit has passed.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "config/target.h"
#include "dotenv/mask.h"
#include "sys/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instance_state {
	INSTANCE_GONE, /* no instance has this id */
	INSTANCE_CREATED,
	INSTANCE_RUNNING,
	INSTANCE_RESTARTING,
	INSTANCE_PAUSED,
	INSTANCE_REMOVING,
	INSTANCE_EXITED,
	INSTANCE_DEAD,
	INSTANCE__MAX
};

/* The value of State.Status in the Engine API (moby api/types/container). */
const char *engine_state_name(enum instance_state);

/* One container at one look. */
struct instance {
	char id[INSTANCE_MAX];
	char name[160];
	char revision[REVISION_MAX];
	char reference[REFERENCE_MAX]; /* that it was created from */
	enum instance_state state;
	char started[48];   /* the engine's text, for comparison */
	int64_t started_ms; /* since 1970; 0: never */
	int64_t restarts;
	int64_t exit_code;
	bool oom_killed;
	char address[48]; /* numeric, where this host reaches it; "": unknown */
};

enum oneoff_kind { ONEOFF_JOB, ONEOFF_CANDIDATE };

/* An instance that runs beside those of the services. */
struct oneoff {
	char service[SERVICE_MAX];
	char instance[INSTANCE_MAX];
};

/* Those of one deploy. */
struct oneoffs {
	size_t n;
	struct oneoff list[SERVICES_MAX];
};

/* One service at one look. */
struct observed {
	char service[SERVICE_MAX];
	char desired[DESIRED_MAX]; /* what a reboot would start; the engine's own text */
	size_t n;                  /* instances */
	size_t running;            /* those of them that run */
	struct instance instance;  /* one that runs, else one that ran; no id: none */
};

struct observation {
	size_t n;
	struct observed part[SERVICES_MAX]; /* in the target's order */
};

/* What identifies the image of a part, beside its revision. */
#define DIGESTS_MAX 16
#define COMMIT_MIN 7 /* digits that name a commit */
#define COMMIT_MAX 65
struct identity {
	char repository[REFERENCE_MAX]; /* of the part's reference */
	/* by which that registry knows it; "sha256:HEX" */
	char digest[DIGESTS_MAX][DIGEST_MAX];
	size_t n;
	char commit[COMMIT_MAX]; /* hexadecimal digits, of its label; "": unknown */
	bool odd;                /* its label is something else */
};

/* Flags of apply. */
#define APPLY_REVERT 1U  /* `over` failed; a desired value other than its own stays */
#define APPLY_RESUMED 2U /* an earlier apply was interrupted, perhaps by a power cut */
#define APPLY_BOOT 4U    /* services that these depend on may be down */

struct engine {
	void *self;
	const char *name;    /* in the settings and in the journal */
	bool observes;       /* false: the functions marked [observes] are NULL */
	struct mask *mask;   /* for text from elsewhere; owned by the engine */
	const char *by_hand; /* how a person looks at what runs */

	/* Is the engine reachable, and can it deploy this target? */
	int (*check)(struct engine *, struct fault *);

	/* What runs, and what a reboot would start.  Works without a check() before. */
	int (*observe)(struct engine *, struct observation *, struct fault *);

	/*
	 * Sets reference, previous and desired of each service for `tag`; instance and
	 * revision stay as they are.  Changes and fetches nothing.
	 */
	int (
	    *resolve)(struct engine *, const char *tag, struct release *, struct fault *);

	/* [observes] Sets the revision of each reference on this host; "": not here. */
	int (*revisions)(struct engine *, struct release *, struct fault *);

	/* Fetches a resolved release and sets its revisions.  Idempotent. */
	int (*prepare)(struct engine *, struct release *, struct fault *);

	/* [observes] Identifies the image of a part that has a revision. */
	int (*identify)(struct engine *, const struct part *, struct identity *,
	    struct fault *);

	/*
	 * [observes] Sets service, reference and revision of the pre-deploy job, as the
	 * last resolve found it; all empty if its image is that of a service, or does not
	 * name the tag.  FAULT_HOST if it could run another image.
	 */
	int (*job_part)(struct engine *, const struct release *, struct part *,
	    struct fault *);

	/* [observes] Undoes prepare: each reference names its previous image again. */
	int (*discard)(struct engine *, const struct release *, struct fault *);

	/*
	 * Makes a release the desired and the running one, by its revisions and
	 * without a registry.  It replaces the release `over`.  A part without a
	 * revision did not run before: its service is removed.  May be repeated, also
	 * after a kill.  FAULT_HOST: nothing was started or stopped.
	 */
	int (*apply)(struct engine *, const struct release *, const struct release *over,
	    unsigned how, struct fault *);

	/*
	 * Restarts services, of this target or not; `services` ends with NULL.  They
	 * keep their instances.
	 */
	int (*restart)(struct engine *, const char *const *services, struct fault *);

	/*
	 * One-off instances of a prepared release, which outlive this process.  NULL:
	 * there are none.  `id` is the deploy's.  oneoff_start() starts the pre-deploy
	 * job, or a candidate of the service `i`, which nothing takes for that service.
	 * It returns once that runs, or is over; FAULT_FAILED: it was not started, but an
	 * instance may be left.  oneoff_find() finds all of a deploy, oneoff_end() stops
	 * one if it runs, and removes it.
	 */
	int (*oneoff_start)(struct engine *, enum oneoff_kind, const struct release *,
	    size_t i, const char *id, struct fault *);
	int (*oneoff_find)(struct engine *, enum oneoff_kind, const char *id,
	    struct oneoffs *, struct fault *);
	int (*oneoff_end)(struct engine *, const char *instance, struct fault *);

	/*
	 * Can the service `i` of a resolved release have a candidate?  FAULT_HOST with
	 * the reason.  Reports what it would share with the instance that serves.
	 */
	int (*candidate_check)(struct engine *, size_t i, struct fault *);

	/* The port at which a candidate of that service answers; "": unknown. */
	const char *(*candidate_port)(struct engine *, size_t i);

	/* Sets the desired value back to that of `r`, if it is that of `over`. */
	int (*undesire)(struct engine *, const struct release *r,
	    const struct release *over, struct fault *);

	/* [observes] One look at an instance; INSTANCE_GONE is an answer. */
	int (*look)(struct engine *, const char *id, struct instance *, struct fault *);

	/*
	 * [observes] Opens a stream of the instances' events.  Returns a descriptor,
	 * owned by the engine, that becomes readable at an event; -1: there is no
	 * stream.  changed() reads what came, sets *fd to -1 at the end of the stream,
	 * and returns true if the instances have to be looked at.
	 */
	int (*watch)(struct engine *, const char *const *ids, size_t n);
	bool (*changed)(struct engine *, int *fd);

	/* [observes] Reports the last lines of an instance's log. */
	int (*evidence)(struct engine *, const char *id, struct fault *);

	/*
	 * Ends or waits for detached commands of an earlier run.  Afterwards none of
	 * them changes anything any more.
	 */
	int (*reap)(struct engine *, struct fault *);

	/* [observes] Is every revision of the release on this host? */
	int (*available)(struct engine *, const struct release *, bool *, struct fault *);

	/* [observes] Keeps the release's revisions from being pruned by others. */
	int (*retain)(struct engine *, const struct release *, struct fault *);

	/* Removes images of the target that are in no release of `keep`, nor in use. */
	int (*prune)(struct engine *, const struct release *keep, size_t n,
	    struct fault *);

	/* [observes] Calls `place` with each folder in which the engine keeps images. */
	int (*places)(struct engine *, void (*place)(void *, const char *), void *arg,
	    struct fault *);

	void (*close)(struct engine *);
};

/*
 * May this user deploy the target: is what holds its desired version there, and this
 * user's own?  Creates nothing and asks no engine.  FAULT_HOST otherwise.
 */
int engine_check_owner(const struct target *, struct fault *) MUST_CHECK;

/*
 * Opens the engine of the target's settings; `dirfd` is the state folder.  The caller
 * calls engine_close(*e).  FAULT_HOST if its tools or files are missing.
 */
int engine_open(struct engine **e, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;
void engine_close(struct engine *);

#endif
