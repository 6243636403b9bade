/*
 * journal.h: the one deploy that is under way, on disk before each step that
 * could not be told from what is there.  A journal found under the lock is an
 * interrupted deploy (deploy/recover.h mends it).
 */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include "state/version.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum journal_step {
	JOURNAL_PULL,     /* names may move; .env is the old one */
	JOURNAL_SWAP,     /* the image is known; .env may be either, `up` may have run */
	JOURNAL_VERIFY,   /* a blind engine only: `up` has run, health is being asked */
	JOURNAL_ROLLBACK, /* going back: .env may be either, never forward again */
	JOURNAL__MAX
};

#define JOURNAL_ID_MAX 40
#define JOURNAL_VALUE_MAX 256

struct journal {
	char id[JOURNAL_ID_MAX];
	char verb[16]; /* "deploy" or "rollback" */
	enum journal_step step;
	bool blind;                        /* an engine that reports nothing */
	bool served;                       /* the container ran when it began */
	struct version from;               /* what ran; all empty on a first deploy */
	struct version to;                 /* what is wanted; image empty until pulled */
	char container[IMAGE_ID_MAX];      /* that ran; "" for none */
	char displaced[IMAGE_ID_MAX];      /* what to.ref named before; "" for nothing */
	char old_value[JOURNAL_VALUE_MAX]; /* the variable's, in .env */
	int64_t seq;                       /* the order of pushes; 0: none was said */
	char actor[64];
	char time[32]; /* RFC 3339, when it began */
};

/*
 * Durable when it returns 0.  FAULT_HOST otherwise: where there was none, there is
 * none, or the fault says that one may be left; else the old one or the new one, whole.
 */
int journal_write(int dirfd, const struct journal *, struct fault *) MUST_CHECK;

/*
 * 1 and filled in where there is one, 0 where there is none, -1 FAULT_HOST
 * where it cannot be read or is of a version that this program does not know.
 */
int journal_read(int dirfd, struct journal *, struct fault *) MUST_CHECK;

/* A half-written one that a kill left goes; lock held. */
void journal_sweep(int dirfd);

/* Durable. */
int journal_clear(int dirfd, struct fault *) MUST_CHECK;

const char *journal_step_name(enum journal_step);

#endif
