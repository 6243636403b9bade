#define _GNU_SOURCE
#include "world.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 60000  /* a run that takes longer hangs */
#define ORPHAN_MS 20000 /* limit for children that it left */
#define AT_ONCE_MS 300  /* the same if it must leave none */
#define STATE "home/.twilight-deploy/"
#define REPOSITORY "ghcr.io/twilight/demo"

void
world_wrong(struct world *w, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "VIOLATION %s: ", w->label);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/* one write, because the workers share the stream */
	(void)!write(STDOUT_FILENO, line, (size_t)n);
	w->wrongs++;
}

static char *
path_in(const struct world *w, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", w->dir, name);
	return path;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- running ---- */

static void
await_port(const char *path, unsigned *port)
{
	FILE *f;
	int i;

	*port = 0;
	for (i = 0; i < 500 && *port == 0; i++) {
		if ((f = fopen(path, "re")) != NULL) {
			if (fscanf(f, "%u", port) != 1)
				*port = 0;
			fclose(f);
		}
		usleep(10000);
	}
	if (*port == 0)
		errx(2, "the mock service does not start");
}

/* Forks twice, so that a worker waits for its runs only. */
static pid_t
start_server(struct world *w, const char *const *argv)
{
	char name[32], path[PATH_MAX], line[16];
	int fd[2], n;
	pid_t pid, server = -1;

	if (pipe(fd) == -1 || (pid = fork()) == -1)
		err(2, "%s", argv[0]);
	if (pid == 0) {
		if ((pid = fork()) == 0) {
			freopen("/dev/null", "w", stdout);
			freopen("/dev/null", "w", stderr);
			close(fd[0]);
			close(fd[1]);
			execv(argv[0], (char *const *)(uintptr_t)argv);
			_exit(127);
		}
		(void)!write(fd[1], &pid, sizeof(pid));
		_exit(0);
	}
	(void)!read(fd[0], &server, sizeof(server));
	close(fd[0]);
	close(fd[1]);
	waitpid(pid, NULL, 0);
	/* if we are killed, run.sh ends it */
	n = snprintf(line, sizeof(line), "%d\n", server);
	snprintf(name, sizeof(name), "%d.pid", server);
	put_file(path_in(w, name, path), 0600, line, (size_t)n);
	return server;
}

static void
stop_server(const struct world *w, pid_t server)
{
	char name[32], path[PATH_MAX];

	kill(server, SIGTERM);
	snprintf(name, sizeof(name), "%d.pid", server);
	unlink(path_in(w, name, path));
}

static pid_t
start_service(struct world *w, const char *orders, unsigned *number)
{
	char exe[PATH_MAX], port[PATH_MAX], control[PATH_MAX];
	const char *const argv[] = { exe, "--address", "127.0.0.1", "--port", "0",
		"--port-file", port, "--control", control, NULL };
	pid_t pid;

	snprintf(exe, sizeof(exe), "%s/service", w->top);
	path_in(w, "port", port);
	unlink(port);
	path_in(w, orders, control);
	pid = start_server(w, argv);
	await_port(port, number);
	return pid;
}

/* The engine works in its folder, which is not replaced when a tree is restored. */
static void
start_engine(struct world *w)
{
	char exe[PATH_MAX], folder[PATH_MAX], path[PATH_MAX];
	const char *const argv[] = { exe, "serve", folder, NULL };
	int i;

	snprintf(exe, sizeof(exe), "%s/engine", w->top);
	if (mkdir(path_in(w, "t", path), 0755) == -1 ||
	    mkdir(path_in(w, "t/engine", folder), 0755) == -1)
		err(2, "%s", folder);
	w->server = start_server(w, argv);
	path_in(w, "t/engine/docker.sock", path);
	for (i = 0; i < 500 && access(path, F_OK) == -1; i++)
		usleep(10000);
	if (i == 500)
		errx(2, "the fake engine does not start");
}

void
world_open(struct world *w, const char *top, const char *name)
{
	w->top = top;
	snprintf(w->dir, sizeof(w->dir), "%s/%s", top, name);
	if (mkdir(w->dir, 0755) == -1)
		err(2, "%s", w->dir);
	start_engine(w);
	w->service = start_service(w, "t/engine/control", &w->port);
	w->candidate = start_service(w, "t/engine/control.candidate", &w->candidate_port);
	/* from here on orphans of our runs become our children */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void
world_close(struct world *w)
{
	stop_server(w, w->service);
	stop_server(w, w->candidate);
	stop_server(w, w->server);
}

const char *
world_docker(const struct world *w)
{
	return w->mock == SILENT ? "silent" : "bin";
}

static char **
environment(const struct world *w, const char *extra)
{
	static char text[34][2 * PATH_MAX];
	static char *list[35];
	int n = 0;

#define PUT(...) (snprintf(text[n], sizeof(text[n]), __VA_ARGS__), list[n] = text[n], n++)
	/* the first of equal names counts */
	if (extra != NULL)
		PUT("%s", extra);
	if (extra != NULL && strncmp(extra, "SHORT=", 6) == 0)
		PUT("LD_PRELOAD=%s/short.so", w->top);
	PUT("PATH=%s/%s:/usr/local/bin:/usr/bin:/bin", w->top, world_docker(w));
	PUT("HOME=%s", w->dir);
	PUT("TWILIGHT_HOME=%s/t/home", w->dir);
	PUT("TWILIGHT_HEALTH_URL=http://127.0.0.1:%u/healthz", w->port);
	PUT("TWILIGHT_HEALTH_TRIES=2");
	PUT("TWILIGHT_HEALTH_SLEEP=0");
	PUT("TWILIGHT_HEALTH_SETTLE=0");
	PUT("TWILIGHT_DISK_MIN=1M");
	PUT("COMPOSE_ENV_FILES=%s/t/home/.env", w->dir); /* for the script */
	if (w->mock != SILENT)
		PUT("DOCKER_HOST=unix://%s/t/engine/docker.sock", w->dir);
	else
		PUT("TWILIGHT_ENGINE=blind");
	if (w->mock == ALL) {
		PUT("TWILIGHT_SERVICE=data,worker");
		PUT("TWILIGHT_PRE_DEPLOY=data migrate");
		PUT("TWILIGHT_PRE_DEPLOY_LIMIT=5");
		PUT("TWILIGHT_DRAIN_URL=http://127.0.0.1:%u/drain", w->port);
		PUT("TWILIGHT_DRAIN_DONE_URL=http://127.0.0.1:%u/drain", w->port);
		PUT("TWILIGHT_DRAIN_DONE_EXPECT=active_jobs=0");
		PUT("TWILIGHT_DRAIN_RESUME_URL=http://127.0.0.1:%u/resume", w->port);
		PUT("TWILIGHT_RESTART=worker");
		PUT("TWILIGHT_VERSION_URL=http://127.0.0.1:%u/health/version", w->port);
		PUT("TWILIGHT_IMMUTABLE=sha-.*");
		PUT("TWILIGHT_SIGNED_BY=%s/signers", w->top);
		PUT("TWILIGHT_ON_START=/bin/true");
		PUT("TWILIGHT_ON_RESULT=/bin/false");
	}
	if (w->rehearse) {
		PUT("TWILIGHT_STRATEGY=rehearse");
		PUT("TWILIGHT_PORT=%u", w->candidate_port);
	}
	if (w->script)
		PUT("TWILIGHT_LOCK=%s/script.lock", w->dir);
	/* a traced program cannot use its leak detector */
	PUT("ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0");
#undef PUT
	list[n] = NULL;
	return list;
}

static void
start(const struct world *w, const char *const *argv, char **env)
{
	char out[PATH_MAX];
	int fd;

	setpgid(0, 0);
	fd = open(path_in(w, "out", out), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (fd == -1 || dup2(fd, 1) == -1 || dup2(fd, 2) == -1)
		_exit(126);
	close(fd);
	if ((fd = open("/dev/null", O_RDONLY)) != 0) {
		dup2(fd, 0);
		close(fd);
	}
	execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
	_exit(127);
}

static void
tell(const struct world *w, const char *const *argv, int rc)
{
	char path[PATH_MAX], line[4096];
	ssize_t n;
	int fd;

	printf("--");
	for (; *argv != NULL; argv++)
		printf(" %s", *argv);
	printf(" -> %d\n", rc);
	fflush(stdout);
	if ((fd = open(path_in(w, "out", path), O_RDONLY)) == -1)
		return;
	while ((n = read(fd, line, sizeof(line))) > 0)
		(void)!write(STDOUT_FILENO, line, (size_t)n);
	close(fd);
}

int
world_run(struct world *w, const char *const *argv, const char *extra)
{
	char **env = environment(w, extra);
	pid_t pid = fork();
	struct pollfd pfd = { .events = POLLIN };
	int status, rc;

	if (pid == -1)
		err(2, "fork");
	if (pid == 0)
		start(w, argv, env);
	setpgid(pid, pid);
	if ((pfd.fd = (int)syscall(SYS_pidfd_open, pid, 0)) == -1)
		err(2, "pidfd_open");
	rc = poll(&pfd, 1, LIMIT_MS);
	close(pfd.fd);
	if (rc == 0)
		kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (rc == 0)
		rc = RUN_TIMED_OUT;
	else
		rc = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	if (w->loud)
		tell(w, argv, rc);
	return rc;
}

/* What a deploy of each version says of its image. */
static char identity['f' - 'a' + 1][1024];

static size_t
put_strace(const char **argv, const char *const *strace)
{
	size_t n = 0;

	if (strace == NULL)
		return 0;
	argv[n++] = "strace";
	argv[n++] = "-qq";
	while (*strace != NULL)
		argv[n++] = *strace++;
	return n;
}

int
world_ask(struct world *w, const char *const *strace, const char *const *words,
    const char *extra)
{
	const char *argv[24];
	size_t n = put_strace(argv, strace);

	argv[n++] = w->program;
	argv[n++] = words[0];
	argv[n++] = words[1];
	if (w->mock == ALL && strcmp(words[0], "deploy") == 0)
		/* sha-ddddddd: the image d */
		argv[n++] = identity[words[1][4] - 'a'];
	argv[n] = NULL;
	return world_run(w, argv, extra);
}

int
world_script(struct world *w, const char *const *strace, char v)
{
	char path[PATH_MAX], request[64];
	const char *argv[24];
	size_t n = put_strace(argv, strace);
	int rc;

	snprintf(path, sizeof(path), "%s/plain-deploy.sh", w->top);
	snprintf(request, sizeof(request),
	    "SSH_ORIGINAL_COMMAND=deploy sha-%c%c%c%c%c%c%c", v, v, v, v, v, v, v);
	argv[n++] = "bash";
	argv[n++] = path;
	argv[n] = NULL;
	w->script = true;
	rc = world_run(w, argv, request);
	w->script = false;
	return rc;
}

static void
free_lock(struct world *w, const char *name)
{
	char path[PATH_MAX];
	int fd = open(path_in(w, name, path), O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		world_wrong(w, "%s is still held", name);
	close(fd);
}

void
world_drain(struct world *w, bool at_once)
{
	int64_t began = now_ms();
	bool said = false;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) != -1) {
		if (pid > 0)
			continue;
		if (!said && now_ms() - began > (at_once ? AT_ONCE_MS : ORPHAN_MS)) {
			world_wrong(w, "a child outlives it");
			said = true;
		}
		if (now_ms() - began > 2 * ORPHAN_MS)
			errx(2, "%s: a child does not end at all", w->label);
		usleep(500);
	}
	free_lock(w, "t/" STATE "lock");
	free_lock(w, "t/" STATE "up.lock");
}

/* ---- the mocks ---- */

void
world_behave(struct world *w, const char *word)
{
	char path[PATH_MAX], new[PATH_MAX], line[64];
	int n = snprintf(line, sizeof(line), "%s any\n", word);

	put_file(path_in(w, "t/engine/control.new", new), 0600, line, (size_t)n);
	if (rename(new, path_in(w, "t/engine/control", path)) == -1)
		err(2, "%s", path);
}

static void
image(char v, char out[72])
{
	memcpy(out, "sha256:", 7);
	memset(out + 7, v, 64);
	out[71] = '\0';
}

/* The digest of an image, as mocks/engine.c makes it. */
static void
digest(char v, char out[72])
{
	char id[72];
	const char *p;
	uint64_t part, h;

	image(v, id);
	out += sprintf(out, "sha256:");
	for (part = 0; part < 4; part++) {
		h = UINT64_C(14695981039346656037) + part;
		for (p = id; *p != '\0'; p++)
			h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
		out += sprintf(out, "%016" PRIx64, h);
	}
}

/* One line of the command's output. */
static void
line_of(const char *command, char *out, int size)
{
	FILE *p = popen(command, "re");

	if (p == NULL || fgets(out, size, p) == NULL || pclose(p) != 0)
		errx(2, "%s", command);
}

void
world_sign(struct world *w)
{
	char command[2 * PATH_MAX], id[72], sig[512], v;

	for (v = 'a'; v <= 'f'; v++) {
		digest(v, id);
		snprintf(command, sizeof(command),
		    "printf " REPOSITORY
		    "@%s | ssh-keygen -q -Y sign -n twilight-deploy -f %s/key |"
		    " sed '1d;$d' | tr -d '\n'",
		    id, w->top);
		line_of(command, sig, sizeof(sig));
		snprintf(identity[v - 'a'], sizeof(identity[0]),
		    "digest=%s commit=%c%c%c%c%c%c%c%c sig=%s", id, v, v, v, v, v, v, v,
		    v, sig);
	}
}

static void
publish(struct world *w)
{
	static const char two[] = "{\"data\": {\"image\": \"" REPOSITORY
				  ":%t\"}, \"worker\": {\"image\": \"" REPOSITORY
				  ":%t\"}}\n";
	char path[PATH_MAX], name[128], id[72], line[160], all[2048] = "";
	char v;

	for (v = 'a'; v <= 'f'; v++) {
		image(v, id);
		snprintf(line, sizeof(line), REPOSITORY ":sha-%c%c%c%c%c%c%c %s\n", v, v,
		    v, v, v, v, v, id);
		strcat(all, line);
		snprintf(name, sizeof(name), "t/engine/behaviour/%s", id);
		snprintf(line, sizeof(line), "%s\n",
		    v == VERSION_BAD ? "never" : "healthy");
		put_file(path_in(w, name, path), 0600, line, strlen(line));
		snprintf(name, sizeof(name), "t/engine/labels/%s", id);
		snprintf(line, sizeof(line), "org.opencontainers.image.revision=%s\n",
		    id + strlen("sha256:"));
		put_file(path_in(w, name, path), 0600, line, strlen(line));
	}
	put_file(path_in(w, "t/engine/registry", path), 0600, all, strlen(all));
	if (w->mock == ALL)
		put_file(path_in(w, "t/engine/services", path), 0600, two, strlen(two));
}

void
world_found(struct world *w, enum mock mock)
{
	static const char *const folders[] = { "t", "t/home", "t/home/source",
		"t/home/source/deploy", "t/engine", "t/engine/behaviour",
		"t/engine/labels" };
	static const char env[] = "TWILIGHT_VERSION=sha-aaaaaaa\nSECRET=hunter2\n";
	struct tree nothing = { 0 };
	char path[PATH_MAX], from[PATH_MAX];
	const char *const copy[] = { "cp", from, path, NULL };
	size_t i;

	w->mock = mock;
	tree_write(&nothing, path_in(w, "t", path));
	for (i = 1; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(path_in(w, folders[i], path), 0755) == -1 && errno != EEXIST)
			err(2, "%s", path);
	put_file(path_in(w, "t/home/.env", path), 0600, env, strlen(env));
	snprintf(from, sizeof(from), "%s/compose.yml", w->top);
	path_in(w, "t/home/source/deploy/compose.yml", path);
	if (world_run(w, copy, NULL) != 0)
		errx(2, "cannot copy %s", from);
	if (mock != SILENT)
		publish(w);
	world_behave(w, mock != SILENT ? "down" : "healthy");
}

/* ---- judging ---- */

static const char *
last_line(struct world *w)
{
	static char buf[400];
	char path[PATH_MAX], *end;
	struct stat st;
	ssize_t n = 0;
	int fd = open(path_in(w, "out", path), O_RDONLY | O_CLOEXEC);

	if (fd != -1 && fstat(fd, &st) == 0)
		n = pread(fd, buf, sizeof(buf) - 1,
		    st.st_size > 399 ? st.st_size - 399 : 0);
	if (fd != -1)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	while ((end = strrchr(buf, '\n')) != NULL && end[1] == '\0')
		*end = '\0';
	return end == NULL ? buf : end + 1;
}

static void
now(struct world *w, struct tree *t)
{
	char path[PATH_MAX];

	tree_read(t, path_in(w, "t", path));
}

static bool
says(const struct tree *t, char v)
{
	const struct file *f = tree_find(t, "home/.env");
	char want[80];

	snprintf(want, sizeof(want),
	    "TWILIGHT_VERSION=sha-%c%c%c%c%c%c%c\nSECRET=hunter2\n", v, v, v, v, v, v, v);
	return f != NULL && f->bytes != NULL && strcmp(f->bytes, want) == 0;
}

char
world_env(struct world *w, const struct scenario *s)
{
	struct tree t;
	char v = '?';

	now(w, &t);
	if (says(&t, VERSION_OLD))
		v = VERSION_OLD;
	else if (says(&t, s->to))
		v = s->to;
	else
		world_wrong(w, ".env is neither the old nor the new bytes");
	tree_free(&t);
	return v;
}

/* Is the line a running container of the service, with its own name and that image? */
static bool
is_container(const char *line, const char *service, char v)
{
	char want[256], id[72];
	const char *at = strchr(line, ' ');

	image(v, id);
	snprintf(want, sizeof(want),
	    " twilight-%s-1 %s " REPOSITORY ":sha-%c%c%c%c%c%c%c running ", service, id,
	    v, v, v, v, v, v, v);
	return at != NULL && strncmp(at, want, strlen(want)) == 0;
}

/* Do these services run, and nothing else?  A job and candidates may be left. */
static bool
is_running(const struct world *w, const struct tree *t, char v)
{
	static const char *const services[] = { "data", "worker" };
	const struct file *f = tree_find(t, "engine/containers");
	const char *line = f == NULL ? "" : f->bytes, *end;
	unsigned i, n = w->mock == ALL ? 2 : 1, ran = 0;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (memmem(line, (size_t)(end - line), "-run-", 5) != NULL ||
		    memmem(line, (size_t)(end - line), "-candidate-", 11) != NULL)
			continue;
		for (i = 0; i < n && !is_container(line, services[i], v); i++)
			continue;
		if (i == n || (ran & 1u << i) != 0)
			return false;
		ran |= 1u << i;
	}
	return ran == (1u << n) - 1;
}

void
world_serves(struct world *w, char v, const char *when)
{
	struct tree t;

	now(w, &t);
	if (!says(&t, v))
		world_wrong(w, "%s: .env does not say %c", when, v);
	if (w->mock != SILENT && !is_running(w, &t, v)) {
		const struct file *f = tree_find(&t, "engine/containers");

		world_wrong(w, "%s: %c does not run, but: %.240s", when, v,
		    f == NULL || f->len == 0 ? "nothing" : f->bytes);
	}
	tree_free(&t);
}

static bool
is_frozen(struct world *w)
{
	struct tree t;
	bool frozen;

	now(w, &t);
	frozen = tree_find(&t, STATE "freeze") != NULL;
	tree_free(&t);
	return frozen;
}

/* 0: it is done; 4: nothing was changed; 5: either. */
static void
judge_freeze(struct world *w, const struct scenario *s, int rc)
{
	bool want = strcmp(s->words[0], "freeze") == 0;

	if (rc != 0 && rc != 4 && rc != 5)
		world_wrong(w, "exit code %d of %s", rc, s->words[0]);
	else if (rc != 5 && is_frozen(w) != (want == (rc == 0)))
		world_wrong(w, "exit %d, but it is %sfrozen", rc,
		    is_frozen(w) ? "" : "not ");
}

void
world_judge_exit(struct world *w, const struct scenario *s, int rc)
{
	char when[32];

	snprintf(when, sizeof(when), "exit %d", rc);
	if (rc == RUN_TIMED_OUT)
		world_wrong(w, "it hangs");
	else if (rc < 0 || rc > 5)
		world_wrong(w, "exit code %d is none of its own: %s", rc, last_line(w));
	else if (s->freeze)
		judge_freeze(w, s, rc);
	else if (rc == 0 && s->to == VERSION_BAD)
		world_wrong(w, "exit 0, but the version is never healthy");
	else if (rc == 0)
		world_serves(w, s->to, when);
	else if (rc == 1 || (rc < 5 && s->verb))
		world_serves(w, VERSION_OLD, when);
}

/* ---- the history ---- */

struct count {
	size_t lines;    /* in all */
	size_t outcomes; /* since `before`, without adopted ones */
	bool proves;     /* the last of them says that a version is known-good */
	char to;         /* … and which */
	bool condemns;   /* it says that a version is bad */
};

static void
count_line(struct world *w, json_t *seen, struct count *c, const char *line, size_t len,
    bool is_new)
{
	json_t *doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(doc, "id"));
	const char *outcome = json_string_value(json_object_get(doc, "outcome"));
	const char *to = json_string_value(
	    json_object_get(json_object_get(doc, "to"), "tag"));

	c->lines++;
	if (id == NULL || outcome == NULL || to == NULL || strlen(to) < 5)
		world_wrong(w, "history: line %zu is no record", c->lines);
	else {
		if (json_object_get(seen, id) != NULL)
			world_wrong(w, "history: %s is there twice", id);
		json_object_set_new(seen, id, json_true());
		if (is_new && strcmp(outcome, "adopted") != 0) {
			c->outcomes++;
			c->to = to[4];
			c->proves = strcmp(outcome, "deployed") == 0 ||
			    strcmp(outcome, "recovered") == 0;
			/* a killed deploy does not judge its version */
			c->condemns = !json_is_true(json_object_get(doc, "unjudged")) &&
			    (strcmp(outcome, "rejected") == 0 ||
				strcmp(outcome, "rolled back") == 0 ||
				strcmp(outcome, "unverified") == 0);
		}
	}
	json_decref(doc);
}

