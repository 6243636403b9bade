/*
 * oneoff.h: the pre-deploy job and candidates: containers that `docker compose run` starts
 * beside the services.  Compose labels them as one-offs and does not count them; our own
 * label has the id of the deploy.  The functions of struct engine.
 */
#ifndef ENGINE_COMPOSE_ONEOFF_H
#define ENGINE_COMPOSE_ONEOFF_H

#include "engine/engine.h"

int job_part(struct engine *, const struct release *, struct part *,
    struct fault *) MUST_CHECK;
int oneoff_start(struct engine *, enum oneoff_kind, const struct release *, size_t i,
    const char *id, struct fault *) MUST_CHECK;
int oneoff_find(struct engine *, enum oneoff_kind, const char *id, struct oneoffs *,
    struct fault *) MUST_CHECK;
int oneoff_end(struct engine *, const char *instance, struct fault *) MUST_CHECK;
int candidate_check(struct engine *, size_t i, struct fault *) MUST_CHECK;
const char *candidate_port(struct engine *, size_t i);

#endif
