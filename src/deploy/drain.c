/*
 * Drain: services that ask for it finish their work before they are stopped.  One that
 * does not answer, or takes too long, is stopped by the engine with its grace period.
 *
 * MUST: resume an instance that was drained and stays, however the deploy ends.  What was
 * drained follows from the journal and the settings, so that a recovery knows it too.
 */
#include "deploy/internal.h"

#include "health/said.h"
#include "sys/deadline.h"
#include "sys/signals.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASK_MS 10000 /* one request */
#define PAUSE_MS 250 /* between two */
#define NOTE_MS 5000
#define BODY_MAX (64 * 1024)

/*
 * What serves of the service, if it has a drain_url and is going to be replaced; else
 * NULL.  A blind engine cannot tell, and drains always.  That `up` will replace an
 * instance of the same image, as its compose file was edited, is not known: compose's
 * hash of a service's settings is not in the journal, which a recovery decides by.
 */
static const struct part *
part_to_drain(const struct deploy *d, size_t i)
{
	const struct service *s = &d->s->target->service[i];
	const struct part *from = release_part(&d->j.from, s->name);
	const struct part *to = release_part(&d->j.to, s->name);

	if (s->drain_url[0] == '\0' || from == NULL || to == NULL || !from->served)
		return NULL;
	return d->s->engine->observes && release_part_same(from, to) ? NULL : from;
}

bool
drain_is_wanted(const struct deploy *d)
{
	size_t i;

	for (i = 0; i < d->s->target->n_services; i++)
		if (part_to_drain(d, i) != NULL)
			return true;
	return false;
}

static int64_t
at_most(int64_t ms, int64_t most)
{
	return ms < most ? ms : most;
}

/* POSTs; true for 200 to 299. */
static bool
post(struct deploy *d, const char *text, const struct service *s, const char *what)
{
	struct http_answer a = { 0 };
	struct fault f = { 0 };
	struct url url;
	char *body = NULL;
	size_t len;

	/* the settings were checked */
	if (url_parse(&url, text, &f) == 0)
		http_ask("POST", &url, deadline_in(at_most(ASK_MS, s->drain_limit)),
		    BODY_MAX, &a, &body, &len);
	free(body);
	if (a.end == HTTP_ANSWER && a.status >= 200 && a.status <= 299)
		return true;
	progress_say(d->s->progress, SAY_WARN, "%s: cannot %s it: %s", s->name, what,
	    a.why[0] == '\0' ? f.what : a.why);
	return false;
}

/* 200, and the member has its value, if one is named. */
static bool
is_idle(const struct service *s, int64_t left)
{
	struct http_answer a = { 0 };
	struct fault f = { 0 };
	char *body = NULL;
	struct url url;
	size_t len;
	bool idle;

	if (url_parse(&url, s->drain_done_url, &f) == -1)
		return true;
	http_ask("GET", &url, deadline_in(at_most(ASK_MS, left)), BODY_MAX, &a, &body,
	    &len);
	idle = a.end == HTTP_ANSWER && a.status == 200 &&
	    (s->drain_done_expect[0] == '\0' || said_so(body, len, s->drain_done_expect));
	free(body);
	return idle;
}

/* One that has ended has no work left; an engine that cannot tell does not say so. */
static bool
has_ended(struct deploy *d, const struct part *p)
{
	struct engine *e = d->s->engine;
	struct fault none = { 0 };
	struct instance now;

	return e->observes && e->look(e, p->instance, &now, &none) == 0 &&
	    now.state != INSTANCE_RUNNING;
}

/* One look at a service that was drained; false once there is nothing to wait for. */
static bool
look_busy(struct deploy *d, const struct service *s, int64_t began, bool note)
{
	int64_t limit = s->drain_limit, spent = clock_ms() - began;

	if (is_idle(s, spent < limit ? limit - spent : 1) ||
	    has_ended(d, release_part(&d->j.from, s->name)))
		return false;
	spent = clock_ms() - began;
	if (spent >= limit)
		progress_say(d->s->progress, SAY_WARN,
		    "%s: not idle after %lld s; it is stopped now", s->name,
		    (long long)(limit / 1000));
	else if (note)
		progress_say(d->s->progress, SAY_NOTE,
		    "waiting for %s to be idle (%lld of %lld s)", s->name,
		    (long long)(spent / 1000), (long long)(limit / 1000));
	return spent < limit;
}

/* Waits until no service is busy, or its limit has passed.  FAULT_FAILED: a signal. */
static int
await_idle(struct deploy *d, bool *busy, struct fault *f)
{
	const struct target *t = d->s->target;
	int64_t began = clock_ms(), next_note = began + NOTE_MS;
	bool any = true, note;
	size_t i;

	while (any) {
		any = false;
		note = clock_ms() >= next_note;
		if (note)
			next_note = clock_ms() + NOTE_MS;
		for (i = 0; i < t->n_services; i++) {
			busy[i] = busy[i] && look_busy(d, &t->service[i], began, note);
			any = any || busy[i];
		}
		if (any)
			(void)signals_wait(PAUSE_MS, -1, true);
		if (deploy_stopped(f) == -1)
			return -1;
	}
	return 0;
}

int
drain_run(struct deploy *d, struct fault *f)
{
	const struct target *t = d->s->target;
	bool busy[SERVICES_MAX] = { false };
	const struct service *s;
	size_t i;

	for (i = 0; i < t->n_services; i++) {
		s = &t->service[i];
		if (part_to_drain(d, i) != NULL)
			busy[i] = post(d, s->drain_url, s, "drain") &&
			    s->drain_done_url[0] != '\0';
	}
	if (await_idle(d, busy, f) == 0)
		return 0;
	/* the release never ran */
	d->unjudged = true;
	return -1;
}

/* The beginning of the deploy, in milliseconds since 1970. */
static int64_t
begun_ms(const struct deploy *d)
{
	struct tm tm = { 0 };

	return strptime(d->j.time, "%Y-%m-%dT%H:%M:%S", &tm) == NULL
	    ? INT64_MAX / 2
	    : (int64_t)timegm(&tm) * 1000;
}

/* Does the instance run that was drained, without a restart since? */
static int
still_drained(struct deploy *d, const struct part *p, bool *drained, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct instance now;

	*drained = true;
	if (!e->observes)
		return 0;
	if (e->look(e, p->instance, &now, f) == -1)
		return -1;
	*drained = now.state == INSTANCE_RUNNING && now.started_ms < begun_ms(d) + 1000;
	return 0;
}

static int
resume_service(struct deploy *d, const struct service *s, struct fault *f)
{
	const char *services[] = { s->name, NULL };
	struct engine *e = d->s->engine;

	if (s->drain_resume_url[0] != '\0' && post(d, s->drain_resume_url, s, "resume"))
		return 0;
	progress_say(d->s->progress, SAY_NOTE, "restarting %s, which was drained",
	    s->name);
	return e->restart(e, services, f);
}

int
drain_resume(struct deploy *d, struct fault *f)
{
	const struct target *t = d->s->target;
	const struct part *p;
	bool drained;
	size_t i;

	for (i = 0; i < t->n_services; i++) {
		p = part_to_drain(d, i);
		if (p == NULL)
			continue;
		if (still_drained(d, p, &drained, f) == -1 ||
		    (drained && resume_service(d, &t->service[i], f) == -1))
			return -1;
	}
	return 0;
}
