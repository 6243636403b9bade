#include "engine/docker.h"

#include "dotenv/edit.h"
#include "engine/pull.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX (SERVICES_MAX + 16)

/* "compose config", "rm". */
static const char *
command_name(const char *const *argv, char *out, size_t size)
{
	bool group = strcmp(argv[1], "compose") == 0 || strcmp(argv[1], "image") == 0;

	snprintf(out, size, "%s%s%s", argv[1], group ? " " : "", group ? argv[2] : "");
	return out;
}

/* Not a warning, and not "See 'docker --help'", which ends other messages. */
static bool
is_reason(const char *line, size_t len)
{
	return len > 0 && memmem(line, len, "level=warning", 13) == NULL &&
	    memmem(line, len, " --help'", 8) == NULL;
}

/* The last line that is a reason; without one, the first line. */
static const char *
last_reason(const struct run_result *res, size_t *len)
{
	const char *best = res->err, *at, *end;

	*len = strcspn(res->err, "\n");
	for (at = res->err; *at != '\0'; at = *end == '\n' ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if (!is_reason(at, (size_t)(end - at)))
			continue;
		best = at;
		*len = (size_t)(end - at);
	}
	return best;
}

int
docker_fault(const char *const *argv, const struct run_result *res, struct docker *d,
    const char *next, struct fault *f)
{
	char said[300], what[64];
	const char *line;
	size_t len;

	command_name(argv, what, sizeof(what));
	if (res->end == RUN_TIMEOUT)
		return fault_set(f, FAULT_HOST,
		    "check that the Docker engine works: docker version",
		    "docker %s did not answer within %lld s%s", what,
		    (long long)(d->target->call_limit / 1000),
		    res->left ? ", and this user may not end it" : "");
	if (res->end == RUN_SIGNALLED)
		return fault_set(f, FAULT_HOST,
		    "check the free memory and the system log",
		    "docker %s was killed by signal %d (%s)", what, res->status,
		    strsignal(res->status));
	if (detached_line_is_secret(res->err, res->err_len))
		(void)strlcpy(said, "an env file cannot be parsed", sizeof(said));
	else {
		line = last_reason(res, &len);
		mask_show(&d->mask, said, sizeof(said), line, len,
		    line + len == res->err + sizeof(res->err) - 1);
	}
	if (strstr(said, "permission denied while trying to connect") != NULL)
		next = "add this user to the group `docker`, then log in again";
	else if (strstr(said, "Cannot connect to the Docker daemon") != NULL)
		next = "start it: systemctl start docker";
	return fault_set(f, FAULT_HOST,
	    next == NULL ? "run the command by hand to see more" : next,
	    "docker %s failed (exit %d)%s%s", what, res->status,
	    said[0] == '\0' ? "" : ": ", said);
}

int
docker_begin(struct docker *d, struct docker_call *call, const char *const *argv,
    struct fault *f)
{
	call->argv = argv;
	call->run = (struct run){ .kind = RUN_LOOK,
		.path = d->path,
		.argv = argv,
		.env = d->env.list,
		.cwd = d->target->compose_dir,
		.limit_ms = d->target->call_limit,
		.out_fd = -1,
		.hold_fd = -1 };
	return run_start(&call->child, &call->run, f);
}

int
docker_end(struct docker *d, struct docker_call *call, struct run_result *res,
    struct fault *f)
{
	run_wait(&call->child, &call->run, res);
	if (res->end == RUN_EXITED && !res->out_cut)
		return 0;
	docker_fault(call->argv, res, d, NULL, f);
	run_free(res);
	return -1;
}

int
docker_run(struct docker *d, const char *const *argv, struct run_result *res,
    struct fault *f)
{
	struct docker_call call;

	return docker_begin(d, &call, argv, f) == -1 ? -1 : docker_end(d, &call, res, f);
}

int
docker_look(struct docker *d, const char *const *argv, struct run_result *res,
    struct fault *f)
{
	if (docker_run(d, argv, res, f) == -1)
		return -1;
	if (res->status == 0)
		return 0;
	docker_fault(argv, res, d, NULL, f);
	run_free(res);
	return -1;
}

const char *
docker_output(const struct run_result *res)
{
	return res->out == NULL ? "" : res->out;
}

int
docker_detach(struct docker *d, const char *const *argv, const char *word,
    int64_t limit_ms, bool stoppable, struct fault *f)
{
	struct run r = { .path = d->path,
		.argv = argv,
		.env = d->env.list,
		.cwd = d->target->compose_dir,
		.limit_ms = limit_ms,
		.stoppable = stoppable };

	return detached_run(&d->detached, &r, word, f);
}

