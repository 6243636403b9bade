/*
 * folder.h: the state folder, and the free space of file systems.
 *
 * The state folder (0700, owned by this user) holds all state of a target: lock,
 * up.lock, up.log, journal, history.jsonl.
 */
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens it, and creates it first where `make` is set.  Returns the descriptor, or -1.
 * Without `make` a folder that does not exist is no fault: -1, fault clear.
 * FAULT_HOST when it is not a folder, not owned by this user, or writable by others.
 */
int folder_open(const char *path, bool make, struct fault *) MUST_CHECK;

/*
 * Bytes free for this user on the file system that holds `path`, or, where that
 * cannot be read, on that of the nearest folder above.  -1 when none can be read.
 */
int64_t folder_free_space(const char *path);

#endif
