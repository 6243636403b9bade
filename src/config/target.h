/*
 * target.h: the settings, from the environment over the defaults, in one
 * struct.  Reading them touches nothing on disk.
 */
#ifndef CONFIG_TARGET_H
#define CONFIG_TARGET_H

#include "sys/fault.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct target {
	char home[PATH_MAX]; /* TWILIGHT_HOME */
	char env_file[PATH_MAX];
	char compose_dir[PATH_MAX];
	char state[PATH_MAX]; /* the state folder */
	char lock[PATH_MAX];
	char service[64]; /* compose service */
	char project[64]; /* compose project; "": compose's own choice */
	char health_url[1280];
	char tag_pattern[512]; /* POSIX ERE; must span the whole tag */
	char keep_env[1024];   /* names that children get too */
	char prune[8];         /* "all" or "own" */
	char engine[8];        /* "compose" or "blind" */
	int64_t health_tries;
	int64_t health_sleep;  /* milliseconds */
	int64_t health_settle; /* milliseconds */
	int64_t pull_limit;    /* milliseconds */
	int64_t up_limit;      /* milliseconds */
	int64_t call_limit;    /* milliseconds */
	int64_t keep;          /* proven versions that prune spares */
	int64_t disk_min;      /* bytes */
};

/* The variable in .env that says the version. */
#define TARGET_VARIABLE "TWILIGHT_VERSION"

/* FAULT_HOST names the setting that is wrong; its value is shown escaped. */
int target_load(struct target *, char *const *env, struct fault *) MUST_CHECK;

/*
 * Tells, a line each, of the TWILIGHT_ names in `env` that nobody reads: a slip
 * in one leaves a default in force.
 */
void target_strays(const struct target *, char *const *env,
    void (*line)(void *, const char *), void *arg);

/* Every setting: a line with its default, then what it is for: `help settings`. */
void target_describe(void (*line)(void *, const char *), void *arg);

#endif
