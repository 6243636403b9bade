/*
 * child.h: what a test sees of its child processes: their files in its room
 * (room.h), whether they are gone, and up.lock, which a detached command holds.  Where they
 * wait, a busy machine has twenty seconds.
 */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

#include <sys/types.h>
#include <stdbool.h>

/* The file, cut at 1 KiB, until the next call; "" while there is none. */
const char *child_wrote(const char *name);

/* Waits for the number that a child writes into `name`, a whole line. */
pid_t child_pid_in(const char *name);

/* A zombie whose parent does not care is as good as gone. */
bool child_gone(pid_t);
bool child_gone_soon(pid_t);

/* Is up.lock of that folder free: is no detached command running? */
bool child_none_detached(int dirfd);
bool child_none_detached_soon(int dirfd);

/* From here on kill(2) says EPERM, as it does for another user's process. */
void child_forbid_kill(void);

/* Lets go a child that reads a line from this fifo of its room. */
void child_release(const char *fifo);

#endif
