/*
 * handlers.h: runs the verbs, and answers in text or JSON.
 */
#ifndef CLI_HANDLERS_H
#define CLI_HANDLERS_H

#include "cli/hooks.h"
#include "cli/options.h"
#include "cli/output.h"
#include "config/config.h"
#include "request/request.h"
#include "request/who.h"
#include "sys/progress.h"

struct freeze;
struct record;
struct release;

/* One run of the program. */
struct call {
	struct options options;
	struct request request;
	struct config config;
	struct who who;
	struct output output;
	struct progress progress;
	struct hooks hooks;
	const char *sent; /* SSH_ORIGINAL_COMMAND; NULL: none, or --local */
	const char *line; /* the request: `sent` or the words of argv */
	bool may[VERB__MAX];
	const char *allowed;                      /* targets, as in request/choose.h */
	const struct target *target[TARGETS_MAX]; /* of this request */
	size_t n;
	char tag[TAG_MAX];           /* as the target uses it; "": none */
	const struct freeze *frozen; /* freeze, unfreeze: for the answer; NULL: none */
	bool starting;    /* recover --start: all targets are recovered, start them */
	bool unrecovered; /* the recovery of the last target has not ended */
	char *const *env;
};

/* Does it take the lock of the target? */
bool handler_locks(enum verb);

/* Does it change something?  Then its exit code says what, even if nobody reads it. */
bool handler_changes(enum verb);

bool handler_needs_target(enum verb);

/*
 * Runs the request for one target; NULL if the verb needs none.  The caller shows the
 * fault.
 */
int handler_run(struct call *, const struct target *, struct fault *) MUST_CHECK;

/*
 * --json: the answer to a request that has no record in the history.  `outcome` is that
 * of success; target, `from` and `to` may be NULL.
 */
void handler_no_record(struct call *, const struct target *, const struct release *from,
    const struct release *to, const char *outcome, const struct fault *);

/* --json: the answer to a request that was refused before handler_run(). */
void handler_refusal(struct call *, const struct fault *);

#endif
