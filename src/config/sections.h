/*
 * sections.h: the configuration file as sections of settings, each with its line; no
 * value is checked yet.  Internal to src/config.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config/config.h"
#include "config/keys.h"

#define SECTIONS_BYTES_MAX (1024 * 1024) /* of the file */
#define SECTION_ITEMS (KEYS + SERVICES_MAX)

/* A line KEY = VALUE. */
struct item {
	const struct key *key;
	char service[SERVICE_MAX]; /* of health_url.SERVICE, else "" */
	char *value;               /* owned */
	unsigned line;
};

struct section {
	char name[TARGET_NAME_MAX]; /* of the target */
	unsigned line;
	size_t n;
	struct item item[SECTION_ITEMS];
};

struct sections {
	char path[PATH_MAX]; /* "": there is no file */
	size_t n;            /* at least 1: section 0 is what stands before any other */
	struct section section[1 + TARGETS_MAX];
};

/*
 * Reads `path`, or CONFIG_PATH where it is NULL; only that one may be missing.  The
 * struct is zeroed by the caller, and is to be freed also after a fault: FAULT_HOST.
 */
int sections_load(struct sections *, const char *path, struct fault *) MUST_CHECK;
void sections_free(struct sections *);

/* The setting of that key (and service, else ""), or NULL. */
const struct item *section_item(const struct section *, const struct key *,
    const char *service);

#endif
