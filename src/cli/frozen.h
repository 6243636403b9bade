/*
 * frozen.h: the verbs freeze and unfreeze, which need neither a lock nor an engine.
 */
#ifndef CLI_FROZEN_H
#define CLI_FROZEN_H

#include "cli/handlers.h"

int frozen_begin(struct call *, const struct target *, struct fault *) MUST_CHECK;
int frozen_end(struct call *, const struct target *, struct fault *) MUST_CHECK;

#endif
