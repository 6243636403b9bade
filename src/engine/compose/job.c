#include "engine/compose/job.h"

#include "engine/compose/compose.h"
#include "engine/compose/containers.h"
#include "engine/compose/images.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define LABEL "twilight-deploy.job"

int
job_part(struct engine *e, const struct release *r, struct part *p, struct fault *f)
{
	struct compose *c = e->self;
	size_t i;

	memset(p, 0, sizeof(*p));
	/* also where the tag is only a part: REPOSITORY:migrate-TAG */
	if (strstr(c->job_reference, r->tag) == NULL)
		return 0;
	for (i = 0; i < r->n; i++)
		if (strcmp(r->part[i].reference, c->job_reference) == 0)
			return 0;
	(void)strlcpy(p->service, c->docker.job, sizeof(p->service));
	(void)strlcpy(p->reference, c->job_reference, sizeof(p->reference));
	return images_id(c, p->reference, p->revision, f);
}

int
job_start(struct engine *e, const struct release *r, const char *id, struct fault *f)
{
	struct compose *c = e->self;
	char label[sizeof(LABEL) + 80];

	snprintf(label, sizeof(label), LABEL "=%s", id);
	return docker_run_job(&c->docker, r->tag, label, f);
}

int
job_find(struct engine *e, const char *id, char instance[INSTANCE_MAX], struct fault *f)
{
	char label[sizeof(LABEL) + 80];

	snprintf(label, sizeof(label), LABEL "=%s", id);
	/* a recovery asks this first */
	if (compose_connect(e->self, f) == -1)
		return -1;
	return containers_labelled(e->self, label, instance, f);
}

/* `docker stop` gives it the grace period, `docker rm -f` does not. */
int
job_end(struct engine *e, const char *instance, struct fault *f)
{
	const char *const stop[] = { "docker", "stop", instance, NULL };
	const char *const rm[] = { "docker", "rm", "-f", instance, NULL };
	struct compose *c = e->self;
	const struct target *t = c->docker.target;
	struct instance now;

	if (containers_look(e, instance, &now, f) == -1)
		return -1;
	if (now.state == INSTANCE_GONE)
		return 0;
	if (now.state == INSTANCE_RUNNING &&
	    docker_detach(&c->docker, stop, "stop", t->up_limit, false, f) == -1)
		return -1;
	return docker_detach(&c->docker, rm, "rm", t->call_limit, false, f);
}
