/*
 * keys.h: the table of keys, and how the text of a value becomes a field of struct
 * target.  Internal to src/config.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_KEEP,     /* names of environment variables, space or comma between */
	VALUE_LINE,     /* without control bytes */
	VALUE_CHOICE,   /* one of the words of `choices` */
	VALUE_REGEX,    /* a POSIX extended expression */
	VALUE_VARIABLE, /* the name of an environment variable */
	VALUE_FORMAT,   /* text that ends in %t */
	VALUE_PREFIX,   /* the first bytes of a tag */
	VALUE_PATH,     /* absolute; a fallback is relative to the home */
	VALUE_PATHS,    /* file names, with ':' between */
	VALUE_NAME,     /* the name of a compose project */
	VALUE_SERVICES, /* names of compose services, with space or comma between */
	VALUE_NAMES,    /* the same, of services that are not in the target */
	VALUE_URL,      /* http://…, or `none` */
	VALUE_COMMAND,  /* an absolute path, then arguments, spaces between; or empty */
	VALUE_JOB,      /* the name of a compose service, and words of a command */
	VALUE_CLAIM,    /* MEMBER=VALUE, of a JSON answer */
	VALUE_FLAG,     /* yes or no */
	VALUE_NUMBER,
	VALUE_SECONDS, /* decimal, kept in milliseconds */
	VALUE_SIZE     /* bytes, with K, M or G after the number */
};

enum key_scope {
	SCOPE_SHARED, /* of one target, or of all */
	SCOPE_TARGET, /* of one target */
	SCOPE_SERVICE /* NAME.SERVICE, of one service of a target */
};

struct key {
	const char *name; /* in the file */
	const char *env;  /* NULL: not from the environment */
	enum value_kind kind;
	enum key_scope scope;
	bool strict;         /* an empty variable is an error, not the default */
	size_t offset, size; /* of the field in struct target, or in struct service */
	const char *fallback;
	int64_t min, max;    /* as written: seconds, not milliseconds */
	const char *choices; /* "A, B or C" */
	const char *text;
};

/* Set in this order: `home` is first, `services` precedes those of services. */
extern const struct key key_table[];
extern const size_t key_count;

/* How many settings a section can have: key_count * SERVICES_MAX, rounded up. */
#define KEY_ITEMS_MAX 512

/* The key with that name in a file, of any service. */
const struct key *key_find(const char *name);

/* SERVICE of a name NAME.SERVICE; "" for a key that is not of a service. */
const char *key_service(const struct key *, const char *name);

/* The known name, of the file or of the environment, most like it; NULL for none. */
const char *key_nearest(const char *name, bool env);

/* Where a value comes from. */
struct origin {
	const char *path; /* NULL: the environment */
	unsigned line;
	const char *service; /* of a key NAME.SERVICE: one of the target */
};

/* Always -1: FAULT_HOST "[PATH:LINE: ]bad setting NAME[.SERVICE]=value: must be …". */
int value_wrong(const struct key *, const char *value, const struct origin *,
    const char *must, struct fault *);

/* Checks `value` and sets the field in `base`, a struct target or struct service. */
int value_set(const struct key *, void *base, const char *value, const struct origin *,
    struct fault *) MUST_CHECK;

#endif
