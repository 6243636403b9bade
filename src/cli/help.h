/*
 * help.h: the verb `help` and its topics.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/output.h"
#include "request/request.h"

/*
 * `topic` is "" for the list of verbs that `may` has, a topic, or the name of a verb.
 * FAULT_REFUSED for an unknown topic.
 */
int help_show(struct output *, const char *topic, const bool may[VERB__MAX],
    struct fault *) MUST_CHECK;

/* The list of verbs on stderr: the answer to an empty request. */
void help_short(struct output *, const bool may[VERB__MAX]);

/* "deploy, status": the verbs that `may` has, but for those that are always allowed. */
void help_names(const bool may[VERB__MAX], char *out, size_t size);

#endif
