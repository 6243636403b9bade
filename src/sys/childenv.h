/*
 * childenv.h: our environment, and the one that child processes get.
 *
 * main() takes the process's environment away from libc at the start.  From then on it
 * is an array of strings that is read by name.  A child's environment is built from
 * nothing.
 */
#ifndef SYS_CHILDENV_H
#define SYS_CHILDENV_H

#include "sys/fault.h"

#include <stddef.h>

/* The value of `name`, or NULL.  The first of two counts.  `env` may be NULL. */
const char *env_get(char *const *env, const char *name);

/*
 * Finds `name` on the PATH of `env` and writes its absolute path into `out`.
 * FAULT_HOST: there is none, or it is not executable.
 */
int env_find(const char *name, char *const *env, char *out, size_t size,
    struct fault *) MUST_CHECK;

struct childenv {
	char **list; /* NULL-terminated "NAME=value", owned */
	size_t n;
};

/*
 * PATH, HOME, USER and LOGNAME, as `env` or else the password file has them, SHELL and
 * LANG.  FAULT_HOST: out of memory; nothing is owned then.
 */
int childenv_init(struct childenv *, char *const *env, struct fault *) MUST_CHECK;

/* Copies from `env` those of `names` (separated by spaces or commas) that it has. */
int childenv_keep(struct childenv *, char *const *env, const char *names,
    struct fault *) MUST_CHECK;

/* Adds NAME=value, or replaces it. */
int childenv_set(struct childenv *, const char *name, const char *value,
    struct fault *) MUST_CHECK;

/* May be called twice. */
void childenv_free(struct childenv *);

#endif
