/*
 * file.h: a .env file, opened, locked and read.  Internal to src/dotenv.
 */
#ifndef DOTENV_FILE_H
#define DOTENV_FILE_H

#include "dotenv/read.h"

#include <sys/stat.h>
#include <stddef.h>

struct dotenv_file {
	char *path;       /* of the file itself: one symbolic link is followed */
	const char *base; /* its last component */
	int fd;           /* -1: not open */
	struct stat st;   /* from before the bytes were read */
	char *bytes;      /* NULL: not read */
	size_t len;
	char shown[360]; /* the path as given, safe to print */
};

/*
 * Opens a regular file.  FAULT_HOST "missing env file: PATH", or what is wrong;
 * dotenv_file_close() is due in any case.
 */
int dotenv_file_open(struct dotenv_file *, const char *path, struct fault *) MUST_CHECK;

/*
 * Takes flock(2) on it, and opens it again until its name is the locked inode: after a
 * rename the lock of the old inode protects nothing.  Closing it ends the lock.
 * FAULT_HOST: another process has held the lock for 10 seconds.
 */
int dotenv_file_lock(struct dotenv_file *, struct fault *) MUST_CHECK;

/* Reads all bytes.  FAULT_HOST: there are more than DOTENV_MAX. */
int dotenv_file_load(struct dotenv_file *, struct fault *) MUST_CHECK;

/* Loads it, and reads the value of `variable` as dotenv_read() does (read.c). */
int dotenv_file_value(struct dotenv_file *, const char *variable, struct dotenv_place *,
    char value[DOTENV_VALUE_MAX], struct fault *) MUST_CHECK;

/* Opens its folder.  The descriptor, or -1 with errno set. */
int dotenv_file_folder(const struct dotenv_file *) MUST_CHECK;

/* Overwrites the bytes in memory. */
void dotenv_file_close(struct dotenv_file *);

#endif