static void
count_history(struct world *w, const struct tree *t, const struct tree *before,
    struct count *c)
{
	const struct file *f = tree_find(t, STATE "history.jsonl");
	const struct file *old = tree_find(before, STATE "history.jsonl");
	json_t *seen = json_object();
	const char *at, *end;

	memset(c, 0, sizeof(*c));
	if (f == NULL || f->len < old->len || memcmp(f->bytes, old->bytes, old->len) != 0)
		world_wrong(w, "history: earlier lines are not as they were");
	for (at = f == NULL ? "" : f->bytes; *at != '\0'; at = end + 1) {
		if ((end = strchr(at, '\n')) == NULL) {
			world_wrong(w, "history: the last line is torn");
			break;
		}
		count_line(w, seen, c, at, (size_t)(end - at),
		    (size_t)(at - f->bytes) >= old->len);
	}
	json_decref(seen);
}

/* ---- afterwards ---- */

static void
nothing_left(struct world *w, const struct tree *t, const char *when)
{
	static const char *const known[] = { "home/.env", "home/source", STATE "lock",
		STATE "up.lock", STATE "up.log", STATE "history.jsonl",
		"home/.twilight-deploy", "engine" };
	size_t i, k;

	for (i = 0; i < t->n; i++) {
		const char *path = t->file[i].path;

		for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (strcmp(path, known[k]) == 0 || strcmp(path, "home") == 0)
				break;
		if (k == sizeof(known) / sizeof(known[0]) &&
		    strncmp(path, "engine/", 7) != 0 &&
		    strncmp(path, "home/source/", 12) != 0)
			world_wrong(w, "%s: %s is left", when, path);
	}
}

