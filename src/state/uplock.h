/*
 * uplock.h: the lock of a detached command (`pull`, `up`, …): flock(2) on `up.lock`, a
 * file that is never removed.
 *
 * The lock is taken before the fork, and only that child inherits it.  So it is held
 * while the command runs, also when the deployer is killed, or has not executed the
 * command yet.  The child writes its process group and its command into the file
 * (sys/run.c).  That group may be killed only while the lock is held: otherwise its
 * number may have been reused.
 */
#ifndef STATE_UPLOCK_H
#define STATE_UPLOCK_H

#include <sys/types.h>

/* The descriptor, or -1: errno is EWOULDBLOCK while a detached command holds the lock. */
int uplock_take(int dirfd);

struct detached_holder {
	pid_t group;   /* 0: not written yet */
	char word[16]; /* the command: pull, up, tag, rm; escaped */
};

/* Who holds it.  Valid only after uplock_take() failed with EWOULDBLOCK. */
void uplock_holder(int dirfd, struct detached_holder *);

#endif
