/*
 * report.h: `status` and `history`.  They look, take no lock, change nothing.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/output.h"
#include "config/target.h"
#include "state/history.h"
#include "state/journal.h"

int report_status(struct output *, const struct target *, char *const *env,
    struct fault *) MUST_CHECK;

/* The newest `count`, the newest first; as JSON a record a line. */
int report_history(struct output *, const struct target *, unsigned count, bool json,
    struct fault *) MUST_CHECK;

/* In words, with the folder: it may be the wrong one. */
const char *report_nothing(const struct target *, char *out, size_t size);

/* One record as JSON. */
void report_record(struct output *, const struct record *);

#define REPORT_ROW "%-10s " /* a row of `status` begins with its name */

/* One record as the row "last:". */
void report_last(struct output *, const struct record *);

/*
 * What was begun and has no end: 1, and its journal; 0 nothing.  One that the
 * history knows is over (state/journal.h), whatever was left of it.  dirfd -1: there
 * is no state folder.
 */
int report_unfinished(int dirfd, struct journal *, struct fault *) MUST_CHECK;

#endif
