/*
 * session.h: one request for one target: its state folder, its engine and, for a
 * request that may change something, its lock.
 */
#ifndef DEPLOY_SESSION_H
#define DEPLOY_SESSION_H

#include "config/target.h"
#include "engine/engine.h"
#include "health/url.h"
#include "state/history.h"
#include "sys/progress.h"

#include <time.h>

struct session {
	const struct target *target;
	const struct progress *progress;
	const struct who *who;
	struct engine *engine;        /* owned */
	struct url url[SERVICES_MAX]; /* the health URL of each service; no host: none */
	struct url version_url[SERVICES_MAX]; /* the same */
	char time[32];                        /* when it began, RFC 3339 */
	int64_t began;                        /* the same, sys/deadline.h */
	int dirfd;                            /* the state folder */
	int lockfd;                           /* -1: without the lock */
	struct record record; /* the newest one that it made; no id: none */
	/*
	 * Set by the caller of session_open(), or NULL: it is called with each record
	 * that was added to the history, and with one of OUTCOME_STARTED when a deploy
	 * begins its first phase that is in the journal, after prepare if its trigger runs
	 * by itself.
	 */
	void (*on_record)(void *arg, const struct target *, const struct record *);
	void *arg;
};

/*
 * Opens a session that may change something.  Only the user who owns what holds the
 * desired version may; another one is refused before anything is created.  `what` is
 * the request in a few words, for a caller who finds the lock held.
 *
 * -1 with no session: FAULT_BUSY while another request holds the lock, FAULT_HOST, or
 * what recover_later() makes of that.
 */
int session_open(struct session *, const struct target *, char *const *env,
    const struct progress *, const struct who *, const char *what,
    struct fault *) MUST_CHECK;

/*
 * Opens a session that changes nothing: no lock, and nothing is created.  dirfd is -1
 * where there is no state folder.
 */
int session_look(struct session *, const struct target *, char *const *env,
    const struct progress *, const struct who *, struct fault *) MUST_CHECK;
void session_close(struct session *);

/* A time, and now, as RFC 3339 in UTC. */
void session_time(time_t, char *out, size_t size);
void session_now(char *out, size_t size);

#endif
