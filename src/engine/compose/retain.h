/*
 * retain.h: which images stay on this host.  An image that the target deploys gets a
 * second name, its retention tag, which protects it from `docker image prune`.  When no
 * kept release needs it, its names are removed.
 */
#ifndef ENGINE_COMPOSE_RETAIN_H
#define ENGINE_COMPOSE_RETAIN_H

#include "engine/compose/compose.h"

/* The functions of struct engine. */
int retain_release(struct engine *, const struct release *, struct fault *) MUST_CHECK;
int retain_available(struct engine *, const struct release *, bool *,
    struct fault *) MUST_CHECK;
int retain_prune(struct engine *, const struct release *keep, size_t n,
    struct fault *) MUST_CHECK;

/* "127.0.0.1:5000/demo:v1" to "127.0.0.1:5000/demo". */
void retain_repository(const char *reference, char out[REFERENCE_MAX]);

#endif
