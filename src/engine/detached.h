/*
 * detached.h: detached commands: docker's pull, up, restart, run, stop, tag and rm.
 *
 * Such a command must not be killed in the middle: after a killed `up` often nothing
 * serves.  So it outlives us.  It writes its output to up.log, of which we report the
 * new lines, and holds up.lock (state/uplock.h), which shows the next run that it runs.
 */
#ifndef ENGINE_DETACHED_H
#define ENGINE_DETACHED_H

#include "dotenv/mask.h"
#include "sys/progress.h"
#include "sys/run.h"

#include <sys/types.h>

struct detached {
	int dirfd; /* of the state folder */
	const struct progress *progress;
	int64_t up_limit_ms; /* how long a command of an earlier run may still take */
	int64_t grace_ms;    /* from TERM to KILL; detached_init() sets RUN_GRACE_MS */
	struct mask *mask;   /* NULL: nothing is masked */
	/* private: */
	int log_fd;
	off_t log_read; /* bytes that were reported */
	bool skip_line; /* the beginning of this line was reported, the rest is not */
	int64_t began, next_report, limit_ms;
	const char *word;
	char last[RUN_ERRORS_MAX]; /* the newest line, for faults */
};

void detached_init(struct detached *, int dirfd, const struct progress *, struct mask *,
    int64_t up_limit_ms);
void detached_close(struct detached *);

/*
 * Runs `r` as the detached command `word`.  The caller sets path, argv, env, cwd,
 * limit_ms and stoppable.  0: it exited with 0; FAULT_FAILED: it ended in another way;
 * FAULT_HOST: it could not be started.
 */
int detached_run(struct detached *, struct run *r, const char *word,
    struct fault *) MUST_CHECK;

/*
 * Reads the end of up.log: whole lines, `size` bytes at most.  Returns their length, 0
 * when there is none.
 */
size_t detached_log_end(const struct detached *, char *buf, size_t size);

/*
 * Ends or waits for the detached command of an earlier run, if there is one: a pull is
 * ended, the others are waited for, up to up_limit_ms, then ended.  FAULT_HOST: it runs
 * even after KILL.
 */
int detached_reap(struct detached *, struct fault *) MUST_CHECK;

/*
 * May docker quote an env file in this line?  Compose does that when it cannot parse the
 * file (compose-go dotenv/parser.go).
 */
bool detached_line_is_secret(const char *line, size_t len);

#endif
