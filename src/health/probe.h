/*
 * probe.h: the schedule of a health check.  It only keeps account of the attempts and
 * never sleeps: between two attempts the caller watches the container and signals.
 *
 * The budget is TRIES windows of SLEEP seconds.  The first one begins with the first
 * attempt.  The pause after a refused connection, or one that ends without an answer, is
 * a thirtieth of the time since the first attempt, at least 20 and at most 250 ms; after
 * an unhealthy answer it is 250 ms.  No pause ends after its window, so that the last
 * attempt is at the end of the budget.  An attempt may take 2 s and end after its window;
 * then the next window begins at that time.  A good answer ends no window.
 * SLEEP = 0: each window is one attempt, without a pause.
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
	int64_t pause_ms; /* before the next attempt */
};

enum probe_verdict {
	PROBE_GOOD,  /* 200..399 */
	PROBE_AGAIN, /* not yet: wait probe->pause_ms, then ask again */
	PROBE_SPENT  /* not yet, and the budget is used up */
};

void probe_init(struct probe *, const struct url *, unsigned tries, int64_t sleep_ms);

/*
 * One attempt; `answer` is always set.  With PROBE_GOOD, probe->window is the number of
 * windows that it took.
 */
enum probe_verdict probe_ask(struct probe *, struct http_answer *answer);

/*
 * probe_ask() without I/O: the verdict on an answer that came at `now`.  Begins the first
 * window if none was begun.
 */
enum probe_verdict probe_judge(struct probe *, const struct http_answer *, int64_t now);

/* Is it 200..399?  curl -f accepts the same. */
bool http_healthy(const struct http_answer *);

#endif
