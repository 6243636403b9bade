/*
 * engine: a fake Docker engine.  It is a server for the reads of the Docker Engine API,
 * and the `docker` command line for the writes; both use the files of one folder, DIR.
 * The reference is docker 20.10 with compose 2.26: tests/e2e/conversation.sh compares them.
 *
 *   engine serve [--die-with-parent] DIR   listens on DIR/docker.sock, ready once that is there
 *   engine docker DIR ARGS                 docker ARGS, not logged and without faults
 *   docker ARGS                            DIR comes from DOCKER_HOST=unix://DIR/docker.sock
 *
 * GET, with or without /vX.YZ: /_ping /version /info /containers/json
 * /containers/ID/json /containers/ID/logs /images/json /images/REF/json /events
 *
 * docker: compose version | config | pull | up -d | restart | run -d; stop; rm -f [-v];
 * image tag | rm | prune; context inspect.  Anything else exits 125 and adds "unknown" to the log.
 *
 * FILES IN DIR.  The first three are the state of the engine; tests write them too.
 *
 *   registry        "REF ID" a line: what can be pulled
 *   images          "REF ID" a line: names on this host; <none> is no name
 *   containers      one a line: ID NAME IMAGE REF STATE BEHAVIOUR STARTED MS, and, where
 *                   compose made it, PROJECT SERVICE NUMBER ONEOFF HASH COMPOSE-FILE ENV-FILE
 *   events          one a line, in the format of /events
 *   calls.log       "docker ARGS" or "GET PATH" a line, the path decoded, without /vX.YZ
 *   hanging         pids of the calls that a fault made hang
 *   behaviour/ID, behaviour/TAG
 *                   the behaviour (mocks/service.c); without the file: healthy
 *   control         "WORD TAG" for `service --control`: the first service's container;
 *                   "down -" where there is none.  control.NAME for the others
 *   services        compose's services: JSON, the `services` of `compose config`, but the
 *                   deployed one is first, and a service is before those that it depends
 *                   on; in an `image`, %t is the version and %{V} the variable V; with
 *                   `env_file`, a changed environment recreates the container
 *   service, repository, project
 *                   without `services`: the one service's name (data) and image without
 *                   its tag (ghcr.io/twilight/demo); the project (twilight)
 *   compose         the version that `compose version` prints (v2.26.1)
 *   version, info   JSON objects; their members replace those of /version and /info
 *   labels/ID       an image's labels, KEY=VALUE a line
 *   behaviour/job   that of a container of `compose run` (done)
 *   address         "-": no container has one on its networks
 *   logs            the log of each container (else two lines)
 *   faults          see below
 *
 * Behaviours that change a container's state: exit (exited 1), done (exited 0), oom (exited 137),
 * crashloop (restarting), created (never started); crash=MS dies MS after each start and
 * is started again 100 ms later.  Every other word runs.
 *
 * FAULTS, one a line, applied in this order; "#" begins a comment:
 *
 *   NTH ACTION PATTERN [:: WORDS]
 *
 * NTH is N (the N-th call that matches in calls.log, this one included), N+ (from it on) or
 * * (all).  PATTERN is a fnmatch(3) pattern for a line of calls.log, or for its beginning up
 * to a blank, "?" or "/": "docker compose up", "GET /containers/json", "GET" (every request).
 *
 *   on a command line                          on a request
 *   fail[=CODE]  WORDS on stderr               NNN        that status, WORDS as its message
 *   empty        [] on stdout, WORDS, 1        empty      [] or {} instead; no events
 *   hang         for ten minutes               hang       until the peer hangs up
 *   deaf         hang, ignoring TERM           close      without a byte
 *   kill         by SIGKILL                    truncate   half of the body, then close
 *   slow[=MS]    (2000), then goes on          slow[=MS]  (2000), then goes on
 *   flood        1 MiB on each stream, …       garbage    which is not HTTP
 *   half         an `up`: the old container    body=FILE  DIR/FILE instead of the body
 *                gone, a created one under     lie=WHAT   restarting, exited, image (of
 *                a temporary name                         another id); then goes on
 *   +ACTION      once the call has done        set=A.B=JSON   in the body, or in each
 *                its work                                 element of a list; then goes on
 *
 * A file is replaced by rename(2), so that a kill leaves the old one or the new one.
 */
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

enum {
	IMAGES = 4096,
	CONTAINERS = 4096,
	SERVICES = 32,
	FAULTS = 8,          /* that apply to one call */
	REQUEST = 16 * 1024, /* a request's head */
	ROOM = 64 << 20,     /* of the arena */
	BACKOFF_MS = 100,    /* between a crash and the next start */
	HANG_S = 600,
};

#define LABEL "com.docker.compose."
#define NEVER "0001-01-01T00:00:00Z"
#define NS INT64_C(1000000) /* in a millisecond */
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct image {
	const char *ref, *id;
};

struct images {
	int n;
	struct image of[IMAGES];
};

/* The fields of a line of `containers`. */
enum field {
	ID,
	NAME,
	IMAGE,
	REF,
	STATE,
	BEHAVIOUR,
	STARTED,
	MS,
	PROJECT,
	SERVICE,
	NUMBER,
	ONEOFF,
	HASH,
	COMPOSE_FILE,
	ENV_FILE,
	FIELDS
};

struct container {
	const char *f[FIELDS];
	bool fresh; /* made by this call, to be started */
};

struct service {
	const char *name, *ref; /* its image, with this call's version */
	json_t *json;
	bool chosen; /* by this call */
};

/* How a container looks now. */
struct look {
	const char *status, *started, *finished;
	bool running, restarting, oom;
	int code, restarts;
};

struct fault {
	const char *nth, *action, *arg, *pattern, *words;
};

/* The contents of DIR, as load() read them. */
static int home = -1;
static char dir[PATH_MAX];
static struct images registry, images;
static struct container containers[CONTAINERS];
static int ncontainers;
static struct service services[SERVICES];
static int nservices;
static const char *project;

/* Events of this call; written together with `containers`. */
static char *happened = "";

/* --- memory, text, time ------------------------------------------------------- */

/* Nothing is freed: a process runs one call or serves one connection, and /events resets
 * `used`. */
static _Alignas(16) char arena[ROOM];
static size_t used;

static void *
room(size_t n)
{
	void *p = arena + used;

	if (n > ROOM - 16 - used)
		errx(125, "more than the fake has room for");
	used += (n + 15) / 16 * 16;
	return p;
}

static void
free_nothing(void *p)
{
	(void)p;
}

static char *
vtext(const char *format, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	s = room((size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, format, ap);
	return s;
}

__attribute__((format(printf, 1, 2))) static char *
text(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = vtext(format, ap);
	va_end(ap);
	return s;
}

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 * NS + ts.tv_nsec;
}

