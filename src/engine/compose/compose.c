#include "engine/compose/compose.h"

#include "engine/compose/containers.h"
#include "engine/compose/host.h"
#include "engine/compose/images.h"
#include "engine/compose/oneoff.h"
#include "engine/compose/retain.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* the first one with COMPOSE_ENV_FILES, github.com/docker/compose/pull/11061 */
#define COMPOSE_MAJOR 2
#define COMPOSE_MINOR 23

/* ---- check ---- */

int
compose_connect(struct compose *c, struct fault *f)
{
	if (c->api.version[0] != '\0')
		return 0;
	return host_find(c, f) == -1 ? -1 : api_connect(&c->api, f);
}

static int
compose_check(struct engine *e, struct fault *f)
{
	struct compose *c = e->self;

	return docker_check_env(&c->docker, f) == -1 ? -1 : compose_connect(c, f);
}

/* ---- resolve ---- */

static int
take_config(struct compose *c, const json_t *doc, struct fault *f)
{
	const struct target *t = c->docker.target;
	char project[sizeof(c->project)], next[200];
	size_t i;

	if (inspect_project(doc, project, sizeof(project), f) == -1)
		return -1;
	if (c->project[0] != '\0' && strcmp(c->project, project) != 0) {
		snprintf(next, sizeof(next), "set `project = %s`", c->project);
		return fault_set(f, FAULT_HOST, next,
		    "the containers belong to project %s, the compose file to %.100s",
		    c->project, project);
	}
	(void)strlcpy(c->project, project, sizeof(c->project));
	for (i = 0; i < t->n_services; i++)
		if (inspect_service(doc, t->service[i].name, &c->resolved[i], f) == -1)
			return -1;
	inspect_job(doc, c->docker.job, &c->job);
	return 0;
}

static const char *const version_argv[] = { "docker", "compose", "version", NULL };

/* `compose version` asks no engine: where it fails, the plugin is missing or broken. */
static int
check_version(struct compose *c, struct docker_call *version, struct fault *f)
{
	static const char next[] = "install the docker-compose-plugin";
	struct run_result res;
	char said[80];
	int rc = 0;

	if (docker_end(&c->docker, version, &res, f) == -1)
		return -1;
	if (res.status != 0)
		rc = docker_fault(version_argv, &res, &c->docker, next, f);
	else if (res.out_len == 0)
		rc = fault_set(f, FAULT_HOST,
		    "install the docker-compose-plugin; a stub needs `engine = blind`",
		    "docker compose version prints nothing: this is not docker");
	else if (!inspect_compose_is(docker_output(&res), COMPOSE_MAJOR, COMPOSE_MINOR))
		rc = fault_set(f, FAULT_HOST, next,
		    "docker compose %d.%d or newer is needed, this is: %s", COMPOSE_MAJOR,
		    COMPOSE_MINOR,
		    mask_show(&c->docker.mask, said, sizeof(said), res.out,
			strcspn(res.out, "\n"), false));
	run_free(&res);
	return rc;
}

/* Naming the services activates their profiles, and is refused for an unknown one. */
static int
run_config(struct compose *c, struct fault *f)
{
	const char *argv[2 * SERVICES_MAX + 9] = { "docker", "compose", "config",
		"--format", "json" };
	const struct target *t = c->docker.target;
	char restart[sizeof(t->restart)];
	struct run_result res;
	json_t *doc;
	size_t i;
	int rc;

	for (i = 0; i < t->n_services; i++)
		argv[5 + i] = t->service[i].name;
	i = docker_add_job(&c->docker, argv, 5 + i);
	(void)strlcpy(restart, t->restart, sizeof(restart));
	(void)text_words(restart, " ,\t", argv + i, SERVICES_MAX);
	if (docker_run(&c->docker, argv, &res, f) == -1)
		return -1;
	if (res.status != 0)
		rc = docker_fault(argv, &res, &c->docker,
		    "see `services` in the settings, and the compose file", f);
	else {
		doc = inspect_load(res.out, res.out_len);
		rc = take_config(c, doc, f);
		json_decref(doc);
	}
	run_free(&res);
	return rc;
}

