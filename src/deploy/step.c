/*
 * The steps that all ways share: deploy, rollback, the way back, recovery.
 */
#include "deploy/deploy.h"

#include "sys/deadline.h"
#include "sys/signals.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static bool
ends_in_tag(const char *ref, const char *tag)
{
	char got[TAG_MAX];

	deploy_tag_of(ref, got);
	return strcmp(got, tag) == 0;
}

int
deploy_describe(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (e->blind)
		return 0;
	if (e->describe(e, d->j.to.tag, &d->service, f) == -1)
		return -1;
	(void)strlcpy(d->j.to.ref, d->service.ref, sizeof(d->j.to.ref));
	if (strchr(d->service.ref, '@') != NULL)
		return fault_set(f, FAULT_HOST, "take the digest out of its image",
		    "the compose file pins %.300s by digest: no tag has any effect",
		    d->service.ref);
	if (ends_in_tag(d->service.ref, d->j.to.tag))
		return 0;
	return fault_set(f, FAULT_HOST,
	    "let its image end in `:${" TARGET_VARIABLE ":?}`",
	    "the compose file makes %s of tag %s", d->service.ref, d->j.to.tag);
}

int
deploy_read(struct deploy *d, struct fault *f)
{
	const struct target *t = d->s->target;

	envfile_sweep(t->env_file);
	if (envfile_read(&d->env, t->env_file, TARGET_VARIABLE, f) == -1 ||
	    envfile_writable(&d->env, f) == -1 || history_writable(d->s->dirfd, f) == -1)
		return -1;
	(void)strlcpy(d->j.old_value, d->env.value, sizeof(d->j.old_value));
	d->j.blind = d->s->engine->blind;
	return 0;
}

void
deploy_begin(struct deploy *d, struct session *s, const char *verb)
{
	memset(d, 0, sizeof(*d));
	d->s = s;
	d->success = OUTCOME_DEPLOYED;
	snprintf(d->j.id, sizeof(d->j.id), "%.4s%.2s%.2sT%.2s%.2s%.2sZ-%06x", s->time,
	    s->time + 5, s->time + 8, s->time + 11, s->time + 14, s->time + 17,
	    arc4random() & 0xffffff);
	(void)strlcpy(d->j.verb, verb, sizeof(d->j.verb));
	(void)strlcpy(d->j.actor, s->who->actor, sizeof(d->j.actor));
	(void)strlcpy(d->j.time, s->time, sizeof(d->j.time));
}

int
deploy_stopped(struct fault *f)
{
	if (signals_stop() == 0)
		return 0;
	return fault_set(f, FAULT_FAILED, NULL, "told to stop");
}

/* Which image the name means before the pull moves it, and after. */
int
deploy_resolve(struct deploy *d, char id[IMAGE_ID_MAX], struct fault *f)
{
	struct engine *e = d->s->engine;

	id[0] = '\0';
	return e->blind ? 0 : e->image(e, d->j.to.ref, id, f);
}

int
deploy_sweep(struct deploy *d, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	size_t n, i;

	if (e->blind)
		return 0;
	if (e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		/* compose's temporary name: twelve hex digits of the old id */
		if (list[i].state != CONTAINER_CREATED ||
		    strspn(list[i].name, "0123456789abcdef") != 12 ||
		    list[i].name[12] != '_')
			continue;
		if (e->remove(e, list[i].id, f) == -1)
			return -1;
	}
	d->leftovers = false;
	return 0;
}

int
deploy_up(struct deploy *d, const char *tag, struct fault *f)
{
	struct engine *e = d->s->engine;
	int64_t began = clock_ms();
	int rc;

	if (d->leftovers && deploy_sweep(d, f) == -1)
		return -1;
	d->up_began = began;
	rc = e->up(e, tag,
	    (d->with_depends ? UP_DEPENDS : 0) | (d->recreate ? UP_RECREATE : 0), f);
	/*
	 * One that was cut short may have told the engine to stop a container
	 * that runs for some seconds more: what runs now is not to be trusted.
	 */
	d->recreate = rc == -1;
	d->up_ms = clock_ms() - began;
	return rc;
}

int
deploy_gate(struct deploy *d, const char *image, bool stoppable, struct fault *f)
{
	int64_t began = clock_ms();
	int rc;

	d->gate.image = image;
	d->gate.before = d->j.container;
	d->gate.since = d->up_began;
	d->gate.stoppable = stoppable;
	rc = gate_pass(d->s, &d->gate, f);
	d->health_ms = clock_ms() - began;
	return rc;
}

int
deploy_record(struct deploy *d, enum outcome outcome, const struct fault *why,
    struct fault *f)
{
	struct record *r = &d->s->record;

	memset(r, 0, sizeof(*r));
	(void)strlcpy(r->id, d->j.id, sizeof(r->id));
	(void)strlcpy(r->time, d->j.time, sizeof(r->time));
	(void)strlcpy(r->verb, d->j.verb, sizeof(r->verb));
	r->who = *d->s->who;
	(void)strlcpy(r->who.actor, d->j.actor, sizeof(r->who.actor));
	r->from = d->j.from;
	r->to = d->j.to;
	r->outcome = outcome;
	r->interrupted = d->interrupted;
	r->seq = d->j.seq;
	r->tries = d->gate.tries;
	r->pull_ms = d->pull_ms;
	r->up_ms = d->up_ms;
	r->health_ms = d->health_ms;
	r->total_ms = clock_ms() - d->s->began;
	if (why != NULL) {
		r->code = (int)why->kind;
		(void)strlcpy(r->why, why->what, sizeof(r->why));
	}
	return history_append(d->s->dirfd, r, f);
}