static const char *
rfc3339(int64_t ns)
{
	time_t s = (time_t)(ns / (1000 * NS));
	struct tm tm;
	char seconds[32];

	gmtime_r(&s, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	return text("%s.%09dZ", seconds, (int)(ns % (1000 * NS)));
}

/* Sixty-four hex digits from a text, in place of a SHA-256. */
static const char *
digest(const char *of)
{
	char *hex = text("%s", "");

	for (uint64_t part = 0; part < 4; part++) {
		uint64_t h = 14695981039346656037U + part;
		for (const char *p = of; *p != '\0'; p++)
			h = (h ^ (uint64_t)(unsigned char)*p) * 1099511628211U;
		hex = text("%s%016" PRIx64, hex, h);
	}
	return hex;
}

static const char *
random_id(void)
{
	uint64_t b[4];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		err(125, "getrandom");
	return text("%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, b[0], b[1],
	    b[2], b[3]);
}

/* --- files -------------------------------------------------------------------- */

/* Close-on-exec: a program that is executed does not hold the lock. */
static int
lock(int how)
{
	int fd = openat(home, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || flock(fd, how) == -1)
		err(125, "%s/lock", dir);
	return fd;
}

/* The whole of a file, or NULL. */
static char *
slurp(const char *name)
{
	int fd = openat(home, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *all;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return NULL;
	all = room((size_t)st.st_size + 1);
	n = read(fd, all, (size_t)st.st_size);
	all[n < 0 ? 0 : n] = '\0';
	close(fd);
	return all;
}

/* The first line of a file, without its end. */
static const char *
first(const char *name, const char *otherwise)
{
	char *all = slurp(name);

	if (all != NULL)
		all[strcspn(all, "\n")] = '\0';
	return all != NULL && all[0] != '\0' ? all : otherwise;
}

static void
write_all(int fd, const char *from, size_t n)
{
	ssize_t done;

	for (; n > 0; from += done, n -= (size_t)done)
		if ((done = write(fd, from, n)) == -1)
			err(125, "write");
}

static void
keep(const char *name, const char *all)
{
	char *beside = text("%s.new.%d", name, (int)getpid());
	int fd = openat(home, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1)
		err(125, "%s/%s", dir, beside);
	write_all(fd, all, strlen(all));
	close(fd);
	if (renameat(home, beside, home, name) == -1)
		err(125, "%s/%s", dir, name);
}

static void
add_to(const char *name, const char *lines)
{
	int fd = openat(home, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd == -1)
		return;
	(void)!write(fd, lines, strlen(lines));
	close(fd);
}

static char *
decode(const char *from, size_t n)
{
	char *all = room(n + 1), *to = all;

	for (const char *end = from + n; from < end; from++)
		if (*from == '%' && isxdigit((unsigned char)from[1]) &&
		    isxdigit((unsigned char)from[2])) {
			*to++ = (char)strtol(text("%.2s", from + 1), NULL, 16);
			from += 2;
		} else {
			*to++ = *from == '+' ? ' ' : *from;
		}
	*to = '\0';
	return all;
}

/* Writes a field of `containers`: blanks are encoded. */
static void
put_field(FILE *to, const char *field, char end)
{
	for (; *field != '\0'; field++)
		fprintf(to,
		    isspace((unsigned char)*field) || *field == '%' ? "%%%02x" : "%c",
		    (unsigned char)*field);
	putc(end, to);
}

/* --- the state --------------------------------------------------------------- */

static void
load_images(const char *name, struct images *to)
{
	char *rest = slurp(name), *line;

	for (to->n = 0; (line = strsep(&rest, "\n")) != NULL && to->n < IMAGES;) {
		struct image m = { .ref = strsep(&line, " "), .id = strsep(&line, " ") };
		if (m.id != NULL)
			to->of[to->n++] = m;
	}
}

static void
save_images(void)
{
	char *all;
	size_t size;
	FILE *to = open_memstream(&all, &size);

	for (int i = 0; i < images.n; i++)
		fprintf(to, "%s %s\n", images.of[i].ref, images.of[i].id);
	fclose(to);
	keep("images", all);
}

/* A line that a test wrote has eight fields: the others are taken from its name. */
static void
guess_compose(struct container *c)
{
	const char *under = strrchr(c->f[NAME], '_');
	char *name = text("%s", under == NULL ? c->f[NAME] : under + 1), *dash;

	for (int i = PROJECT; i < FIELDS; i++)
		c->f[i] = "-";
	c->f[ONEOFF] = "False";
	if ((dash = strrchr(name, '-')) != NULL) {
		*dash = '\0';
		c->f[NUMBER] = dash + 1;
	}
	if ((dash = strrchr(name, '-')) != NULL) {
		*dash = '\0';
		c->f[SERVICE] = dash + 1;
	}
	c->f[PROJECT] = name;
}

static void
load_containers(void)
{
	char *rest = slurp("containers"), *line;
	int n;

	for (ncontainers = 0;
	     (line = strsep(&rest, "\n")) != NULL && ncontainers < CONTAINERS;) {
		struct container *c = &containers[ncontainers];
		c->fresh = false;
		for (n = 0; n < FIELDS && line != NULL; n++)
			c->f[n] = strsep(&line, " ");
		if (n > MS && n < FIELDS)
			guess_compose(c);
		for (int i = COMPOSE_FILE; n > MS && i < FIELDS; i++)
			c->f[i] = decode(c->f[i], strlen(c->f[i]));
		ncontainers += n > MS;
	}
}

static void
save_containers(void)
{
	char *all;
	size_t size;
	FILE *to = open_memstream(&all, &size);

	for (int i = 0; i < ncontainers; i++)
		for (int field = 0; field < FIELDS; field++)
			put_field(to, containers[i].f[field],
			    field + 1 < FIELDS ? ' ' : '\n');
	fclose(to);
	keep("containers", all);
	add_to("events", happened);
	happened = "";
}

static void
load_services(void)
{
	char *all = slurp("services");
	json_t *json = all == NULL ? NULL : json_loads(all, 0, NULL), *one;
	const char *name;

	if (json == NULL)
		json = json_pack("{s{so}}", first("service", "data"), "image",
		    json_sprintf("%s:%%t", first("repository", "ghcr.io/twilight/demo")));
	nservices = 0;
	json_object_foreach (json, name, one)
		if (nservices < SERVICES)
			services[nservices++] = (struct service){ .name = name,
				.json = one };
}

static void
load(void)
{
	project = getenv("COMPOSE_PROJECT_NAME");
	if (project == NULL)
		project = first("project", "twilight");
	load_services();
	load_images("registry", &registry);
	load_images("images", &images);
	load_containers();
}

static struct service *
service_find(const char *name)
{
	for (int i = 0; i < nservices; i++)
		if (is(services[i].name, name))
			return &services[i];
	return NULL;
}

/* Finds an image by its name, its id, or the first digits of its id. */
static const struct image *
image_find(const struct images *in, const char *wanted)
{
	bool hex = strlen(wanted) >= 4 &&
	    wanted[strspn(wanted, "0123456789abcdef")] == '\0';

	for (int i = 0; i < in->n; i++) {
		const struct image *m = &in->of[i];
		if (is(m->ref, wanted) || is(m->id, wanted) ||
		    (hex && begins(m->id + 7, wanted)))
			return m;
	}
	return NULL;
}

static struct container *
container_find(const char *wanted)
{
	for (int i = 0; i < ncontainers; i++)
		if (is(containers[i].f[NAME], wanted) ||
		    begins(containers[i].f[ID], wanted))
			return &containers[i];
	return NULL;
}

static const struct container *
image_user(const char *id)
{
	for (int i = 0; i < ncontainers; i++)
		if (is(containers[i].f[IMAGE], id))
			return &containers[i];
	return NULL;
}

static int
image_names(const char *id)
{
	int n = 0;

	for (int i = 0; i < images.n; i++)
		n += is(images.of[i].id, id) && !is(images.of[i].ref, "<none>");
	return n;
}

static void
image_drop(int i)
{
	images.n--;
	memmove(&images.of[i], &images.of[i + 1],
	    sizeof(images.of[0]) * (size_t)(images.n - i));
}

static void
image_add(const char *ref, const char *id)
{
	if (images.n == IMAGES)
		errx(125, "more images than the fake has room for");
	images.of[images.n++] = (struct image){ ref, id };
}

/* The name goes to that image, or, without an ID, is taken away; who loses its last
 * name stays, nameless. */
static void
image_name(const char *ref, const char *id)
{
	const char *loser = NULL;

	for (int i = images.n - 1; i >= 0; i--) {
		struct image m = images.of[i];
		if (is(m.ref, ref))
			loser = m.id;
		else if (!is(m.ref, "<none>") || id == NULL || !is(m.id, id))
			continue;
		image_drop(i);
	}
	if (id != NULL)
		image_add(ref, id);
	if (loser != NULL && image_names(loser) == 0)
		image_add("<none>", loser);
	save_images();
}

/* A REF without its tag. */
static const char *
repository_of(const char *ref)
{
	const char *colon = strrchr(ref, ':');
	bool tagged = colon != NULL && strchr(colon, '/') == NULL;

	return tagged ? text("%.*s", (int)(colon - ref), ref) : ref;
}

static const char *
tag_of(const char *ref)
{
	size_t n = strlen(repository_of(ref));

	return ref[n] == ':' ? ref + n + 1 : "latest";
}

/* The name with its tag. */
static const char *
full_name(const char *ref)
{
	return is(repository_of(ref), ref) ? text("%s:latest", ref) : ref;
}

/* --- how a container looks ---------------------------------------------------- */

static const struct {
	const char *word, *status;
	bool running, restarting, oom;
	int code, restarts;
} looks[] = {
	{ "exit", "exited", false, false, false, 1, 3 },
	{ "done", "exited", false, false, false, 0, 0 },
	{ "oom", "exited", false, false, true, 137, 0 },
	{ "crashloop", "restarting", true, true, false, 1, 3 },
};

static int64_t
started_ms(const struct container *c)
{
	return strtoll(c->f[MS], NULL, 10);
}

/* Milliseconds from a start to the crash; -1: it does not crash. */
static int64_t
crash_ms(const struct container *c)
{
	bool crashes = is(c->f[STATE], "running") && begins(c->f[BEHAVIOUR], "crash=");

	return crashes ? strtoll(c->f[BEHAVIOUR] + 6, NULL, 10) : -1;
}

/* Crashes are computed from the time: it runs, waits for BACKOFF_MS, and runs again. */
static void
look_crash(const struct container *c, int64_t now, struct look *l)
{
	int64_t runs = crash_ms(c), round = runs + BACKOFF_MS,
		age = now / NS - started_ms(c);
	int64_t times = age / round, began = started_ms(c) + times * round;

	if (age < runs)
		return;
	l->restarting = age % round >= runs;
	l->restarts = (int)times + l->restarting;
	l->status = l->restarting ? "restarting" : "running";
	l->code = l->restarting;
	l->started = rfc3339(began * NS);
	l->finished = rfc3339((began + (l->restarting ? runs : -BACKOFF_MS)) * NS);
}

static struct look
look_at_container(const struct container *c)
{
	struct look l = { .status = c->f[STATE],
		.started = c->f[STARTED],
		.finished = NEVER };

	l.running = is(c->f[STATE], "running");
	for (size_t i = 0; l.running && i < LENGTH(looks); i++)
		if (is(looks[i].word, c->f[BEHAVIOUR]))
			return (struct look){ looks[i].status, c->f[STARTED],
				c->f[STARTED], looks[i].running, looks[i].restarting,
				looks[i].oom, looks[i].code, looks[i].restarts };
	if (crash_ms(c) >= 0)
		look_crash(c, now_ns(), &l);
	return l;
}

/* Does its process run?  Then it has an address and ports. */
static bool
is_up(const struct look *l)
{
	return l->running && !l->restarting;
}

static json_t *
labels_of(const struct container *c)
{
	const char *file = c->f[COMPOSE_FILE], *slash = strrchr(file, '/');
	const char *directory = text("%.*s", slash == NULL ? 0 : (int)(slash - file),
	    file);
	const char *value = strchr(c->f[HASH], '=');
	json_t *all;

	all = json_pack("{ss ss ss ss ss ss ss ss ss ss ss}", LABEL "project",
	    c->f[PROJECT], LABEL "service", c->f[SERVICE], LABEL "container-number",
	    c->f[NUMBER], LABEL "oneoff", c->f[ONEOFF], LABEL "image", c->f[IMAGE],
	    LABEL "config-hash", c->f[HASH], LABEL "project.working_dir", directory,
	    LABEL "project.config_files", file, LABEL "project.environment_file",
	    c->f[ENV_FILE], LABEL "depends_on", "", LABEL "version", "2.26.1");
	/* that of `run --label` */
	if (value != NULL)
		json_object_set_new(all,
		    text("%.*s", (int)(value - c->f[HASH]), c->f[HASH]),
		    json_string(value + 1));
	return all;
}

/* --- events ------------------------------------------------------------------- */

/* `more` and `value`: one more attribute, or NULL. */
static json_t *
event_json(const struct container *c, const char *action, int64_t ns, const char *more,
    const char *value)
{
	json_t *attributes = labels_of(c);

	json_object_set_new(attributes, "image", json_string(c->f[REF]));
	json_object_set_new(attributes, "name", json_string(c->f[NAME]));
	if (more != NULL)
		json_object_set_new(attributes, more, json_string(value));
	return json_pack("{ss ss ss ss ss s{ss so} ss sI sI}", "status", action, "id",
	    c->f[ID], "from", c->f[REF], "Type", "container", "Action", action, "Actor",
	    "ID", c->f[ID], "Attributes", attributes, "scope", "local", "time",
	    (json_int_t)(ns / (1000 * NS)), "timeNano", (json_int_t)ns);
}

static void
event_write(json_t *event)
{
	happened = text("%s%s\n", happened, json_dumps(event, JSON_COMPACT));
}

static void
event(const struct container *c, const char *action, const char *more, const char *value)
{
	event_write(event_json(c, action, now_ns(), more, value));
}

/* Appends the events of crashes in (after, until].  They are computed from the time, and
 * not written before the container is removed. */
static void
crash_events(const struct container *c, int64_t after, int64_t until, json_t *list)
{
	int64_t runs = crash_ms(c), at = (started_ms(c) + runs) * NS;

	for (bool die = true; runs >= 0 && at <= until; die = !die) {
		if (at > after)
			json_array_append_new(list,
			    event_json(c, die ? "die" : "start", at,
				die ? "exitCode" : NULL, "1"));
		at += (die ? BACKOFF_MS : runs) * NS;
	}
}

/* Writes the events of a start, which depend on the behaviour. */
static void
event_start(const struct container *c)
{
	struct look l = look_at_container(c);
	const char *code = text("%d", l.code);

	event(c, "start", NULL, NULL);
	for (int i = 0; i < l.restarts; i++) {
		event(c, "die", "exitCode", code);
		event(c, "start", NULL, NULL);
	}
	if (l.oom)
		event(c, "oom", NULL, NULL);
	if (!is_up(&l))
		event(c, "die", "exitCode", code);
}

/* --- faults ------------------------------------------------------------------- */

/* Does the pattern match the line, or its beginning? */
static bool
matches(const char *pattern, const char *line)
{
	return fnmatch(pattern, line, 0) == 0 ||
	    fnmatch(text("%s[ ?/]*", pattern), line, 0) == 0;
}

static bool
applies(const struct fault *f, const char *line)
{
	char *rest = slurp("calls.log"), *logged, *end;
	long nth = strtol(f->nth, &end, 10), n = 0;

	if (!matches(f->pattern, line))
		return false;
	while ((logged = strsep(&rest, "\n")) != NULL)
		n += logged[0] != '\0' && matches(f->pattern, logged);
	return f->nth[0] == '*' || (*end == '+' ? n >= nth : n == nth);
}

static bool
fault_parse(char *line, struct fault *f)
{
	char *action, *words;

	f->nth = strsep(&line, " ");
	f->action = action = strsep(&line, " ");
	f->pattern = line;
	if (line == NULL || f->nth[0] == '#')
		return false;
	words = strstr(line, " :: ");
	f->words = words == NULL ? "scripted failure" : words + 4;
	if (words != NULL)
		*words = '\0';
	f->arg = strchr(action, '=') == NULL ? "" : strchr(action, '=') + 1;
	action[strcspn(action, "=")] = '\0';
	return true;
}

/* Logs a call, and returns how many faults apply to it. */
static int
faults_for(const char *line, struct fault found[FAULTS])
{
	int fd = lock(LOCK_EX), n = 0;
	char *rest = slurp("faults"), *rule;

	add_to("calls.log", text("%s\n", line));
	while ((rule = strsep(&rest, "\n")) != NULL && n < FAULTS)
		n += fault_parse(rule, &found[n]) && applies(&found[n], line);
	close(fd);
	return n;
}

static int
fault_number(const struct fault *f, int otherwise)
{
	return f->arg[0] == '\0' ? otherwise : atoi(f->arg);
}

/* --- compose: flags, variables, config ---------------------------------------- */

/* Progress and errors go to stderr, as docker's do. */
__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "%s\n", vtext(format, ap));
	va_end(ap);
}

