/*
 * ledger.h: what the history says about releases: which are known-good, and
 * which records must outlive its trimming.
 */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include "state/history.h"

/*
 * The known-good releases, the newest first, each once (release_same()), at most
 * `max`.  The newest judgement of a release counts: one that failed after its last
 * success is left out, unless `include_bad` is set.  Sets *n.
 */
int ledger_good(int dirfd, bool include_bad, struct release *, size_t max, size_t *n,
    struct fault *) MUST_CHECK;

/* Is the newest judgement of this release that it is good? */
int ledger_knows(int dirfd, const struct release *, bool *good,
    struct fault *) MUST_CHECK;

/*
 * The sequence number in force, 0 for none, and the tag that carries it: that of the
 * newest deploy that succeeded.  A rollback keeps it, a deploy without one ends it.
 */
int ledger_sequence(int dirfd, int64_t *seq, char tag[TAG_MAX],
    struct fault *) MUST_CHECK;

/*
 * Trims the history when it has more than LEDGER_KEEP records and a tenth: the
 * newest LEDGER_KEEP stay, and of the older ones the newest judgement of each release
 * that `keep` wants, be it good or bad, and the deploy that ledger_sequence() goes by.
 * Temp file and rename; lock held.
 */
#define LEDGER_KEEP 1000
int ledger_trim(int dirfd, bool (*keep)(void *, const struct release *), void *arg,
    struct fault *) MUST_CHECK;

#endif
