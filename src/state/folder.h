/*
 * folder.h: the state folder, and the space that is left on the disks.
 *
 * All that is kept lies in this one folder (0700, ours): lock, up.lock,
 * up.log, journal, history.jsonl.
 */
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens it, making it when `make` is set.  The descriptor, or -1.
 * Without `make` a folder that is not there is no fault: -1, fault clear.
 * FAULT_HOST when it is not a folder, not ours, or open to others.
 */
int folder_open(const char *path, bool make, struct fault *) MUST_CHECK;

/*
 * Bytes free for this user on the file system that holds `path`; where it
 * may not be looked at, on that of the nearest folder above.  -1 when even
 * that cannot be told.
 */
int64_t folder_free_space(const char *path);

#endif