/* Both commands take time and are independent, so they run at the same time. */
static int
check_and_run_config(struct compose *c, struct fault *f)
{
	struct docker_call version;
	struct fault config = { 0 };
	int rc;

	if (docker_begin(&c->docker, &version, version_argv, f) == -1)
		return -1;
	rc = run_config(c, &config);
	/* what a compose that is too old prints is not used */
	if (check_version(c, &version, f) == -1)
		return -1;
	c->checked = true;
	if (rc == -1)
		*f = config;
	return rc;
}

int
compose_describe(struct compose *c, const char *value, struct fault *f)
{
	c->described[0] = '\0';
	if (childenv_set(&c->docker.env, c->docker.target->variable, value, f) == -1 ||
	    (c->checked ? run_config(c, f) : check_and_run_config(c, f)) == -1)
		return -1;
	(void)strlcpy(c->described, value, sizeof(c->described));
	return 0;
}

static int
check_reference(const struct compose *c, const char *reference, const char *tag,
    struct fault *f)
{
	char got[TAG_MAX], safe[400], next[128];

	text_escape(safe, sizeof(safe), reference, strlen(reference));
	release_tag_of(reference, got);
	if (strchr(reference, '@') != NULL)
		return fault_set(f, FAULT_HOST, "remove the digest from its image",
		    "the compose file pins %.300s by digest: no tag has any effect",
		    safe);
	if (strcmp(got, tag) == 0)
		return 0;
	snprintf(next, sizeof(next), "its image must end in `:${%s:?}`",
	    c->docker.target->variable);
	return fault_set(f, FAULT_HOST, next, "the compose file resolves tag %s to %s",
	    tag, safe);
}

static int
compose_resolve(struct engine *e, const char *tag, struct release *r, struct fault *f)
{
	struct compose *c = e->self;
	char value[DESIRED_MAX];
	struct part *p;
	size_t i;

	if (target_value(c->docker.target, tag, value, f) == -1 ||
	    compose_connect(c, f) == -1 || compose_describe(c, value, f) == -1)
		return -1;
	docker_arrange(&c->docker, tag, r);
	for (i = 0; i < r->n; i++) {
		p = &r->part[i];
		(void)strlcpy(p->reference, c->resolved[i].reference,
		    sizeof(p->reference));
		(void)strlcpy(p->desired, value, sizeof(p->desired));
		if (check_reference(c, p->reference, tag, f) == -1 ||
		    images_id(c, p->reference, p->previous, f) == -1)
			return -1;
	}
	return 0;
}

/* ---- observe ---- */

/* From the labels of the containers if possible, which needs no docker process. */
static int
find_project(struct compose *c, const char *value, struct fault *f)
{
	bool found = c->project[0] != '\0';

	if (!found && containers_locate(c, &found, f) == -1)
		return -1;
	return found ? 0 : compose_describe(c, value, f);
}

static int
observe_service(struct compose *c, struct observed *o, struct fault *f)
{
	struct instance list[CONTAINERS_MAX];
	size_t i;

	if (containers_list(c, o->service, list, &o->n, f) == -1)
		return -1;
	for (i = 0; i < o->n; i++) {
		if (list[i].state == INSTANCE_RUNNING)
			o->running++;
		/* one that runs; else one that ran, so not a half-made one */
		if (list[i].state == INSTANCE_RUNNING ||
		    (list[i].state != INSTANCE_CREATED && o->instance.id[0] == '\0'))
			o->instance = list[i];
		c->cut = c->cut || list[i].state == INSTANCE_CREATED;
	}
	return 0;
}

