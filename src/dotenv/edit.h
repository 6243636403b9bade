/*
 * edit.h: replaces the value of one variable of a .env file, so that at every instant
 * the file has the old bytes or the new ones, whole.
 *
 * Only the bytes of the value change: quotes, comments, line ends, order and all other
 * lines stay.  Several processes may edit different variables of one file: sweep, read,
 * edit and rename happen under flock(2).  No lock is held after a function has returned.
 */
#ifndef DOTENV_EDIT_H
#define DOTENV_EDIT_H

#include "dotenv/read.h"

/*
 * Can this process replace the file: is its folder writable, and the file its own?
 * FAULT_HOST: no.  Changes nothing.
 */
int dotenv_writable(const char *path, struct fault *) MUST_CHECK;

/*
 * Does it exist, belong to this user, and is it another file than `lock`?  FAULT_HOST:
 * no.  Opens nothing.
 */
int dotenv_check_owner(const char *path, const char *lock, struct fault *) MUST_CHECK;

/*
 * Replaces the value `expected` of `variable` by `value` (DOTENV_VALUE_BYTES only),
 * durably: writes a temporary file beside it, named as the file and
 * ".twilight-deploy.ID"; keeps mode, owner, group and extended attributes; fsync;
 * compares the file with what was read; rename; fsync of the folder.  If the variable
 * has `value` already, only the folder is synced.
 *
 * FAULT_HOST: another value than `expected` ("somebody else changed ..."), or what is
 * wrong.  Then the file is unchanged and the temporary file removed, with one exception:
 * if only the last fsync failed, the new bytes are in place.
 */
int dotenv_replace(const char *path, const char *variable, const char *expected,
    const char *value, const char *id, struct fault *) MUST_CHECK;

/*
 * Removes the temporary files that killed processes left beside `path`, unless a live
 * one holds the lock of the file.
 */
void dotenv_sweep(const char *path);

#endif
