/*
 * What runs before anything is changed: the instances that serve and the tag that
 * they were created from.  This, and not what is desired, is what a revert brings
 * back.
 */
#include "deploy/internal.h"

#include "health/probe.h"
#include "state/ledger.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static int
take_part(const struct observed *o, struct part *p, struct fault *f)
{
	(void)strlcpy(p->service, o->service, sizeof(p->service));
	(void)strlcpy(p->desired, o->desired, sizeof(p->desired));
	if (o->running > 1 || o->n > 8)
		return fault_set(f, FAULT_HOST, "scale it to one",
		    "service %s runs in more than one container", o->service);
	(void)strlcpy(p->instance, o->instance.id, sizeof(p->instance));
	(void)strlcpy(p->revision, o->instance.revision, sizeof(p->revision));
	(void)strlcpy(p->reference, o->instance.reference, sizeof(p->reference));
	p->served = o->instance.state == INSTANCE_RUNNING;
	return 0;
}

/* Is it running and healthy, every service of it? */
static bool
is_healthy(const struct session *s, const struct release *r)
{
	struct http_answer answer;
	char safe[SERVICE_MAX];
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (!r->part[i].served)
			return false;
		if (s->url[i].host[0] == '\0')
			continue;
		http_get(&s->url[i], deadline_in(PROBE_ANSWER_MS), &answer);
		if (http_healthy(&answer))
			continue;
		progress_say(s->progress, SAY_WARN,
		    "%s: %s runs and is not healthy: %s; is its health_url right?",
		    text_escape(safe, sizeof(safe), r->part[i].service,
			strlen(r->part[i].service)),
		    r->tag, answer.why);
		return false;
	}
	return r->n > 0;
}

/* What runs and is healthy is known-good, whoever started it. */
static int
adopt(struct deploy *d, struct fault *f)
{
	struct record r;
	bool good;

	if (ledger_knows(d->s->dirfd, &d->j.from, &good, f) == -1)
		return -1;
	if (good || !is_healthy(d->s, &d->j.from))
		return 0;
	memset(&r, 0, sizeof(r));
	snprintf(r.id, sizeof(r.id), "%.30s-adopted", d->j.id);
	(void)strlcpy(r.time, d->s->time, sizeof(r.time));
	r.verb = d->j.verb;
	r.who = *d->s->who;
	r.to = d->j.from;
	r.outcome = OUTCOME_ADOPTED;
	return history_append(d->s->dirfd, &r, f);
}

/* The release's images are kept from any prune, so that a rollback finds them. */
static int
retain_running(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	bool all;

	if (e->available(e, &d->j.from, &all, f) == -1)
		return -1;
	if (!all)
		progress_say(d->s->progress, SAY_WARN,
		    "an image of the running %s is gone from this host: there is no rollback to it",
		    d->j.from.tag);
	if (e->retain(e, &d->j.from, f) == 0)
		return 0;
	f->kind = FAULT_HOST;
	return -1;
}

static bool
any_runs(const struct release *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->part[i].instance[0] != '\0')
			return true;
	return false;
}

static void
report_drift(struct deploy *d, const char *desired)
{
	const struct target *t = d->s->target;
	char tag[TAG_MAX];

	if (target_tag_of(t, desired, tag) && strcmp(tag, d->j.from.tag) != 0)
		progress_say(d->s->progress, SAY_WARN, "drift: .env says %s, but %s runs",
		    tag, d->j.from.tag);
}

/* The tag that its services run: that of the first one that has one. */
static void
name_release(struct deploy *d, struct release *r)
{
	size_t i;

	for (i = 0; i < r->n && r->tag[0] == '\0'; i++)
		release_tag_of(r->part[i].reference, r->tag);
	if (r->tag[0] == '\0' && !target_tag_of(d->s->target, r->part[0].desired, r->tag))
		(void)strlcpy(r->tag, r->part[0].desired, sizeof(r->tag));
}

int
observe_running(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct release *from = &d->j.from;
	struct observation o;
	size_t i;

	if (e->observe(e, &o, f) == -1)
		return -1;
	memset(from, 0, sizeof(*from));
	for (from->n = 0; from->n < o.n; from->n++)
		if (take_part(&o.part[from->n], &from->part[from->n], f) == -1)
			return -1;
	for (i = 0; i < from->n && !e->observes; i++)
		from->part[i].served = true;
	if (!e->observes || any_runs(from))
		name_release(d, from);
	return 0;
}

int
observe_from(struct deploy *d, struct fault *f)
{
	struct release *from = &d->j.from;

	if (observe_running(d, f) == -1)
		return -1;
	if (!d->s->engine->observes)
		return 0;
	if (!any_runs(from)) {
		progress_say(d->s->progress, SAY_NOTE,
		    "nothing runs yet: there is nothing to roll back to");
		return 0;
	}
	report_drift(d, from->part[0].desired);
	if (retain_running(d, f) == -1)
		return -1;
	return adopt(d, f);
}
