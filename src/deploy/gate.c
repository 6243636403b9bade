#include "deploy/gate.h"

#include "health/probe.h"
#include "sys/deadline.h"
#include "sys/signals.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 300     /* between two looks at the container */
#define WATCHED_MS 2000 /* the same while the engine reports what happens to it */
#define BEAT_MS 15000

struct watch {
	struct session *s;
	struct gate *g;
	struct probe probe;
	struct container first;    /* as it was when the wait began */
	int64_t restarts;          /* how many are no news */
	int64_t began, look, beat; /* look: when the next one is due */
	int fd; /* readable when something happens to the container; -1: only looks tell */
};

static const char *
short_id(const char *id, char out[13])
{
	const char *colon = strchr(id, ':');

	(void)strlcpy(out, colon == NULL ? id : colon + 1, 13);
	return out;
}

/* What a container is doing that is not running well; NULL when it is. */
static const char *
trouble(const struct watch *w, const struct container *c, char *out, size_t size)
{
	switch (c->state) {
	case CONTAINER_GONE:
		return "the container is gone";
	case CONTAINER_RUNNING:
		break;
	case CONTAINER_RESTARTING:
		snprintf(out, size, "the container restarts (exit %lld)",
		    (long long)c->exit_code);
		return out;
	case CONTAINER_EXITED:
	case CONTAINER_DEAD:
		snprintf(out, size, "the container has ended (exit %lld%s)",
		    (long long)c->exit_code, c->oom_killed ? ", out of memory" : "");
		return out;
	default:
		return "the container is not running";
	}
	if (c->restarts > w->restarts || strcmp(c->started, w->first.started) != 0)
		return "the container was restarted";
	return NULL;
}

static int
look(struct watch *w, struct fault *f)
{
	struct engine *e = w->s->engine;
	struct container now;
	const char *what;
	char buf[96];

	if (e->blind)
		return 0;
	if (e->inspect(e, w->first.id, &now, f) == -1)
		return -1;
	/* the stream may have ended with the engine, which is back now */
	if (w->fd == -1)
		w->fd = e->watch(e, w->first.id);
	w->look = clock_ms() + (w->fd == -1 ? LOOK_MS : WATCHED_MS);
	what = trouble(w, &now, buf, sizeof(buf));
	if (what == NULL)
		return 0;
	return fault_set(f, FAULT_FAILED, NULL, "%s", what);
}

