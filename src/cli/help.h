/*
 * help.h: `help` and its topics.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/output.h"

/* `topic` is "" for the verbs.  FAULT_REFUSED for one that there is not. */
int help_show(struct output *, const char *topic, struct fault *) MUST_CHECK;

#endif
