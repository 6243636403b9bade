/*
 * run.h: child processes, with a limit of time.
 *
 * There are two kinds.  RUN_LOOK changes nothing: its output goes to a pipe that is
 * always drained and whose size is limited, and it gets TERM when we die.  RUN_MOVE, a
 * detached command, must survive us and whoever reads our output: it writes to a file
 * and holds `hold_fd`, a lock that shows the next process that it is running.
 *
 * Both have default signals, a process group of their own and none
 * of our descriptors.  The run ends with the exit of the child, not with the end of its
 * output.  At the limit the child gets TERM, and `grace_ms` later its group gets KILL.
 * A child that we may not kill (another user's) is left running.
 */
#ifndef SYS_RUN_H
#define SYS_RUN_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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
	int64_t grace_ms; /* from TERM to KILL; 0: RUN_GRACE_MS */
	bool merge;       /* RUN_LOOK: stderr into stdout */
	bool stoppable;   /* a signal to us (signals_stop()) ends it too */
	int in_fd;        /* its stdin; 0: /dev/null */
	int out_fd;       /* RUN_MOVE: stdout and stderr */
	int hold_fd; /* RUN_MOVE: a lock, or -1; the child alone keeps it: closed here */
	const char *hold_word; /* the child writes "PID WORD", padded, into hold_fd */
	void (*tick)(void *);  /* about every RUN_TICK_MS, or NULL */
	void *arg;
};

enum run_end {
	RUN_EXITED,    /* status is its exit code */
	RUN_SIGNALLED, /* by a signal that is not ours; status is its number */
	RUN_TIMEOUT,   /* ended by us at the limit */
	RUN_STOPPED    /* ended by us because of a signal to us */
};

struct run_result {
	enum run_end end;
	int status;
	char *out; /* RUN_LOOK: stdout, NUL after it; owned */
	size_t out_len;
	bool out_cut;             /* there was more, or it could not be read */
	char err[RUN_ERRORS_MAX]; /* RUN_LOOK: the first bytes of stderr */
	size_t err_len;
	bool left; /* it runs on after the limit: kill(2) failed with EPERM */
};

/*
 * Runs it to its end.  0 when the child ran, however it ended; FAULT_HOST when it could
 * not be started.  run_free() is due in both cases.
 */
int run_child(const struct run *, struct run_result *, struct fault *) MUST_CHECK;

/* A child that was started. */
struct running {
	/* private: */
	pid_t pid;
	int out, err;
};

/*
 * run_child() in two steps, so that several children run at the same time.  Each one
 * that run_start() started is passed to run_wait() once, with the same struct run;
 * limit_ms counts from there.
 */
int run_start(struct running *, const struct run *, struct fault *) MUST_CHECK;
void run_wait(struct running *, const struct run *, struct run_result *);

void run_free(struct run_result *);

#endif
