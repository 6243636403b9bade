/*
 * lock.h: the lock of a target, one request at a time: flock(2) on a file that is never
 * removed.  The kernel releases it when its holder ends; no child process inherits it.
 */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Takes the lock without waiting, and writes `holder`, one line, into the file: for
 * people, and "…, pid N, …" in it for lock_held().  Returns the descriptor, for
 * lock_release(), or -1: FAULT_BUSY "deploy already running (…)", or FAULT_HOST.
 */
int lock_take(const char *path, const char *holder, struct fault *) MUST_CHECK;

/* -1 is no lock. */
void lock_release(int fd);

/* Is it held?  Does not take it.  `holder` gets the holder's line, escaped, or "". */
bool lock_held(const char *path, char *holder, size_t size);

#endif
