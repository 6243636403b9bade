/*
 * ledger.h: which releases are known-good according to the history, and which records
 * trimming must keep.
 */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include "state/history.h"

/*
 * The known-good releases, the newest first, each once (release_same()): *n of them, at
 * most `max`.  The newest verdict on a release counts: one that failed after its last
 * success is left out, unless `include_bad` is set.
 */
int ledger_good(int dirfd, bool include_bad, struct release *, size_t max, size_t *n,
    struct fault *) MUST_CHECK;

/* Is the newest verdict on this release good? */
int ledger_knows(int dirfd, const struct release *, bool *good,
    struct fault *) MUST_CHECK;

/*
 * The sequence number in force and its tag: of the newest deploy that succeeded.  0 and
 * "" if that had none.  A rollback does not change it.
 */
int ledger_sequence(int dirfd, int64_t *seq, char tag[TAG_MAX],
    struct fault *) MUST_CHECK;

/*
 * Trims a history of more than LEDGER_KEEP records and a tenth.  The newest LEDGER_KEEP
 * stay; of the older ones, the newest verdict, good or bad, on each release for which
 * `keep` returns true, and the deploy that ledger_sequence() uses.  The file is replaced.
 * The caller holds the lock.
 */
#define LEDGER_KEEP 1000
int ledger_trim(int dirfd, bool (*keep)(void *, const struct release *), void *arg,
    struct fault *) MUST_CHECK;

#endif
