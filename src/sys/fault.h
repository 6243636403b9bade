/*
 * fault.h: the one error convention.
 *
 * A function that can fail returns 0, or -1 with its struct fault set.
 * The first word on a fault stands: what follows from it is not another one.
 * Only src/cli turns a fault into an exit status; the kinds are numbered as
 * the exit codes are, because those are the interface (the table in README.md).
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
	FAULT_HOST = 4,       /* settings, .env, compose, docker, disk */
	FAULT_UNVERIFIED = 5, /* the previous version could not be verified */
	FAULT_SUPERSEDED = 6, /* a newer sequence is deployed */
	FAULT_BUG = 70        /* ours */
};

#define FAULT_WHAT_MAX 512

struct fault {
	enum fault_kind kind;
	char what[FAULT_WHAT_MAX]; /* what happened, and why */
	char now[256];             /* what is so now, where that may be in doubt */
	char next[256];            /* what to do or to type next */
};

/* Always -1.  `next` may be NULL where `what` says it already. */
int fault_set(struct fault *, enum fault_kind, const char *next, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Says what is so now.  Always -1. */
int fault_now(struct fault *, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Forgets a fault that was dealt with. */
void fault_clear(struct fault *);

#endif
