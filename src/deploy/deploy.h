/*
 * deploy.h: the verbs that deploy/ offers to cli/.
 *
 * deploy_run(), rollback_run() and start_run() need session_open() and a recover_run()
 * that left no journal.
 *
 * 0                  the release runs, verified
 * FAULT_FAILED       not deployed; what served before serves, or nothing did
 * FAULT_UNVERIFIED   neither release could be verified
 * others             as in sys/fault.h; nothing was changed
 */
#ifndef DEPLOY_DEPLOY_H
#define DEPLOY_DEPLOY_H

#include "deploy/session.h"
#include "request/request.h"
#include "state/freeze.h"

/*
 * Deploys `tag`, which is that of the request, perhaps without its prefix.
 * FAULT_SUPERSEDED where seq= is older than the one in force.  FAULT_REFUSED on a frozen
 * target, and where the image is not the one that was asked for, or is bad and nobody
 * watches; it is discarded.
 */
int deploy_run(struct session *, const char *tag, const struct request *,
    struct fault *) MUST_CHECK;

/*
 * Freezes the target for `seconds`, 0 for until unfreeze_run(); an earlier freeze is
 * replaced.  Only the user who may deploy it may.  Sets *z to the freeze.  FAULT_HOST.
 */
int freeze_run(const struct target *, const struct who *, const char *reason,
    int64_t seconds, struct freeze *z, struct fault *) MUST_CHECK;

/* *was: the target was frozen, by *z, which is empty where it could not be read. */
int unfreeze_run(const struct target *, struct freeze *z, bool *was,
    struct fault *) MUST_CHECK;

/* `tag` "" is the newest known-good release that does not run now. */
int rollback_run(struct session *, const char *tag, struct fault *) MUST_CHECK;

/*
 * Recovers the deploy that a journal describes: one that a kill or a power cut ended.
 * docs/architecture.md, Recovery, says what is found and what is done.
 *
 * 0: there was no journal, or the release runs, verified: the new one, or what a person
 * chose.  FAULT_FAILED: discarded or reverted.  FAULT_UNVERIFIED: what runs could not
 * be verified, or is not what a person chose.
 *
 * *left: the request must not run, as the journal or a detached command had to stay.
 * FAULT_HOST where the interrupted run had changed nothing, else FAULT_UNVERIFIED.
 */
int recover_run(struct session *, bool *left, struct fault *) MUST_CHECK;

/*
 * For a request that fails with `why` before it can recover: FAULT_HOST becomes
 * FAULT_UNVERIFIED where the target has a journal that does not rule out a change.
 * `locked`: the caller holds the lock; else a journal counts only while nobody does.
 */
void recover_later(const struct target *, bool locked, struct fault *why);

/*
 * Starts what is desired and does not run, without a registry: for a boot.  Nothing is
 * verified.
 */
int start_run(struct session *, struct fault *) MUST_CHECK;

/*
 * The next two work with session_look() too: they change and fetch nothing.  FAULT_BUSY
 * while a deploy is running.
 *
 * What a deploy of `tag` would replace and start; fails as its checks would.  `to` has
 * the revisions that its references mean on this host now.  An image on this host that
 * a deploy would refuse is reported: the registry may have another one.
 */
int plan_run(struct session *, const char *tag, const struct request *,
    struct release *from, struct release *to, struct fault *) MUST_CHECK;

/*
 * Does what was deployed last run now, healthy?  Sets *r to it.  FAULT_UNVERIFIED where
 * it does not.
 */
int verify_run(struct session *, struct release *r, struct fault *) MUST_CHECK;

#endif
