/*
 * signature.h: signatures made with `ssh-keygen -Y sign -n twilight-deploy`.
 */
#ifndef DEPLOY_SIGNATURE_H
#define DEPLOY_SIGNATURE_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>

/* A file of allowed signers; ssh-keygen(1), ALLOWED SIGNERS. */
struct signers {
	const char *file;
	/* the state folder, where the signature lies while ssh-keygen reads it */
	const char *state;
	int dirfd;
};

/* FAULT_HOST unless the file is there and only its owner, root or this user, may write it. */
int signature_trusts(const char *file, struct fault *) MUST_CHECK;

/*
 * Is `sig`, the body of an armored signature in one line, one of `text` by an allowed
 * signer?  `who` gets the signer's name, escaped; "": it is not.  The caller holds the
 * lock.  FAULT_HOST when ssh-keygen cannot be asked.
 */
int signature_signer(const struct signers *, const char *sig, const char *text, char *who,
    size_t size, struct fault *) MUST_CHECK;

/* Removes what a killed signature_signer() left.  The caller holds the lock. */
void signature_sweep(int dirfd);

#endif
