/*
 * journal.h: the one deploy of a target that is in progress, on disk before
 * each phase that an observation alone could not tell.  A journal found under
 * the lock is an interrupted deploy (deploy/recover.h).
 *
 * Format 2.  Format 1, of version 0.1, is read: each of its releases has one part
 * without a service's name, also where nothing ran, and "silent" is the engine "blind".
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "state/history.h"

enum phase {
	PHASE_PREPARE, /* references may move; nothing that runs is touched */
	PHASE_APPLY,   /* `to` is resolved; desired may be either, and what runs too */
	PHASE_VERIFY,  /* apply has ended; `to` is being verified */
	PHASE_REVERT,  /* `from` is being applied and verified; never forward again */
	PHASE__MAX
};

struct journal {
	char id[RECORD_ID_MAX];
	enum record_verb verb;
	enum phase phase;
	char engine[8];      /* "compose", "blind" */
	struct release from; /* what ran, and what a reboot would start (release.h) */
	struct release to;   /* what is wanted; revisions empty until prepared */
	int64_t seq;         /* the order of pushes; 0: none was given */
	struct who who;
	char time[32]; /* RFC 3339, when it began */
};

/*
 * Durable when it returns 0.  FAULT_HOST otherwise: where there was none, there is
 * none, or the fault says that one may be left; else the old one or the new one, whole.
 */
int journal_write(int dirfd, const struct journal *, struct fault *) MUST_CHECK;

/*
 * 0 with *found set, and filled in where there is one; FAULT_HOST where it cannot be
 * read or is of a format that this program does not know.
 */
int journal_read(int dirfd, struct journal *, bool *found, struct fault *) MUST_CHECK;

/* Removes a half-written one that a kill left; lock held. */
void journal_sweep(int dirfd);

/* Durable. */
int journal_clear(int dirfd, struct fault *) MUST_CHECK;

const char *phase_name(enum phase);

#endif
