/*
 * choose.h: which target a request is for.
 *
 * `allowed` is what the key may use: names with ',' between two, or "all"; NULL is
 * "all".  A name that is not allowed is refused as one that is not there.
 */
#ifndef REQUEST_CHOOSE_H
#define REQUEST_CHOOSE_H

#include "config/config.h"

#include <stdbool.h>

struct choice {
	const struct target *target; /* of the config */
	char tag[TAG_MAX];           /* without the prefix where the target strips it */
};

bool choose_allows(const char *allowed, const char *name);

/*
 * By name; without one (NULL or "") the only target that is allowed.  FAULT_REFUSED
 * "invalid request: …" with the names that are.
 */
int choose_named(const struct config *, const char *name, const char *allowed,
    const struct target **, struct fault *) MUST_CHECK;

/*
 * The target whose tag_prefix and tag_pattern take the tag; the pattern is that of the
 * stripped one.  Only the target of `name` where it is not empty: that one takes a tag
 * which it strips also when it is stripped already.  FAULT_REFUSED "invalid tag: …"
 * where none takes it, or two do.
 */
int choose_by_tag(const struct config *, const char *tag, const char *name,
    const char *allowed, struct choice *, struct fault *) MUST_CHECK;

#endif
