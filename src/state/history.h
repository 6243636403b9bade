/*
 * history.h: what was deployed, one JSON object per line, the newest last.
 * It is the ledger: the proven versions, and so every rollback target, come
 * from here and from nowhere else.
 */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include "state/version.h"
#include "sys/fault.h"
#include "sys/who.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
	OUTCOME_DEPLOYED,    /* `to` runs and was healthy */
	OUTCOME_ADOPTED,     /* `to` was found running and healthy */
	OUTCOME_RECOVERED,   /* interrupted, completed later: `to` runs, healthy */
	OUTCOME_PUT_BACK,    /* nothing was swapped; names are as they were */
	OUTCOME_ROLLED_BACK, /* `from` runs again, verified */
	OUTCOME_UNVERIFIED,  /* neither could be verified */
	OUTCOME_ABANDONED,   /* interrupted, and a person decided since */
	OUTCOME_REFUSED,     /* nothing was begun; never in the file */
	OUTCOME__MAX
};

struct record {
	char id[40];
	char time[32]; /* RFC 3339, UTC, when it began */
	char verb[16];
	struct who who;
	struct version from, to;
	enum outcome outcome;
	int code;       /* the exit status */
	int64_t seq;    /* the order of pushes; 0: none was said */
	unsigned tries; /* windows of the probe, 0 for none */
	int64_t pull_ms, up_ms, health_ms, total_ms;
	bool interrupted; /* by a kill or a signal: what it was to be was never judged */
	char why[FAULT_WHAT_MAX]; /* in words; "" when it went well */
};

const char *outcome_name(enum outcome);

/* Is `to` proven by this record? */
bool outcome_proves(enum outcome);

/*
 * Appends, durably.  A torn last line (a power cut) is cut off first.
 * Lock held.  FAULT_HOST when it could not be written.
 */
int history_append(int dirfd, const struct record *, struct fault *) MUST_CHECK;

/* Can it be appended to?  To be asked before anything is changed. */
int history_writable(int dirfd, struct fault *) MUST_CHECK;

/* What a kill left of a trimming goes; lock held. */
void history_sweep(int dirfd);

/* The record as one line of JSON, malloc'd; NULL when out of memory. */
char *record_json(const struct record *);

/*
 * Calls `each` for every record, the newest first, until it returns false.
 * Lines that are not records are passed over.  No history is no fault.
 */
int history_walk(int dirfd, bool (*each)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

/* Is there a record with this id?  -1 on a fault. */
int history_has(int dirfd, const char *id, struct fault *) MUST_CHECK;

/* How many lines it has. */
int history_count(int dirfd, size_t *n, struct fault *) MUST_CHECK;

/*
 * Replaces the file by the records that `keep`, asked the newest first,
 * wants; their order and bytes stay.  Temp file and rename.  Lock held.
 */
int history_filter(int dirfd, bool (*keep)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

#endif
