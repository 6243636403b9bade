/*
 * sections.h: the configuration file as sections of settings, each with its line; no
 * value is checked yet.  Internal to src/config.
 *
 *   file    = *( blank / comment / section / setting )
 *   comment = *WSP ( "#" / ";" ) text           on a line of its own
 *   section = "[target" 1*WSP NAME "]" *WSP
 *   setting = KEY *WSP "=" *WSP VALUE
 *
 * Refused, with the number of the line: NUL and other control bytes, CR, a byte order
 * mark, a line that begins with white space, a line of more than SECTIONS_LINE_MAX
 * bytes, a comment after a value, a quoted value, a key or a section that is there
 * already.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config/config.h"
#include "config/keys.h"

#define SECTIONS_BYTES_MAX (1024 * 1024) /* of the file */
#define SECTIONS_LINE_MAX (PATH_MAX + 128)

/* A line KEY = VALUE. */
struct item {
	const struct key *key;
	char service[SERVICE_MAX]; /* of NAME.SERVICE, else "" */
	char *value;               /* owned */
	unsigned line;
};

struct section {
	char name[TARGET_NAME_MAX]; /* of the target */
	unsigned line;
	size_t n;
	struct item item[KEY_ITEMS_MAX];
};

struct sections {
	char path[PATH_MAX]; /* "": there is no file */
	size_t n;            /* at least 1: section 0 precedes the first [target NAME] */
	struct section section[1 + TARGETS_MAX];
};

/*
 * Reads `path`; NULL, or a missing file that is `optional`: there is no file.  The
 * struct is zeroed by the caller.  FAULT_HOST; sections_free() is due in any case.
 */
int sections_load(struct sections *, const char *path, bool optional,
    struct fault *) MUST_CHECK;
void sections_free(struct sections *);

/* The setting of that key (and service, else ""), or NULL. */
const struct item *section_item(const struct section *, const struct key *,
    const char *service);

/* Always -1: FAULT_HOST "PATH:LINE: what". */
int sections_fault(struct fault *, const char *path, unsigned line, const char *next,
    const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
