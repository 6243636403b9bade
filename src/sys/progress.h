/*
 * progress.h: how the lower layers tell what they do.  They never print:
 * src/cli hands them this, and decides what is shown, where and how.
 */
#ifndef SYS_PROGRESS_H
#define SYS_PROGRESS_H

#include "sys/fault.h"

enum say {
	SAY_RESULT, /* a line that scripts may read: stdout */
	SAY_NOTE,   /* a step, a heartbeat: stderr */
	SAY_DETAIL, /* for those who asked for it (--verbose): stderr */
	SAY_WARN,   /* something a person should know: stderr */
	SAY_SHOUT,  /* the one line of a bad night: stderr */
	SAY_CHILD,  /* a line of docker's or a container's own: stderr */
	SAY__MAX
};

struct progress {
	/* `line` is one line without its end, safe to show */
	void (*say)(void *arg, enum say, const char *line);
	void *arg;
};

/* Formats and says one line; longer than 1,024 bytes is cut. */
void progress_say(const struct progress *, enum say, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
