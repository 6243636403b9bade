/*
 * ledger.h: what the history says about versions: which are proven, and
 * which records must outlive its trimming.
 */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include "state/history.h"

/*
 * The proven versions, the newest first, one for each image (for each tag
 * where no image is known), at most `max`.  Left out is what was rolled back
 * from since its last success, unless `forgive` is set.  Sets *n.
 */
int ledger_proven(int dirfd, bool forgive, struct version *, size_t max, size_t *n,
    struct fault *) MUST_CHECK;

/* Is this image proven by the newest word on it?  1, 0, or -1 on a fault. */
int ledger_knows(int dirfd, const struct version *, struct fault *) MUST_CHECK;

/*
 * The newest deploy that went well, if it said a sequence number: a rollback
 * keeps the number in force, a deploy without one ends it.  1 and *seq and
 * the version set, 0 where none is in force, -1 on a fault.
 */
int ledger_sequence(int dirfd, int64_t *seq, struct version *, struct fault *) MUST_CHECK;

/*
 * Trims the history when it has more than LEDGER_KEEP records and a tenth:
 * the newest LEDGER_KEEP stay, and of the older ones the newest word on each
 * version that `keep` wants, be it good or bad, and the deploy that
 * ledger_sequence() goes by.  Temp file and rename; lock held.
 */
#define LEDGER_KEEP 1000
int ledger_trim(int dirfd, bool (*keep)(void *, const struct version *), void *arg,
    struct fault *) MUST_CHECK;

#endif
