/*
 * config.h: the targets, from the configuration file and the environment.
 *
 * The file is the one of --config, else /etc/twilight-deploy.conf where it is there.
 * It is trusted only when its owner is root or the effective user and nobody else may
 * write it.  A symlink is followed, since configuration management makes such: what
 * was opened is judged.  A link that others can turn reaches only files that root or
 * the user owns.
 *
 * Settings before the first section are for all targets; each [target NAME] has its
 * own after them.  A file without a section has the one target `default`, and so has
 * the environment without a file.  Where `default` is the only target, the environment
 * wins over the file; else its TWILIGHT_ settings are refused, by name.
 *
 * state: the folder itself in a target's own section and for `default`; else the
 * target's is targets/NAME below it.
 * health_url: of the first service; its default is for the target `default` only, for
 * another target's service does not answer there.  health_url.SERVICE is of one
 * service and wins.  A service without either must only run.
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
	char path[PATH_MAX];   /* of the file; "" where there is none */
	struct target *target; /* owned */
	size_t n;
};

/*
 * `path` is that of --config, or NULL.  FAULT_HOST "PATH:LINE: what", "PATH: what" or
 * "bad setting NAME=value: must be …"; nothing is owned then.
 */
int config_load(struct config *, const char *path, char *const *env,
    struct fault *) MUST_CHECK;
void config_free(struct config *);

/* By name; NULL when there is none. */
const struct target *config_find(const struct config *, const char *name);

/*
 * Reports, a line each, the TWILIGHT_ names in `env` that nobody reads: a slip in one
 * leaves a default in force.
 */
void config_strays(const struct config *, char *const *env,
    void (*line)(void *, const char *), void *arg);

/* Every key with its environment name, default and text: `help settings`. */
void config_describe(void (*line)(void *, const char *), void *arg);

#endif
