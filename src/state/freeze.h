/*
 * freeze.h: a target on which nothing new is deployed, and why.  The file `freeze` in the
 * state folder is replaced as a whole, so it needs no lock: a target can be frozen during
 * a deploy, which goes on.
 */
#ifndef STATE_FREEZE_H
#define STATE_FREEZE_H

#include "state/history.h"

#include <jansson.h>
#include <stdbool.h>

#define FREEZE_REASON_MAX 201

struct freeze {
	char reason[FREEZE_REASON_MAX]; /* printable ASCII */
	struct who who;
	char time[32];  /* RFC 3339, UTC, when it began */
	char until[32]; /* the same, when it ends; "" when somebody ends it */
};

/*
 * Durable when it returns 0; replaces an earlier one.  FAULT_HOST; FAULT_UNVERIFIED where
 * it is written, but a power cut may undo that.
 */
int freeze_write(int dirfd, const struct freeze *, struct fault *) MUST_CHECK;

/*
 * *there is false where there is none, or it ended before `now` (RFC 3339, UTC).
 * FAULT_HOST for a file that cannot be read: nothing is to be deployed then either.
 */
int freeze_read(int dirfd, const char *now, struct freeze *, bool *there,
    struct fault *) MUST_CHECK;

/* There may be none.  The same faults. */
int freeze_clear(int dirfd, struct fault *) MUST_CHECK;

/* Removes what a killed freeze_write() left. */
void freeze_sweep(int dirfd);

/*
 * 0 where nothing is frozen.  FAULT_REFUSED "target NAME is frozen: REASON (…)".  dirfd
 * -1 is no state folder.
 */
int freeze_check(int dirfd, const char *now, const char *target,
    struct fault *) MUST_CHECK;

/* "REASON (by alice, until 2026-11-24 14:00 UTC)".  Returns `out`. */
const char *freeze_text(const struct freeze *, char *out, size_t size);

/* {reason, time, until, who}, owned by the caller; NULL: out of memory, or not UTF-8. */
json_t *freeze_object(const struct freeze *);

#endif
