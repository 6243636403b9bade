#include "engine/compose.h"

#include "engine/call.h"
#include "engine/images.h"
#include "engine/inspect.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* COMPOSE_ENV_FILES came with this one, github.com/docker/compose/pull/11061 */
#define COMPOSE_MAJOR 2
#define COMPOSE_MINOR 23

#define ARGS_MAX 32

static int
hello(struct engine *e, struct fault *f)
{
	static const char *const argv[] = { "docker", "compose", "version", NULL };
	static const char next[] = "install the docker-compose-plugin";
	struct compose *c = e->self;
	struct run_result res;
	char said[80];
	int rc = 0;

	if (call_any(c, argv, &res, f) == -1)
		return -1;
	e->silent = res.status == 0 && res.out_len == 0;
	/* it asks no daemon: what fails here is the plugin */
	if (res.status != 0)
		rc = call_fault(argv, &res, c, next, f);
	else if (!e->silent &&
	    !inspect_compose_is(call_output(&res), COMPOSE_MAJOR, COMPOSE_MINOR))
		rc = fault_set(f, FAULT_HOST, next,
		    "docker compose %d.%d or newer is needed, this is: %s", COMPOSE_MAJOR,
		    COMPOSE_MINOR,
		    mask_show(&c->mask, said, sizeof(said), res.out,
			strcspn(res.out, "\n"), false));
	run_free(&res);
	return rc;
}

static int
describe(struct engine *e, const char *tag, struct service *s, struct fault *f)
{
	static const char *const argv[] = { "docker", "compose", "config", "--format",
		"json", NULL };
	struct compose *c = e->self;
	struct run_result res;
	int rc;

	if (childenv_set(&c->env, TARGET_VARIABLE, tag, f) == -1 ||
	    call_look(c, argv, &res, f) == -1)
		return -1;
	rc = inspect_service(call_output(&res), res.out_len, c->target->service, s, f);
	run_free(&res);
	if (rc == 0)
		(void)strlcpy(c->project, s->project, sizeof(c->project));
	return rc;
}

/* `docker ps -aq` by compose's labels (docker/compose pkg/api/labels.go). */
static int
list_ids(struct compose *c, const char *service, bool running, struct run_result *res,
    struct fault *f)
{
	char project_label[192], service_label[128];
	const char *const argv[] = { "docker", "ps", running ? "-q" : "-aq", "--no-trunc",
		"--filter", project_label, "--filter", service_label, "--filter",
		"label=com.docker.compose.oneoff=False", NULL };

	snprintf(project_label, sizeof(project_label),
	    "label=com.docker.compose.project=%s", c->project);
	snprintf(service_label, sizeof(service_label),
	    "label=com.docker.compose.service=%s", service);
	return call_look(c, argv, res, f);
}

/* Splits ids, one on a line, into argv; how many. */
static size_t
split(char *text, const char **argv, size_t max)
{
	size_t n = 0;
	char *line;

	while (n < max && (line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			argv[n++] = line;
	return n;
}

static int
containers(struct engine *e, struct container *list, size_t max, size_t *n,
    struct fault *f)
{
	const char *argv[ARGS_MAX] = { "docker", "inspect", "--type", "container" };
	struct compose *c = e->self;
	struct run_result ids, res;
	size_t found;
	int rc;

	*n = 0;
	if (list_ids(c, c->target->service, false, &ids, f) == -1)
		return -1;
	found = ids.out == NULL ? 0 : split(ids.out, argv + 4, ARGS_MAX - 5);
	rc = found == 0 ? 0 : call_any(c, argv, &res, f);
	run_free(&ids);
	if (rc == -1 || found == 0)
		return rc;
	/* one that went between the two calls makes it exit with 1: the rest counts */
	if (res.out_len == 0 && res.status != 0)
		rc = call_fault(argv, &res, c, NULL, f);
	else
		rc = inspect_containers(call_output(&res), res.out_len, list, max, n, f);
	run_free(&res);
	return rc;
}

static int
inspect(struct engine *e, const char *id, struct container *out, struct fault *f)
{
	const char *const argv[] = { "docker", "inspect", "--type", "container", id,
		NULL };
	struct compose *c = e->self;
	struct run_result res;
	size_t n;
	int rc;

	memset(out, 0, sizeof(*out));
	if (call_any(c, argv, &res, f) == -1)
		return -1;
	if (res.status != 0 && strcasestr(res.err, "no such") != NULL)
		rc = 0; /* gone */
	else if (res.status != 0)
		rc = call_fault(argv, &res, c, NULL, f);
	else
		rc = inspect_containers(call_output(&res), res.out_len, out, 1, &n, f);
	run_free(&res);
	return rc;
}

static int
depends_run(struct engine *e, const struct service *s, bool *all, struct fault *f)
{
	struct run_result res;
	size_t i;

	*all = true;
	for (i = 0; *all && i < s->n_depends; i++) {
		if (list_ids(e->self, s->depends[i], true, &res, f) == -1)
			return -1;
		*all = res.out_len > 0;
		run_free(&res);
	}
	return 0;
}

static void
show_lines(struct compose *c, const struct run_result *res)
{
	const char *line = res->out, *end = line + res->out_len, *newline;
	char safe[480];
	bool last;

	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		last = newline == NULL;
		if (last)
			newline = end;
		if (newline > line)
			progress_say(c->progress, SAY_CHILD, "%s",
			    mask_show(&c->mask, safe, sizeof(safe), line,
				(size_t)(newline - line), last && res->out_cut));
	}
}

static int
logs(struct engine *e, const char *id, struct fault *f)
{
	const char *const argv[] = { "docker", "logs", "--tail", COMPOSE_LOG_LINES, id,
		NULL };
	struct run r = call_run(e->self, argv);
	struct run_result res;
	int rc;

	/* what a container writes to its stderr comes on docker's */
	r.merge = true;
	rc = run_child(&r, &res, f);
	if (rc == 0 && res.out != NULL)
		show_lines(e->self, &res);
	run_free(&res);
	return rc;
}

static int
pull(struct engine *e, const char *tag, struct fault *f)
{
	struct compose *c = e->self;
	const char *const argv[] = { "docker", "compose", "pull", c->target->service,
		NULL };

	if (childenv_set(&c->env, TARGET_VARIABLE, tag, f) == -1)
		return -1;
	return call_move(c, argv, "pull", c->target->pull_limit, true, f);
}

/* The flags that protect stand after the service: the mock matches the rest. */
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
		.hello = hello,
		.describe = describe,
		.containers = containers,
		.inspect = inspect,
		.depends_run = depends_run,
		.image = images_id,
		.names = images_names,
		.root = images_root,
		.logs = logs,
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
	mover_init(&c->mover, dirfd, progress, &c->mask, t->up_limit);
	return 0;
}

void
compose_close(struct compose *c)
{
	mover_close(&c->mover);
	mask_free(&c->mask);
	childenv_free(&c->env);
}
