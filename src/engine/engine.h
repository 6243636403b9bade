/*
 * engine.h: what runs containers, as deploy/ sees it: a struct of functions.
 *
 * All return 0, or -1 with the fault set.  FAULT_HOST means that the engine
 * could not be asked, for as long as it is worth waiting; FAULT_FAILED that it
 * was, and the call failed.
 *
 * A blind engine takes every call and reports nothing (the docker stub of a
 * harness).  It is what the settings name, never guessed.  On a blind engine
 * only check, settle, pull, up and prune are called.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "state/version.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum container_state {
	CONTAINER_GONE, /* there is none of this id */
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_RESTARTING,
	CONTAINER_PAUSED,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
	CONTAINER__MAX
};

struct container {
	char id[IMAGE_ID_MAX];
	char name[160];
	char image[IMAGE_ID_MAX]; /* the image's id */
	char ref[REF_MAX];        /* the reference it was made from */
	enum container_state state;
	char started[48];   /* as the engine writes it: to compare */
	int64_t started_ms; /* since 1970; 0 when it never was */
	int64_t restarts;
	int64_t exit_code;
	bool oom_killed;
};

#define SERVICE_DEPENDS_MAX 16

struct depend {
	char service[64];
	bool completes; /* it has done its work when it exited with 0 */
};

struct service {
	char ref[REF_MAX]; /* what the compose file resolves to */
	char project[128];
	struct depend depends[SERVICE_DEPENDS_MAX]; /* services it depends on */
	size_t n_depends;
};

struct image_name {
	char ref[REF_MAX]; /* repository:tag */
	char image[IMAGE_ID_MAX];
	bool used; /* a container, anybody's, was made from this name */
};

/* How to bring a service up. */
#define UP_DEPENDS 1U  /* what it depends on too */
#define UP_RECREATE 2U /* even if it looks as it should */

struct engine {
	void *self;
	bool blind;

	/* Does the engine answer?  To be called before those that look. */
	int (*connect)(struct engine *, struct fault *);

	/* Connects; are the tools that change something there, and new enough? */
	int (*check)(struct engine *, struct fault *);

	/* The service as it would be with `tag`. */
	int (*describe)(struct engine *, const char *tag, struct service *,
	    struct fault *);

	/*
	 * Finds the project of the service that runs, without its compose file's
	 * help; false when that does not tell (describe() does).
	 */
	int (*locate)(struct engine *, bool *found, struct fault *);

	/* Those below need describe() or locate(). */

	/* The service's containers, one-offs left out; of many, `max`. */
	int (*containers)(struct engine *, struct container *, size_t max, size_t *n,
	    struct fault *);
	int (*inspect)(struct engine *, const char *id, struct container *,
	    struct fault *);

	/*
	 * Opens a stream of what happens to a container, and returns a descriptor
	 * that becomes readable when something does; -1 where only looking tells.
	 * changed() takes what came, and clears *fd when the stream has ended: true
	 * when a look is due.  The descriptor is the engine's.
	 */
	int (*watch)(struct engine *, const char *id);
	bool (*changed)(struct engine *, int *fd);

	/* Is all that the service depends on running, or done? */
	int (*depends_run)(struct engine *, const struct service *, bool *,
	    struct fault *);

	/* The id behind a reference or id; "" when the host has none. */
	int (*image)(struct engine *, const char *ref, char id[IMAGE_ID_MAX],
	    struct fault *);

	/* All names below `repository`; *list is malloc'd, the caller's. */
	int (*names)(struct engine *, const char *repository, struct image_name **list,
	    size_t *n, struct fault *);

	/* Calls `place` with each folder where the engine keeps images. */
	int (*places)(struct engine *, void (*place)(void *, const char *), void *arg,
	    struct fault *);

	/* The last lines of its output, through the progress callback. */
	int (*logs)(struct engine *, const char *id, struct fault *);

	/* These move names and containers; they do not die with us. */
	int (*pull)(struct engine *, const char *tag, struct fault *);
	int (*up)(struct engine *, const char *tag, unsigned how, struct fault *);
	int (*name)(struct engine *, const char *image, const char *ref, struct fault *);
	int (*unname)(struct engine *, const struct image_name *, size_t n,
	    struct fault *);
	int (*remove)(struct engine *, const char *container, struct fault *);

	/* Dangling images older than a week go, anybody's. */
	int (*prune)(struct engine *, struct fault *);

	/*
	 * A pull or up of a deployer that was killed may still be at work: ends
	 * the pull, waits for the up as long as it may take, then ends it too.
	 * Afterwards nothing of it moves any more.
	 */
	int (*settle)(struct engine *, struct fault *);
};

#endif
