/*
 * session.h: one request that may change something: the lock is held, the
 * state folder is open, the engine is there.
 */
#ifndef DEPLOY_SESSION_H
#define DEPLOY_SESSION_H

#include "config/target.h"
#include "engine/engine.h"
#include "health/url.h"
#include "state/history.h"
#include "state/mask.h"
#include "sys/progress.h"
#include "sys/who.h"

struct session {
	const struct target *target;
	const struct progress *progress;
	const struct who *who;
	struct engine *engine; /* set by the caller after session_open() */
	struct mask *mask;     /* the same; for text from elsewhere, NULL: none */
	struct url url;        /* of the health check */
	char time[32];         /* when it began, RFC 3339 */
	int64_t began;         /* the same, sys/deadline.h */
	int dirfd;             /* the state folder */
	int lockfd;
	struct record record; /* the newest that was made; no id: none was */
};

/*
 * Who may, state folder, lock.  Only the user who owns .env may change it;
 * anybody else is refused before anything is created.  `what` is the request
 * in a few words, for those who find the lock held.
 */
int session_open(struct session *, const struct target *, const struct progress *,
    const struct who *, const char *what, struct fault *) MUST_CHECK;
void session_close(struct session *);

/* Now, as RFC 3339 in UTC. */
void session_now(char *out, size_t size);

#endif
