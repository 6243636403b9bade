/*
 * edit.h: one variable of a .env file, read as compose reads it and replaced so that
 * at every instant the file is the old bytes or the new ones, whole.
 *
 * Only the bytes of the value change: quotes, comments, line ends, order and every
 * other line stay.  What is ambiguous is refused with the number of the line and never
 * with its content: it may hold secrets.
 *
 * Several processes may edit different variables of one file: sweep, read, edit and
 * rename happen under flock(2).  No lock is held when a function has returned.
 */
#ifndef DOTENV_EDIT_H
#define DOTENV_EDIT_H

#include "dotenv/scan.h"
#include "sys/fault.h"

/*
 * Reads the value of the one assignment of `variable`.  FAULT_HOST: "missing env file:
 * PATH"; "missing VARIABLE in PATH" (also for an empty value); or what is wrong.
 */
int dotenv_read(const char *path, const char *variable, char value[DOTENV_VALUE_MAX],
    struct fault *) MUST_CHECK;

/*
 * Can this process replace the file: is its folder writable, the file its own?
 * FAULT_HOST otherwise.  Changes nothing.
 */
int dotenv_writable(const char *path, struct fault *) MUST_CHECK;

/*
 * Replaces the value `expected` of `variable` by `value` (DOTENV_VALUE_BYTES only),
 * durably: a temporary file ".env.twilight-deploy.ID" beside it (the file's base name,
 * then that); mode, owner, group and extended attributes kept; fsync; checked that the
 * file is still what was read; rename; fsync of the folder.  A variable that has
 * `value` already is left, and the folder synced.
 *
 * FAULT_HOST: another value than `expected` ("somebody else changed ..."), or what is
 * wrong.  The file is as it was then and the temporary file gone, but for one failure:
 * where the folder could not be synced after the rename, the new bytes are in place.
 */
int dotenv_replace(const char *path, const char *variable, const char *expected,
    const char *value, const char *id, struct fault *) MUST_CHECK;

/*
 * Removes the temporary files that killed runs left beside `path`.  None where a live
 * process keeps the file locked.
 */
void dotenv_sweep(const char *path);

#endif
