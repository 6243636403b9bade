/*
 * records.h: records of the history, for people and for programs.
 *
 * For programs a record is an object on a line: that of state/history.h, and
 * "target".  Members may be added.
 */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "cli/output.h"
#include "config/target.h"
#include "state/history.h"

#include <jansson.h>

/* The object, the caller's; NULL when out of memory. */
json_t *records_object(const struct record *, const char *target);

/* One JSON document on a line, and frees it. */
void records_json(struct output *, json_t *);

/* One record as the row "last:", with its reason on a line of its own. */
void records_last(struct output *, const struct record *, int64_t now);

/* The newest record that is not of an adoption; no id where there is none. */
int records_newest(int dirfd, struct record *, struct fault *) MUST_CHECK;

/*
 * `history`: the newest `count`, the newest first.  FAULT_HOST where the target's home
 * is not there, or its history cannot be read.
 */
int records_show(struct output *, const struct target *, unsigned count, bool json,
    struct fault *) MUST_CHECK;

/* Says that there is no history, and where it was looked for. */
void records_none(struct output *, const struct target *);

/* FAULT_HOST where the target's home does not exist: a slip in its path. */
int records_home(const struct target *, struct fault *) MUST_CHECK;

#endif
