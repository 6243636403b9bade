/*
 * recover.h: a journal found under the lock is a deploy that was cut short by
 * a kill or a power cut.  It is mended before anything else is done.
 */
#ifndef DEPLOY_RECOVER_H
#define DEPLOY_RECOVER_H

#include "deploy/session.h"

/*
 * First any docker call of the killed run is seen to its end; then, in this
 * order, what is found decides:
 *
 *   the history has this deploy's id        the journal is cleared
 *   .env holds neither value                a person decided: recorded, cleared
 *   before the swap, or the old value and
 *   the recorded container still runs       the names are put back
 *   (but before the swap another container
 *   took its place: a boot's own `up`)      rolled back
 *   the journal says rolling back           rolled back, again
 *   a `rollback`                            completed: its target is proven
 *   the new value and the new image, and
 *   it passes the gate                      completed
 *   anything else                           rolled back
 *
 * 0: nothing was interrupted, or it is complete now.  FAULT_FAILED: put back
 * or rolled back.  FAULT_UNVERIFIED: neither could be verified.  After these
 * the journal is gone and a request may go on.  FAULT_HOST: it could not be
 * mended now; the journal stays, and nothing else is to be done.
 */
int recover_run(struct session *, struct fault *) MUST_CHECK;

#endif
