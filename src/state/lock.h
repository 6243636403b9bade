/*
 * lock.h: two kernel locks, flock(2), on files that are never removed.
 *
 * `lock` (TWILIGHT_LOCK moves it): one request at a time.  It frees itself
 * when its holder dies, and no child inherits it.
 *
 * `up.lock`: a child that moves a name or a container is still at work.  It
 * is taken before the fork and inherited by that child alone, so there is no
 * instant at which the child runs and nobody holds it: not when the deployer
 * is killed, and not while it starts the child.  The child writes its process
 * group and what it does; that group may be ended only while the lock is
 * held, for else the number may be a stranger's.
 */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include "sys/fault.h"

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Takes the deploy lock without waiting and writes `holder`, one line, into
 * it.  The descriptor, or -1: FAULT_BUSY "deploy already running (…)" or
 * FAULT_HOST.  Close it with lock_release().
 */
int lock_take(const char *path, const char *holder, struct fault *) MUST_CHECK;
void lock_release(int fd);

/*
 * Is it held, and by whom?  Looks without taking it.  `holder` gets the
 * holder's line, escaped; "" where it says nothing.
 */
bool lock_held(const char *path, char *holder, size_t size);

/* Takes up.lock, or -1 with errno EWOULDBLOCK when a mover holds it. */
int uplock_take(int dirfd);

struct mover_holder {
	pid_t group;   /* 0: not written yet */
	char word[16]; /* pull, up, tag, rm */
};

/* Who holds it; meaningful only after uplock_take() said EWOULDBLOCK. */
void uplock_holder(int dirfd, struct mover_holder *);

#endif
