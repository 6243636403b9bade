/*
 * said.h: what a JSON answer says at one place.  No I/O.
 */
#ifndef HEALTH_SAID_H
#define HEALTH_SAID_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The value of a member, "commit" or "git.commit", as text: a string as it is; a number,
 * true, false or null as JSON writes it.  False where there is none, or no such value.
 */
bool said_value(const char *body, size_t len, const char *path, char *out, size_t size);

/* Is it so?  `claim` is "MEMBER=VALUE". */
bool said_so(const char *body, size_t len, const char *claim);

#endif
