/*
 * handlers.h: what each verb does, and what it answers.
 */
#ifndef CLI_HANDLERS_H
#define CLI_HANDLERS_H

#include "cli/options.h"
#include "cli/output.h"
#include "config/config.h"
#include "request/request.h"
#include "request/who.h"
#include "sys/progress.h"

struct record;

/* All that a request carries through this folder. */
struct call {
	struct options options;
	struct request request;
	struct config config;
	struct who who;
	struct output output;
	struct progress progress;
	bool may[VERB__MAX]; /* what may be asked for */
	const char *allowed; /* targets, as request/choose.h takes them */
	const struct target *target[TARGETS_MAX]; /* that are meant */
	size_t n;
	char tag[TAG_MAX]; /* as the target takes it; "" for none */
	bool starting;     /* recover --start: all are recovered by now */
	char *const *env;
};

/* Does it take the lock of the target? */
bool handler_locks(enum verb);

bool handler_needs_target(enum verb);

/* Runs the request for one target; NULL where it needs none.  The fault is not shown. */
int handler_run(struct call *, const struct target *, struct fault *) MUST_CHECK;

/* `--json`: the record that was made, or one that says why there is none. */
void handler_answer(struct call *, const struct target *, const struct record *made,
    const struct fault *);

#endif