/* The flags of compose's commands; others in the table are accepted and ignored. */
static struct {
	int detach, no_deps, force, no_recreate, brief;
	const char *policy, *pull, *label, *name, *scale[SERVICES];
	int nscale;
	bool half; /* a fault, not a flag */
} flags;

static const struct option compose_options[] = {
	{ "policy", required_argument, NULL, 'P' },
	{ "pull", required_argument, NULL, 'p' },
	{ "scale", required_argument, NULL, 's' },
	{ "format", required_argument, NULL, 'i' },
	{ "timeout", required_argument, NULL, 'i' },
	{ "label", required_argument, NULL, 'l' },
	{ "name", required_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'i' },
	{ "no-build", no_argument, NULL, 'i' },
	{ "detach", no_argument, &flags.detach, 1 },
	{ "short", no_argument, &flags.brief, 1 },
	{ "no-deps", no_argument, &flags.no_deps, 1 },
	{ "force-recreate", no_argument, &flags.force, 1 },
	{ "no-recreate", no_argument, &flags.no_recreate, 1 },
	{ NULL, 0, NULL, 0 },
};

/* Returns 0, or the exit code of an error; the services are at argv[optind]. */
static int
compose_flags(int argc, char **argv)
{
	/* what follows the service of `run` is the job's */
	const char *letters = is(argv[0], "run") ? "+dqe:t:" : "dqt:";
	int flag;

	opterr = 0;
	while ((flag = getopt_long(argc, argv, letters, compose_options, NULL)) != -1) {
		if (flag == 'd')
			flags.detach = 1;
		else if (flag == 'P')
			flags.policy = optarg;
		else if (flag == 'p')
			flags.pull = optarg;
		else if (flag == 'l')
			flags.label = optarg;
		else if (flag == 'n')
			flags.name = optarg;
		else if (flag == 's' && flags.nscale < SERVICES)
			flags.scale[flags.nscale++] = optarg;
		if (flag != '?')
			continue;
		say("unknown flag: %s", argv[optind - 1]);
		return 16;
	}
	return 0;
}

/* The assignments of an env file that need no quoting. */
static json_t *
environment(const char *file)
{
	char *rest = file == NULL ? NULL : slurp(file), *line, *value;
	json_t *env = json_object();
	size_t n;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((value = strchr(line, '=')) == NULL ||
		    (!isalpha((unsigned char)*line) && *line != '_'))
			continue;
		*value++ = '\0';
		n = strlen(value);
		if (n >= 2 && (value[0] == '\'' || value[0] == '"') &&
		    value[n - 1] == value[0]) {
			value[n - 1] = '\0';
			value++;
		}
		if (strpbrk(value, "\"'\\$") == NULL)
			json_object_set_new(env, line, json_string(value));
	}
	return env;
}

/* The value of a variable: from the environment, else from the env file. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	if (value != NULL && value[0] != '\0')
		return value;
	return json_string_value(
	    json_object_get(environment(getenv("COMPOSE_ENV_FILES")), name));
}

/* 0, or compose's exit code. */
static int
resolve_image(struct service *s)
{
	const char *p = json_string_value(json_object_get(s->json, "image"));
	const char *name, *value;

	for (s->ref = ""; p != NULL && *p != '\0'; p++) {
		if (*p != '%') {
			s->ref = text("%s%c", s->ref, *p);
			continue;
		}
		name = *++p == '{' ? text("%.*s", (int)strcspn(p + 1, "}"), p + 1)
				   : "TWILIGHT_VERSION";
		p += *p == '{' ? strcspn(p, "}") : 0;
		if ((value = variable(name)) == NULL) {
			say("error while interpolating services.%s.image: required variable %s is missing a "
			    "value: is not set",
			    s->name, name);
			return 15;
		}
		s->ref = text("%s%s", s->ref, value);
	}
	return 0;
}

static void
choose_one(struct service *s, bool deps)
{
	json_t *ignored;
	const char *on;

	s->chosen = true;
	json_object_foreach (json_object_get(s->json, "depends_on"), on, ignored)
		if (deps && service_find(on) != NULL)
			choose_one(service_find(on), deps);
}

/* Chooses the named services, or all without a profile; `deps`: also those that they
 * depend on.  0, or an exit code. */
static int
choose_services(char **names, bool deps)
{
	struct service *s;
	int rc = 0;

	for (int i = 0; rc == 0 && i < nservices; i++)
		rc = resolve_image(&services[i]);
	for (int i = 0; *names == NULL && i < nservices; i++)
		if (json_object_get(services[i].json, "profiles") == NULL)
			choose_one(&services[i], deps);
	for (; rc == 0 && *names != NULL; names++) {
		if ((s = service_find(*names)) != NULL) {
			choose_one(s, deps);
			continue;
		}
		say("no such service: %s", *names);
		rc = 1;
	}
	return rc;
}

/* The defaults of a service, updated with its entry in DIR/services. */
static json_t *
service_config(const struct service *s)
{
	json_t *one = json_pack("{sn sn so s{sn} ss}", "command", "entrypoint",
	    "environment", environment(getenv("COMPOSE_ENV_FILES")), "networks",
	    "default", "restart", "unless-stopped");

	json_object_update(one, s->json);
	json_object_set_new(one, "image", json_string(s->ref));
	json_object_del(one, "env_file");
	return one;
}

static int
compose_config(char **names)
{
	json_t *all = json_object();
	int rc = choose_services(names, true);

	if (rc != 0)
		return rc;
	for (int i = 0; i < nservices; i++)
		if (services[i].chosen)
			json_object_set_new(all, services[i].name,
			    service_config(&services[i]));
	json_dumpf(json_pack("{ss s{s{ss s{}}} so}", "name", project, "networks",
		       "default", "name", text("%s_default", project), "ipam", "services",
		       all),
	    stdout, JSON_INDENT(2));
	return 0;
}

static int
compose_version(char **names)
{
	const char *version = first("compose", "v2.26.1");

	(void)names;
	printf("%s%s\n", flags.brief ? "" : "Docker Compose version ",
	    version + (flags.brief && version[0] == 'v'));
	return 0;
}

/* --- compose: pull ------------------------------------------------------------ */

/* Why compose skips the pull; NULL: it pulls. */
static const char *
pull_skipped(const struct service *s)
{
	const char *policy = json_string_value(json_object_get(s->json, "pull_policy"));
	bool here = image_find(&images, s->ref) != NULL;

	policy = flags.policy != NULL ? flags.policy : policy != NULL ? policy : "always";
	if (is(policy, "never") || is(policy, "build"))
		return "";
	if (here && (is(policy, "missing") || is(policy, "if_not_present")))
		return "- Image is already present locally ";
	for (const struct service *before = services; before < s; before++)
		if (before->chosen && is(before->ref, s->ref))
			return text("- Image is already being pulled by %s ",
			    before->name);
	return NULL;
}

static int
pull_one(const struct service *s)
{
	const char *why =
	    text("manifest for %s not found: manifest unknown: manifest unknown", s->ref);
	const struct image *m = image_find(&registry, s->ref);

	if (m != NULL) {
		image_name(s->ref, m->id);
		say(" %s Pulled ", s->name);
		return 0;
	}
	say(" %s Error %s", s->name, why);
	say("Error response from daemon: %s", why);
	return 18;
}