static int
ask_request(struct world *w, const char *verb, const char *word)
{
	const char *const words[] = { verb, word };
	int rc = world_ask(w, NULL, words, NULL);

	if (rc == RUN_TIMED_OUT)
		world_wrong(w, "%s hangs", verb);
	world_drain(w, true);
	return rc;
}

/* The newest known-good version that does not run and was not left by a rollback. */
static char
way_back(char runs, const struct count *c)
{
	char v = runs == 'b' ? 'a' : runs == 'c' ? 'b' : 'c';

	return c->outcomes > 0 && c->condemns && c->to == v ? (char)(v - 1) : v;
}

/* The container of `data`: the line up to its start, in milliseconds; "": there is none. */
static void
find_data(const struct tree *t, char out[512])
{
	const struct file *f = tree_find(t, "engine/containers");
	const char *at = f == NULL ? NULL : strstr(f->bytes, " twilight-data-1 ");

	while (at != NULL && at > f->bytes && at[-1] != '\n')
		at--;
	snprintf(out, 512, "%.*s", at == NULL ? 0 : (int)strcspn(at, "\n"),
	    at == NULL ? "" : at);
}

/* What was drained and is still there was resumed. */
static void
check_resumed(struct world *w, const struct tree *t, const struct tree *before)
{
	const struct file *f = tree_find(t, "engine/control.asked");
	const struct file *old = tree_find(before, "engine/control.asked");
	char is[512], was[512];

	find_data(t, is);
	find_data(before, was);
	if (f != NULL && (old == NULL || f->len > old->len) && strcmp(is, was) == 0 &&
	    (f->len < 7 || strcmp(f->bytes + f->len - 7, "resume\n") != 0))
		world_wrong(w, "after recover: it is drained, and was not resumed");
}

