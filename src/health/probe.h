/*
 * probe.h: when to ask, and how often.  Pure bookkeeping around http_get():
 * it never sleeps, so that the caller can watch the container and signals
 * between two attempts.
 *
 * TRIES x SLEEP is the budget.  A try is a window of SLEEP seconds, counted
 * from the first attempt on.  Within it a refused connection, and one that
 * ends without an answer, is tried again after a thirtieth of the time that
 * was waited so far, at least 20 and at most 250 ms; an unhealthy answer is
 * asked again every 250 ms.  An
 * attempt that hangs (2 s) may outlast its window; it uses up one, and the
 * next begins when it ends.  A pause never outlasts its window, so that the
 * last attempt is made at the very end of the budget.  Good answers close no
 * window: those of a service that settles cost at most one.
 * SLEEP = 0 makes each try a single attempt with no pause.
 */
#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include "health/http.h"

#include <stdbool.h>

#define PROBE_ANSWER_MS 2000 /* connect + send + answer */

struct probe {
	const struct url *url;
	unsigned tries;   /* 1.. */
	int64_t sleep_ms; /* 0.. */
	unsigned window;  /* the current one, from 1; 0 before the first attempt */
	int64_t window_end;
	int64_t began;    /* the first attempt */
	int64_t pause_ms; /* how long to wait before the next attempt */
};

enum probe_verdict {
	PROBE_GOOD,  /* 200..399 */
	PROBE_AGAIN, /* not yet: wait probe->pause_ms, then ask again */
	PROBE_SPENT  /* not yet, and the windows are used up */
};

void probe_init(struct probe *, const struct url *, unsigned tries, int64_t sleep_ms);

/*
 * Asks once; `answer` always tells what came.  With PROBE_GOOD probe->window
 * is the number of tries it took.
 */
enum probe_verdict probe_ask(struct probe *, struct http_answer *answer);

/*
 * The verdict on an answer that came at `now`; probe_ask() without I/O.  The
 * first window begins at `now` where no probe_ask() has begun it.
 */
enum probe_verdict probe_judge(struct probe *, const struct http_answer *, int64_t now);

/* 200..399, as curl -f accepts. */
bool http_healthy(const struct http_answer *);

#endif