static int
compose_pull(char **names)
{
	int rc = choose_services(names, false);

	for (struct service *s = services; rc == 0 && s < services + nservices; s++) {
		const char *skipped = s->chosen ? pull_skipped(s) : NULL;
		if (skipped != NULL)
			say(" %s Skipped %s", s->name, skipped);
		else if (s->chosen)
			say(" %s Pulling ", s->name);
		s->chosen = s->chosen && skipped == NULL;
	}
	for (struct service *s = services; rc == 0 && s < services + nservices; s++)
		rc = s->chosen ? pull_one(s) : 0;
	return rc;
}

/* --- compose: up -------------------------------------------------------------- */

static bool
replica_of(const struct container *c, const struct service *s)
{
	return is(c->f[PROJECT], project) && is(c->f[SERVICE], s->name) &&
	    !is(c->f[ONEOFF], "True");
}

/* By the label that `run` gave it. */
static bool
runs_beside(const struct container *c)
{
	return is(c->f[ONEOFF], "True") && strstr(c->f[HASH], "candidate") != NULL;
}

/*
 * Makes mocks/service.c behave as the newest container of this service; "candidate": as
 * the newest candidate.
 */
static void
drive(const char *service)
{
	const char *order = "down -\n";
	bool candidate = is(service, "candidate");

	for (int i = 0; i < ncontainers; i++) {
		const struct container *c = &containers[i];
		bool gone = is(c->f[BEHAVIOUR], "done") || is(c->f[BEHAVIOUR], "oom");
		if (is(c->f[STATE], "running") &&
		    (candidate ? runs_beside(c)
			       : is(c->f[SERVICE], service) && !is(c->f[ONEOFF], "True")))
			order = text("%s %s\n", gone ? "down" : c->f[BEHAVIOUR],
			    tag_of(c->f[REF]));
	}
	keep(is(service, services[0].name) ? "control" : text("control.%s", service),
	    order);
}

/* Writes the events of its end; `stop`: with signal 15, else 9 (rm -f). */
static void
container_end(struct container *c, bool stop)
{
	json_t *crashes = json_array(), *one;
	struct look l = look_at_container(c);
	size_t i;

	crash_events(c, 0, now_ns(), crashes);
	json_array_foreach (crashes, i, one)
		event_write(one);
	if (l.running) {
		event(c, "kill", "signal", stop ? "15" : "9");
		event(c, "die", "exitCode", stop ? "0" : "137");
		if (stop)
			event(c, "stop", NULL, NULL);
	}
	event(c, "destroy", NULL, NULL);
}

static void
container_drop(struct container *c)
{
	ncontainers--;
	memmove(c, c + 1, (size_t)(&containers[ncontainers] - c) * sizeof(*c));
}

/* Paths as compose's labels have them. */
static const char *
paths(const char *list)
{
	char *label = text("%s", list == NULL || list[0] == '\0' ? "-" : list);

	for (char *p = label; (p = strchr(p, ':')) != NULL;)
		*p = ',';
	return label;
}

static const char *
config_hash(const struct service *s)
{
	const char *file = getenv("COMPOSE_ENV_FILES");
	json_t *env = json_object_get(s->json, "env_file") == NULL ? json_object()
								   : environment(file);

	json_object_update_missing(env, s->json);
	return digest(
	    text("%s %s", s->ref, json_dumps(env, JSON_COMPACT | JSON_SORT_KEYS)));
}

static struct container
container_make(const struct service *s, const char *name, const char *number,
    const char *image)
{
	char cwd[PATH_MAX] = "";
	const char *file = getenv("COMPOSE_FILE");
	struct container c = { .fresh = true,
		.f = { random_id(), name, image, s->ref, "created", "none", NEVER, "0",
		    project, s->name, number, "False", config_hash(s) } };

	if (file == NULL && getcwd(cwd, sizeof(cwd)) != NULL)
		file = text("%s/compose.yml", cwd);
	c.f[COMPOSE_FILE] = paths(file);
	c.f[ENV_FILE] = paths(getenv("COMPOSE_ENV_FILES"));
	event(&c, "create", NULL, NULL);
	return c;
}

static void
container_start(struct container *c)
{
	int64_t now = now_ns();
	const char *by_tag = first(text("behaviour/%s", tag_of(c->f[REF])), "healthy");
	char *word = text("%s", first(text("behaviour/%s", c->f[IMAGE]), by_tag));

	if (is(c->f[ONEOFF], "True") && !runs_beside(c))
		word = text("%s", first("behaviour/job", "done"));

	word[strcspn(word, " ")] = '\0';
	c->fresh = false;
	c->f[BEHAVIOUR] = word;
	if (is(word, "created"))
		return;
	c->f[STATE] = "running";
	c->f[STARTED] = rfc3339(now);
	c->f[MS] = text("%lld", (long long)(now / NS));
	event_start(c);
}

/* The image for a service; with `--pull never` only one that is here. */
static const struct image *
image_for(const struct service *s)
{
	const struct image *m = image_find(&images, s->ref);

	if (m != NULL)
		return m;
	if (flags.pull == NULL || !is(flags.pull, "never")) {
		say(" %s Pulling ", s->name);
		return pull_one(s) == 0 ? image_find(&images, s->ref) : NULL;
	}
	say("Error response from daemon: no such image: %s: No such image: %s", s->ref,
	    s->ref);
	return NULL;
}

static int
half_way(void)
{
	say("Error response from daemon: scripted failure half way");
	return 1;
}

/* The new one has a temporary name until the old one is gone. */
static int
recreate(const struct service *s, struct container *c)
{
	const char *name = c->f[NAME], *temporary = text("%.12s_%s", c->f[ID], name);
	const struct image *m;
	struct container made;

	say(" Container %s  Recreate", name);
	if ((m = image_for(s)) == NULL)
		return 1;
	made = container_make(s, temporary, c->f[NUMBER], m->id);
	container_end(c, true);
	*c = made;
	if (flags.half)
		return half_way();
	c->f[NAME] = name;
	event(c, "rename", "oldName", text("/%s", temporary));
	say(" Container %s  Recreated", name);
	return 0;
}

static int
create(const struct service *s, int number)
{
	const char *name = text("%s-%s-%d", project, s->name, number);
	const struct image *m;

	say(" Container %s  Creating", name);
	if ((m = image_for(s)) == NULL)
		return 1;
	if (ncontainers == CONTAINERS)
		errx(125, "more containers than the fake has room for");
	containers[ncontainers++] = container_make(s, name, text("%d", number), m->id);
	if (flags.half)
		return half_way();
	say(" Container %s  Created", name);
	return 0;
}

/* Has it the image and the configuration that compose would create it with? */
static bool
fits(const struct service *s, const struct container *c)
{
	const struct image *m = image_find(&images, s->ref);

	return m != NULL && is(m->id, c->f[IMAGE]) && is(c->f[REF], s->ref) &&
	    (is(c->f[HASH], "-") || is(c->f[HASH], config_hash(s)));
}

/* After a killed `up`, the next `up` fails at what it left, and the one after it works, as
 * was observed. */
static int
trip(const struct service *s)
{
	for (struct container *c = containers; c < containers + ncontainers; c++) {
		const char *proper = text("%s-%s-%s", project, s->name, c->f[NUMBER]),
			   *id = c->f[ID];
		if (!replica_of(c, s) || is(c->f[NAME], proper))
			continue;
		container_end(c, false);
		container_drop(c--);
		if (container_find(proper) != NULL)
			continue;
		say(" Container %s  Recreate", proper);
		say("Error response from daemon: Conflict. The container name \"/%s\" is already in use by "
		    "container \"%s\". You have to remove (or rename) that container to be able to reuse "
		    "that name.",
		    proper, id);
		return 1;
	}
	return 0;
}

static int
wanted_scale(const struct service *s)
{
	const char *prefix = text("%s=", s->name);

	for (int i = 0; i < flags.nscale; i++)
		if (begins(flags.scale[i], prefix))
			return atoi(flags.scale[i] + strlen(prefix));
	return 1;
}

static void
scale_down(struct container *c)
{
	static const char *const words[] = { "Stopping", "Stopped", "Removing",
		"Removed" };

	for (size_t i = 0; i < LENGTH(words); i++)
		say(" Container %s  %s", c->f[NAME], words[i]);
	container_end(c, true);
	container_drop(c);
}

/* As in compose 2.26, the lowest numbers stay, whatever they run.  `containers` is in the
 * order of the numbers. */
static int
converge(const struct service *s)
{
	int want = wanted_scale(s), rc = trip(s), n = 0, number = 0;

	for (struct container *c = containers; rc == 0 && c < containers + ncontainers;
	     c++) {
		if (!replica_of(c, s))
			continue;
		number = atoi(c->f[NUMBER]);
		if (n++ >= want) {
			scale_down(c--);
		} else if (flags.force || (!flags.no_recreate && !fits(s, c))) {
			rc = recreate(s, c);
		} else {
			c->fresh = !is(c->f[STATE], "running");
			say(" Container %s  %s", c->f[NAME],
			    c->fresh ? "Created" : "Running");
		}
	}
	for (; rc == 0 && n < want; n++)
		rc = create(s, ++number);
	return rc;
}

static void
start(const struct service *s)
{
	for (struct container *c = containers; c < containers + ncontainers; c++) {
		if (!c->fresh || !replica_of(c, s))
			continue;
		say(" Container %s  Starting", c->f[NAME]);
		container_start(c);
		say(" Container %s  Started", c->f[NAME]);
	}
}

/* Dependencies are after the services that depend on them: the last is first. */
static int
compose_up(char **names)
{
	int rc = choose_services(names, !flags.no_deps);

	if (rc != 0 || !flags.detach)
		return rc != 0 ? rc : 125;
	for (int i = nservices - 1; rc == 0 && i >= 0; i--)
		rc = services[i].chosen ? converge(&services[i]) : 0;
	for (int i = nservices - 1; rc == 0 && i >= 0; i--)
		if (services[i].chosen)
			start(&services[i]);
	save_containers();
	for (int i = 0; i < nservices; i++)
		if (services[i].chosen)
			drive(services[i].name);
	return rc;
}

