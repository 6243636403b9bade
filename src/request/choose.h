/*
 * choose.h: chooses the target of a request.
 *
 * `allowed` lists the targets that the key may use: names separated by ',', or "all";
 * NULL is "all".  A target that is not allowed is refused like an unknown one.
 */
#ifndef REQUEST_CHOOSE_H
#define REQUEST_CHOOSE_H

#include "config/config.h"

#include <stdbool.h>

struct choice {
	const struct target *target; /* of the config */
	char tag[TAG_MAX];           /* without the prefix, if the target strips it */
};

bool choose_allows(const char *allowed, const char *name);

/*
 * By name; without one (NULL or "") the only allowed target.  FAULT_REFUSED
 * "invalid request: …", which lists the allowed names.
 */
int choose_named(const struct config *, const char *name, const char *allowed,
    const struct target **, struct fault *) MUST_CHECK;

/*
 * The tag as the target uses it, with or without its prefix; tag_pattern does not
 * matter.  FAULT_REFUSED "invalid tag: …" if it does not follow docker's grammar.
 */
int choose_tag(const struct target *, const char *tag, char out[TAG_MAX],
    struct fault *) MUST_CHECK;

/*
 * The target whose tag_prefix and tag_pattern match the tag; the pattern is matched
 * against the stripped tag.  With a `name` only that target is tried; it also accepts a
 * tag that is already stripped.  FAULT_REFUSED "invalid tag: …" if no target matches,
 * or two do; if the prefix of only one fits, the fault has its reason.
 */
int choose_by_tag(const struct config *, const char *tag, const char *name,
    const char *allowed, struct choice *, struct fault *) MUST_CHECK;

#endif
