/*
 * member.h: the JSON members that the journal and the history have in common, in
 * both formats (journal.h, history.h).
 *
 * Those that read return false where the member is missing, has another type, or
 * does not fit; what they could not read is left empty.
 */
#ifndef STATE_MEMBER_H
#define STATE_MEMBER_H

#include "state/history.h"

#include <jansson.h>

#define FORMAT_MAX 2 /* what is written */

/* How much of a release: what identifies it, or all that is known of it. */
enum member_depth { MEMBER_IDENTITY, MEMBER_ALL };

/* NULL when out of memory, or for a string that is not UTF-8. */
json_t *member_of_release(const struct release *, enum member_depth);
json_t *member_of_who(const struct who *);

/* The string; "" for a value that is no string, or that has a NUL in it. */
const char *member_value(const json_t *);
const char *member_text(const json_t *obj, const char *key);

bool member_string(const json_t *obj, const char *key, char *out, size_t size);
bool member_release(const json_t *obj, const char *key, int format, enum member_depth,
    struct release *);
bool member_verb(const json_t *obj, enum record_verb *);
bool member_who(const json_t *obj, struct who *);

#endif
