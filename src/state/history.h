/*
 * history.h: the deploys of a target, one JSON object per line, the newest last.  The
 * known-good releases, and so the targets of a rollback, are read from it (ledger.h).
 *
 * The format is 2 ("v": 2).  Lines of format 1, of version 0.1, are read: their part has
 * no name of a service (release.h).  Lines of a newer format are skipped and kept.  Of a
 * part the service, the reference, the revision and the digest are written.
 */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include "state/release.h"
#include "state/trigger.h"
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
	enum trigger trigger;
};

enum outcome {
	OUTCOME_DEPLOYED,    /* `to` runs and was verified */
	OUTCOME_ADOPTED,     /* `to` was found running and healthy */
	OUTCOME_RECOVERED,   /* interrupted and completed later: `to` runs, verified */
	OUTCOME_DISCARDED,   /* nothing was applied; "put back" in format 1 */
	OUTCOME_REJECTED,    /* the same, as its candidate failed verification */
	OUTCOME_ROLLED_BACK, /* `from` runs again, verified */
	OUTCOME_UNVERIFIED,  /* neither could be verified */
	OUTCOME_ABANDONED,   /* interrupted, then changed by a person */
	OUTCOME_REFUSED,     /* nothing was changed; never in the file */
	OUTCOME_STARTED,     /* it begins to change something; never in the file */
	OUTCOME__MAX
};

/* The phases that are written to the journal, in their order. */
enum phase {
	PHASE_PREPARE,    /* references may move; what runs is not changed */
	PHASE_PRE_DEPLOY, /* a job of the new version runs; what serves is not changed */
	PHASE_CANDIDATE,  /* the new version runs beside; what serves is not changed */
	PHASE_DRAIN,      /* what runs finishes its work, and may refuse more */
	PHASE_APPLY,      /* `to` is resolved; old or new may be desired, and may run */
	PHASE_VERIFY,     /* apply has ended; `to` is being verified */
	PHASE_REVERT,     /* `from` is being applied and verified; the last phase */
	PHASE__MAX
};

const char *phase_name(enum phase);

/* Milliseconds of a deploy; 0 for a phase that did not run. */
struct timing {
	int64_t phase[PHASE__MAX], total;
};

struct record {
	char id[RECORD_ID_MAX];
	char time[32]; /* of its beginning, RFC 3339, UTC */
	enum record_verb verb;
	struct who who;
	struct release from, to;
	enum outcome outcome;
	int code;       /* the exit status */
	int64_t seq;    /* the order of pushes; 0: none was given */
	unsigned tries; /* windows of the slowest probe; 0: none */
	struct timing ms;
	/* ended by a kill, a signal or the engine: no evidence about `to`; not if good */
	bool unjudged;
	char why[FAULT_WHAT_MAX]; /* the reason; "": it succeeded */
};

const char *record_verb_name(enum record_verb);
const char *outcome_name(enum outcome);

/* Does it make `to` known-good? */
bool outcome_is_good(enum outcome);

/*
 * Appends it durably, after removing a torn last line.  The caller holds the lock.
 * FAULT_HOST: it could not be written.
 */
int history_append(int dirfd, const struct record *, struct fault *) MUST_CHECK;

/* FAULT_HOST: it cannot be appended to.  To be called before anything is changed. */
int history_writable(int dirfd, struct fault *) MUST_CHECK;

/* Removes the temporary file of a killed process.  The caller holds the lock. */
void history_sweep(int dirfd);

/* The record as one line of JSON, for free(3).  NULL: out of memory, or not UTF-8. */
char *record_json(const struct record *);

/*
 * Calls `each` for every record, the newest first, until it returns false.  Lines that
 * are no records, or of a newer format, are skipped.  The file may be missing.
 */
int history_walk(int dirfd, bool (*each)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

/* Is there a record with this id? */
int history_has(int dirfd, const char *id, bool *there, struct fault *) MUST_CHECK;

/* The number of lines. */
int history_count(int dirfd, size_t *n, struct fault *) MUST_CHECK;

/*
 * Removes the records for which `keep`, called with the newest first, returns false, and
 * lines that are no records.  The others keep their order and bytes.  The file is
 * replaced.  The caller holds the lock.
 */
int history_filter(int dirfd, bool (*keep)(void *, const struct record *), void *arg,
    struct fault *) MUST_CHECK;

#endif
