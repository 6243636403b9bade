/*
 * records.h: shows records of the history, as text or as JSON.
 *
 * In JSON a record is one line: the object of state/history.h, with the member
 * "target" (docs/schema/).
 */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "cli/output.h"
#include "config/target.h"
#include "state/history.h"

#include <jansson.h>

/* The JSON object, owned by the caller; NULL when out of memory. */
json_t *records_object(const struct record *, const char *target);

/* A JSON document as text, for free(3); NULL: out of memory.  The document is freed. */
char *records_text(json_t *);

/* Prints a JSON document as one line, and frees it.  NULL is printed as {}. */
void records_json(struct output *, json_t *);

/* One record as the row "last:", and its reason as a second row. */
void records_last(struct output *, const struct record *, int64_t now);

/*
 * `history`: the newest `count` records, the newest first.  FAULT_HOST if the home of
 * the target does not exist, or its history cannot be read.
 */
int records_show(struct output *, const struct target *, unsigned count, bool json,
    struct fault *) MUST_CHECK;

/* Reports that there is no history, and in which folder. */
void records_none(struct output *, const struct target *);

/* FAULT_HOST if the home of the target does not exist. */
int records_home(const struct target *, struct fault *) MUST_CHECK;

#endif
