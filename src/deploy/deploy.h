/*
 * deploy.h: the verbs that change what runs.
 *
 * All of them need a session, and change nothing while an interrupted deploy is
 * not recovered.  0: the release runs, verified.  FAULT_FAILED: what served before
 * serves, verified, or nothing was changed.  FAULT_UNVERIFIED: neither could be
 * verified.  FAULT_HOST, FAULT_REFUSED, FAULT_SUPERSEDED as in sys/fault.h, with
 * nothing changed.
 */
#ifndef DEPLOY_DEPLOY_H
#define DEPLOY_DEPLOY_H

#include "deploy/session.h"

/* `seq` older than the number in force is superseded; 0 for none. */
int deploy_run(struct session *, const char *tag, int64_t seq, struct fault *) MUST_CHECK;

/* `tag` is "" for the newest known-good release that is not the running one. */
int rollback_run(struct session *, const char *tag, struct fault *) MUST_CHECK;

/*
 * A journal found under the lock is a deploy that was interrupted by a kill or a
 * power cut.  First, docker commands of the killed run are waited for; then, in this
 * order, what is found decides:
 *
 *   the history has this deploy's id          the journal is cleared, its code repeated
 *   the desired version of a service is       a person decided: recorded as
 *   neither the old nor the new one           abandoned, left alone
 *   the phase is prepare                      discarded (reverted where another
 *                                             instance took its place: a boot's `up`)
 *   the phase is revert                       reverted again
 *   it was a rollback                         completed: its release is known-good
 *   the new one is desired and runs           verified, and completed
 *   anything else                             reverted
 *
 * "Runs" is said of every service.  An engine that cannot observe: discarded in
 * prepare, verified in verify, else reverted.
 *
 * 0: nothing was interrupted, or it is complete now.  FAULT_FAILED: discarded or
 * reverted.  FAULT_UNVERIFIED: neither could be verified.  *left is set when the
 * journal stays: then nothing else is to be done, and the fault is FAULT_HOST where
 * the interrupted run had changed nothing, else FAULT_UNVERIFIED.
 */
int recover_run(struct session *, bool *left, struct fault *) MUST_CHECK;

/*
 * The same where there is no engine to ask: `why` is why.  It becomes FAULT_UNVERIFIED
 * when an interrupted run had changed something.
 */
void recover_later(struct session *, struct fault *why);

/* Starts what is desired and does not run, without a registry; for a boot. */
int start_run(struct session *, struct fault *) MUST_CHECK;

/*
 * The next two need no lock (session_look()), pull and change nothing.  FAULT_BUSY
 * while a deploy is running.
 *
 * What a deploy of the tag would replace and start: `to` has the revisions that its
 * references mean on this host now.  Fails as the checks of a deploy do.
 */
int plan_run(struct session *, const char *tag, struct release *from, struct release *to,
    struct fault *) MUST_CHECK;

/*
 * Does what was deployed last (r) run now, healthy?  FAULT_UNVERIFIED where it does not.
 */
int verify_run(struct session *, struct release *r, struct fault *) MUST_CHECK;

#endif
