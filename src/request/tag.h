/*
 * tag.h: which tags may be deployed.  A tag must follow docker's grammar, and the
 * operator's expression must match the whole of it, with or without anchors.
 */
#ifndef REQUEST_TAG_H
#define REQUEST_TAG_H

#include "sys/fault.h"

#include <stdbool.h>

/* [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}, github.com/distribution/reference */
bool tag_is_valid(const char *tag);

/*
 * FAULT_REFUSED "invalid tag: …", with examples of accepted tags; FAULT_HOST if
 * `pattern` is not a POSIX extended expression.
 */
int tag_check(const char *tag, const char *pattern, struct fault *) MUST_CHECK;

/* Does the expression match the whole tag? */
bool tag_matches(const char *tag, const char *pattern);

/* Without this prefix, if it has it. */
const char *tag_bare(const char *tag, const char *prefix);

/* Does it end in N.N.N?  Such a tag names a release, and is not used twice. */
bool tag_is_release(const char *tag);

#endif
