/*
 * file.h: a .env file, opened, locked and read.  For the editor; others include edit.h.
 */
#ifndef DOTENV_FILE_H
#define DOTENV_FILE_H

#include "sys/fault.h"

#include <sys/stat.h>
#include <stddef.h>

struct dotenv_file {
	char *path;       /* of the file itself, one symbolic link followed */
	const char *base; /* its last component */
	int fd;           /* -1: not open */
	struct stat st;   /* from before the bytes were read */
	char *bytes;      /* NULL: not read */
	size_t len;
	char shown[360]; /* the path as given, safe to show */
};

/*
 * Opens a regular file.  FAULT_HOST "missing env file: PATH", or what is wrong with
 * it; `path` and `shown` may be set then.  dotenv_file_close() is due in any case.
 */
int dotenv_file_open(struct dotenv_file *, const char *path, struct fault *) MUST_CHECK;

/*
 * Takes flock(2) on it and opens it again until its name is the locked inode: after a
 * rename the lock of the old inode protects nothing.  The lock ends with the
 * descriptor.  FAULT_HOST when another process holds it for ten seconds.
 */
int dotenv_file_lock(struct dotenv_file *, struct fault *) MUST_CHECK;

/* Reads all bytes; FAULT_HOST for more than DOTENV_MAX of them. */
int dotenv_file_load(struct dotenv_file *, struct fault *) MUST_CHECK;

/* Opens the folder it lies in; -1 with errno set. */
int dotenv_file_folder(const struct dotenv_file *) MUST_CHECK;

/* Wipes the bytes. */
void dotenv_file_close(struct dotenv_file *);

#endif