/* The same containers, stopped and started. */
static int
restart_services(char **names)
{
	int rc = choose_services(names, !flags.no_deps);

	for (struct container *c = containers; rc == 0 && c < containers + ncontainers;
	     c++) {
		const struct service *s = service_find(c->f[SERVICE]);
		if (s == NULL || !s->chosen || !replica_of(c, s))
			continue;
		say(" Container %s  Restarting", c->f[NAME]);
		if (look_at_container(c).running) {
			event(c, "kill", "signal", "15");
			event(c, "die", "exitCode", "0");
			event(c, "stop", NULL, NULL);
		}
		container_start(c);
		event(c, "restart", NULL, NULL);
		say(" Container %s  Started", c->f[NAME]);
	}
	save_containers();
	for (int i = 0; rc == 0 && i < nservices; i++)
		if (services[i].chosen)
			drive(services[i].name);
	return rc;
}

/* One container of its own; HASH, which it does not need, has its label. */
static int
compose_run(char **names)
{
	char *service[] = { names[0], NULL };
	const struct image *m;
	struct container *c;
	int rc = names[0] == NULL ? 125 : choose_services(service, !flags.no_deps);

	if (rc != 0 || !flags.detach)
		return rc != 0 ? rc : 125;
	const struct service *s = service_find(names[0]);
	if ((m = image_for(s)) == NULL)
		return 1;
	if (ncontainers == CONTAINERS)
		errx(125, "more containers than the fake has room for");
	c = &containers[ncontainers++];
	*c = container_make(s,
	    flags.name != NULL ? text("%s", flags.name)
			       : text("%s-%s-run-%.12s", project, s->name, random_id()),
	    "1", m->id);
	c->f[ONEOFF] = "True";
	c->f[HASH] = flags.label == NULL ? "-" : flags.label;
	if (!flags.half)
		container_start(c);
	save_containers();
	drive("candidate");
	if (flags.half)
		return half_way();
	puts(c->f[ID]);
	return 0;
}

/* --- docker image, rm, context -------------------------------------------------- */

static int
no_image(const char *ref)
{
	say("Error response from daemon: No such image: %s", full_name(ref));
	return 1;
}

static int
image_tag(char **args)
{
	const struct image *m;

	if (args[0] == NULL || args[1] == NULL)
		return 125;
	if ((m = image_find(&images, args[0])) == NULL)
		return no_image(args[0]);
	image_name(args[1], m->id);
	return 0;
}

static int
image_rm_one(const char *ref)
{
	const struct image *m = image_find(&images, ref);
	const char *id = m == NULL ? "" : m->id;
	const struct container *user = image_user(id);

	if (m == NULL)
		return no_image(ref);
	if (image_names(id) < 2 && user != NULL) {
		say("Error response from daemon: conflict: unable to remove repository reference \"%s\" "
		    "(must force) - container %.12s is using its referenced image %.12s",
		    ref, user->f[ID], id + 7);
		return 1;
	}
	printf("Untagged: %s\n", ref);
	image_name(ref, NULL);
	if (image_names(id) > 0)
		return 0;
	for (int i = images.n - 1; i >= 0; i--)
		if (is(images.of[i].id, id))
			image_drop(i);
	save_images();
	printf("Deleted: %s\n", id);
	return 0;
}

static int
image_rm(char **args)
{
	int rc = *args == NULL ? 125 : 0;

	for (; *args != NULL; args++)
		rc |= image_rm_one(*args);
	return rc;
}

/* Removes images without a name that are not in use, of any age. */
static int
image_prune(char **args)
{
	const char *deleted = "";

	if (args[0] == NULL || !is(args[0], "-f"))
		return 125;
	for (int i = images.n - 1; i >= 0; i--) {
		if (!is(images.of[i].ref, "<none>") ||
		    image_user(images.of[i].id) != NULL)
			continue;
		deleted = text("%sdeleted: %s\n", deleted, images.of[i].id);
		image_drop(i);
	}
	save_images();
	if (deleted[0] != '\0')
		printf("Deleted Images:\n%s\n", deleted);
	puts("Total reclaimed space: 0B");
	return 0;
}

/*
 * The exit code is always 0, as docker's is; but a one-off's anonymous volumes must not be
 * left.
 */
static int
container_rm(char **args)
{
	struct container *c;
	bool volumes;

	if (args[0] == NULL || !is(args[0], "-f"))
		return 125;
	volumes = args[1] != NULL && is(args[1], "-v");
	for (args += volumes ? 2 : 1; *args != NULL; args++) {
		if ((c = container_find(*args)) == NULL) {
			say("Error response from daemon: No such container: %s", *args);
			continue;
		}
		if (is(c->f[ONEOFF], "True") && !volumes)
			return 125;
		const char *service = c->f[SERVICE];
		container_end(c, false);
		container_drop(c);
		save_containers();
		drive(service);
		drive("candidate");
		puts(*args);
	}
	return 0;
}

static int
container_stop(char **args)
{
	struct container *c;

	if (args[0] == NULL || (c = container_find(args[0])) == NULL) {
		say("Error response from daemon: No such container: %s", args[0]);
		return 1;
	}
	event(c, "kill", "signal", "15");
	event(c, "die", "exitCode", "0");
	event(c, "stop", NULL, NULL);
	c->f[STATE] = "exited";
	save_containers();
	puts(args[0]);
	return 0;
}

/* The endpoint of a context in DOCKER_CONFIG; NULL: there is none. */
static const char *
context_host(const char *name)
{
	const char *folder = getenv("DOCKER_CONFIG"), *host = NULL;
	glob_t found;

	if (is(name, "default"))
		return text("unix://%s/docker.sock", dir);
	if (folder == NULL)
		folder = text("%s/.docker", getenv("HOME") == NULL ? "" : getenv("HOME"));
	if (glob(text("%s/contexts/meta/*/meta.json", folder), 0, NULL, &found) != 0)
		return NULL;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		json_t *meta = json_load_file(found.gl_pathv[i], 0, NULL);
		json_t *to = json_object_get(json_object_get(meta, "Endpoints"),
		    "docker");
		const char *its = json_string_value(json_object_get(meta, "Name"));
		if (its != NULL && is(its, name))
			host = json_string_value(json_object_get(to, "Host"));
	}
	return host;
}

static int
context_inspect(char **args)
{
	bool format = args[0] != NULL && is(args[0], "--format") && args[1] != NULL;
	const char *name = args[format ? 2 : 0],
		   *host = context_host(name == NULL ? "default" : name);

	if (host == NULL) {
		puts(format ? "" : "[]");
		say("context \"%s\": context not found", name);
		return 1;
	}
	if (format)
		puts(host);
	else
		json_dumpf(json_pack("[{ss s{} s{s{ss sb}}}]", "Name",
			       name == NULL ? "default" : name, "Metadata", "Endpoints",
			       "docker", "Host", host, "SkipTLSVerify", 0),
		    stdout, JSON_INDENT(4));
	return 0;
}

/* --- the command line ----------------------------------------------------------- */

static const struct verb {
	const char *group, *name;
	int (*act)(char **);
	bool offline; /* needs no engine */
} verbs[] = {
	{ "compose", "version", compose_version, true },
	{ "compose", "config", compose_config, true },
	{ "compose", "pull", compose_pull, false },
	{ "compose", "up", compose_up, false },
	{ "compose", "restart", restart_services, false },
	{ "compose", "run", compose_run, false },
	{ "image", "tag", image_tag, false },
	{ "image", "rm", image_rm, false },
	{ "image", "prune", image_prune, false },
	{ "context", "inspect", context_inspect, true },
	{ "rm", NULL, container_rm, false },
	{ "stop", NULL, container_stop, false },
};

static const struct verb *
find_verb(char **args)
{
	for (const struct verb *v = verbs; args[0] != NULL && v < verbs + LENGTH(verbs);
	     v++)
		if (is(v->group, args[0]) &&
		    (v->name == NULL || (args[1] != NULL && is(v->name, args[1]))))
			return v;
	return NULL;
}

/* argv begins with the verb. */
static int
run_verb(int argc, char **argv)
{
	const struct verb *v = find_verb(argv);
	bool compose = v != NULL && is(v->group, "compose");
	int fd, rc = 125;

	if (compose && (rc = compose_flags(argc - 1, argv + 1)) != 0)
		return rc;
	if (v != NULL) {
		fd = lock(LOCK_EX);
		load();
		rc = v->act(
		    compose ? argv + 1 + optind : argv + (v->name == NULL ? 1 : 2));
		close(fd);
	}
	if (rc == 125) {
		say("fake docker: a call that it does not know");
		add_to("calls.log", "unknown\n");
	}
	fflush(stdout);
	return rc;
}

/* Is a server listening? */
static bool
engine_answers(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/docker.sock", home);
	answers = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	close(fd);
	return answers;
}

static void
flood(void)
{
	for (int i = 0; i < 1 << 14; i++) {
		printf("%063d\n", i);
		fprintf(stderr, "%063d\n", i);
	}
	fflush(stdout);
}

/* Applies a fault.  Exits, or returns an exit code; -1: the call goes on. */
static int
fault_act(const struct fault *f, const char *action)
{
	if (is(action, "kill"))
		raise(SIGKILL);
	if (is(action, "deaf"))
		signal(SIGTERM, SIG_IGN);
	if (is(action, "hang") || is(action, "deaf")) {
		add_to("hanging", text("%d\n", (int)getpid()));
		execlp("sleep", "sleep", text("%d", HANG_S), NULL);
	}
	if (is(action, "slow"))
		usleep((useconds_t)fault_number(f, 2000) * 1000);
	if (is(action, "flood"))
		flood();
	if (is(action, "half"))
		flags.half = true;
	if (is(action, "empty"))
		puts("[]");
	if (!is(action, "fail") && !is(action, "empty"))
		return -1;
	say("Error response from daemon: %s", f->words);
	return fault_number(f, 1);
}

static int
docker(int argc, char **argv)
{
	struct fault faults[FAULTS];
	const char *line = "docker";
	const struct verb *v = find_verb(argv);
	int n, rc, late;

	for (int i = 0; i < argc; i++)
		line = text("%s %s", line, argv[i]);
	n = faults_for(line, faults);
	for (int i = 0; i < n; i++)
		if ((rc = fault_act(&faults[i], faults[i].action)) != -1)
			return rc;
	if ((v == NULL || !v->offline) && !engine_answers()) {
		say("Cannot connect to the Docker daemon at unix://%s/docker.sock. Is the docker daemon "
		    "running?",
		    dir);
		return 1;
	}
	rc = run_verb(argc, argv);
	for (int i = 0; i < n; i++)
		if (faults[i].action[0] == '+' &&
		    (late = fault_act(&faults[i], faults[i].action + 1)) != -1)
			return late;
	return rc;
}

