/*
 * freeze.h: a target on which nothing new is deployed, and why.  A file of the state
 * folder; no lock is needed, for it is replaced as a whole.
 */
#ifndef STATE_FREEZE_H
#define STATE_FREEZE_H

#include "state/history.h"

#include <stdbool.h>

#define FREEZE_REASON_MAX 201

struct freeze {
	char reason[FREEZE_REASON_MAX]; /* printable ASCII */
	struct who who;
	char time[32];  /* RFC 3339, UTC, when it began */
	char until[32]; /* the same, when it ends; "" when somebody ends it */
};

/* Durable when it returns 0; replaces an earlier one.  FAULT_HOST. */
int freeze_write(int dirfd, const struct freeze *, struct fault *) MUST_CHECK;

/*
 * *there is false where there is none, or it ended before `now` (RFC 3339, UTC).
 * FAULT_HOST for a file that cannot be read: nothing is to be deployed then either.
 */
int freeze_read(int dirfd, const char *now, struct freeze *, bool *there,
    struct fault *) MUST_CHECK;

/* That there is none is fine.  FAULT_HOST. */
int freeze_clear(int dirfd, struct fault *) MUST_CHECK;

/* Always -1: FAULT_REFUSED "NAME is frozen: REASON", by whom and until when. */
int freeze_refuse(const struct freeze *, const char *target, struct fault *);

#endif
