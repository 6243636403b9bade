/*
 * childenv.h: the environment, ours and our children's.
 *
 * main() takes the process's environment away from libc at the start; from
 * then on it is this array of strings, read by name.  A child's environment
 * is built from nothing.
 */
#ifndef SYS_CHILDENV_H
#define SYS_CHILDENV_H

#include "sys/fault.h"

#include <stddef.h>

/* The value of `name`, or NULL.  The first one counts where there are two. */
const char *env_get(char *const *env, const char *name);

struct childenv {
	char **list; /* NULL-terminated "NAME=value", owned */
	size_t n;
};

/*
 * PATH, HOME, USER, LOGNAME (from the password file where the environment
 * has none), SHELL, LANG, DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG,
 * XDG_RUNTIME_DIR and the names in `keep` (separated by spaces or commas) where `env` has them.
 */
int childenv_init(struct childenv *, char *const *env, const char *keep,
    struct fault *) MUST_CHECK;

/* Adds NAME=value, or replaces it. */
int childenv_set(struct childenv *, const char *name, const char *value,
    struct fault *) MUST_CHECK;

void childenv_free(struct childenv *);

#endif
