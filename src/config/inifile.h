/*
 * inifile.h: the configuration file as lines of KEY = VALUE below [SECTION], by inih.
 * Internal to src/config.
 *
 *   file    = *( blank / comment / section / setting )
 *   comment = *WSP ( "#" / ";" ) text           on a line of its own
 *   section = "[" text "]"
 *   setting = KEY *WSP "=" *WSP VALUE
 *
 * Refused, with the number of the line: NUL and other control bytes, CR, a byte order
 * mark, a line that begins with white space, a line longer than INIFILE_LINE, a
 * comment after a value, a quoted value.
 */
#ifndef CONFIG_INIFILE_H
#define CONFIG_INIFILE_H

#include "sys/fault.h"

#include <limits.h>
#include <stddef.h>

#define INIFILE_LINE (PATH_MAX + 128) /* bytes */

/* What is called for each section and setting; -1 ends the parse.  Valid for the call. */
struct inifile_sink {
	int (*section)(void *arg, unsigned line, const char *text, struct fault *);
	int (*setting)(void *arg, unsigned line, const char *key, const char *value,
	    struct fault *);
	void *arg;
};

/* FAULT_HOST "PATH:LINE: what". */
int inifile_parse(const char *path, const char *bytes, size_t len,
    const struct inifile_sink *, struct fault *) MUST_CHECK;

/* Always -1: FAULT_HOST with `what` after "PATH:LINE: ". */
int inifile_fault(struct fault *, const char *path, unsigned line, const char *next,
    const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
