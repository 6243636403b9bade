/*
 * hooks.h: runs the programs of the settings on_start and on_result.
 *
 * A hook gets a record on stdin, as `history --json` prints it, and parts of it in the
 * variables TWILIGHT_…; the rest of its environment is that of every child process
 * (sys/childenv.h, keep_env).  A hook that fails, that does not end within hook_limit or
 * that is missing causes a warning and a line in syslog.  It never changes the request.
 */
#ifndef CLI_HOOKS_H
#define CLI_HOOKS_H

#include "cli/output.h"
#include "config/target.h"
#include "state/history.h"

#include <jansson.h>

struct hooks {
	char *const *env;
	struct output *output;
	/* private: records for on_result */
	struct made *made;
	size_t n;
};

/*
 * For on_record of struct session; `hooks` is a struct hooks.  Runs on_start now if the
 * deploy begins; other records are kept for hooks_results().
 */
void hooks_record(void *hooks, const struct target *, const struct record *);

/* Runs on_result for each record that was kept.  The caller holds no lock. */
void hooks_results(struct hooks *);

/* `plan`: a row for each hook of the target. */
void hooks_plan(struct output *, const struct target *);

/* The same as JSON, of one hook's command; null for "". */
json_t *hooks_object(const char *command);

#endif
