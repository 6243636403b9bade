/*
 * config.h: the targets, from the configuration file and the environment.
 *
 * The file is trusted only when its owner is root or the effective user and nobody
 * else may write it.  A symlink is followed, because configuration management makes
 * them; the checks are on the file that was opened.
 *
 * Settings before the first section are for all targets; each [target NAME] has its
 * own after them.  A file without a section, and the environment without a file, are
 * the one target `default`.  Where `default` is the only target, the environment wins
 * over the file; with other targets, TWILIGHT_ settings in it are refused.
 *
 * state: the folder itself in a target's own section and for `default`; for another
 * target, targets/NAME in the shared one.
 * health_url: of the first service.  Its default is for the target `default` only:
 * services of other targets do not answer there.  health_url.SERVICE wins over it.  A
 * service without a URL only has to run.
 *
 * One table of keys (keys.c) feeds the parser of the file, that of the environment, and
 * `help settings`.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/target.h"

#include <stdbool.h>

#define CONFIG_PATH "/etc/twilight-deploy.conf"
#define TARGETS_MAX 64

struct config {
	char path[PATH_MAX];   /* of the file; "": there is none */
	struct target *target; /* owned */
	size_t n;
};

/*
 * Reads the file `path`, unless that is NULL or missing and `optional`, and the
 * environment (may be NULL).  FAULT_HOST "PATH:LINE: what", "PATH: what" or "bad
 * setting NAME=value: must be …"; nothing is owned then.
 */
int config_load(struct config *, const char *path, bool optional, char *const *env,
    struct fault *) MUST_CHECK;
void config_free(struct config *);

/* By name; NULL when there is none. */
const struct target *config_find(const struct config *, const char *name);

/*
 * Reports, a line each, the TWILIGHT_ names in `env` that are no settings: a misspelt
 * one leaves a default in force.
 */
void config_strays(const struct config *, char *const *env,
    void (*line)(void *, const char *), void *arg);

/* Every key with its environment name, default and text: `help settings`. */
void config_describe(void (*line)(void *, const char *), void *arg);

#endif
