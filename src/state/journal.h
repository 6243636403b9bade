/*
 * journal.h: the deploy of a target that is in progress.  It is written before each
 * phase that an observation cannot tell from the one before.  A journal that is found
 * under the lock is an interrupted deploy (deploy/recover.c).
 *
 * The format is 2.  Format 1, of version 0.1, is read: each of its releases has one part
 * without a name of a service, even if nothing ran; "silent" is the engine "blind".
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "state/history.h"

/* `to` was not applied: nothing of it is desired or runs, but by another's hand. */
static inline bool
phase_is_before_apply(enum phase phase)
{
	return phase < PHASE_APPLY;
}

/* Whatever was done is not seen by anybody. */
static inline bool
phase_changes_nothing(enum phase phase)
{
	return phase == PHASE_PREPARE;
}

struct journal {
	char id[RECORD_ID_MAX];
	enum record_verb verb;
	enum phase phase;
	char engine[8];      /* "compose", "blind" */
	struct release from; /* what ran, and what a reboot would start */
	struct release to;   /* what is wanted; without revisions until prepared */
	int64_t seq;         /* the order of pushes; 0: none was given */
	struct who who;
	char time[32]; /* of its beginning, RFC 3339, UTC */
};

/*
 * Writes it durably.  FAULT_HOST: if there was a journal, it is the old one or the new
 * one, whole; else there is none, or the fault says that one may be left.
 */
int journal_write(int dirfd, const struct journal *, struct fault *) MUST_CHECK;

/*
 * Sets *found, and reads the journal if there is one.  FAULT_HOST: it cannot be read,
 * is damaged, or has a newer format.
 */
int journal_read(int dirfd, struct journal *, bool *found, struct fault *) MUST_CHECK;

/* Removes the temporary file of a killed process.  The caller holds the lock. */
void journal_sweep(int dirfd);

/* Removes it durably. */
int journal_clear(int dirfd, struct fault *) MUST_CHECK;

#endif
