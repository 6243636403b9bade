/*
 * fault.h: the error convention.
 *
 * A function that can fail returns 0, or -1 with its struct fault set.  The first error
 * is kept; later calls of fault_set() change nothing.  The kinds have the numbers of the
 * exit codes (README.md); only src/cli makes an exit status of them.
 */
#ifndef SYS_FAULT_H
#define SYS_FAULT_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_FAILED = 1,     /* not deployed; the previous version serves */
	FAULT_REFUSED = 2,    /* the request is not to be run */
	FAULT_BUSY = 3,       /* another deploy holds the lock */
	FAULT_HOST = 4,       /* settings, files, the engine, the disk */
	FAULT_UNVERIFIED = 5, /* the previous version could not be verified */
	FAULT_SUPERSEDED = 6, /* a newer sequence is deployed */
	FAULT_BUG = 70        /* an error of this program */
};

#define FAULT_WHAT_MAX 512

struct fault {
	enum fault_kind kind;
	char what[FAULT_WHAT_MAX]; /* what happened, and why */
	char now[256];             /* the state now, when it may be in doubt; or "" */
	char next[256];            /* what to do next; or "" */
};

/* Always -1.  `fmt` makes `what`.  `next` may be NULL.  Long texts are cut. */
int fault_set(struct fault *, enum fault_kind, const char *next, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Always -1: FAULT_HOST "out of memory". */
int fault_memory(struct fault *);

/* Always -1.  Sets `now` of a fault. */
int fault_now(struct fault *, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* After the error was handled: no fault is set. */
void fault_clear(struct fault *);

/* The worse one for several targets: of 70, 5, 4, 1, 3, 6, 2, 0 the first. */
enum fault_kind fault_worse(enum fault_kind, enum fault_kind);

#endif
