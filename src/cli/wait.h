/*
 * wait.h: `status --wait`.  It looks, takes no lock, changes nothing.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/output.h"
#include "config/target.h"

/*
 * Follows what is under way to its end, telling its steps; then its record
 * (the newest where there was nothing to follow, or it came to none), and its
 * code as the fault's kind.  FAULT_UNVERIFIED when what was under way was killed
 * and waits for being mended.  Ends early when nobody reads it any more.
 */
int wait_for_end(struct output *, const struct target *, struct fault *) MUST_CHECK;

#endif
