/*
 * tag.h: which tags may be deployed.  First docker's grammar, then the
 * operator's expression, which must span the whole tag whatever it says.
 */
#ifndef REQUEST_TAG_H
#define REQUEST_TAG_H

#include "sys/fault.h"

#include <stdbool.h>

/* [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}, github.com/distribution/reference */
bool tag_is_valid(const char *tag);

/*
 * FAULT_REFUSED "invalid tag: …", with examples of what is accepted; FAULT_HOST when
 * `pattern` is no POSIX extended expression.
 */
int tag_check(const char *tag, const char *pattern, struct fault *) MUST_CHECK;

/* Does it end in N.N.N: a release, whose tag is never used again? */
bool tag_is_release(const char *tag);

#endif
