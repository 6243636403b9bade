/*
 * What runs before anything is changed: the container that serves, its image,
 * the reference and the tag it was made from.  This, and not what .env says,
 * is what a rollback brings back.
 */
#include "deploy/deploy.h"

#include "health/probe.h"
#include "state/ledger.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

void
deploy_tag_of(const char *ref, char tag[TAG_MAX])
{
	const char *end = ref + strcspn(ref, "@");
	const char *colon = memrchr(ref, ':', (size_t)(end - ref));
	size_t len;

	tag[0] = '\0';
	/* what stands behind a registry's colon is its port; "sha256:…" is an id */
	if (colon == NULL || strchr(colon, '/') != NULL ||
	    strncmp(ref, "sha256:", 7) == 0)
		return;
	len = (size_t)(end - colon) - 1;
	if (len >= TAG_MAX)
		return;
	memcpy(tag, colon + 1, len);
	tag[len] = '\0';
}

/* The container that counts as "what runs"; -1 when more than one does. */
static int
choose(struct deploy *d, const struct container *list, size_t n, int *which,
    struct fault *f)
{
	size_t i;
	int running = 0;

	*which = -1;
	for (i = 0; i < n; i++) {
		bool half = list[i].state == CONTAINER_CREATED;

		d->leftovers = d->leftovers || half;
		if (list[i].state == CONTAINER_RUNNING) {
			*which = (int)i;
			running++;
		} else if (*which == -1 && !half)
			*which = (int)i;
	}
	if (running > 1 || n == GATE_CONTAINERS_MAX)
		return fault_set(f, FAULT_HOST, "scale it to one",
		    "service %s runs in more than one container", d->s->target->service);
	return 0;
}

static void
note_container(struct deploy *d, const struct container *c)
{
	(void)strlcpy(d->j.container, c->id, sizeof(d->j.container));
	(void)strlcpy(d->j.from.image, c->image, sizeof(d->j.from.image));
	(void)strlcpy(d->j.from.ref, c->ref, sizeof(d->j.from.ref));
	deploy_tag_of(c->ref, d->j.from.tag);
	if (d->j.from.tag[0] == '\0')
		(void)strlcpy(d->j.from.tag, d->env.value, sizeof(d->j.from.tag));
}

/* What runs and answers is known-good, whoever started it. */
static int
adopt(struct deploy *d, struct fault *f)
{
	struct http_answer answer;
	struct record r;
	int known = ledger_knows(d->s->dirfd, &d->j.from, f);

	if (known != 0)
		return known == 1 ? 0 : -1;
	http_get(&d->s->url, deadline_in(PROBE_ANSWER_MS), &answer);
	if (!http_healthy(&answer)) {
		progress_say(d->s->progress, SAY_WARN,
		    "%s runs and is not healthy: %s; is TWILIGHT_HEALTH_URL right?",
		    d->j.from.tag, answer.why);
		return 0;
	}
	memset(&r, 0, sizeof(r));
	snprintf(r.id, sizeof(r.id), "%.30s-adopted", d->j.id);
	(void)strlcpy(r.time, d->s->time, sizeof(r.time));
	(void)strlcpy(r.verb, d->j.verb, sizeof(r.verb));
	r.who = *d->s->who;
	r.to = d->j.from;
	r.outcome = OUTCOME_ADOPTED;
	return history_append(d->s->dirfd, &r, f);
}

void
deploy_second_names(const struct deploy *d, char repository[REF_MAX])
{
	char *p;

	/* the project's name tells targets apart on one engine */
	snprintf(repository, REF_MAX, "twilight-deploy/%s-%s", d->service.project,
	    d->s->target->service);
	/* a repository is lower case, and does not end in a separator */
	for (p = repository; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_' || *p == '.')
			*p = '-';
	while (p[-1] == '-')
		*--p = '\0';
}

int
deploy_keep_image(struct deploy *d, const char *image, struct fault *f)
{
	const char *colon = strchr(image, ':');
	struct engine *e = d->s->engine;
	char repository[REF_MAX], ref[REF_MAX + 16], there[IMAGE_ID_MAX];

	deploy_second_names(d, repository);
	snprintf(ref, sizeof(ref), "%s:%.12s", repository,
	    colon == NULL ? image : colon + 1);
	if (e->image(e, ref, there, f) == -1)
		return -1;
	return strcmp(there, image) == 0 ? 0 : e->name(e, image, ref, f);
}

/* The image of what runs, so that a rollback finds it whatever is pruned. */
static int
keep_running(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	char here[IMAGE_ID_MAX];

	if (e->image(e, d->j.from.image, here, f) == -1)
		return -1;
	if (here[0] != '\0')
		return deploy_keep_image(d, d->j.from.image, f);
	progress_say(d->s->progress, SAY_WARN,
	    "the image of the running %s is gone from this host: there is no rollback to it",
	    d->j.from.tag);
	return 0;
}

int
deploy_snapshot(struct deploy *d, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	int which;
	size_t n;

	if (e->blind) {
		d->j.served = true;
		(void)strlcpy(d->j.from.tag, d->env.value, sizeof(d->j.from.tag));
		return 0;
	}
	if (e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1 ||
	    choose(d, list, n, &which, f) == -1)
		return -1;
	if (which == -1) {
		progress_say(d->s->progress, SAY_NOTE,
		    "service %s has no container: a rollback would start %s of .env, if its image is here",
		    d->s->target->service, d->env.value);
		return 0;
	}
	note_container(d, &list[which]);
	d->j.served = list[which].state == CONTAINER_RUNNING;
	if (strcmp(d->j.from.tag, d->env.value) != 0)
		progress_say(d->s->progress, SAY_WARN, "drift: .env says %s, but %s runs",
		    d->env.value, d->j.from.tag);
	if (keep_running(d, f) == -1) {
		f->kind = FAULT_HOST;
		return -1;
	}
	return d->j.served ? adopt(d, f) : 0;
}