/* The path of the first file of `list` that exists in the folder; NULL for none. */
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
find_compose_files(struct docker *d, struct fault *f)
{
	static const char *const base[] = { "compose.yaml", "compose.yml",
		"docker-compose.yml", "docker-compose.yaml", NULL };
	static const char *const over[] = { "compose.override.yml",
		"compose.override.yaml", "docker-compose.override.yml",
		"docker-compose.override.yaml", NULL };
	const char *dir = d->target->compose_dir;
	char path[PATH_MAX], safe[256];

	if (d->target->compose_files[0] != '\0') {
		(void)strlcpy(d->files, d->target->compose_files, sizeof(d->files));
		return 0;
	}
	if (first_file(dir, base, path, sizeof(path)) == NULL)
		return fault_set(f, FAULT_HOST,
		    "set compose_dir to the folder of the compose file",
		    "no compose file in %s",
		    text_escape(safe, sizeof(safe), dir, strlen(dir)));
	(void)strlcpy(d->files, path, sizeof(d->files));
	if (first_file(dir, over, path, sizeof(path)) != NULL) {
		(void)strlcat(d->files, ":", sizeof(d->files));
		(void)strlcat(d->files, path, sizeof(d->files));
	}
	return 0;
}

static int
fill_child_env(struct docker *d, char *const *env, struct fault *f)
{
	const struct target *t = d->target;

	if (childenv_init(&d->env, env, f) == -1)
		return -1;
	if (childenv_keep(&d->env, env,
		"DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG XDG_RUNTIME_DIR", f) == -1 ||
	    childenv_keep(&d->env, env, t->keep_env, f) == -1 ||
	    childenv_set(&d->env, "COMPOSE_FILE", d->files, f) == -1 ||
	    childenv_set(&d->env, "COMPOSE_ENV_FILES", t->env_file, f) == -1 ||
	    childenv_set(&d->env, "COMPOSE_ANSI", "never", f) == -1 ||
	    childenv_set(&d->env, "COMPOSE_PROGRESS", "plain", f) == -1 ||
	    (t->project[0] != '\0' &&
		childenv_set(&d->env, "COMPOSE_PROJECT_NAME", t->project, f) == -1)) {
		childenv_free(&d->env);
		return -1;
	}
	return 0;
}

int
docker_open(struct docker *d, const struct target *t, char *const *env, int dirfd,
    const struct progress *progress, struct fault *f)
{
	memset(d, 0, sizeof(*d));
	d->target = t;
	d->progress = progress;
	if (find_compose_files(d, f) == -1 || fill_child_env(d, env, f) == -1)
		return -1;
	if (env_find("docker", d->env.list, d->path, sizeof(d->path), f) == -1 ||
	    mask_load(&d->mask, t->env_file, t->variable, t->variables, f) == -1) {
		childenv_free(&d->env);
		return -1;
	}
	detached_init(&d->detached, dirfd, progress, &d->mask, t->up_limit);
	return 0;
}

void
docker_close(struct docker *d)
{
	detached_close(&d->detached);
	mask_free(&d->mask);
	childenv_free(&d->env);
}

/* Sets the variable in docker's environment, where it takes precedence over .env. */
static int
set_version(struct docker *d, const char *tag, struct fault *f)
{
	char value[DESIRED_MAX];

	if (target_value(d->target, tag, value, f) == -1)
		return -1;
	return childenv_set(&d->env, d->target->variable, value, f);
}

/* Appends the names of the target's services, or of those in `some`. */
static size_t
add_services(const struct docker *d, const char **argv, size_t n, const char *const *some)
{
	size_t i;

	if (some != NULL)
		for (; *some != NULL; some++)
			argv[n++] = *some;
	else
		for (i = 0; i < d->target->n_services; i++)
			argv[n++] = d->target->service[i].name;
	return n;
}

/* Puts the reason into a fault that has the last line of the output only. */
static void
explain_pull(struct docker *d, const struct release *r, struct fault *f)
{
	char log[MASK_SHOW_MAX], said[FAULT_WHAT_MAX];
	size_t len = detached_log_end(&d->detached, log, sizeof(log));
	const char *message = pull_message(log, len, &len);

	if (!detached_line_is_secret(message, len))
		pull_explain(mask_show(&d->mask, said, sizeof(said), message, len, false),
		    r, f);
}

