/*
 * folder.h: the state folder of a target (0700, owned by this user), which has its lock,
 * up.lock, up.log, journal and history.jsonl; and the free space of file systems.
 */
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens it, and with `make` creates it first, durably.  Returns the descriptor, or -1:
 * without a fault if the folder does not exist and `make` is not set; FAULT_HOST if it
 * is no folder, belongs to another user (root may open any), or others may write it.
 */
int folder_open(const char *path, bool make, struct fault *) MUST_CHECK;

/*
 * Bytes that are free for this user on the file system of `path` or, if that does not
 * exist, of the nearest folder above.  -1: `path` is not absolute, or too long.
 */
int64_t folder_free_space(const char *path);

#endif
