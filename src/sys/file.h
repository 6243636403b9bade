/*
 * file.h: files that survive a power cut.
 *
 * These speak errno, as system calls do: -1 and errno set, no temporary file left
 * behind.  The callers know what the file means and put it into words.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "sys/fault.h"

#include <sys/types.h>
#include <limits.h>
#include <stddef.h>

/*
 * Reads a regular file whole; no symlink is followed and no fifo is waited
 * for.  EFBIG when it holds more than `max` bytes, EINVAL when it is not
 * regular.  The bytes are followed by a NUL and are the caller's to free.
 */
int file_read(int dirfd, const char *name, size_t max, char **bytes,
    size_t *len) MUST_CHECK;

/* The same from the start of an open file, which stays open. */
int file_read_fd(int fd, size_t max, char **bytes, size_t *len) MUST_CHECK;

/* Writes all of it: short writes and EINTR are seen to. */
int file_write(int fd, const void *bytes, size_t len) MUST_CHECK;

/*
 * Replaces (or makes) `name`, mode 0600: `name`.new beside it, fsync, rename,
 * fsync of the folder.  Whoever reads sees the old bytes or the new; where only the
 * last fsync failed, -1 is returned and the new ones are in place.
 */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len) MUST_CHECK;

/* Removes what a killed file_replace() left beside `name`; lock held. */
void file_sweep(int dirfd, const char *name);

/*
 * Removes `name` and syncs the folder; that it is gone already is fine.  Where only the
 * fsync failed, -1 is returned and it may be there again after a power cut.
 */
int file_remove(int dirfd, const char *name) MUST_CHECK;

/*
 * The name of a file without links, "." and "..", so that two names of one file can be
 * compared.  The part that does not exist, or cannot be read, is taken as text.
 * `path` is absolute; more than PATH_MAX bytes are cut.
 */
void file_real_path(const char *path, char out[PATH_MAX]);

#endif
