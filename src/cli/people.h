/*
 * people.h: formats times, tags and reasons for people and for a terminal of 80
 * columns.  No I/O.
 */
#ifndef CLI_PEOPLE_H
#define CLI_PEOPLE_H

#include "state/history.h"

#include <stddef.h>
#include <stdint.h>

#define PEOPLE_SHORT 24
#define PEOPLE_COLUMNS 80
#define PEOPLE_WHO_MAX 80

/* Seconds since 1970 of "2024-01-31T12:00:00Z"; -1 for anything else. */
int64_t people_time(const char *rfc3339);

/*
 * The time since `then`: "5 s", "12 min", "3 h", "2 d", "3 y"; "0 s" if `then` is in the
 * future (the clock was set back), "?" if it is negative.  Returns `out`, as do the
 * next five functions.
 */
const char *people_age(int64_t then, int64_t now, char out[PEOPLE_SHORT]);

/* "ci", "ci (poll)": the trigger is shown unless it is ssh or prompt. */
const char *people_who(const struct who *, char out[PEOPLE_WHO_MAX]);

/* "3.4 s", "95 s", "12 min" */
const char *people_took(int64_t ms, char out[PEOPLE_SHORT]);

/* At most `width` columns; a longer text ends in "..".  `size` must exceed `width`. */
const char *people_cut(const char *text, size_t width, char *out, size_t size);

/* The short reason in a record's `why`: without "not deployed: " and without the outcome. */
const char *people_reason(const char *why, char *out, size_t size);

/*
 * "deployed v1.1.0 (was v1.0.0) in 3.4 s; to go back: rollback", for a successful
 * record.  `target` is the name of the target, or NULL to leave it out.
 */
const char *people_success(const struct record *, const char *target, char *out,
    size_t size);

#endif
