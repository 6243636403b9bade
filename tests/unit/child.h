/*
 * child.h: what a test can see of its child processes: their files in its room (room.h),
 * whether they have ended, and up.lock, which a detached command holds.  The functions
 * that wait give up after twenty seconds.
 */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

#include <sys/types.h>
#include <stdbool.h>

/* The content of the file, cut at 1 KiB, valid until the next call; "": none. */
const char *child_wrote(const char *name);

/* Waits for a whole line in `name`, a number. */
pid_t child_pid_in(const char *name);

/* Has it ended?  It may be a zombie. */
bool child_gone(pid_t);
bool child_gone_soon(pid_t);

/* Is up.lock of that folder free? */
bool child_none_detached(int dirfd);
bool child_none_detached_soon(int dirfd);

/* From now on kill(2) fails with EPERM, as for another user's process. */
void child_forbid_kill(void);

/* Writes a line into this FIFO, for a child that waits for it. */
void child_release(const char *fifo);

#endif
