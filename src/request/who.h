/*
 * who.h: who asks, for the record.  It grants nothing.
 */
#ifndef REQUEST_WHO_H
#define REQUEST_WHO_H

#include "state/history.h"

/*
 * The trigger is `trigger` (--trigger; may be NULL), else ssh where SSH_CONNECTION is
 * set, else prompt.
 * The actor is `actor` (--actor; may be NULL), else LOGNAME, else the user's name.
 * Key and address are from what sshd(8) left in `env`: the file named by SSH_USER_AUTH
 * (ExposeAuthInfo, sshd_config(5)) and SSH_CONNECTION.  What is missing or malformed
 * stays empty.
 */
void who_read(struct who *, const char *actor, const char *trigger, char *const *env);

#endif
