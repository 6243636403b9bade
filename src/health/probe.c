/*
 * TRIES windows of SLEEP, one after the other:
 *
 *	|x.x..x...x|x....x....x|x---------hang---------|x....x|
 *	 window 1   window 2    window 3                window 4
 *
 * An attempt belongs to the window in which it was begun.  The first bad answer at or
 * after the end of the window closes it, and the next one begins at that time.
 */
#include "health/probe.h"

#include "sys/deadline.h"

#include <string.h>

#define QUICK_MS 20   /* the shortest pause */
#define STEADY_MS 250 /* the longest */
#define SHARE 30      /* of the time so far: a service is seen at most 3 % late */

void
probe_init(struct probe *p, const struct url *url, unsigned tries, int64_t sleep_ms)
{
	memset(p, 0, sizeof(*p));
	p->url = url;
	p->tries = tries;
	p->sleep_ms = sleep_ms;
}

bool
http_healthy(const struct http_answer *a)
{
	return a->end == HTTP_ANSWER && a->status >= 200 && a->status <= 399;
}

static void
begin_window(struct probe *p, int64_t now)
{
	if (p->window++ == 0)
		p->began = now;
	p->window_end = now + p->sleep_ms;
}

/* A service that starts refuses; behind docker's proxy, its connections are closed. */
static bool
is_starting(const struct http_answer *a)
{
	return a->end == HTTP_REFUSED || a->end == HTTP_CLOSED;
}

/* A refusal is cheap: a service that starts within 1.5 s is seen within 50 ms. */
static int64_t
pause_after(const struct probe *p, const struct http_answer *a, int64_t now)
{
	int64_t pause = (now - p->began) / SHARE;

	if (!is_starting(a) || pause > STEADY_MS)
		return STEADY_MS;
	return pause < QUICK_MS ? QUICK_MS : pause;
}

enum probe_verdict
probe_judge(struct probe *p, const struct http_answer *a, int64_t now)
{
	if (p->window == 0)
		begin_window(p, now);
	p->pause_ms = 0;
	if (http_healthy(a))
		return PROBE_GOOD;
	if (now >= p->window_end) {
		if (p->window >= p->tries)
			return PROBE_SPENT;
		begin_window(p, now);
	}
	p->pause_ms = pause_after(p, a, now);
	/* so that an attempt is made at the end of each window */
	if (p->pause_ms > p->window_end - now)
		p->pause_ms = p->window_end - now;
	return PROBE_AGAIN;
}

enum probe_verdict
probe_ask(struct probe *p, struct http_answer *a)
{
	int64_t now = clock_ms();

	if (p->window == 0)
		begin_window(p, now);
	http_get(p->url, now + PROBE_ANSWER_MS, a);
	return probe_judge(p, a, clock_ms());
}
