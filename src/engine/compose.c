#include "engine/compose.h"

#include "engine/call.h"
#include "engine/containers.h"
#include "engine/host.h"
#include "engine/images.h"
#include "engine/inspect.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* COMPOSE_ENV_FILES came with this one, github.com/docker/compose/pull/11061 */
#define COMPOSE_MAJOR 2
#define COMPOSE_MINOR 23

static int
connect_engine(struct engine *e, struct fault *f)
{
	struct compose *c = e->self;

	if (e->blind)
		return 0;
	return host_find(c, f) == -1 ? -1 : api_connect(&c->api, f);
}

static int
check_version(struct compose *c, struct fault *f)
{
	static const char *const argv[] = { "docker", "compose", "version", NULL };
	static const char next[] = "install the docker-compose-plugin";
	struct run_result res;
	char said[80];
	int rc = 0;

	if (call_any(c, argv, &res, f) == -1)
		return -1;
	/* it asks no daemon: what fails here is the plugin */
	if (res.status != 0)
		rc = call_fault(argv, &res, c, next, f);
	else if (res.out_len == 0)
		rc = fault_set(f, FAULT_HOST,
		    "install the docker-compose-plugin; a stub needs TWILIGHT_ENGINE=blind",
		    "docker compose version prints nothing: this is not docker");
	else if (!inspect_compose_is(call_output(&res), COMPOSE_MAJOR, COMPOSE_MINOR))
		rc = fault_set(f, FAULT_HOST, next,
		    "docker compose %d.%d or newer is needed, this is: %s", COMPOSE_MAJOR,
		    COMPOSE_MINOR,
		    mask_show(&c->mask, said, sizeof(said), res.out,
			strcspn(res.out, "\n"), false));
	run_free(&res);
	return rc;
}

static int
check(struct engine *e, struct fault *f)
{
	if (connect_engine(e, f) == -1)
		return -1;
	return e->blind ? 0 : check_version(e->self, f);
}

/* The service is named: then its profile, if it has one, is active. */
static int
describe(struct engine *e, const char *tag, struct service *s, struct fault *f)
{
	struct compose *c = e->self;
	const char *const argv[] = { "docker", "compose", "config", "--format", "json",
		c->target->service, NULL };
	struct run_result res;
	int rc;

	if (childenv_set(&c->env, TARGET_VARIABLE, tag, f) == -1 ||
	    call_any(c, argv, &res, f) == -1)
		return -1;
	if (res.status != 0 && strstr(res.err, "no such service") != NULL)
		rc = fault_set(f, FAULT_HOST, "set TWILIGHT_SERVICE to one that it has",
		    "the compose file has no service %s", c->target->service);
	else if (res.status != 0)
		rc = call_fault(argv, &res, c, NULL, f);
	else
		rc = inspect_service(call_output(&res), res.out_len, c->target->service,
		    s, f);
	run_free(&res);
	if (rc == 0)
		(void)strlcpy(c->project, s->project, sizeof(c->project));
	return rc;
}

static int
pull(struct engine *e, const char *tag, struct fault *f)
{
	struct compose *c = e->self;
	/* whatever pull_policy says: a deploy is of what the registry has now */
	const char *argv[] = { "docker", "compose", "pull", c->target->service,
		"--policy", "always", NULL };

	if (childenv_set(&c->env, TARGET_VARIABLE, tag, f) == -1)
		return -1;
	return call_move(c, argv, "pull", c->target->pull_limit, true, f);
}

/* The flags stand behind the service, so that the call begins as people type it. */
static int
up(struct engine *e, const char *tag, unsigned how, struct fault *f)
{
	struct compose *c = e->self;
	const char *argv[] = { "docker", "compose", "up", "-d", c->target->service,
		"--no-build", "--pull", "never", NULL, NULL, NULL };
	size_t n = 8;

	if ((how & UP_DEPENDS) == 0)
		argv[n++] = "--no-deps";
	if ((how & UP_RECREATE) != 0)
		argv[n++] = "--force-recreate";

	if (childenv_set(&c->env, TARGET_VARIABLE, tag, f) == -1)
		return -1;
	return call_move(c, argv, "up", c->target->up_limit, false, f);
}