/* The job is run once, and what is known of it is removed; no candidate is left. */
static void
check_oneoffs(struct world *w, const struct tree *t, bool interrupted)
{
	const struct file *f = tree_find(t, "engine/containers");
	char path[PATH_MAX], line[1024];
	unsigned n = 0;
	FILE *log = fopen(path_in(w, "t/engine/calls.log", path), "re");

	while (log != NULL && fgets(line, sizeof(line), log) != NULL)
		n += strncmp(line, "docker compose run ", 19) == 0 &&
		    strstr(line, "-run-") != NULL;
	if (log != NULL)
		fclose(log);
	if (n > 1)
		world_wrong(w, "the pre-deploy job was run %u times", n);
	if (interrupted && f != NULL && strstr(f->bytes, "-run-") != NULL)
		world_wrong(w, "after recover: the pre-deploy job is left");
	if (f != NULL && strstr(f->bytes, "-candidate-") != NULL)
		world_wrong(w, "after recover: a candidate is left");
}

static char
recover_world(struct world *w, const struct scenario *s, const struct tree *before,
    int ended)
{
	bool journal;
	struct count c;
	struct tree t;
	char v;
	int rc;

	now(w, &t);
	journal = tree_find(&t, STATE "journal") != NULL;
	tree_free(&t);
	rc = ask_request(w, "recover", NULL);
	if (rc != 0 && rc != 1)
		world_wrong(w, "recover exits with %d: %s", rc, last_line(w));
	if ((v = world_env(w, s)) == '?')
		return v;
	world_serves(w, v, "after recover");
	if (rc == 1 && v != VERSION_OLD)
		world_wrong(w, "recover says 1, but .env has the new version");
	now(w, &t);
	nothing_left(w, &t, "after recover");
	if (w->mock == ALL) {
		check_resumed(w, &t, before);
		check_oneoffs(w, &t, journal);
	}
	count_history(w, &t, before, &c);
	if (c.outcomes > 1)
		world_wrong(w, "history: the outcome is there %zu times", c.outcomes);
	if (c.outcomes == 0 && !s->freeze && (journal || v != VERSION_OLD || ended == 0))
		world_wrong(w, "history: the outcome is lost");
	if (c.outcomes == 1 && (c.to != s->to || c.proves != (v == s->to)))
		world_wrong(w, "history: says %c %s, .env says %c", c.to,
		    c.proves ? "was deployed" : "was not deployed", v);
	if (journal && c.outcomes == 1 && c.proves && rc != 0)
		world_wrong(w, "recover exits with %d, the history says deployed", rc);
	tree_free(&t);
	return v;
}

