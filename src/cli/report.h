/*
 * report.h: `status` and `history`.  They look, take no lock, change nothing.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/output.h"
#include "config/target.h"

int	report_status(struct output *, const struct target *, char *const *env,
	    struct fault *) MUST_CHECK;

/* The newest `count`, the newest first. */
int	report_history(struct output *, const struct target *, unsigned count,
	    struct fault *) MUST_CHECK;

#endif