static int
remove_container(struct engine *e, const char *id, struct fault *f)
{
	struct compose *c = e->self;
	const char *const argv[] = { "docker", "rm", "-f", id, NULL };

	return call_move(c, argv, "rm", c->target->call_limit, false, f);
}

static int
settle(struct engine *e, struct fault *f)
{
	struct compose *c = e->self;

	return mover_settle(&c->mover, f);
}

/* The first of `list` that is in the folder, or NULL. */
static const char *
first_file(const char *dir, const char *const *list, char *path, size_t size)
{
	for (; *list != NULL; list++)
		if ((size_t)snprintf(path, size, "%s/%s", dir, *list) < size &&
		    access(path, F_OK) == 0)
			return path;
	return NULL;
}

/* compose-go cli/options.go: DefaultFileNames and DefaultOverrideFileNames */
static int
find_files(struct compose *c, struct fault *f)
{
	static const char *const base[] = { "compose.yaml", "compose.yml",
		"docker-compose.yml", "docker-compose.yaml", NULL };
	static const char *const over[] = { "compose.override.yml",
		"compose.override.yaml", "docker-compose.override.yml",
		"docker-compose.override.yaml", NULL };
	const char *dir = c->target->compose_dir;
	char path[PATH_MAX], safe[256];

	if (first_file(dir, base, path, sizeof(path)) == NULL)
		return fault_set(f, FAULT_HOST, "see TWILIGHT_COMPOSE_DIR",
		    "no compose file in %s",
		    text_escape(safe, sizeof(safe), dir, strlen(dir)));
	(void)strlcpy(c->files, path, sizeof(c->files));
	if (first_file(dir, over, path, sizeof(path)) != NULL) {
		(void)strlcat(c->files, ":", sizeof(c->files));
		(void)strlcat(c->files, path, sizeof(c->files));
	}
	return 0;
}

static int
fill_env(struct compose *c, char *const *env, struct fault *f)
{
	const struct target *t = c->target;

	if (childenv_init(&c->env, env, t->keep_env, f) == -1)
		return -1;
	if (childenv_set(&c->env, "COMPOSE_FILE", c->files, f) == -1 ||
	    childenv_set(&c->env, "COMPOSE_ENV_FILES", t->env_file, f) == -1 ||
	    childenv_set(&c->env, "COMPOSE_ANSI", "never", f) == -1 ||
	    childenv_set(&c->env, "COMPOSE_PROGRESS", "plain", f) == -1 ||
	    (t->project[0] != '\0' &&
		childenv_set(&c->env, "COMPOSE_PROJECT_NAME", t->project, f) == -1)) {
		childenv_free(&c->env);
		return -1;
	}
	return 0;
}

int
compose_open(struct compose *c, const struct target *t, char *const *env, int dirfd,
    const struct progress *progress, struct fault *f)
{
	memset(c, 0, sizeof(*c));
	c->target = t;
	c->progress = progress;
	c->engine = (struct engine){ .self = c,
		.blind = strcmp(t->engine, "blind") == 0,
		.connect = connect_engine,
		.check = check,
		.describe = describe,
		.locate = containers_locate,
		.containers = containers_list,
		.inspect = containers_inspect,
		.watch = containers_watch,
		.changed = containers_changed,
		.depends_run = containers_depends_run,
		.image = images_id,
		.names = images_names,
		.places = images_places,
		.logs = containers_logs,
		.pull = pull,
		.up = up,
		.name = images_name,
		.unname = images_unname,
		.remove = remove_container,
		.prune = images_prune,
		.settle = settle };
	if (find_files(c, f) == -1 || fill_env(c, env, f) == -1)
		return -1;
	if (run_find("docker", c->env.list, c->docker, sizeof(c->docker), f) == -1 ||
	    mask_load(&c->mask, t->env_file, TARGET_VARIABLE, f) == -1) {
		childenv_free(&c->env);
		return -1;
	}
	api_init(&c->api, t->call_limit, &c->mask, progress);
	http_init(&c->events, c->api.path);
	mover_init(&c->mover, dirfd, progress, &c->mask, t->up_limit);
	return 0;
}

void
compose_close(struct compose *c)
{
	http_close(&c->events);
	api_close(&c->api);
	mover_close(&c->mover);
	mask_free(&c->mask);
	childenv_free(&c->env);
}
