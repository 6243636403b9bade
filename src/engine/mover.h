/*
 * mover.h: children that move a name or a container: pull, up, tag, rm.
 *
 * Killing compose in the middle of an `up` leaves nothing serving more often
 * than not, so such a child survives us: its output goes to up.log, whose
 * new lines are passed on while we live, and up.lock (state/uplock.h) tells
 * the next run that it is still at work.
 */
#ifndef ENGINE_MOVER_H
#define ENGINE_MOVER_H

#include "dotenv/mask.h"
#include "sys/progress.h"
#include "sys/run.h"

#include <sys/types.h>

struct mover {
	int dirfd; /* of the state folder */
	const struct progress *progress;
	int64_t up_limit_ms; /* how long an orphaned up may take */
	int64_t grace_ms;    /* between TERM and KILL; mover_init() sets RUN_GRACE_MS */
	struct mask *mask;   /* NULL: nothing is masked */
	/* private: */
	bool rest; /* what comes up to the end of the line is not passed on */
	int log_fd;
	off_t log_read; /* what was passed on so far */
	int64_t began, beat, limit_ms;
	const char *word;
	char last[RUN_ERRORS_MAX]; /* the newest line, for faults */
};

void mover_init(struct mover *, int dirfd, const struct progress *, struct mask *,
    int64_t up_limit_ms);
void mover_close(struct mover *);

/*
 * Runs `r` (path, argv, env, cwd, limit_ms and stoppable are the caller's) as
 * a mover named `word`.  0 when it exited with 0; FAULT_FAILED when it ended
 * in another way, FAULT_HOST when it could not be started.
 */
int mover_run(struct mover *, struct run *r, const char *word, struct fault *) MUST_CHECK;

/*
 * Waits until no mover is at work: a pull is ended, the others are waited for
 * up to their limit, then ended.  FAULT_HOST when even KILL did not help.
 */
int mover_settle(struct mover *, struct fault *) MUST_CHECK;

/*
 * Is this a line of docker's that may quote an env file?  Compose does so
 * when it cannot parse one (compose-go dotenv/parser.go).
 */
bool mover_line_is_secret(const char *line, size_t len);

#endif
