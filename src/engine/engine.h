/*
 * engine.h: what runs containers, as deploy/ sees it: a struct of functions.
 * A new engine is a file or folder here, and a row of the table in open.c.
 *
 * All return 0, or -1 with the fault set.  FAULT_HOST means that the engine
 * could not be asked, or the host is not ready; FAULT_FAILED that a command was
 * given, and failed.  Looks that fail are repeated by the engine for as long as
 * it is worth waiting: FAULT_HOST of a look never says anything about a release.
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
	INSTANCE_GONE, /* there is none of this id */
	INSTANCE_CREATED,
	INSTANCE_RUNNING,
	INSTANCE_RESTARTING,
	INSTANCE_PAUSED,
	INSTANCE_REMOVING,
	INSTANCE_EXITED,
	INSTANCE_DEAD,
	INSTANCE__MAX
};

/* State.Status of the Engine API, github.com/moby/moby api/types/container. */
const char *engine_state_name(enum instance_state);

/* One container at one look. */
struct instance {
	char id[INSTANCE_MAX];
	char name[160];
	char revision[REVISION_MAX];
	char reference[REFERENCE_MAX]; /* from which it was created */
	enum instance_state state;
	char started[48];   /* as the engine writes it: to compare */
	int64_t started_ms; /* since 1970; 0 when it never was */
	int64_t restarts;
	int64_t exit_code;
	bool oom_killed;
};

/* One service: the instance that counts as "what runs", and how many do. */
struct observed {
	char service[SERVICE_MAX];
	char desired[DESIRED_MAX]; /* what a reboot starts; the engine's own text */
	size_t n;                  /* instances; of them... */
	size_t running;            /* ...those that run */
	struct instance instance;  /* one that runs, else one that did; no id: none did */
};

struct observation {
	size_t n;
	struct observed part[SERVICES_MAX]; /* in the target's order */
};

/* How to apply. */
#define APPLY_REVERT 1U  /* `over` failed: a desired value that is not over's stays */
#define APPLY_RESUMED 2U /* an earlier apply was interrupted, perhaps by a power cut */
#define APPLY_BOOT 4U    /* what the services depend on may be down */

struct engine {
	void *self;
	const char *name;  /* in the settings and in the journal */
	bool observes;     /* false: observe, look and what needs them are not called */
	struct mask *mask; /* for text from elsewhere; the engine's */

	/* Is it reachable, new enough, the target well-formed for it? */
	int (*check)(struct engine *, struct fault *);

	/* What runs, and what a reboot would start.  `check` need not precede it. */
	int (*observe)(struct engine *, struct observation *, struct fault *);

	/*
	 * What `tag` is for each service: reference, previous, desired; instance and
	 * revision are left as they are.  Changes nothing, fetches nothing.
	 */
	int (
	    *resolve)(struct engine *, const char *tag, struct release *, struct fault *);

	/* The revision of each reference on this host; "" for one that is not here. */
	int (*revisions)(struct engine *, struct release *, struct fault *);

	/* Fetches a resolved release and sets its revisions.  Idempotent. */
	int (*prepare)(struct engine *, struct release *, struct fault *);

	/* Undoes prepare: each reference means what it meant before. */
	int (*discard)(struct engine *, const struct release *, struct fault *);

	/*
	 * Makes a release the desired and the running one, by its revisions and
	 * without a registry.  `over` is the release that it takes the place of.  A
	 * part without a revision did not run: its service is removed.  May be
	 * repeated, also after a kill.  FAULT_HOST: nothing was started or stopped.
	 */
	int (*apply)(struct engine *, const struct release *, const struct release *over,
	    unsigned how, struct fault *);

	/* Makes the desired value that of `r` again, where it is that of `over`. */
	int (*undesire)(struct engine *, const struct release *r,
	    const struct release *over, struct fault *);

	/* One look at an instance.  INSTANCE_GONE is an answer. */
	int (*look)(struct engine *, const char *id, struct instance *, struct fault *);

	/*
	 * Opens a stream of what happens to the instances, and returns a descriptor
	 * that becomes readable when something does; -1 where only looking helps.
	 * changed() reads what came, and sets *fd to -1 when the stream has ended:
	 * true when a look is due.  The descriptor is the engine's.
	 */
	int (*watch)(struct engine *, const char *const *ids, size_t n);
	bool (*changed)(struct engine *, int *fd);

	/* Reports the last lines of an instance's log. */
	int (*evidence)(struct engine *, const char *id, struct fault *);

	/*
	 * Ends, or waits for, commands of a deployer that was killed: a pull is
	 * ended, the others are waited for up to their limit, then ended.
	 * Afterwards nothing of them moves any more.
	 */
	int (*reap)(struct engine *, struct fault *);

	/* Can the release be applied without a registry: is every revision here? */
	int (*available)(struct engine *, const struct release *, bool *, struct fault *);

	/* Keeps the release's revisions from being pruned by others. */
	int (*retain)(struct engine *, const struct release *, struct fault *);

	/* Removes what is ours, of no release in `keep`, and not in use. */
	int (*prune)(struct engine *, const struct release *keep, size_t n,
	    struct fault *);

	/* Calls `place` with each folder where the engine keeps images. */
	int (*places)(struct engine *, void (*place)(void *, const char *), void *arg,
	    struct fault *);

	void (*close)(struct engine *);
};

/*
 * The engine that the target's settings name; `dirfd` is the state folder.  *e is
 * the caller's, to be given to engine_close().  FAULT_HOST where its tools or files
 * are missing.
 */
int engine_open(struct engine **e, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;
void engine_close(struct engine *);

#endif
