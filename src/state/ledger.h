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

enum verdict { VERDICT_NONE, VERDICT_GOOD, VERDICT_BAD };

struct judgement {
	enum verdict verdict;
	char time[32];            /* of its record, RFC 3339, UTC */
	char why[FAULT_WHAT_MAX]; /* if it is bad */
};

/* The newest verdict on this release. */
int ledger_knows(int dirfd, const struct release *, struct judgement *,
    struct fault *) MUST_CHECK;

/*
 * The releases on which the newest verdict is bad, of which all revisions are known:
 * without them a new image under the same tag cannot be told apart.  The caller frees
 * *list with ledger_bad_free(), also after a fault.
 */
struct bad_list;
int ledger_bad(int dirfd, struct bad_list **list, struct fault *) MUST_CHECK;
bool ledger_is_bad(const struct bad_list *, const struct release *);
void ledger_bad_free(struct bad_list *);

/*
 * The sequence number in force and its tag: of the newest deploy that succeeded.  0 and
 * "" if that had none.  A rollback does not change it.
 */
int ledger_sequence(int dirfd, int64_t *seq, char tag[TAG_MAX],
    struct fault *) MUST_CHECK;

/*
 * Trims a history of more than LEDGER_KEEP records and a tenth.  The newest LEDGER_KEEP
 * stay; of the older ones, the newest verdict, good or bad, on each release for which
 * `keep` returns true, the newest LEDGER_KEEP_BAD releases that are bad, and the deploy
 * that ledger_sequence() uses.  The file is replaced.
 * The caller holds the lock.
 */
#define LEDGER_KEEP 1000
#define LEDGER_KEEP_BAD 100
int ledger_trim(int dirfd, bool (*keep)(void *, const struct release *), void *arg,
    struct fault *) MUST_CHECK;

#endif
