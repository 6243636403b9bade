/*
 * run.h: child processes, with a limit.
 *
 * Two kinds.  RUN_LOOK only looks: its output is a pipe that is always
 * drained and bounded, and it is told to end when we die.  RUN_MOVE moves a
 * name or a container and must not die with us nor with whoever reads our
 * output: it writes to a file, and keeps `hold_fd`, a lock that tells the
 * next run that it is still at work (state/lock.h).
 *
 * Both: stdin is /dev/null, default signals, a process group of their own,
 * no descriptor of ours, the exit of the child (not the end of its output)
 * ends the run.  At the limit: TERM to the child, `grace_ms` later KILL to
 * its group.  A child that may not be ended (another user's) is left.
 */
#ifndef SYS_RUN_H
#define SYS_RUN_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_GRACE_MS 10000               /* of grace by default */
#define RUN_OUTPUT_MAX (8 * 1024 * 1024) /* bytes of stdout kept */
#define RUN_ERRORS_MAX 2048              /* bytes of stderr kept */
#define RUN_TICK_MS 200

enum run_kind { RUN_LOOK, RUN_MOVE };

struct run {
	enum run_kind kind;
	const char *path; /* absolute */
	const char *const *argv;
	char *const *env;
	const char *cwd; /* NULL: stay */
	int64_t limit_ms;
	int64_t grace_ms; /* 0: RUN_GRACE_MS */
	bool merge;       /* RUN_LOOK: stderr into stdout */
	bool stoppable;   /* INT and TERM end it too */
	int out_fd;       /* RUN_MOVE: stdout and stderr */
	int hold_fd; /* RUN_MOVE: a lock, or -1; becomes the child's alone: closed here */
	const char *hold_word; /* the child writes "PID WORD" into hold_fd, padded */
	void (*tick)(void *);  /* about every RUN_TICK_MS, or NULL */
	void *arg;
};

enum run_end {
	RUN_EXITED,    /* by itself; status is its exit code */
	RUN_SIGNALLED, /* by a signal that we did not send; status is its number */
	RUN_TIMEOUT,   /* ended by us at the limit */
	RUN_STOPPED    /* ended by us because we were told to stop */
};

struct run_result {
	enum run_end end;
	int status;
	char *out; /* RUN_LOOK: stdout, NUL after it; owned */
	size_t out_len;
	bool out_cut;             /* more than RUN_OUTPUT_MAX, or it could not be read */
	char err[RUN_ERRORS_MAX]; /* RUN_LOOK: the first bytes of stderr */
	size_t err_len;
	bool left; /* it was to be ended and runs on: kill(2) said EPERM */
};

/*
 * Runs it to its end.  0 when the child ran, however it ended; FAULT_HOST
 * when it could not be started.  Free the result with run_free() either way.
 */
int run_child(const struct run *, struct run_result *, struct fault *) MUST_CHECK;

void run_free(struct run_result *);

/*
 * Finds `name` on the PATH of `env`: an absolute path into `out`.
 * FAULT_HOST when there is none or it is not executable.
 */
int run_find(const char *name, char *const *env, char *out, size_t size,
    struct fault *) MUST_CHECK;

#endif
