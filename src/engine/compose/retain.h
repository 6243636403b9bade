/*
 * retain.h: which images stay on this host.  Images of known-good releases get a
 * second name, the retention tag, so that nobody's prune takes them; names that no
 * kept release needs are removed.
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

/* "127.0.0.1:5000/demo:v1" to "127.0.0.1:5000/demo"; "" for none. */
void retain_repository(const char *reference, char out[REFERENCE_MAX]);

#endif
