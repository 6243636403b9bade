/*
 * member.h: the JSON members that journal and history have in common, in both formats
 * (journal.h, history.h).
 *
 * The functions that read return false if the member is missing, has another type or
 * does not fit; what they could not read is empty.
 */
#ifndef STATE_MEMBER_H
#define STATE_MEMBER_H

#include "state/history.h"

#include <jansson.h>

#define FORMAT_MAX 2 /* what is written */

/* Of a release: what identifies it, or all members. */
enum member_depth { MEMBER_IDENTITY, MEMBER_ALL };

/* NULL: out of memory, or a string is not UTF-8. */
json_t *member_of_release(const struct release *, enum member_depth);
json_t *member_of_who(const struct who *);

/* The string; "": the value is no string, or has a NUL in it. */
const char *member_value(const json_t *);
const char *member_text(const json_t *obj, const char *key);

bool member_string(const json_t *obj, const char *key, char *out, size_t size);
bool member_release(const json_t *obj, const char *key, int format, enum member_depth,
    struct release *);
bool member_verb(const json_t *obj, enum record_verb *);

/* 0: it is no integer. */
int64_t member_integer(const json_t *obj, const char *key);

json_t *member_of_timing(const struct timing *);
void member_timing(const json_t *ms, int format, struct timing *);
bool member_who(const json_t *obj, struct who *);

#endif
