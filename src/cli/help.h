/*
 * help.h: `help` and its topics.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/output.h"
#include "request/request.h"

/*
 * `topic` is "" for the verbs, of which those that `may` says are shown; a topic, or a
 * verb's name.  FAULT_REFUSED for another one.
 */
int help_show(struct output *, const char *topic, const bool may[VERB__MAX],
    struct fault *) MUST_CHECK;

/* The verbs that `may` says, on stderr: what an empty request is answered with. */
void help_short(struct output *, const bool may[VERB__MAX]);

/* Their names, ", " between two; not those that are always allowed. */
const char *help_names(const bool may[VERB__MAX], char *out, size_t size);

#endif
