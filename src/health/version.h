/*
 * version.h: does an answer name the version that was deployed?  No I/O.
 */
#ifndef HEALTH_VERSION_H
#define HEALTH_VERSION_H

#include "state/release.h"

#include <stdbool.h>
#include <stddef.h>

/* What a service is expected to say of itself. */
struct version {
	char tag[TAG_MAX];
	char text[TAG_MAX]; /* "" where nothing is known: it may say what it likes */
	bool hex;           /* the first digits of a commit; more may follow */
};

/*
 * The digits of "sha-HEX", or of a tag that is 40 or 64 hexadecimal digits; else the
 * tag, without a "v" before a digit.  A tag without any digit ("latest") moves: then
 * the first digits of `commit`, the revision label of its image, which may be "".
 */
void version_of(struct version *, const char *tag, const char *commit);

/* The hexadecimal digits of a tag of one of these forms; "" where it has none. */
const char *version_hex(const char *tag);

/*
 * `expect` is "", a text with %t (the tag) or %h (what is expected), or the name of a
 * JSON member, with a dot before each member of a member.  A text must occur in the
 * body, not as part of a longer version; a member must be the version.
 */
bool version_is_said(const struct version *, const char *expect, const char *body,
    size_t len);

#endif