static int
compose_observe(struct engine *e, struct observation *o, struct fault *f)
{
	struct compose *c = e->self;
	const struct target *t = c->docker.target;
	char value[DESIRED_MAX];
	size_t i;

	memset(o, 0, sizeof(*o));
	if (docker_desired(&c->docker, value, f) == -1 || compose_connect(c, f) == -1 ||
	    find_project(c, value, f) == -1)
		return -1;
	for (i = 0; i < t->n_services; i++) {
		(void)strlcpy(o->part[i].service, t->service[i].name, SERVICE_MAX);
		(void)strlcpy(o->part[i].desired, value, DESIRED_MAX);
		if (observe_service(c, &o->part[i], f) == -1)
			return -1;
	}
	o->n = t->n_services;
	return 0;
}

/* ---- prepare, and undo it ---- */

static int
compose_revisions(struct engine *e, struct release *r, struct fault *f)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (images_id(e->self, r->part[i].reference, r->part[i].revision, f) ==
		    -1)
			return -1;
	return 0;
}

static int
compose_prepare(struct engine *e, struct release *r, struct fault *f)
{
	struct fault untagged = { 0 };
	struct compose *c = e->self;
	char safe[400];
	size_t i;

	if (docker_pull(&c->docker, r, f) == -1 || compose_revisions(e, r, f) == -1)
		return -1;
	for (i = 0; i < r->n; i++)
		if (r->part[i].revision[0] == '\0')
			return fault_set(f, FAULT_FAILED, NULL,
			    "the pull succeeded, but %s is not on this host",
			    text_escape(safe, sizeof(safe), r->part[i].reference,
				strlen(r->part[i].reference)));
	/* this also marks the images as the target's, for pruning */
	if (retain_release(e, r, &untagged) == -1)
		progress_say(c->docker.progress, SAY_WARN, "%s", untagged.what);
	return 0;
}

static int
compose_discard(struct engine *e, const struct release *r, struct fault *f)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (images_tag_again(e->self, r->part[i].previous, r->part[i].reference,
			f) == -1)
			return -1;
	return 0;
}

static int
compose_undesire(struct engine *e, const struct release *r, const struct release *over,
    struct fault *f)
{
	struct compose *c = e->self;

	return docker_desire(&c->docker, over->part[0].desired, r->part[0].desired, true,
	    f);
}

static int
compose_restart(struct engine *e, const char *const *services, struct fault *f)
{
	struct compose *c = e->self;

	return docker_restart(&c->docker, services, f);
}

static int
compose_reap(struct engine *e, struct fault *f)
{
	struct compose *c = e->self;

	return docker_reap(&c->docker, f);
}

static void
compose_close(struct engine *e)
{
	struct compose *c = e->self;

	http_close(&c->events);
	api_close(&c->api);
	docker_close(&c->docker);
	free(c);
}

int
compose_open(struct engine **e, const struct target *t, char *const *env, int dirfd,
    const struct progress *progress, struct fault *f)
{
	struct compose *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return fault_memory(f);
	if (docker_open(&c->docker, t, env, dirfd, progress, f) == -1) {
		free(c);
		return -1;
	}
	api_init(&c->api, t->call_limit, &c->docker.mask, progress);
	http_init(&c->events, c->api.path);
	c->engine = (struct engine){ .self = c,
		.name = "compose",
		.observes = true,
		.mask = &c->docker.mask,
		.by_hand = "docker ps, docker logs",
		.check = compose_check,
		.observe = compose_observe,
		.resolve = compose_resolve,
		.revisions = compose_revisions,
		.prepare = compose_prepare,
		.identify = images_identify,
		.discard = compose_discard,
		.apply = compose_apply,
		.restart = compose_restart,
		.job_part = job_part,
		.oneoff_start = oneoff_start,
		.oneoff_find = oneoff_find,
		.oneoff_end = oneoff_end,
		.candidate_check = candidate_check,
		.candidate_port = candidate_port,
		.undesire = compose_undesire,
		.look = containers_look,
		.watch = containers_watch,
		.changed = containers_changed,
		.evidence = containers_evidence,
		.reap = compose_reap,
		.available = retain_available,
		.retain = retain_release,
		.prune = retain_prune,
		.places = images_places,
		.close = compose_close };
	*e = &c->engine;
	return 0;
}
