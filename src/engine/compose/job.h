/*
 * job.h: the pre-deploy job, a one-shot container; functions of struct engine.
 */
#ifndef ENGINE_COMPOSE_JOB_H
#define ENGINE_COMPOSE_JOB_H

#include "engine/engine.h"

int job_part(struct engine *, const struct release *, struct part *,
    struct fault *) MUST_CHECK;
int job_start(struct engine *, const struct release *, const char *id,
    struct fault *) MUST_CHECK;
int job_find(struct engine *, const char *id, char instance[INSTANCE_MAX],
    struct fault *) MUST_CHECK;
int job_end(struct engine *, const char *instance, struct fault *) MUST_CHECK;

#endif
