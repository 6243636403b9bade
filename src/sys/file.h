/*
 * file.h: files that survive a power cut.
 *
 * Like system calls these return 0, or -1 with errno set: only the caller knows what a
 * file means.  They leave no temporary file.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "sys/fault.h"

#include <sys/types.h>
#include <limits.h>
#include <stddef.h>

/*
 * Reads a regular file whole.  A symlink is not followed, and a FIFO does not block.
 * EFBIG for more than `max` bytes, EINVAL when it is not a regular file.  Bytes that are
 * appended meanwhile are not read.  A NUL follows the bytes; the caller frees them.
 */
int file_read(int dirfd, const char *name, size_t max, char **bytes,
    size_t *len) MUST_CHECK;

/* The same from the start of an open file, which stays open. */
int file_read_fd(int fd, size_t max, char **bytes, size_t *len) MUST_CHECK;

/* Writes all bytes: continues after a short write and EINTR. */
int file_write(int fd, const void *bytes, size_t len) MUST_CHECK;

/*
 * Creates or replaces `name`, mode 0600: writes `name`.new beside it, syncs it, renames
 * it and syncs the folder.  A reader sees the old bytes or the new ones.  When only the
 * last fsync(2) fails, it is -1 and the new ones are in place.
 */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len) MUST_CHECK;

/* Removes what a killed file_replace() left beside `name`.  The caller holds a lock. */
void file_sweep(int dirfd, const char *name);

/*
 * Removes `name`, if it exists, and syncs the folder.  When only the fsync(2) fails, it
 * is -1, and the file may be back after a power cut.
 */
int file_remove(int dirfd, const char *name) MUST_CHECK;

/*
 * The absolute `path` without symlinks, "." and "..", to compare two names of a file.
 * The part of it that does not exist or cannot be read is taken as text.  A result of
 * PATH_MAX bytes or more is cut.
 */
void file_real_path(const char *path, char out[PATH_MAX]);

#endif
