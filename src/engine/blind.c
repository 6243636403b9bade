#include "engine/blind.h"

#include "engine/docker.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

struct blind {
	struct engine engine;
	struct docker docker;
};

static struct docker *
docker_of(struct engine *e)
{
	struct blind *b = e->self;

	return &b->docker;
}

static int
blind_check(struct engine *e, struct fault *f)
{
	return docker_check_env(docker_of(e), f);
}

/* Assumes that all services run what .env says. */
static int
blind_observe(struct engine *e, struct observation *o, struct fault *f)
{
	const struct target *t = docker_of(e)->target;
	size_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < t->n_services; i++) {
		(void)strlcpy(o->part[i].service, t->service[i].name, SERVICE_MAX);
		if (docker_desired(docker_of(e), o->part[i].desired, f) == -1)
			return -1;
		o->n++;
	}
	return 0;
}

static int
blind_resolve(struct engine *e, const char *tag, struct release *r, struct fault *f)
{
	struct docker *d = docker_of(e);
	size_t i;

	docker_arrange(d, tag, r);
	for (i = 0; i < r->n; i++)
		if (target_value(d->target, tag, r->part[i].desired, f) == -1)
			return -1;
	return 0;
}

static int
blind_prepare(struct engine *e, struct release *r, struct fault *f)
{
	return docker_pull(docker_of(e), r, f);
}

static int
blind_apply(struct engine *e, const struct release *r, const struct release *over,
    unsigned how, struct fault *f)
{
	bool revert = (how & APPLY_REVERT) != 0;
	struct docker *d = docker_of(e);
	int rc;

	if (docker_desire_release(d, r, over, revert, f) == -1)
		return -1;
	rc = docker_up(d, r->tag, NULL, 0, f);
	if (rc == 0 || !revert || f->kind == FAULT_HOST)
		return rc;
	progress_say(d->progress, SAY_WARN, "%s; trying again", f->what);
	fault_clear(f);
	return docker_up(d, r->tag, NULL, 0, f);
}

static int
blind_undesire(struct engine *e, const struct release *r, const struct release *over,
    struct fault *f)
{
	return docker_desire(docker_of(e), over->part[0].desired, r->part[0].desired,
	    true, f);
}

static int
blind_restart(struct engine *e, const char *const *services, struct fault *f)
{
	return docker_restart(docker_of(e), services, f);
}

static int
blind_prune(struct engine *e, const struct release *keep, size_t n, struct fault *f)
{
	(void)keep;
	(void)n;
	return docker_prune(docker_of(e), f);
}

static int
blind_reap(struct engine *e, struct fault *f)
{
	return docker_reap(docker_of(e), f);
}

static void
blind_close(struct engine *e)
{
	docker_close(docker_of(e));
	free(e->self);
}

int
blind_open(struct engine **e, const struct target *t, char *const *env, int dirfd,
    const struct progress *progress, struct fault *f)
{
	struct blind *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return fault_memory(f);
	if (docker_open(&b->docker, t, env, dirfd, progress, f) == -1) {
		free(b);
		return -1;
	}
	b->engine = (struct engine){ .self = b,
		.name = "blind",
		.mask = &b->docker.mask,
		.by_hand = "docker ps, docker logs",
		.check = blind_check,
		.observe = blind_observe,
		.resolve = blind_resolve,
		.prepare = blind_prepare,
		.apply = blind_apply,
		.restart = blind_restart,
		.undesire = blind_undesire,
		.prune = blind_prune,
		.reap = blind_reap,
		.close = blind_close };
	*e = &b->engine;
	return 0;
}
