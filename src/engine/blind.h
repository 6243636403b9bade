/*
 * blind.h: an engine that reports nothing: a docker stub that takes every call,
 * as test harnesses have one.  Its exit codes are all that is known.
 */
#ifndef ENGINE_BLIND_H
#define ENGINE_BLIND_H

#include "engine/engine.h"

int blind_open(struct engine **, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;

#endif
