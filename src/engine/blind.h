/*
 * blind.h: an engine that cannot be observed: a docker stub that accepts every call, as
 * test harnesses have.  Only its exit statuses are known.
 */
#ifndef ENGINE_BLIND_H
#define ENGINE_BLIND_H

#include "engine/engine.h"

int blind_open(struct engine **, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;

#endif
