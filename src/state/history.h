/*
 * history.h: what was deployed, one JSON object per line, the newest last.
 * It is the ledger: the known-good releases, and so every rollback target, come
 * from here and from nowhere else.
 *
 * Format 2 ("v": 2).  Lines of format 1, of version 0.1, are read: their part has
 * no service's name (release.h).  Of a part the service, the reference and the
 * revision are kept.
 */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include "state/release.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_ID_MAX 40

/* The verbs that are recorded. */
enum record_verb { RECORD_DEPLOY, RECORD_ROLLBACK, RECORD_VERB__MAX };

/* Who asked (request/who.h). */
struct who {
	char actor[64];  /* a name, escaped */
	char key[80];    /* fingerprint of the SSH key, as ssh-keygen -l has it; or "" */
	char client[64]; /* the client's address; or "" */
};

enum outcome {
	OUTCOME_DEPLOYED,    /* `to` runs and was verified */
	OUTCOME_ADOPTED,     /* `to` was found running and healthy */
	OUTCOME_RECOVERED,   /* interrupted, completed later: `to` runs, verified */
	OUTCOME_DISCARDED,   /* nothing was applied; "put back" in format 1 */
	OUTCOME_ROLLED_BACK, /* `from` runs again, verified */
	OUTCOME_UNVERIFIED,  /* neither could be verified */
	OUTCOME_ABANDONED,   /* interrupted, and a person decided since */
	OUTCOME_REFUSED,     /* nothing was begun; never in the file */
	OUTCOME__MAX
};

/* Milliseconds of a deploy; 0 for a phase that did not run. */
struct timing {
	int64_t prepare, apply, verify, total;
};

struct record {
	char id[RECORD_ID_MAX];
	char time[32]; /* RFC 3339, UTC, when it began */
	enum record_verb verb;
	struct who who;
	struct release from, to;
	enum outcome outcome;
	int code;       /* the exit status */
	int64_t seq;    /* the order of pushes; 0: none was given */
	unsigned tries; /* windows of the probe, 0 for none */
	struct timing ms;
	/* a kill, a signal or the engine ended it: says nothing of `to`; never when good */
	bool unjudged;
	char why[FAULT_WHAT_MAX]; /* in words; "" when it succeeded */
};

const char *record_verb_name(enum record_verb);
const char *outcome_name(enum outcome);

/* Is `to` known-good by this record? */
bool outcome_is_good(enum outcome);

/*
 * Appends, durably.  A torn last line (a power cut) is cut off first.
 * Lock held.  FAULT_HOST when it could not be written.
 */
int history_append(int dirfd, const struct record *, struct fault *) MUST_CHECK;

/* Can it be appended to?  To be asked before anything is changed. */
int history_writable(int dirfd, struct fault *) MUST_CHECK;

/* Removes what a kill left of a trimming; lock held. */
void history_sweep(int dirfd);

/* The record as one line of JSON, malloc'd; NULL when out of memory. */
char *record_json(const struct record *);

/*
 * Calls `each` for every record, the newest first, until it returns false.
 * Lines that are not records, or of a newer format, are skipped.  No history is no
 * fault.
 */
int history_walk(int dirfd, bool (*each)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

/* Is there a record with this id? */
int history_has(int dirfd, const char *id, bool *there, struct fault *) MUST_CHECK;

/* How many lines it has. */
int history_count(int dirfd, size_t *n, struct fault *) MUST_CHECK;

/*
 * Replaces the file by the records that `keep`, asked the newest first,
 * wants; their order and bytes stay.  Temp file and rename.  Lock held.
 */
int history_filter(int dirfd, bool (*keep)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

#endif