/* The one container, of the right image. */
static int
find_one(struct watch *w, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct session *s = w->s;
	char want[13], got[13];
	size_t n;

	if (s->engine->blind)
		return 0;
	if (s->engine->containers(s->engine, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	if (n != 1)
		return fault_set(f, FAULT_FAILED, NULL,
		    n == 0 ? "no container of service %s is there"
			   : "more than one container of service %s is there",
		    s->target->service);
	w->first = list[0];
	(void)strlcpy(w->g->container, list[0].id, sizeof(w->g->container));
	/* one that `up` did not create may have been restarted long ago */
	if (strcmp(list[0].id, w->g->before) == 0)
		w->restarts = list[0].restarts;
	if (w->g->image[0] != '\0' && strcmp(list[0].image, w->g->image) != 0)
		return fault_set(f, FAULT_FAILED, NULL,
		    "the container runs image %s, not %s", short_id(list[0].image, got),
		    short_id(w->g->image, want));
	return 0;
}

/* Milliseconds that the container has yet to run before it counts. */
static int64_t
unsettled(const struct watch *w)
{
	int64_t settle = w->s->target->health_settle, age;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - w->first.started_ms;
	/* a wall clock that was set back or forth must not make it wait for ever */
	if (w->g->since != 0 && strcmp(w->first.id, w->g->before) != 0 &&
	    age > clock_ms() - w->g->since)
		age = clock_ms() - w->g->since;
	if (age < 0)
		age = 0;
	return age >= settle ? 0 : settle - age;
}

static int
told_to_stop(const struct watch *w, struct fault *f)
{
	if (!w->g->stoppable || signals_stop() == 0)
		return 0;
	w->g->stopped = true;
	return fault_set(f, FAULT_FAILED, NULL, "told to stop before it was healthy");
}

/* Without its query: a token in it is not for whoever reads along. */
static const char *
shown_url(const struct watch *w, char *out, size_t size)
{
	const char *url = w->s->target->health_url;

	return text_escape(out, size, url, strcspn(url, "?"));
}

static void
beat(struct watch *w)
{
	int64_t now = clock_ms();
	char url[200];

	if (now < w->beat)
		return;
	w->beat = now + BEAT_MS;
	progress_say(w->s->progress, SAY_NOTE, "waiting for %s: %s (%lld s)",
	    shown_url(w, url, sizeof(url)), w->g->answer.why,
	    (long long)((now - w->began) / 1000));
}

/* Is it time to look: something happened, or nothing was heard for a while? */
static bool
look_is_due(struct watch *w)
{
	struct engine *e = w->s->engine;

	return (w->fd != -1 && e->changed(e, &w->fd)) || clock_ms() >= w->look;
}

/* Waits `ms`, watching; ends early with a fault. */
static int
wait_watching(struct watch *w, int64_t ms, struct fault *f)
{
	int64_t deadline = deadline_in(ms), left;

	do {
		left = deadline_left(deadline);
		/* signals do not interrupt a rollback */
		(void)signals_wait(left < LOOK_MS ? left : LOOK_MS, w->fd,
		    w->g->stoppable);
		beat(w);
		if (told_to_stop(w, f) == -1)
			return -1;
		if (look_is_due(w) && look(w, f) == -1)
			return -1;
	} while (deadline_left(deadline) > 0);
	return 0;
}

/* After a good answer: has it settled?  1 yes, 0 wait on, -1 fault. */
static int
settled(struct watch *w, struct fault *f)
{
	if (w->s->engine->blind)
		return 1;
	if (wait_watching(w, unsettled(w), f) == -1 || look(w, f) == -1)
		return -1;
	http_get(&w->s->url, deadline_in(PROBE_ANSWER_MS), &w->g->answer);
	if (!http_healthy(&w->g->answer))
		return 0;
	/* the answer counts only if it is still the same one that gives it */
	return look(w, f) == -1 ? -1 : 1;
}

static int
spent(const struct watch *w, struct fault *f)
{
	char url[200];

	return fault_set(f, FAULT_FAILED, NULL, "%s: %s, after %u tries",
	    shown_url(w, url, sizeof(url)), w->g->answer.why, w->g->tries);
}

static int
ask_until_healthy(struct watch *w, struct fault *f)
{
	enum probe_verdict v;
	int rc;

	for (;;) {
		v = probe_ask(&w->probe, &w->g->answer);
		w->g->tries = w->probe.window;
		if (v == PROBE_GOOD) {
			rc = settled(w, f);
			if (rc != 0)
				return rc == 1 ? 0 : -1;
			v = probe_judge(&w->probe, &w->g->answer, clock_ms());
		}
		if (v == PROBE_SPENT) {
			/* that it has ended says more than that it does not answer */
			if (look(w, f) == -1)
				return -1;
			return spent(w, f);
		}
		if (wait_watching(w, w->probe.pause_ms, f) == -1)
			return -1;
	}
}

int
gate_pass(struct session *s, struct gate *g, struct fault *f)
{
	struct watch w = { .s = s, .g = g, .fd = -1 };

	g->container[0] = '\0';
	g->tries = 0;
	g->stopped = false;
	memset(&g->answer, 0, sizeof(g->answer));
	w.began = clock_ms();
	w.beat = w.began + BEAT_MS;
	if (find_one(&w, f) == -1 || told_to_stop(&w, f) == -1 || look(&w, f) == -1)
		return -1;
	probe_init(&w.probe, &s->url, (unsigned)s->target->health_tries,
	    s->target->health_sleep);
	return ask_until_healthy(&w, f);
}
