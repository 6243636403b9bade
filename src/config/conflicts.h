/*
 * conflicts.h: what two targets must not share.
 */
#ifndef CONFIG_CONFLICTS_H
#define CONFIG_CONFLICTS_H

#include "config/config.h"
#include "config/sections.h"

/*
 * FAULT_HOST "PATH:LINE: targets A and B have the same ...": a state folder, a lock, a
 * variable of one env_file, or a service of one compose project.
 */
int conflicts_check(struct config *, const struct sections *, struct fault *) MUST_CHECK;

#endif
