/*
 * envfile.h: one value in a .env file, read as compose reads it and replaced
 * so that at every instant the file is the old bytes or the new, whole.
 *
 * Only the bytes of the value change; quotes, comments, line ends, order and
 * every other line stay.  What is ambiguous is refused with the number of the
 * line and never with its content: it may hold secrets.
 */
#ifndef STATE_ENVFILE_H
#define STATE_ENVFILE_H

#include "sys/fault.h"

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>

#define ENVFILE_MAX (1024 * 1024) /* bytes */
#define ENVFILE_VALUE_MAX 256     /* bytes, NUL included */

struct envfile {
	char *path;  /* of the file itself, one symlink followed; owned */
	char *bytes; /* owned */
	size_t len;
	size_t at; /* where the value begins in bytes, quotes not included */
	size_t value_len;
	unsigned line; /* of the assignment, from 1 */
	char value[ENVFILE_VALUE_MAX];
	struct stat st; /* as read: to see that it is unchanged */
};

/*
 * Reads `path` and finds the one active assignment of `key`.
 * FAULT_HOST: "missing env file: PATH"; "missing KEY in PATH" (also for an
 * empty value); or what is wrong with it.  On failure nothing is owned.
 */
int envfile_read(struct envfile *, const char *path, const char *key,
    struct fault *) MUST_CHECK;

/*
 * Can it be replaced by this process: the folder writable, the file ours?
 * FAULT_HOST otherwise.  Changes nothing.
 */
int envfile_writable(const struct envfile *, struct fault *) MUST_CHECK;

/*
 * Replaces the value and nothing else, durably: temp file beside it named
 * ".env.twilight-deploy.<id>" (the base name of the file, then that), mode,
 * owner and extended attributes kept, fsync, checked that the original is
 * still what was read, rename, fsync of the folder.  `value` holds only
 * [A-Za-z0-9_.@:/+-].  On success the struct describes the new file; on
 * failure the file on disk is as it was, and the temp file is gone.  One
 * failure is different: the folder could not be synced after the rename.
 * Then the new bytes are in place, and the struct describes them.
 */
int envfile_replace(struct envfile *, const char *value, const char *id,
    struct fault *) MUST_CHECK;

/* Removes temp files that a killed run left beside `path`; lock held. */
void envfile_sweep(const char *path);

void envfile_free(struct envfile *);

#endif
