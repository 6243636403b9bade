/*
 * progress.h: reports of the lower layers to the caller.  They never print: src/cli
 * gives them this struct, and decides what is shown, where and how.
 */
#ifndef SYS_PROGRESS_H
#define SYS_PROGRESS_H

#include "sys/fault.h"

enum say {
	SAY_RESULT, /* for scripts: stdout */
	SAY_NOTE,   /* a step, a sign of life: stderr */
	SAY_DETAIL, /* with --verbose: stderr */
	SAY_WARN,   /* a warning: stderr */
	SAY_SHOUT,  /* the "rolling back" banner: stderr */
	SAY_CHILD,  /* output of a child process or a container: stderr */
	SAY__MAX
};

struct progress {
	/* `line` is one line, without a newline, safe to print */
	void (*say)(void *arg, enum say, const char *line);
	void *arg;
};

/* Reports a line, cut at 1,023 bytes.  The struct and its function may be NULL. */
void progress_say(const struct progress *, enum say, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