/* --- the API: requests ---------------------------------------------------------- */

struct request {
	const char *path, *query; /* decoded, without /vX.YZ; as it came, after the "?" */
	const char *version;      /* X.YZ, or empty */
	bool get, last;           /* last: the peer wants no more */
};

/* A body that is JSON or, where it is set, text. */
struct answer {
	int status;
	json_t *json;
	char *raw;
	size_t length;
	const char *type;
	bool chunked;
};

/* A parameter of the query, decoded; empty when it is not there. */
static const char *
parameter(const struct request *r, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = r->query; *p != '\0'; p += strcspn(p, "&"), p += *p == '&')
		if (strncmp(p, name, length) == 0 && p[length] == '=')
			return decode(p + length + 1, strcspn(p + length + 1, "&"));
	return "";
}

static bool
parameter_true(const struct request *r, const char *name)
{
	const char *value = parameter(r, name);

	return value[0] != '\0' && !is(value, "0") && strcasecmp(value, "false") != 0;
}

__attribute__((format(printf, 3, 4))) static void
refuse(struct answer *a, int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	a->json = json_pack("{ss}", "message", vtext(format, ap));
	a->status = status;
	a->chunked = false;
	a->raw = NULL;
	va_end(ap);
}

/* --- the API: filters ----------------------------------------------------------- */

/* {"k":["v"]} or {"k":{"v":true}}, not both at once; all in the first form. */
static json_t *
filters_of(const struct request *r, struct answer *a, const char *known)
{
	const char *value = parameter(r, "filters"), *key, *one;
	json_t *given = json_loads(value[0] == '\0' ? "{}" : value, 0, NULL),
	       *all = json_object();
	json_t *of, *ignored;
	size_t lists = 0;

	if (given == NULL)
		refuse(a, 500, "invalid character '%c' looking for beginning of value",
		    value[0]);
	json_object_foreach (given, key, of) {
		if (known != NULL && strstr(known, text(" %s ", key)) == NULL)
			refuse(a, 400, "Invalid filter '%s'", key);
		lists += json_is_array(of);
		json_object_set_new(all, key,
		    json_is_array(of) ? json_copy(of) : json_array());
		json_object_foreach (of, one, ignored)
			json_array_append_new(json_object_get(all, key),
			    json_string(one));
	}
	if (lists != 0 && lists != json_object_size(given))
		refuse(a, 500,
		    "json: cannot unmarshal array into Go value of type map[string]bool");
	return all;
}

static bool
filter_equal(const char *wanted, const char *value)
{
	return is(wanted, value);
}

static bool
filter_begins(const char *wanted, const char *value)
{
	return begins(value, wanted);
}

static bool
filter_reference(const char *wanted, const char *ref)
{
	return fnmatch(wanted, ref, FNM_PATHNAME) == 0 ||
	    fnmatch(wanted, repository_of(ref), FNM_PATHNAME) == 0;
}

/* Does the filter accept the value?  Without a filter, it does. */
static bool
filter_accepts(const json_t *filters, const char *key, const char *value,
    bool (*fit)(const char *, const char *))
{
	const json_t *list = json_object_get(filters, key), *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (json_is_string(one) && fit(json_string_value(one), value))
			return true;
	return json_array_size(list) == 0;
}

/* Are all labels of the filter there, given as NAME or NAME=VALUE? */
static bool
filter_labels(const json_t *filters, const json_t *labels)
{
	const json_t *list = json_object_get(filters, "label"), *one;
	size_t i;

	json_array_foreach (list, i, one) {
		char *name = text("%s", json_string_value(one)),
		     *value = strchr(name, '=');
		if (value != NULL)
			*value++ = '\0';
		const char *has = json_string_value(json_object_get(labels, name));
		if (has == NULL || (value != NULL && !is(has, value)))
			return false;
	}
	return true;
}

/* --- the API: answers ------------------------------------------------------------- */

/* Replaces members with those of DIR/NAME. */
static json_t *
with_file(json_t *ours, const char *name)
{
	char *all = slurp(name);

	if (all != NULL)
		json_object_update(ours, json_loads(all, 0, NULL));
	return ours;
}

static json_t *
version_json(void)
{
	return with_file(json_pack("{s{ss} s[] ss ss ss ss ss}", "Platform", "Name", "",
			     "Components", "Version", "20.10.24", "ApiVersion", "1.41",
			     "MinAPIVersion", "1.12", "Os", "linux", "Arch", "amd64"),
	    "version");
}

static void
api_version(const struct request *r, const char *id, struct answer *a)
{
	(void)r;
	(void)id;
	a->json = version_json();
}

static void
api_ping(const struct request *r, const char *id, struct answer *a)
{
	(void)r;
	(void)id;
	a->raw = "OK";
	a->length = 2;
	a->type = "text/plain; charset=utf-8";
}

static void
api_info(const struct request *r, const char *id, struct answer *a)
{
	(void)r;
	(void)id;
	a->chunked = true;
	a->json = with_file(json_pack("{si si ss s[[ss][ss]] ss ss ss ss ss sb}",
				"Containers", ncontainers, "Images", images.n, "Driver",
				"overlay2", "DriverStatus", "Backing Filesystem", "extfs",
				"Supports d_type", "true", "DockerRootDir", dir,
				"ServerVersion", "20.10.24", "OSType", "linux",
				"Architecture", "x86_64", "Name", "fake",
				"LiveRestoreEnabled", 0),
	    "info");
}

static json_t *
networks_json(const struct container *c, const struct look *l)
{
	bool has = is_up(l) && !is(first("address", ""), "-");
	const char *address = has ? "127.0.0.1" : "";

	return json_pack("{s{sn sn sn ss ss ss ss si}}",
	    text("%s_default", c->f[PROJECT]), "IPAMConfig", "Links", "Aliases",
	    "NetworkID", "fake", "EndpointID", "fake", "Gateway", address, "IPAddress",
	    address, "IPPrefixLen", 8);
}

static json_t *
ports_json(const struct container *c, const struct look *l)
{
	const struct service *s = is_up(l) ? service_find(c->f[SERVICE]) : NULL;
	json_t *all = json_object(), *one;
	const char *ip, *host;
	size_t i;

	json_array_foreach (s == NULL ? NULL : json_object_get(s->json, "ports"), i,
	    one) {
		ip = json_string_value(json_object_get(one, "host_ip"));
		host = json_string_value(json_object_get(one, "published"));
		json_object_set_new(all,
		    text("%d/tcp",
			(int)json_integer_value(json_object_get(one, "target"))),
		    json_pack("[{ss ss}]", "HostIp", ip == NULL ? "0.0.0.0" : ip,
			"HostPort", host == NULL ? "32768" : host));
	}
	return all;
}

/* The image's name in a list; its id, if the name now belongs to another image. */
static const char *
image_shown(const struct container *c)
{
	const struct image *m = image_find(&images, c->f[REF]);

	return m != NULL && is(m->id, c->f[IMAGE]) ? c->f[REF] : c->f[IMAGE];
}

static json_t *
container_listed(const struct container *c, const struct look *l, json_t *labels)
{
	return json_pack("{ss s[s] ss ss ss sI s[] sO ss ss s{ss} s{so} s[]}", "Id",
	    c->f[ID], "Names", text("/%s", c->f[NAME]), "Image", image_shown(c),
	    "ImageID", c->f[IMAGE], "Command", "/service", "Created",
	    (json_int_t)(started_ms(c) / 1000), "Ports", "Labels", labels, "State",
	    l->status, "Status", l->running ? "Up 1 second" : "Exited (1) 1 second ago",
	    "HostConfig", "NetworkMode", "default", "NetworkSettings", "Networks",
	    networks_json(c, l), "Mounts");
}

static void
api_containers(const struct request *r, const char *id, struct answer *a)
{
	json_t *filters = filters_of(r, a, " label id name status "), *all = json_array();
	bool ended = parameter_true(r, "all") ||
	    json_object_get(filters, "status") != NULL;

	(void)id;
	for (const struct container *c = containers; c < containers + ncontainers; c++) {
		struct look l = look_at_container(c);
		json_t *labels = labels_of(c);
		if ((ended || l.running) && filter_labels(filters, labels) &&
		    filter_accepts(filters, "id", c->f[ID], filter_begins) &&
		    filter_accepts(filters, "name", c->f[NAME], filter_begins) &&
		    filter_accepts(filters, "status", l.status, filter_equal))
			json_array_append_new(all, container_listed(c, &l, labels));
	}
	if (a->status != 200)
		return;
	a->chunked = true;
	a->json = all;
}

static json_t *
env_json(const struct container *c)
{
	json_t *env = environment(c->f[ENV_FILE]), *list = json_array(), *value;
	const char *name;

	json_object_foreach (env, name, value)
		json_array_append_new(list,
		    json_sprintf("%s=%s", name, json_string_value(value)));
	return list;
}

static void
api_container(const struct request *r, const char *id, struct answer *a)
{
	const struct container *c = container_find(id);
	struct look l;

	(void)r;
	if (c == NULL) {
		refuse(a, 404, "No such container: %s", id);
		return;
	}
	l = look_at_container(c);
	a->chunked = true;
	a->json =
	    json_pack("{ss ss ss s[] s{ss sb sb sb sb sb si si ss ss ss} ss ss si ss}",
		"Id", c->f[ID], "Created", c->f[STARTED], "Path", "/service", "Args",
		"State", "Status", l.status, "Running", l.running, "Paused", 0,
		"Restarting", l.restarting, "OOMKilled", l.oom, "Dead", 0, "Pid",
		is_up(&l) ? 4711 : 0, "ExitCode", l.code, "Error", "", "StartedAt",
		l.started, "FinishedAt", l.finished, "Image", c->f[IMAGE], "Name",
		text("/%s", c->f[NAME]), "RestartCount", l.restarts, "Platform", "linux");
	json_object_update(a->json,
	    json_pack("{s{so ss so} s{ss so so} s[]}", "Config", "Env", env_json(c),
		"Image", c->f[REF], "Labels", labels_of(c), "NetworkSettings",
		"IPAddress", "", "Ports", ports_json(c, &l), "Networks",
		networks_json(c, &l), "Mounts"));
}

/* A line of a log, in the frame of a container without a terminal. */
static void
add_frame(struct answer *a, char stream, const char *line, size_t n)
{
	char head[8] = { stream, 0, 0, 0, (char)(n >> 24), (char)(n >> 16),
		(char)(n >> 8), (char)n };
	char *all = room(a->length + 8 + n);

	memcpy(all, a->raw, a->length);
	memcpy(all + a->length, head, 8);
	memcpy(all + a->length + 8, line, n);
	a->raw = all;
	a->length += 8 + n;
}

