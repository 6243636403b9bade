#include "engine/compose/oneoff.h"

#include "engine/compose/compose.h"
#include "engine/compose/containers.h"
#include "engine/compose/images.h"
#include "health/url.h"
#include "state/member.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 128

static void
name_label(char label[LABEL_MAX], enum oneoff_kind kind, const char *id)
{
	snprintf(label, LABEL_MAX, "twilight-deploy.%s=%s",
	    kind == ONEOFF_JOB ? "job" : "candidate", id);
}

/* The bytes that were identified are those that have to run: nothing is pulled again. */
static int
check_pull(const struct resolved *r, const char *service, struct fault *f)
{
	if (!r->pulls)
		return 0;
	return fault_set(f, FAULT_HOST, "remove it: a deploy pulls anyway",
	    "service %s has pull_policy: always, so that its container could have another "
	    "image than the one that was checked",
	    service);
}

static int
check_job_pull(const struct compose *c, struct fault *f)
{
	const struct target *t = c->docker.target;
	size_t i, len = strcspn(t->pre_deploy, " ");

	for (i = 0; i < t->n_services; i++)
		if (strlen(t->service[i].name) == len &&
		    strncmp(t->service[i].name, t->pre_deploy, len) == 0)
			return check_pull(&c->resolved[i], t->service[i].name, f);
	return check_pull(&c->job, c->docker.job, f);
}

int
job_part(struct engine *e, const struct release *r, struct part *p, struct fault *f)
{
	struct compose *c = e->self;
	size_t i;

	memset(p, 0, sizeof(*p));
	if (check_job_pull(c, f) == -1)
		return -1;
	/* also where the tag is only a part: REPOSITORY:migrate-TAG */
	if (strstr(c->job.reference, r->tag) == NULL)
		return 0;
	for (i = 0; i < r->n; i++)
		if (strcmp(r->part[i].reference, c->job.reference) == 0)
			return 0;
	(void)strlcpy(p->service, c->docker.job, sizeof(p->service));
	(void)strlcpy(p->reference, c->job.reference, sizeof(p->reference));
	return images_id(c, p->reference, p->revision, f);
}

int
oneoff_start(struct engine *e, enum oneoff_kind kind, const struct release *r, size_t i,
    const char *id, struct fault *f)
{
	struct compose *c = e->self;
	const struct target *t = c->docker.target;
	const char *what = kind == ONEOFF_JOB ? t->pre_deploy : t->service[i].name;
	char label[LABEL_MAX], name[sizeof(c->project) + SERVICE_MAX + LABEL_MAX];

	name_label(label, kind, id);
	snprintf(name, sizeof(name), "%s-%.*s-%s-%s", c->project, (int)strcspn(what, " "),
	    what, kind == ONEOFF_JOB ? "run" : "candidate", id);
	return docker_run_oneoff(&c->docker, r->tag, name, label, what, f);
}

int
oneoff_find(struct engine *e, enum oneoff_kind kind, const char *id, struct oneoffs *out,
    struct fault *f)
{
	char label[LABEL_MAX];

	name_label(label, kind, id);
	/* a recovery asks this first */
	if (compose_connect(e->self, f) == -1)
		return -1;
	return containers_labelled(e->self, label, out, f);
}

/*
 * `docker stop` gives it the grace period, `docker rm -f` does not.  -v: its anonymous
 * volumes too, as nothing can use them again.
 */
int
oneoff_end(struct engine *e, const char *instance, struct fault *f)
{
	const char *const stop[] = { "docker", "stop", instance, NULL };
	const char *const rm[] = { "docker", "rm", "-f", "-v", instance, NULL };
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

/* ---- candidates ---- */

/* The one that is published at the port of health_url; else the only one. */
static const char *
published_port(const struct resolved *r, const char *health_url)
{
	struct fault none = { 0 };
	struct url url;
	size_t i;

	if (health_url[0] == '\0' || url_parse(&url, health_url, &none) == -1)
		url.port[0] = '\0';
	for (i = 0; i < r->n_ports; i++)
		if (strcmp(r->ports[i].published, url.port) == 0)
			return r->ports[i].target;
	return r->n_ports == 1 ? r->ports[0].target : "";
}

const char *
candidate_port(struct engine *e, size_t i)
{
	struct compose *c = e->self;
	const struct service *s = &c->docker.target->service[i];

	if (s->port != 0)
		snprintf(c->port, sizeof(c->port), "%lld", (long long)s->port);
	else
		(void)snprintf(c->port, sizeof(c->port), "%s",
		    published_port(&c->resolved[i], s->health_url));
	return c->port;
}

/* Container addresses of a rootless docker are in a namespace of its own. */
static int
check_rootless(struct compose *c, struct fault *f)
{
	json_t *info, *option;
	bool rootless = false;
	size_t i;

	if (api_get(&c->api, "/info", "DockerRootDir", &info, f) == -1)
		return -1;
	json_array_foreach (json_object_get(info, "SecurityOptions"), i, option) {
		rootless = rootless ||
		    strncmp(member_value(option), "name=rootless", 13) == 0;
	}
	json_decref(info);
	return rootless ? fault_set(f, FAULT_HOST, "use strategy = recreate",
			      "a rootless docker cannot rehearse: this host does not "
			      "reach its containers' addresses")
			: 0;
}

static int
check_address(struct compose *c, size_t i, struct fault *f)
{
	const struct service *s = &c->docker.target->service[i];
	const struct resolved *r = &c->resolved[i];
	char safe[160], next[SERVICE_MAX + 40];

	snprintf(next, sizeof(next), "use strategy.%s = recreate", s->name);
	if (r->network_mode[0] != '\0' && strcmp(r->network_mode, "bridge") != 0)
		return fault_set(f, FAULT_HOST, next,
		    "service %s cannot be rehearsed: with network_mode %s it has no "
		    "address of its own",
		    s->name,
		    text_escape(safe, sizeof(safe), r->network_mode,
			strlen(r->network_mode)));
	if (candidate_port(&c->engine, i)[0] == '\0') {
		snprintf(next, sizeof(next), "set port.%s", s->name);
		return fault_set(f, FAULT_HOST, next,
		    "the port of service %s is not known: the compose file does not "
		    "publish one at that of its health_url",
		    s->name);
	}
	return check_rootless(c, f);
}

/* Two containers cannot have one address: the candidate would not start. */
static int
check_fixed_address(const struct service *s, const struct resolved *r, struct fault *f)
{
	char safe[160], next[SERVICE_MAX + 40];

	if (r->address[0] == '\0')
		return 0;
	snprintf(next, sizeof(next), "use strategy.%s = recreate", s->name);
	return fault_set(f, FAULT_HOST, next,
	    "service %s cannot be rehearsed: the compose file gives it the address %s",
	    s->name, text_escape(safe, sizeof(safe), r->address, strlen(r->address)));
}

int
candidate_check(struct engine *e, size_t i, struct fault *f)
{
	struct compose *c = e->self;
	const struct service *s = &c->docker.target->service[i];
	const struct resolved *r = &c->resolved[i];
	char safe[2 * sizeof(r->shared)];

	if (check_pull(r, s->name, f) == -1 || check_fixed_address(s, r, f) == -1 ||
	    ((s->health_url[0] != '\0' || s->version_url[0] != '\0') &&
		check_address(c, i, f) == -1))
		return -1;
	if (r->shared[0] != '\0')
		progress_say(c->docker.progress, SAY_NOTE,
		    "the candidate of %s shares with what runs: %s", s->name,
		    text_escape(safe, sizeof(safe), r->shared, strlen(r->shared)));
	return 0;
}
