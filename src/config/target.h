/*
 * target.h: the settings of one target, a set of services that are deployed together.
 */
#ifndef CONFIG_TARGET_H
#define CONFIG_TARGET_H

#include "state/release.h"
#include "sys/fault.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define TARGET_NAME_MAX 64
#define TARGET_DEFAULT "default"
#define URL_MAX 1280
#define SHORT_URL_MAX 512
#define JOB_WORDS_MAX 16

struct service {
	char name[SERVICE_MAX];
	char health_url[URL_MAX];      /* valid; "": running and stable is enough */
	char drain_url[SHORT_URL_MAX]; /* POST; valid; "": it is not drained */
	char
	    drain_done_url[SHORT_URL_MAX]; /* GET; valid; "": a drain is not waited for */
	char drain_done_expect[256];       /* MEMBER=VALUE; "": 200 is enough */
	char drain_resume_url[SHORT_URL_MAX]; /* POST; valid; "": restarted instead */
	int64_t drain_limit;                  /* milliseconds */
	char version_url[URL_MAX]; /* valid; "": it is not asked for its version */
	char version_expect[128];  /* health/version.h */
	char strategy[12];         /* "": that of the target */
	int64_t port; /* of its container, for a candidate; 0: the one it publishes */
};

struct target {
	char name[TARGET_NAME_MAX];
	char home[PATH_MAX];
	char env_file[PATH_MAX];
	char compose_dir[PATH_MAX];
	char compose_files
	    [PATH_MAX];       /* absolute, with ':' between; "": compose's choice */
	char state[PATH_MAX]; /* the state folder */
	char lock[PATH_MAX];
	char project[64];         /* compose project; "": compose's own choice */
	char engine[8];           /* a name of engine/open.c's table */
	char variable[64];        /* the one of .env that names the version */
	char variables[4096];     /* of all targets, ' ' between two: no secrets */
	char value[DESIRED_MAX];  /* of the variable; ends in %t, the tag */
	char tag_pattern[512];    /* POSIX ERE; must span the whole tag */
	char immutable[512];      /* the same, of tags that are never moved */
	char signed_by[PATH_MAX]; /* allowed signers; "": no signature is required */
	char tag_prefix[64];      /* of the tags that choose this target; "" for none */
	int64_t strip_prefix;     /* 1: the tag is used without its prefix */
	char keep_env[1024];      /* names of variables that child processes get too */
	char on_start[1024];      /* a hook: absolute path and arguments; "": none */
	char on_result[1024];     /* the same */
	char prune[8];            /* "all" or "own" */
	char pre_deploy[512];     /* SERVICE [WORDS], at most JOB_WORDS_MAX; "": no job */
	char strategy[12];        /* recreate or rehearse */
	char restart[1024]; /* services to restart after `up`, at most SERVICES_MAX */
	struct service service[SERVICES_MAX];
	size_t n_services;
	int64_t health_tries;
	int64_t health_sleep;     /* milliseconds */
	int64_t health_settle;    /* milliseconds */
	int64_t pull_limit;       /* milliseconds */
	int64_t up_limit;         /* milliseconds */
	int64_t pre_deploy_limit; /* milliseconds */
	int64_t call_limit;       /* milliseconds */
	int64_t hook_limit;       /* milliseconds */
	int64_t keep;             /* known-good releases that prune spares */
	int64_t disk_min;         /* bytes */
};

/*
 * The value of the variable for a tag: target->value with %t replaced.  FAULT_HOST
 * when it does not fit.
 */
int target_value(const struct target *, const char *tag, char out[DESIRED_MAX],
    struct fault *) MUST_CHECK;

/* Is the new version of service `i` tried beside the old one, before that is stopped? */
bool target_rehearses(const struct target *, size_t i);

/*
 * The inverse, for a value found in .env.  False when the value is not of that form,
 * for example when it names another repository.  The result may be no valid tag.
 */
bool target_tag_of(const struct target *, const char *value, char tag[TAG_MAX]);

#endif