static void
go_on(struct world *w, const struct tree *before, char runs)
{
	struct count was, is;
	struct tree t;
	int rc;

	now(w, &t);
	count_history(w, &t, before, &was);
	tree_free(&t);
	rc = ask_request(w, "rollback", NULL);
	if (rc != 0)
		world_wrong(w, "rollback exits with %d: %s", rc, last_line(w));
	world_serves(w, way_back(runs, &was), "after rollback");
	rc = ask_request(w, "deploy", "sha-fffffff");
	if (rc != 0)
		world_wrong(w, "the next deploy exits with %d: %s", rc, last_line(w));
	world_serves(w, VERSION_NEXT, "after the next deploy");
	now(w, &t);
	nothing_left(w, &t, "at the end");
	count_history(w, &t, before, &is);
	if (is.outcomes != was.outcomes + 2)
		world_wrong(w, "history: two requests added %zd outcomes",
		    (ssize_t)(is.outcomes - was.outcomes));
	tree_free(&t);
}

/* A frozen target refuses a deploy until `unfreeze`. */
static void
thaw(struct world *w)
{
	int rc;

	if (!is_frozen(w))
		return;
	if ((rc = ask_request(w, "deploy", "sha-ddddddd")) != 2)
		world_wrong(w, "a deploy of a frozen target exits with %d: %s", rc,
		    last_line(w));
	if ((rc = ask_request(w, "unfreeze", NULL)) != 0 || is_frozen(w))
		world_wrong(w, "unfreeze exits with %d: %s", rc, last_line(w));
}

void
world_aftermath(struct world *w, const struct scenario *s, const struct tree *before,
    int rc)
{
	unsigned wrongs = w->wrongs;
	char v;

	if (w->mock == SILENT)
		world_behave(w, "healthy");
	if (s->freeze)
		thaw(w);
	v = recover_world(w, s, before, rc);
	/* do not report a violation twice */
	if (w->wrongs == wrongs && v != '?')
		go_on(w, before, v);
}

void
world_script_aftermath(struct world *w, const struct scenario *s)
{
	char v = world_env(w, s);
	struct tree t;
	int rc;

	if (w->mock == SILENT)
		world_behave(w, "healthy");
	if (v != '?')
		world_serves(w, v, "afterwards");
	now(w, &t);
	nothing_left(w, &t, "afterwards");
	tree_free(&t);
	if ((rc = world_script(w, NULL, VERSION_NEXT)) != 0)
		world_wrong(w, "the next deploy exits with %d: %s", rc, last_line(w));
	world_drain(w, false);
	world_serves(w, VERSION_NEXT, "after the next deploy");
}
