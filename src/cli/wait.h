/*
 * wait.h: `status --wait`.  It looks, takes no lock, changes nothing.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/output.h"
#include "config/target.h"

/*
 * Follows what is in flight to its end, reporting its phases; then shows its record
 * (the newest where there was nothing to follow, or it made none), and its code is
 * the fault's kind.  FAULT_UNVERIFIED when what was in flight was killed and waits to
 * be recovered.  Ends early when nobody reads it any more.
 */
int wait_for_end(struct output *, const struct target *, bool json,
    struct fault *) MUST_CHECK;

#endif
