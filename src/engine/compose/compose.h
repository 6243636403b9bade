/*
 * compose.h: the engine that reads from the Docker Engine API, and makes changes with
 * `docker` and `docker compose`.  This is what the files of this folder share.
 */
#ifndef ENGINE_COMPOSE_COMPOSE_H
#define ENGINE_COMPOSE_COMPOSE_H

#include "engine/compose/api.h"
#include "engine/compose/inspect.h"
#include "engine/docker.h"
#include "engine/engine.h"

struct compose {
	struct engine engine;
	struct docker docker;
	struct api api;
	struct http events;          /* the stream of watched containers */
	char project[128];           /* "" while it is not known */
	char described[DESIRED_MAX]; /* the variable's value for `resolved`; "": none */
	struct resolved resolved[SERVICES_MAX]; /* in the target's order */
	struct resolved job;                    /* one that is no service of the target */
	char port[12];                          /* of the last candidate_port() */
	bool checked;                           /* compose is new enough */
	bool cut; /* an `up` did not finish: the next one recreates what runs */
};

int compose_open(struct engine **, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;

/* apply.c: the function of struct engine. */
int compose_apply(struct engine *, const struct release *, const struct release *over,
    unsigned how, struct fault *) MUST_CHECK;

/* Connects to the engine, once. */
int compose_connect(struct compose *, struct fault *) MUST_CHECK;

/*
 * Sets `project` and `resolved` as compose resolves them with this value of the
 * variable.  The first call also checks that compose is new enough.
 */
int compose_describe(struct compose *, const char *value, struct fault *) MUST_CHECK;

#endif
