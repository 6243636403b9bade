/*
 * session.h: one request that may change something: the lock of the target is
 * held, its state folder is open, its engine is there.
 */
#ifndef DEPLOY_SESSION_H
#define DEPLOY_SESSION_H

#include "config/target.h"
#include "engine/engine.h"
#include "health/url.h"
#include "state/history.h"
#include "sys/progress.h"

struct session {
	const struct target *target;
	const struct progress *progress;
	const struct who *who;
	struct engine *engine;        /* the session's */
	struct url url[SERVICES_MAX]; /* of each service's health; no host: none */
	char time[32];                /* when it began, RFC 3339 */
	int64_t began;                /* the same, sys/deadline.h */
	int dirfd;                    /* the state folder */
	int lockfd;                   /* -1: it looks only */
	struct record record;         /* the newest that was made; no id: none was */
};

/*
 * Who may, state folder, lock, engine.  Only the user who owns the env file may
 * change it; anybody else is refused before anything is created.  `what` is the
 * request in a few words, for those who find the lock held.  FAULT_BUSY when another
 * one is running.
 */
int session_open(struct session *, const struct target *, char *const *env,
    const struct progress *, const struct who *, const char *what,
    struct fault *) MUST_CHECK;

/*
 * The same to look only: without the lock, and nothing is made; dirfd is -1 where there
 * is no state folder.
 */
int session_look(struct session *, const struct target *, char *const *env,
    const struct progress *, const struct who *, struct fault *) MUST_CHECK;
void session_close(struct session *);

/* Now, as RFC 3339 in UTC. */
void session_now(char *out, size_t size);

#endif
