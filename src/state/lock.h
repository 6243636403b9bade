/*
 * lock.h: two locks, flock(2), on files that are never removed.
 *
 * `lock` (TWILIGHT_LOCK names another file): one request at a time.  The kernel
 * releases it when its holder dies; no child inherits it.
 *
 * `up.lock`: a detached command (`pull`, `up`, …) is running.  The lock is taken
 * before the fork, and only that child inherits it.  So the lock is held for as long
 * as the child runs, also when the deployer is killed or has not started it yet.  The
 * child writes its process group and its command into the file.  That group may be
 * killed only while the lock is held: otherwise its number may have been reused.
 */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include "sys/fault.h"

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Takes the deploy lock without waiting, and writes `holder`, one line, into it.
 * Returns the descriptor, for lock_release(), or -1: FAULT_BUSY "deploy already
 * running (…)", or FAULT_HOST.
 */
int lock_take(const char *path, const char *holder, struct fault *) MUST_CHECK;
void lock_release(int fd);

/*
 * Is it held, and by whom?  Does not take it.  `holder` gets the holder's line,
 * escaped; "" where there is none.
 */
bool lock_held(const char *path, char *holder, size_t size);

/* Takes up.lock; -1 with errno EWOULDBLOCK while a detached command holds it. */
int uplock_take(int dirfd);

struct mover_holder {
	pid_t group;   /* 0: not written yet */
	char word[16]; /* pull, up, tag, rm */
};

/* Who holds it.  Meaningful only after uplock_take() failed with EWOULDBLOCK. */
void uplock_holder(int dirfd, struct mover_holder *);

#endif
