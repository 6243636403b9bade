/*
 * report.h: `status` and `history`.  They look, take no lock, change nothing.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/output.h"
#include "config/target.h"
#include "state/history.h"

int report_status(struct output *, const struct target *, char *const *env,
    struct fault *) MUST_CHECK;

/*
 * Follows what is under way to its end, telling its steps; then its record
 * (the newest where there was nothing to follow, or it came to none), and its
 * code as the fault's kind.  FAULT_UNVERIFIED when what was
 * under way was killed and waits for being mended.
 */
int report_wait(struct output *, const struct target *, struct fault *) MUST_CHECK;

/* The newest `count`, the newest first; as JSON a record a line. */
int report_history(struct output *, const struct target *, unsigned count, bool json,
    struct fault *) MUST_CHECK;

/* One record as JSON. */
void report_record(struct output *, const struct record *);

#endif
