/*
 * recover.h: a journal found under the lock is a deploy that was interrupted by
 * a kill or a power cut.  It is recovered before anything else is done.
 */
#ifndef DEPLOY_RECOVER_H
#define DEPLOY_RECOVER_H

#include "deploy/session.h"

/*
 * First, docker commands of the killed run are waited for; then, in this order,
 * what is found decides:
 *
 *   the history has this deploy's id        the journal is cleared
 *   .env holds neither value                a person decided: recorded, cleared
 *   before the swap, or the old value and
 *   the recorded container still runs       the image names are restored
 *   (but before the swap another container
 *   took its place: a boot's own `up`)      rolled back
 *   the journal says rolling back           rolled back, again
 *   a `rollback`                            completed: its target is known-good
 *   the new value and the new image, and
 *   it passes the gate                      completed
 *   anything else                           rolled back
 *
 * A blind engine cannot say what runs: `up` had gone well where the journal says
 * verify, and health is asked; else it is rolled back.
 *
 * 0: nothing was interrupted, or it is complete now.  FAULT_FAILED: restored or
 * rolled back.  FAULT_UNVERIFIED: neither could be verified.  *left is set when
 * the journal stays: then nothing else is to be done, and the fault is FAULT_HOST
 * where the interrupted run had changed nothing, else FAULT_UNVERIFIED.
 */
int recover_run(struct session *, bool *left, struct fault *) MUST_CHECK;

/*
 * The same where there is no engine to ask: `why` is why.  It becomes
 * FAULT_UNVERIFIED when an interrupted run had changed something.
 */
void recover_later(struct session *, struct fault *why);

#endif
