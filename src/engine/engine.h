/*
 * engine.h: what runs containers, as deploy/ sees it: a struct of functions.
 * compose.h makes one that drives docker and docker compose; the unit tests
 * make one that remembers.
 *
 * All return 0, or -1 with the fault set.  FAULT_HOST means that the engine
 * could not be asked; FAULT_FAILED that it was, and the call failed.
 *
 * An engine may be silent: it takes every call and tells nothing (the mock
 * of the founding harness).  That is decided by hello() and never again.  On
 * a silent engine only hello, settle, pull, up and prune are called.
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

struct service {
	char ref[REF_MAX]; /* what the compose file resolves to */
	char project[128];
	char depends[SERVICE_DEPENDS_MAX][64]; /* services it depends on */
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
	bool silent;

	/* Is it there, new enough, and does it speak?  Sets `silent`. */
	int (*hello)(struct engine *, struct fault *);

	/* The service as it would be with `tag`.  To be called before those below. */
	int (*describe)(struct engine *, const char *tag, struct service *,
	    struct fault *);

	/* The service's containers, one-offs left out; of many, `max`. */
	int (*containers)(struct engine *, struct container *, size_t max, size_t *n,
	    struct fault *);
	int (*inspect)(struct engine *, const char *id, struct container *,
	    struct fault *);

	/* Are all that the service depends on running? */
	int (*depends_run)(struct engine *, const struct service *, bool *,
	    struct fault *);

	/* The id behind a reference or id; "" when the host has none. */
	int (*image)(struct engine *, const char *ref, char id[IMAGE_ID_MAX],
	    struct fault *);

	/* All names below `repository`; *list is malloc'd, the caller's. */
	int (*names)(struct engine *, const char *repository, struct image_name **list,
	    size_t *n, struct fault *);

	/* Folder where the engine keeps images, "" when that is not this host. */
	int (*root)(struct engine *, char *path, size_t size, struct fault *);

	/* The last lines of its output, through the progress callback. */
	int (*logs)(struct engine *, const char *id, struct fault *);

	/* These move names and containers; they do not die with us. */
	int (*pull)(struct engine *, const char *tag, struct fault *);
	int (*up)(struct engine *, const char *tag, unsigned how, struct fault *);
	int (*name)(struct engine *, const char *image, const char *ref, struct fault *);
	int (*unname)(struct engine *, const char *ref, struct fault *);
	int (*remove)(struct engine *, const char *container, struct fault *);

	/* Dangling images older than a week go, anybody's. */
	int (*prune)(struct engine *, struct fault *);

	/*
	 * A pull or up of a deployer that was killed may still be at work:
	 * ends the pull, waits for the up as long as it may take, then ends
	 * it too.  Afterwards nothing of it moves any more.
	 */
	int (*settle)(struct engine *, struct fault *);
};

#endif