int
docker_pull(struct docker *d, const struct release *r, struct fault *f)
{
	const char *argv[ARGS_MAX] = { "docker", "compose", "pull" };
	size_t n = add_services(d, argv, 3, NULL);

	n = docker_add_job(d, argv, n);
	/* overrides pull_policy: a deploy is of what the registry has now */
	argv[n++] = "--policy";
	argv[n++] = "always";
	if (set_version(d, r->tag, f) == -1)
		return -1;
	if (docker_detach(d, argv, "pull", d->target->pull_limit, true, f) == 0)
		return 0;
	if (f->kind == FAULT_FAILED)
		explain_pull(d, r, f);
	return -1;
}

int
docker_up(struct docker *d, const char *tag, const char *const *services, unsigned how,
    struct fault *f)
{
	const char *argv[ARGS_MAX] = { "docker", "compose", "up", "-d" };
	size_t n = add_services(d, argv, 4, services);

	argv[n++] = "--no-build";
	argv[n++] = "--pull";
	argv[n++] = "never";
	if ((how & UP_DEPENDS) == 0)
		argv[n++] = "--no-deps";
	if ((how & UP_RECREATE) != 0)
		argv[n++] = "--force-recreate";
	if (set_version(d, tag, f) == -1)
		return -1;
	return docker_detach(d, argv, "up", d->target->up_limit, false, f);
}

void
docker_arrange(const struct docker *d, const char *tag, struct release *r)
{
	const struct target *t = d->target;
	const struct release old = *r;
	const struct part *known;
	size_t i;

	if (tag != r->tag)
		(void)strlcpy(r->tag, tag, sizeof(r->tag));
	memset(r->part, 0, sizeof(r->part));
	for (r->n = t->n_services, i = 0; i < r->n; i++) {
		known = release_part(&old, t->service[i].name);
		if (known != NULL)
			r->part[i] = *known;
		(void)strlcpy(r->part[i].service, t->service[i].name, SERVICE_MAX);
	}
}

int
docker_desired(struct docker *d, char out[DESIRED_MAX], struct fault *f)
{
	_Static_assert(DESIRED_MAX == DOTENV_VALUE_MAX, "a value fits");
	return dotenv_read(d->target->env_file, d->target->variable, out, f);
}

static int
keep_other_value(struct docker *d, const char *value, bool tolerant, struct fault *f)
{
	if (!tolerant)
		return fault_set(f, FAULT_HOST, "deploy again if this is not wanted",
		    "somebody else set %s to %s", d->target->variable, value);
	progress_say(d->progress, SAY_WARN, "somebody else set %s to %s: it stays",
	    d->target->variable, value);
	return 0;
}

int
docker_desire(struct docker *d, const char *from, const char *to, bool tolerant,
    struct fault *f)
{
	const char *path = d->target->env_file, *variable = d->target->variable;
	char value[DOTENV_VALUE_MAX], id[32];

	if (dotenv_read(path, variable, value, f) == -1)
		return -1;
	if (strcmp(value, to) == 0 && strcmp(from, to) != 0)
		from = to;
	if (strcmp(value, from) != 0)
		return keep_other_value(d, value, tolerant, f);
	snprintf(id, sizeof(id), "%ld", (long)getpid());
	return dotenv_replace(path, variable, from, to, id, f);
}

int
docker_desire_release(struct docker *d, const struct release *r,
    const struct release *over, bool revert, struct fault *f)
{
	int rc = docker_desire(d, over->part[0].desired, r->part[0].desired, revert, f);

	if (rc == 0 || !revert)
		return rc;
	/* docker_up() sets the version in the environment; undesire() tries .env again */
	progress_say(d->progress, SAY_WARN, "%s", f->what);
	fault_clear(f);
	return 0;
}

int
docker_reap(struct docker *d, struct fault *f)
{
	dotenv_sweep(d->target->env_file);
	return detached_reap(&d->detached, f);
}

int
docker_check_env(struct docker *d, struct fault *f)
{
	char value[DESIRED_MAX];

	if (docker_desired(d, value, f) == -1)
		return -1;
	return dotenv_writable(d->target->env_file, f);
}

int
docker_prune(struct docker *d, struct fault *f)
{
	static const char *const argv[] = { "docker", "image", "prune", "-f", "--filter",
		"until=168h", NULL };
	struct run_result res;

	if (strcmp(d->target->prune, "all") != 0)
		return 0;
	if (docker_look(d, argv, &res, f) == -1)
		return -1;
	run_free(&res);
	return 0;
}
