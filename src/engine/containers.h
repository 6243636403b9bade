/*
 * containers.h: the functions of struct engine that look at containers, over
 * the Engine API.
 */
#ifndef ENGINE_CONTAINERS_H
#define ENGINE_CONTAINERS_H

#include "engine/engine.h"

int containers_list(struct engine *, struct container *, size_t max, size_t *n,
    struct fault *) MUST_CHECK;
int containers_inspect(struct engine *, const char *id, struct container *,
    struct fault *) MUST_CHECK;
int containers_locate(struct engine *, bool *found, struct fault *) MUST_CHECK;
int containers_depends_run(struct engine *, const struct service *, bool *all,
    struct fault *) MUST_CHECK;
int containers_watch(struct engine *, const char *id);
bool containers_changed(struct engine *, int *fd);
int containers_logs(struct engine *, const char *id, struct fault *) MUST_CHECK;

#endif
