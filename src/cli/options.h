/*
 * options.h: parses argv.  argv is trusted: it comes from authorized_keys or from the
 * operator's shell.  Only SSH_ORIGINAL_COMMAND comes from the network
 * (request/request.h).
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "request/request.h"

#include <stdbool.h>

struct options {
	const char *actor;   /* --actor; NULL: not given */
	const char *trigger; /* --trigger, a name of enum trigger; NULL: not given */
	const char *config;  /* --config; NULL: not given */
	const char *targets; /* --target, "NAME,NAME" or "all"; NULL: not given */
	const char *verbs;   /* --allow, "VERB,VERB" or "all"; NULL: not given */
	bool verbose;
	bool local;                 /* --local: ignore SSH_ORIGINAL_COMMAND */
	bool allow[VERB__MAX];      /* of --allow */
	char line[REQUEST_MAX + 2]; /* the words of argv as a request; "": none */
};

/*
 * --help and --version become the requests of these names, with --local.
 * FAULT_REFUSED for an unknown or abbreviated option, and for an unknown trigger.
 */
int options_parse(struct options *, int argc, char **argv, struct fault *) MUST_CHECK;

#endif
