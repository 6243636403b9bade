/*
 * What runs before anything is changed, and the tag that it was created from.  A revert
 * brings this back, not what is desired.
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

/* Was every service created from one tag? */
static bool
is_one_version(const struct release *r)
{
	char tag[TAG_MAX];
	size_t i;

	for (i = 0; i < r->n; i++) {
		release_tag_of(r->part[i].reference, tag);
		if (tag[0] != '\0' && strcmp(tag, r->tag) != 0)
			return false;
	}
	return true;
}

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

static int
identify_running(struct deploy *d, struct fault *f)
{
	struct identity id;
	size_t i;

	for (i = 0; i < d->j.from.n; i++)
		if (d->j.from.part[i].revision[0] != '\0' &&
		    identity_of(d->s, &d->j.from.part[i], "", &id, f) == -1)
			return -1;
	return 0;
}

/* One healthy version is known-good, whoever started it. */
static int
adopt(struct deploy *d, struct fault *f)
{
	struct record r;
	struct judgement known;

	if (ledger_knows(d->s->dirfd, &d->j.from, &known, f) == -1)
		return -1;
	if (known.verdict == VERDICT_GOOD || !is_one_version(&d->j.from) ||
	    !is_healthy(d->s, &d->j.from))
		return 0;
	if (identify_running(d, f) == -1)
		return -1;
	memset(&r, 0, sizeof(r));
	snprintf(r.id, sizeof(r.id), "%.30s-adopted", d->j.id);
	(void)strlcpy(r.time, d->s->time, sizeof(r.time));
	r.verb = d->j.verb;
	r.who = *d->s->who;
	r.to = d->j.from;
	r.outcome = OUTCOME_ADOPTED;
	return commit_record(d->s, &r, f);
}

/* Keeps its images from any prune, for a revert and for a later rollback. */
static int
retain_running(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct release runs = d->j.from;
	bool all;
	size_t i;

	/* a service without an instance has no image */
	for (i = runs.n = 0; i < d->j.from.n; i++)
		if (d->j.from.part[i].revision[0] != '\0')
			runs.part[runs.n++] = d->j.from.part[i];
	if (e->available(e, &runs, &all, f) == -1)
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
report_drift(struct deploy *d)
{
	char desired[TAG_MAX], runs[TAG_MAX];
	const struct part *p;
	size_t i;

	for (i = 0; i < d->j.from.n; i++) {
		p = &d->j.from.part[i];
		release_tag_of(p->reference, runs);
		if (runs[0] != '\0' && target_tag_of(d->s->target, p->desired, desired) &&
		    strcmp(desired, runs) != 0)
			progress_say(d->s->progress, SAY_WARN,
			    "drift: %s is desired, but %s runs %s", desired, p->service,
			    runs);
	}
}

/* The tag of the first service that has one; without any, the desired one. */
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
	/* an engine that cannot observe is taken at its word */
	for (i = 0; i < from->n && !e->observes; i++)
		from->part[i].served = true;
	if (!e->observes || any_runs(from))
		name_release(d, from);
	return 0;
}

int
observe_from(struct deploy *d, struct fault *f)
{
	if (observe_running(d, f) == -1)
		return -1;
	if (!d->s->engine->observes)
		return 0;
	if (!any_runs(&d->j.from)) {
		progress_say(d->s->progress, SAY_NOTE,
		    "nothing runs yet: there is nothing to roll back to");
		return 0;
	}
	report_drift(d);
	return retain_running(d, f) == -1 ? -1 : adopt(d, f);
}

int
observe_desired(struct session *s, const struct observation *o, struct release *r,
    struct fault *f)
{
	struct engine *e = s->engine;
	char tag[TAG_MAX], safe[160];
	const char *desired = o->part[0].desired;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (!target_tag_of(s->target, desired, tag))
		return fault_set(f, FAULT_HOST, "write a version into it",
		    "the desired version is not one of this target: %s",
		    text_escape(safe, sizeof(safe), desired, strlen(desired)));
	if (e->resolve(e, tag, r, f) == -1 ||
	    (e->observes && e->revisions(e, r, f) == -1))
		return -1;
	for (i = 0; i < r->n; i++) {
		if (strcmp(o->part[i].desired, r->part[i].desired) != 0)
			return fault_set(f, FAULT_HOST, "`deploy TAG` sets all of them",
			    "the services have different desired versions");
		if (e->observes && r->part[i].revision[0] == '\0')
			return fault_set(f, FAULT_HOST, "`deploy TAG` pulls it",
			    "an image of %s is not on this host", tag);
	}
	return 0;
}
