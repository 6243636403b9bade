/*
 * options.h: argv.  It comes from authorized_keys or from the operator's own
 * prompt, so it is trusted; what comes over the network is only
 * SSH_ORIGINAL_COMMAND (request/request.h).
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "request/request.h"

#include <stdbool.h>

struct options {
	const char *actor;   /* --actor; NULL when not given */
	const char *config;  /* --config, likewise */
	const char *targets; /* --target, likewise: NAME,NAME or "all" */
	bool verbose;
	bool local; /* --local: SSH_ORIGINAL_COMMAND is not looked at */
	bool allow_given;
	bool allow[VERB__MAX];
	char line[REQUEST_MAX + 2]; /* the request in argv's words; "" for none */
};

/*
 * Help and version as options become those verbs, as if they were asked for
 * locally.  FAULT_REFUSED for what is not an option; none may be abbreviated.
 */
int options_parse(struct options *, int argc, char **argv, struct fault *) MUST_CHECK;

#endif
