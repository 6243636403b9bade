/*
 * compose.h: an engine that asks the Docker Engine API and changes things by
 * `docker` and `docker compose`.
 *
 * Compose gets all its settings in the environment, so that the command line is
 * the one that an operator types, with flags behind it.  docker is found on PATH.
 */
#ifndef ENGINE_COMPOSE_H
#define ENGINE_COMPOSE_H

#include "config/target.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/mover.h"
#include "sys/childenv.h"

struct compose {
	struct engine engine; /* what the callers use */
	/* private: */
	const struct target *target;
	const struct progress *progress;
	struct api api;
	struct http events; /* what happens to the container that is watched */
	struct mover mover;
	struct childenv env;
	struct mask mask;
	char docker[PATH_MAX];
	char files[2 * PATH_MAX + 2]; /* COMPOSE_FILE */
	char project[128];
};

/*
 * `dirfd` is the state folder.  FAULT_HOST where docker or a compose file is
 * missing.  On failure nothing is owned; else compose_close() it.
 */
int compose_open(struct compose *, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;
void compose_close(struct compose *);

/* Lines of a container's log that are shown as evidence. */
#define COMPOSE_LOG_LINES "20"

#endif