/* The last line comes from stderr, the others from stdout. */
static void
api_logs(const struct request *r, const char *id, struct answer *a)
{
	const struct container *c = container_find(id);
	const char *tail = parameter(r, "tail"), *p = slurp("logs");
	long lines = 0,
	     wanted = isdigit((unsigned char)tail[0]) ? strtol(tail, NULL, 10) : LONG_MAX;

	if (c == NULL) {
		refuse(a, 404, "No such container: %s", id);
		return;
	}
	if (!parameter_true(r, "stdout") && !parameter_true(r, "stderr")) {
		refuse(a, 400, "Bad parameters: you must choose at least one stream");
		return;
	}
	if (p == NULL)
		p = text("version %s listens on 0.0.0.0 port 8080\nbehaviour %s\n",
		    tag_of(c->f[REF]), c->f[BEHAVIOUR]);
	a->raw = "";
	a->type = "";
	a->chunked = true;
	for (const char *q = p; *q != '\0'; q++)
		lines += *q == '\n' || q[1] == '\0';
	for (const char *end; *p != '\0'; p = end, lines--) {
		end = p + strcspn(p, "\n");
		end += *end == '\n';
		if (lines <= wanted &&
		    parameter_true(r, lines == 1 ? "stderr" : "stdout"))
			add_frame(a, lines == 1 ? 2 : 1, p, (size_t)(end - p));
	}
}

static json_t *
image_labels(const char *id)
{
	char *rest = slurp(text("labels/%s", id)), *line, *value;
	json_t *labels = rest == NULL ? json_null() : json_object();

	while ((line = strsep(&rest, "\n")) != NULL)
		if ((value = strchr(line, '=')) != NULL)
			json_object_set_new(labels,
			    text("%.*s", (int)(value - line), line),
			    json_string(value + 1));
	return labels;
}

/* The names of an image, and a digest for each one that the registry has. */
static json_t *
image_json(const char *id, const json_t *filters)
{
	json_t *tags = json_array(), *digests = json_array();

	for (int i = 0; i < images.n; i++) {
		const char *ref = images.of[i].ref;
		if (!is(images.of[i].id, id) || is(ref, "<none>") ||
		    !filter_accepts(filters, "reference", ref, filter_reference))
			continue;
		json_array_append_new(tags, json_string(ref));
		if (image_find(&registry, ref) != NULL)
			json_array_append_new(digests,
			    json_sprintf("%s@sha256:%s", repository_of(ref), digest(id)));
	}
	return json_pack("{ss so so si}", "Id", id, "RepoTags", tags, "RepoDigests",
	    digests, "Size", 912249);
}

static void
api_image(const struct request *r, const char *id, struct answer *a)
{
	const struct image *m = image_find(&images, id);

	(void)r;
	if (m == NULL) {
		refuse(a, 404, "no such image: %s: No such image: %s", id, full_name(id));
		return;
	}
	a->json = image_json(m->id, NULL);
	json_object_update(a->json,
	    json_pack("{ss ss s{sn sn so} ss ss}", "Parent", "", "Created",
		"2026-01-01T00:00:00Z", "Config", "Env", "Cmd", "Labels",
		image_labels(m->id), "Architecture", "amd64", "Os", "linux"));
}

static void
api_images(const struct request *r, const char *id, struct answer *a)
{
	json_t *filters = filters_of(r, a, " reference dangling label "),
	       *all = json_array();

	(void)id;
	for (int i = 0, j = 0; i < images.n; i++, j = 0) {
		json_t *one = json_pack("{si si so ss si}", "Containers", -1, "Created",
		    1767225600, "Labels", image_labels(images.of[i].id), "ParentId", "",
		    "SharedSize", -1);
		json_object_update(one, image_json(images.of[i].id, filters));
		while (!is(images.of[j].id, images.of[i].id))
			j++;
		if (is(images.of[i].ref, "<none>") &&
		    json_object_get(filters, "reference") == NULL)
			json_object_update(one,
			    json_pack("{s[s] s[s]}", "RepoTags", "<none>:<none>",
				"RepoDigests", "<none>@<none>"));
		if (json_array_size(json_object_get(one, "RepoDigests")) == 0)
			json_object_set_new(one, "RepoDigests", json_null());
		if (j == i && json_array_size(json_object_get(one, "RepoTags")) > 0)
			json_array_append_new(all, one);
	}
	if (a->status != 200)
		return;
	a->chunked = true;
	a->json = all;
}

/* --- the API: sending --------------------------------------------------------------- */

static void
send_text(int fd, const char *s)
{
	write_all(fd, s, strlen(s));
}

static void
send_head(int fd, const struct answer *a)
{
	const char *newest = json_string_value(
	    json_object_get(version_json(), "ApiVersion"));
	const char *reason = a->status == 200 ? "OK"
	    : a->status == 404                ? "Not Found"
					      : "Bad";

	send_text(fd,
	    text("HTTP/1.1 %d %s\r\nApi-Version: %s\r\n", a->status, reason, newest));
	if (a->type[0] != '\0')
		send_text(fd, text("Content-Type: %s\r\n", a->type));
	if (a->chunked)
		send_text(fd, "Transfer-Encoding: chunked\r\n\r\n");
	else
		send_text(fd, text("Content-Length: %zu\r\n\r\n", a->length));
}

static void
send_chunk(int fd, const char *from, size_t n)
{
	send_text(fd, text("%zx\r\n", n));
	write_all(fd, from, n);
	send_text(fd, "\r\n");
}

/* Chunks of different sizes, so that no reader can rely on chunk borders. */
static void
send_answer(int fd, const struct answer *a, bool truncated)
{
	size_t length = truncated ? a->length / 2 : a->length, n = 1;

	send_head(fd, a);
	if (!a->chunked) {
		write_all(fd, a->raw, length);
		return;
	}
	for (size_t at = 0; at < length; at += n, n = n * 3 + 7) {
		n = n < length - at ? n : length - at;
		send_chunk(fd, a->raw + at, n);
	}
	if (!truncated)
		send_text(fd, "0\r\n\r\n");
}

/* Waits until the peer closes or sends more, `watch` is readable, or `ms` have passed (-1:
 * no limit).  True: it was the peer. */
static bool
await_peer(int fd, int watch, int ms)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN | POLLRDHUP },
		{ .fd = watch, .events = POLLIN } };

	return poll(p, 2, ms) > 0 && p[0].revents != 0;
}

/* --- the API: events ---------------------------------------------------------------- */

/* "1795519858.25" in nanoseconds. */
static int64_t
time_parameter(const struct request *r, const char *name, int64_t otherwise)
{
	const char *value = parameter(r, name), *dot = strchr(value, '.');
	int64_t ns = strtoll(value, NULL, 10) * 1000 * NS;

	if (dot != NULL)
		ns += strtoll(text("%.9s", text("%s000000000", dot + 1)), NULL, 10);
	return value[0] == '\0' ? otherwise : ns;
}

static int64_t
event_time(const json_t *one)
{
	return json_integer_value(json_object_get(one, "timeNano"));
}

