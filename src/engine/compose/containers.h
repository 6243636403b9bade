/*
 * containers.h: reads containers over the Engine API.  The functions with a service need
 * compose->project.
 */
#ifndef ENGINE_COMPOSE_CONTAINERS_H
#define ENGINE_COMPOSE_CONTAINERS_H

#include "engine/compose/compose.h"
#include "engine/compose/inspect.h"

#define CONTAINERS_MAX 8 /* of one service; more are not read */

/* The service's containers, without one-offs. */
int containers_list(struct compose *, const char *service,
    struct instance list[CONTAINERS_MAX], size_t *n, struct fault *) MUST_CHECK;

/* Sets compose->project from the containers' labels; *found: they name one project. */
int containers_locate(struct compose *, bool *found, struct fault *) MUST_CHECK;

/* Does everything that the service depends on run, or has it completed? */
int containers_depends_run(struct compose *, const struct resolved *, bool *all,
    struct fault *) MUST_CHECK;

/* The functions of struct engine. */
int containers_look(struct engine *, const char *id, struct instance *,
    struct fault *) MUST_CHECK;
int containers_watch(struct engine *, const char *const *ids, size_t n);
bool containers_changed(struct engine *, int *fd);
int containers_evidence(struct engine *, const char *id, struct fault *) MUST_CHECK;

/* The containers with this label, NAME=VALUE. */
int containers_labelled(struct compose *, const char *label, struct oneoffs *,
    struct fault *) MUST_CHECK;

#endif