static int
event_order(const void *a, const void *b)
{
	int64_t x = event_time(*(json_t *const *)a), y = event_time(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

/* The events in (after, until]: those of the file, and those of crashes. */
static json_t *
events_between(int64_t after, int64_t until)
{
	json_t *list = json_array(), *one;
	int fd = lock(LOCK_SH);
	char *rest = slurp("events"), *line;

	load();
	close(fd);
	while ((line = strsep(&rest, "\n")) != NULL) {
		one = json_loads(line, 0, NULL);
		if (one != NULL && event_time(one) > after && event_time(one) <= until)
			json_array_append(list, one);
	}
	for (int i = 0; i < ncontainers; i++)
		crash_events(&containers[i], after, until, list);
	return list;
}

static bool
event_wanted(const json_t *filters, const json_t *one)
{
	const json_t *attributes = json_object_get(json_object_get(one, "Actor"),
	    "Attributes");

#define OF(member) json_string_value(json_object_get(one, member))
	return filter_accepts(filters, "type", OF("Type"), filter_equal) &&
	    filter_accepts(filters, "event", OF("Action"), filter_equal) &&
	    filter_accepts(filters, "container", OF("id"), filter_begins) &&
	    filter_labels(filters, attributes);
#undef OF
}

static void
events_send(int fd, const json_t *filters, int64_t after, int64_t until)
{
	json_t *list = events_between(after, until), **sorted, *one;
	size_t n = json_array_size(list), i;

	sorted = room((n + 1) * sizeof(*sorted));
	json_array_foreach (list, i, one)
		sorted[i] = one;
	qsort(sorted, n, sizeof(*sorted), event_order);
	for (i = 0; i < n; i++) {
		const char *line = text("%s\n", json_dumps(sorted[i], JSON_COMPACT));
		if (event_wanted(filters, sorted[i]))
			send_chunk(fd, line, strlen(line));
	}
}

/* Milliseconds in which nothing happens unless a file changes; -1: no limit. */
static int
events_patience(int64_t now, int64_t until)
{
	int64_t ms = until < 0 ? INT_MAX : (until - now) / NS + 1;

	for (int i = 0; i < ncontainers; i++)
		if (crash_ms(&containers[i]) >= 0 && ms > 10)
			ms = 10;
	return ms >= INT_MAX ? -1 : (int)ms;
}

/* Sends events up to `until`; `silent`: sends none. */
static void
api_events(int fd, const struct request *r, bool silent)
{
	struct answer a = { .status = 200, .type = "application/json", .chunked = true };
	json_t *filters = filters_of(r, &a, NULL);
	int64_t last = time_parameter(r, "since", now_ns()),
		until = time_parameter(r, "until", -1);
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char drain[4096];
	size_t mark = used;

	inotify_add_watch(watch, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	a.status = 200;
	send_head(fd, &a);
	for (int64_t now = 0; until < 0 || now < until; used = mark) {
		now = now_ns();
		if (!silent)
			events_send(fd, filters, last,
			    until >= 0 && now > until ? until : now);
		last = now > last ? now : last;
		if ((until < 0 || now < until) &&
		    await_peer(fd, watch, events_patience(now, until)))
			_exit(0);
		(void)!read(watch, drain, sizeof(drain));
	}
	close(watch);
	send_text(fd, "0\r\n\r\n");
}

/* --- the API: faults ------------------------------------------------------------------ */

/* A.B=JSON, where A is an object. */
static void
json_put(json_t *in, const char *what)
{
	char *rest = text("%.*s", (int)strcspn(what, "="), what),
	     *key = strsep(&rest, ".");
	json_t *to = json_loads(what + strcspn(what, "=") + 1, JSON_DECODE_ANY, NULL);

	if (to == NULL)
		errx(125, "set=%s: no JSON", what);
	for (; rest != NULL; key = strsep(&rest, "."))
		in = json_object_get(in, key);
	json_object_set(in, key, to);
}

#define OTHER \
	"\"sha256:bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0\""

static const struct {
	const char *what;
	bool list; /* of the elements of one */
	const char *set;
} lies[] = {
	{ "restarting", false, "State.Status=\"restarting\"" },
	{ "restarting", false, "State.Restarting=true" },
	{ "restarting", false, "State.ExitCode=1" },
	{ "restarting", false, "RestartCount=1" },
	{ "restarting", true, "State=\"restarting\"" },
	{ "exited", false, "State.Status=\"exited\"" },
	{ "exited", false, "State.Running=false" },
	{ "exited", false, "State.ExitCode=1" },
	{ "exited", true, "State=\"exited\"" },
	{ "image", false, "Image=" OTHER },
	{ "image", true, "ImageID=" OTHER },
};

static void
lie(json_t *body, const struct fault *f, bool list)
{
	if (is(f->action, "set"))
		json_put(body, f->arg);
	for (size_t i = 0; is(f->action, "lie") && i < LENGTH(lies); i++)
		if (is(lies[i].what, f->arg) && lies[i].list == list)
			json_put(body, lies[i].set);
}

/* Faults that replace the answer, or end the connection. */
static void
fault_before(int fd, const struct fault *f)
{
	if (is(f->action, "slow"))
		await_peer(fd, -1, fault_number(f, 2000));
	if (is(f->action, "hang"))
		await_peer(fd, -1, -1);
	if (is(f->action, "garbage"))
		send_text(fd, "\x15\x03\x01\n\033]0;no HTTP\007\n");
	if (is(f->action, "hang") || is(f->action, "garbage") || is(f->action, "close"))
		_exit(0);
}

static void
fault_answer(const struct fault *f, struct answer *a)
{
	json_t *one;
	size_t i;

	if (isdigit((unsigned char)f->action[0]))
		refuse(a, atoi(f->action), "%s", f->words);
	if (a->status != 200 || a->json == NULL)
		return;
	if (is(f->action, "body") && (a->raw = slurp(f->arg)) != NULL)
		a->length = strlen(a->raw);
	if (is(f->action, "empty"))
		a->json = json_is_array(a->json) ? json_array() : json_object();
	if (json_is_object(a->json))
		lie(a->json, f, false);
	json_array_foreach (a->json, i, one)
		lie(one, f, true);
}

/* --- the API: routes -------------------------------------------------------------------- */

static const struct {
	const char *before, *after; /* of the id; without one, NULL */
	void (*answer)(const struct request *, const char *, struct answer *);
} routes[] = {
	{ "/_ping", NULL, api_ping },
	{ "/version", NULL, api_version },
	{ "/info", NULL, api_info },
	{ "/containers/json", NULL, api_containers },
	{ "/images/json", NULL, api_images },
	{ "/containers/", "/json", api_container },
	{ "/containers/", "/logs", api_logs },
	{ "/images/", "/json", api_image },
};

static void
route(const struct request *r, struct answer *a)
{
	for (size_t i = 0; r->get && i < LENGTH(routes); i++) {
		const char *after = routes[i].after;
		size_t n = strlen(r->path), before = strlen(routes[i].before);
		bool found = after == NULL
		    ? is(r->path, routes[i].before)
		    : begins(r->path, routes[i].before) && n > before + strlen(after) &&
			is(r->path + n - strlen(after), after);
		if (!found)
			continue;
		n -= after == NULL ? before : before + strlen(after);
		routes[i].answer(r, text("%.*s", (int)n, r->path + before), a);
		return;
	}
	refuse(a, 404, "page not found");
}

static int
version_number(const char *version)
{
	const char *dot = strchr(version, '.');

	return atoi(version) * 1000 + (dot == NULL ? 0 : atoi(dot + 1));
}

/* Engines as old as 20.10 report a version that is too old in plain text. */
static void
check_api_version(const struct request *r, struct answer *a)
{
	json_t *v = version_json();
	const char *newest = json_string_value(json_object_get(v, "ApiVersion"));
	const char *oldest = json_string_value(json_object_get(v, "MinAPIVersion"));
	int asked = version_number(r->version);

	if (r->version[0] == '\0')
		return;
	if (asked > version_number(newest))
		refuse(a, 400,
		    "client version %s is too new. Maximum supported API version is %s",
		    r->version, newest);
	if (asked >= version_number(oldest))
		return;
	refuse(a, 400,
	    "client version %s is too old. Minimum supported API version is %s, please "
	    "upgrade your client to a newer version",
	    r->version, oldest);
	if (version_number(oldest) > 1012)
		return;
	a->raw = text("%s\n", json_string_value(json_object_get(a->json, "message")));
	a->length = strlen(a->raw);
	a->type = "text/plain; charset=utf-8";
}

/* True: the connection stays open. */
static bool
respond(int fd, const struct request *r)
{
	struct answer a = { .status = 200, .type = "application/json" };
	struct fault faults[FAULTS];
	const char *query = r->query[0] == '\0' ? "" : decode(r->query, strlen(r->query));
	int n = faults_for(text("%s %s%s%s", r->get ? "GET" : "POST", r->path,
			       query[0] == '\0' ? "" : "?", query),
		faults),
	    locked;
	bool truncated = false, silent = false, stream = r->get && is(r->path, "/events");

	for (int i = 0; i < n; i++) {
		fault_before(fd, &faults[i]);
		truncated = truncated || is(faults[i].action, "truncate");
		silent = silent || is(faults[i].action, "empty");
	}
	locked = lock(LOCK_SH);
	load();
	check_api_version(r, &a);
	if (a.status == 200 && !stream)
		route(r, &a);
	close(locked);
	for (int i = 0; i < n; i++)
		fault_answer(&faults[i], &a);
	if (stream && a.status == 200) {
		api_events(fd, r, silent);
		return !r->last;
	}
	if (a.raw == NULL) {
		a.raw = text("%s\n", json_dumps(a.json, JSON_COMPACT));
		a.length = strlen(a.raw);
	}
	send_answer(fd, &a, truncated);
	return !truncated && !r->last;
}

/* Parses the head of a request; false: it is not one. */
static bool
parse_head(char *head, struct request *r)
{
	char *line = strsep(&head, "\r"), *method = strsep(&line, " "),
	     *target = strsep(&line, " ");

	if (target == NULL || head == NULL)
		return false;
	r->get = is(method, "GET");
	r->last = strcasestr(head, "\nconnection: close") != NULL;
	r->path = strsep(&target, "?");
	r->query = target == NULL ? "" : target;
	r->version = "";
	if (begins(r->path, "/v") && isdigit((unsigned char)r->path[2])) {
		r->version = text("%.*s", (int)strcspn(r->path + 2, "/"), r->path + 2);
		r->path += 2 + strlen(r->version);
	}
	r->path = decode(r->path, strlen(r->path));
	return true;
}

/* One process for each connection; requests come one after the other. */
static void
converse(int fd)
{
	static char buffer[REQUEST];
	struct request r;
	size_t have = 0;
	ssize_t n;
	char *end;

	for (;;) {
		buffer[have] = '\0';
		if ((end = strstr(buffer, "\r\n\r\n")) != NULL) {
			size_t length = (size_t)(end + 4 - buffer);
			if (!parse_head(text("%.*s", (int)length, buffer), &r) ||
			    !respond(fd, &r))
				return;
			memmove(buffer, end + 4, have -= length);
		} else if ((n = read(fd, buffer + have, sizeof(buffer) - 1 - have)) > 0) {
			have += (size_t)n;
		} else {
			return;
		}
	}
}

/* --- serving, and main --------------------------------------------------------------------- */

static void
die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

/* The socket appears once it listens. */
static int
listen_here(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/.socket", home);
	unlinkat(home, ".socket", 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, 64) == -1 ||
	    renameat(home, ".socket", home, "docker.sock") == -1)
		err(1, "%s/docker.sock", dir);
	return fd;
}

static int
serve(void)
{
	int listening = listen_here(), fd;
	pid_t self = getpid();

	signal(SIGCHLD, SIG_IGN);
	while (
	    (fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) != -1 || errno == EINTR) {
		if (fd != -1 && fork() == 0) {
			close(listening);
			die_with(self);
			converse(fd);
			_exit(0);
		}
		close(fd);
	}
	err(1, "accept");
}

static bool
open_home(const char *name)
{
	if (realpath(name, dir) == NULL)
		return false;
	home = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_set_alloc_funcs(room, free_nothing);
	return home != -1;
}

/* Without DOCKER_HOST only `context inspect` works. */
static int
docker_main(int argc, char **argv)
{
	const char *host = getenv("DOCKER_HOST"),
		   *slash = host == NULL ? NULL : strrchr(host, '/');

	json_set_alloc_funcs(room, free_nothing);
	if (host != NULL && begins(host, "unix://") &&
	    open_home(text("%.*s", (int)(slash - host - 7), host + 7)))
		return docker(argc, argv);
	if (argc > 1 && is(argv[0], "context") && is(argv[1], "inspect"))
		return context_inspect(argv + 2);
	say("Cannot connect to the Docker daemon at %s. Is the docker daemon running?",
	    host == NULL ? "unix:///var/run/docker.sock" : host);
	return 1;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (is(slash == NULL ? argv[0] : slash + 1, "docker"))
		return docker_main(argc - 1, argv + 1);
	if (argc < 3 || (!is(argv[1], "serve") && (!is(argv[1], "docker") || argc < 4)))
		errx(2,
		    "usage: engine serve [--die-with-parent] DIR | engine docker DIR ARGS");
	if (!open_home(is(argv[1], "docker") ? argv[2] : argv[argc - 1]))
		err(1, "DIR");
	if (is(argv[1], "docker"))
		return run_verb(argc - 3, argv + 3);
	if (is(argv[2], "--die-with-parent"))
		die_with(getppid());
	return serve();
}
