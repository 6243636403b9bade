#include "fake.h"

#include "liar.h"
#include "room.h"
#include "state/folder.h"
#include "sys/signals.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_S 120 /* no server outlives a test that hangs */
#define KILLED 77  /* exit code of a child that died at its step */

static const char *const fn_names[FAKE__FNS] = { "hello", "describe", "containers",
	"inspect", "depends", "image", "names", "root", "logs", "pull", "up", "name",
	"unname", "remove", "prune", "settle", "disk" };

/* Set while a request runs: the disk calls below are counted then. */
static struct fake *stepping;

const char *
fake_fn_name(enum fake_fn fn)
{
	return fn_names[fn];
}

static void
step(struct fake *k)
{
	if (++k->steps == k->dies_at)
		_exit(KILLED);
}

/* ---- the disk's calls, in place of libc's ---- */

int fsync(int);
int renameat(int, const char *, int, const char *);
int unlinkat(int, const char *, int);

int (*unit_on_fsync)(int fd);

int
fsync(int fd)
{
	if (unit_on_fsync != NULL && unit_on_fsync(fd) == -1)
		return -1;
	/* what is killed here is a process, not the host */
	if (stepping != NULL) {
		step(stepping);
		return 0;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
renameat(int from, const char *a, int to, const char *b)
{
	if (stepping != NULL)
		step(stepping);
	if (stepping != NULL && stepping->env_full && strcmp(b, ".env") == 0) {
		errno = ENOSPC;
		return -1;
	}
#ifdef SYS_renameat
	return (int)syscall(SYS_renameat, from, a, to, b);
#else
	return (int)syscall(SYS_renameat2, from, a, to, b, 0);
#endif
}

int
unlinkat(int dir, const char *name, int flags)
{
	if (stepping != NULL)
		step(stepping);
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

/* ---- what it remembers ---- */

const char *
fake_id(char letter)
{
	static char ids[128][IMAGE_ID_MAX];
	char *id = ids[(unsigned char)letter & 127];

	memcpy(id, "sha256:", 7);
	memset(id + 7, letter, 64);
	id[71] = '\0';
	return id;
}

static struct fake_image *
find_image(struct fake *k, const char *id)
{
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (k->images[i].id[0] != '\0' && strcmp(k->images[i].id, id) == 0)
			return &k->images[i];
	return NULL;
}

static struct fake_image *
make_image(struct fake *k, const char *id)
{
	struct fake_image *image = find_image(k, id);
	unsigned i;

	for (i = 0; image == NULL && i < FAKE_MAX; i++)
		if (k->images[i].id[0] == '\0') {
			image = &k->images[i];
			(void)strlcpy(image->id, id, sizeof(image->id));
		}
	ck_assert_ptr_nonnull(image);
	return image;
}

/* Lets `ref` mean `id` in one of the two tables. */
static void
put_name(struct image_name *table, const char *ref, const char *id)
{
	unsigned i, at = FAKE_MAX;

	for (i = 0; i < FAKE_MAX; i++)
		if (strcmp(table[i].ref, ref) == 0) {
			at = i;
			break;
		} else if (at == FAKE_MAX && table[i].ref[0] == '\0')
			at = i;
	ck_assert_uint_lt(at, FAKE_MAX);
	(void)strlcpy(table[at].ref, ref, sizeof(table[at].ref));
	(void)strlcpy(table[at].image, id, sizeof(table[at].image));
}

static const char *
get_name(const struct image_name *table, const char *ref)
{
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (table[i].ref[0] != '\0' && strcmp(table[i].ref, ref) == 0)
			return table[i].image;
	return "";
}

const char *
fake_image_of(const struct fake *k, const char *ref)
{
	unsigned i;

	if (strncmp(ref, "sha256:", 7) != 0)
		return get_name(k->names, ref);
	for (i = 0; i < FAKE_MAX; i++)
		if (k->images[i].here && strcmp(k->images[i].id, ref) == 0)
			return k->images[i].id;
	return "";
}

void
fake_push(struct fake *k, const char *tag, char letter, enum fake_kind kind)
{
	make_image(k, fake_id(letter))->kind = kind;
	put_name(k->registry, tag, fake_id(letter));
}

void
fake_have(struct fake *k, const char *ref, char letter)
{
	make_image(k, fake_id(letter))->here = true;
	if (ref[0] != '\0')
		put_name(k->names, ref, fake_id(letter));
}

void
fake_forget_name(struct fake *k, const char *ref)
{
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (strcmp(k->names[i].ref, ref) == 0)
			k->names[i].ref[0] = '\0';
}

void
fake_lose(struct fake *k, char letter)
{
	unsigned i;

	make_image(k, fake_id(letter))->here = false;
	for (i = 0; i < FAKE_MAX; i++)
		if (strcmp(k->names[i].image, fake_id(letter)) == 0)
			k->names[i].ref[0] = '\0';
}

static unsigned
count_names(const struct fake *k, const char *id)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_MAX; i++)
		n += k->names[i].ref[0] != '\0' && strcmp(k->names[i].image, id) == 0;
	return n;
}

static bool
is_used(const struct fake *k, const char *id)
{
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (k->list[i].state != CONTAINER_GONE &&
		    strcmp(k->list[i].image, id) == 0)
			return true;
	return false;
}

unsigned
fake_containers(const struct fake *k)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_MAX; i++)
		n += k->list[i].state != CONTAINER_GONE;
	return n;
}

const struct container *
fake_running(const struct fake *k)
{
	const struct container *c = NULL;
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (k->list[i].state == CONTAINER_RUNNING) {
			if (c != NULL)
				return NULL;
			c = &k->list[i];
		}
	return c;
}

static void
touch_started(struct fake *k, struct container *c)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	c->started_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	snprintf(c->started, sizeof(c->started), "2026-01-01T00:00:00.%09uZ",
	    ++k->serial);
}

static void
start(struct fake *k, struct container *c)
{
	const struct fake_image *image = find_image(k, c->image);

	k->answers[c - k->list] = 0;
	touch_started(k, c);
	c->exit_code = 0;
	switch (image == NULL ? FAKE_GOOD : image->kind) {
	case FAKE_RESTARTS:
		c->state = CONTAINER_RESTARTING;
		c->restarts = 1;
		c->exit_code = 3;
		break;
	case FAKE_EXITS:
		c->state = CONTAINER_EXITED;
		c->exit_code = 3;
		break;
	default:
		c->state = CONTAINER_RUNNING;
		break;
	}
}

static struct container *
make(struct fake *k, const char *ref, const char *id, const char *name)
{
	struct container *c;
	unsigned i;

	for (i = 0; i < FAKE_MAX && k->list[i].state != CONTAINER_GONE; i++)
		continue;
	ck_assert_uint_lt(i, FAKE_MAX);
	c = &k->list[i];
	memset(c, 0, sizeof(*c));
	snprintf(c->id, sizeof(c->id), "%012x%052d", 0xc0000 + ++k->serial, 0);
	(void)strlcpy(c->name, name, sizeof(c->name));
	(void)strlcpy(c->image, id, sizeof(c->image));
	(void)strlcpy(c->ref, ref, sizeof(c->ref));
	c->state = CONTAINER_CREATED;
	return c;
}

struct container *
fake_start(struct fake *k, const char *ref, char letter, const char *name,
    enum container_state state)
{
	struct container *c;

	make_image(k, fake_id(letter))->here = true;
	c = make(k, ref, fake_id(letter), name);
	touch_started(k, c);
	/* it was started long ago: nothing to settle */
	c->started_ms -= 3600 * 1000;
	c->state = state;
	return c;
}

/* ---- what is to happen ---- */

static void
rule(struct fake *k, enum fake_fn fn, unsigned first, unsigned last, enum fake_act act)
{
	ck_assert_uint_lt(k->n_rules, sizeof(k->rules) / sizeof(k->rules[0]));
	k->rules[k->n_rules++] = (struct fake_rule){ fn, first, last, act };
}

void
fake_on(struct fake *k, enum fake_fn fn, unsigned nth, enum fake_act act)
{
	rule(k, fn, nth, nth, act);
}

void
fake_from(struct fake *k, enum fake_fn fn, unsigned first, enum fake_act act)
{
	rule(k, fn, first, UINT_MAX, act);
}

void
fake_calm(struct fake *k)
{
	k->n_rules = k->n_log = k->steps = k->dies_at = 0;
	k->env_full = false;
	memset(k->count, 0, sizeof(k->count));
}

/* The value in .env, "?" when it cannot be read. */
static void
value_on_disk(const struct fake *k, char *out, size_t size)
{
	char path[128];
	struct envfile e;
	struct fault f = { 0 };

	snprintf(path, sizeof(path), "%s/.env", k->home);
	if (envfile_read(&e, path, TARGET_VARIABLE, &f) == -1) {
		(void)strlcpy(out, "?", size);
		return;
	}
	(void)strlcpy(out, e.value, size);
	envfile_free(&e);
}

static int
open_state(const struct fake *k)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/.twilight-deploy", k->home);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
note(struct fake *k, enum fake_fn fn, const char *arg, const char *more)
{
	struct fake_call *call = &k->log[k->n_log++];
	struct fault f = { 0 };
	struct journal j;
	int dirfd;
	size_t n = 0;

	ck_assert_uint_lt(k->n_log, FAKE_CALLS);
	call->fn = fn;
	snprintf(call->what, sizeof(call->what), "%s%s%s%s%s", fn_names[fn],
	    *arg == '\0' ? "" : " ", arg, *more == '\0' ? "" : " ", more);
	(void)strlcpy(call->step, "-", sizeof(call->step));
	call->records = 0;
	dirfd = open_state(k);
	if (dirfd != -1 && journal_read(dirfd, &j, &f) == 1)
		(void)strlcpy(call->step, journal_step_name(j.step), sizeof(call->step));
	if (dirfd != -1 && history_count(dirfd, &n, &f) == 0)
		call->records = (int)n;
	if (dirfd != -1)
		close(dirfd);
	value_on_disk(k, call->value, sizeof(call->value));
}

const struct fake_call *
fake_call(const struct fake *k, enum fake_fn fn, unsigned n)
{
	unsigned i;

	for (i = 0; i < k->n_log; i++)
		if (k->log[i].fn == fn && --n == 0)
			return &k->log[i];
	return NULL;
}

/* Somebody's editor: in place of the value stands v9. */
static void
edit(const struct fake *k)
{
	char path[128];
	struct envfile e;
	struct fault f = { 0 };
	struct fake *counted = stepping;

	stepping = NULL;
	snprintf(path, sizeof(path), "%s/.env", k->home);
	ck_assert_int_eq(envfile_read(&e, path, TARGET_VARIABLE, &f), 0);
	ck_assert_int_eq(envfile_replace(&e, "v9", "a-person", &f), 0);
	envfile_free(&e);
	stepping = counted;
}

/* Somebody's script: below the line that is there stands another. */
static void
spoil(const struct fake *k)
{
	char path[128];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/.env", k->home);
	fp = fopen(path, "ae");
	ck_assert_ptr_nonnull(fp);
	fputs(TARGET_VARIABLE "=v9\n", fp);
	fclose(fp);
}

/* Every call begins here: counted, logged; -1 when it fails and does nothing. */
static int
enter(struct fake *k, enum fake_fn fn, const char *arg, const char *more,
    enum fake_act *act, struct fault *f)
{
	unsigned i, nth = ++k->count[fn];

	step(k);
	note(k, fn, arg, more);
	if (k->engine.silent)
		ck_assert_msg(fn == FAKE_HELLO || fn == FAKE_PULL || fn == FAKE_UP ||
			fn == FAKE_PRUNE || fn == FAKE_SETTLE,
		    "%s was called on a silent engine", fn_names[fn]);
	/* docker has an error of its own for each of these without a word */
	ck_assert_msg(*arg != '\0' || fn == FAKE_HELLO || fn == FAKE_CONTAINERS ||
		fn == FAKE_ROOT || fn == FAKE_PRUNE || fn == FAKE_SETTLE,
	    "%s was called for nothing", fn_names[fn]);
	*act = FAKE_TERM;
	for (i = 0; i < k->n_rules; i++) {
		const struct fake_rule *r = &k->rules[i];

		if (r->fn != fn || nth < r->first || nth > r->last)
			continue;
		*act = r->act;
		if (r->act == FAKE_TERM)
			kill(getpid(), SIGTERM);
		if (r->act == FAKE_EDIT)
			edit(k);
		if (r->act == FAKE_SPOIL)
			spoil(k);
		if (r->act == FAKE_LOSE)
			fake_lose(k, 'c');
		if (r->act == FAKE_FULL)
			k->env_full = true;
		if (r->act == FAKE_FAIL)
			return fault_set(f, FAULT_FAILED, NULL, "fake: %s failed",
			    fn_names[fn]);
		if (r->act == FAKE_HOST)
			return fault_set(f, FAULT_HOST, "wake it",
			    "fake: %s got no answer", fn_names[fn]);
	}
	return 0;
}

static int
leave(enum fake_act act, enum fake_fn fn, struct fault *f)
{
	if (act != FAKE_LATE)
		return 0;
	return fault_set(f, FAULT_FAILED, NULL, "fake: %s was too late", fn_names[fn]);
}

/* ---- struct engine ---- */

static int
hello(struct engine *e, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_HELLO, "", "", &act, f) == -1)
		return -1;
	e->silent = k->quiet;
	return 0;
}

static int
describe(struct engine *e, const char *tag, struct service *s, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_DESCRIBE, tag, "", &act, f) == -1)
		return -1;
	memset(s, 0, sizeof(*s));
	if (k->fixed[0] != '\0')
		(void)strlcpy(s->ref, k->fixed, sizeof(s->ref));
	else
		snprintf(s->ref, sizeof(s->ref), REPO ":%s", tag);
	(void)strlcpy(s->project, "deploy", sizeof(s->project));
	(void)strlcpy(s->depends[0], "db", sizeof(s->depends[0]));
	s->n_depends = 1;
	return 0;
}

static int
containers(struct engine *e, struct container *list, size_t max, size_t *n,
    struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;
	unsigned i;

	*n = 0;
	if (enter(k, FAKE_CONTAINERS, "", "", &act, f) == -1)
		return -1;
	for (i = 0; i < FAKE_MAX && *n < max; i++)
		if (k->list[i].state != CONTAINER_GONE)
			list[(*n)++] = k->list[i];
	return 0;
}

static struct container *
by_id(struct fake *k, const char *id)
{
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++)
		if (k->list[i].state != CONTAINER_GONE && strcmp(k->list[i].id, id) == 0)
			return &k->list[i];
	return NULL;
}

static int
inspect(struct engine *e, const char *id, struct container *c, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	memset(c, 0, sizeof(*c));
	if (enter(k, FAKE_INSPECT, id, "", &act, f) == -1)
		return -1;
	if (by_id(k, id) != NULL)
		*c = *by_id(k, id);
	return 0;
}

static int
depends_run(struct engine *e, const struct service *s, bool *all, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_DEPENDS, s->depends[0], "", &act, f) == -1)
		return -1;
	*all = !k->depends_down;
	return 0;
}

static int
image(struct engine *e, const char *ref, char id[IMAGE_ID_MAX], struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	id[0] = '\0';
	if (enter(k, FAKE_IMAGE, ref, "", &act, f) == -1)
		return -1;
	(void)strlcpy(id, fake_image_of(k, ref), IMAGE_ID_MAX);
	return 0;
}

static int
names(struct engine *e, const char *repository, struct image_name **list, size_t *n,
    struct fault *f)
{
	struct fake *k = e->self;
	size_t len = strlen(repository);
	enum fake_act act;
	unsigned i;

	*list = NULL;
	*n = 0;
	if (enter(k, FAKE_NAMES, repository, "", &act, f) == -1)
		return -1;
	*list = calloc(FAKE_MAX, sizeof(**list));
	ck_assert_ptr_nonnull(*list);
	for (i = 0; i < FAKE_MAX; i++)
		if (strncmp(k->names[i].ref, repository, len) == 0 &&
		    k->names[i].ref[len] == ':')
			(*list)[(*n)++] = k->names[i];
	return 0;
}

static int
root(struct engine *e, char *path, size_t size, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	path[0] = '\0';
	if (enter(k, FAKE_ROOT, "", "", &act, f) == -1)
		return -1;
	(void)strlcpy(path, k->root, size);
	return 0;
}

static int
logs(struct engine *e, const char *id, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_LOGS, id, "", &act, f) == -1)
		return -1;
	return by_id(k, id) != NULL
	    ? 0
	    : fault_set(f, FAULT_HOST, NULL, "fake: no such container: %s", id);
}

static int
pull(struct engine *e, const char *tag, struct fault *f)
{
	struct fake *k = e->self;
	const char *id;
	enum fake_act act;
	char ref[REF_MAX];

	if (enter(k, FAKE_PULL, tag, "", &act, f) == -1)
		return -1;
	id = get_name(k->registry, tag);
	if (id[0] == '\0')
		return fault_set(f, FAULT_FAILED, NULL, "fake: manifest unknown: %s",
		    tag);
	make_image(k, id)->here = true;
	if (k->fixed[0] != '\0')
		(void)strlcpy(ref, k->fixed, sizeof(ref));
	else
		snprintf(ref, sizeof(ref), REPO ":%s", tag);
	put_name(k->names, ref, id);
	return leave(act, FAKE_PULL, f);
}

/* As compose does: nothing for one that is as wanted, else another in its place. */
static int
recreate(struct fake *k, const char *ref, const char *id, enum fake_act act,
    struct fault *f)
{
	struct container *old = NULL, *c;
	char temporary[200], name[160] = "deploy-data-1";
	unsigned i;

	for (i = 0; i < FAKE_MAX; i++) {
		c = &k->list[i];
		if (c->state == CONTAINER_GONE)
			continue;
		if (c->state == CONTAINER_CREATED && c->name[12] == '_')
			return fault_set(f, FAULT_FAILED, NULL,
			    "fake: Conflict. The container name is already in use");
		/* one is wanted: what is more goes */
		if (old != NULL)
			memset(old, 0, sizeof(*old));
		old = c;
	}
	if (old != NULL && strcmp(old->image, id) == 0 && strcmp(old->ref, ref) == 0 &&
	    act != FAKE_HALF) {
		if (old->state != CONTAINER_RUNNING && act != FAKE_CREATED)
			start(k, old);
		return 0;
	}
	snprintf(temporary, sizeof(temporary), "%.12s_%s",
	    old == NULL ? "0123456789ab" : old->id, name);
	c = make(k, ref, id, temporary);
	if (old != NULL)
		memset(old, 0, sizeof(*old));
	if (act == FAKE_HALF)
		return fault_set(f, FAULT_FAILED, NULL, "fake: up was cut short");
	(void)strlcpy(c->name, name, sizeof(c->name));
	if (act != FAKE_CREATED)
		start(k, c);
	return 0;
}

static int
up(struct engine *e, const char *tag, unsigned how, struct fault *f)
{
	struct fake *k = e->self;
	char ref[REF_MAX];
	const char *id;
	enum fake_act act;
	unsigned i;

	if (enter(k, FAKE_UP, tag, (how & UP_DEPENDS) != 0 ? "+depends" : "", &act, f) ==
	    -1)
		return -1;
	(void)strlcpy(k->served, tag, sizeof(k->served));
	snprintf(ref, sizeof(ref), REPO ":%s", tag);
	if (k->fixed[0] != '\0')
		(void)strlcpy(ref, k->fixed, sizeof(ref));
	id = get_name(k->names, ref);
	if (id[0] == '\0')
		return fault_set(f, FAULT_FAILED, NULL, "fake: No such image: %s", ref);
	if ((how & UP_DEPENDS) != 0)
		k->depends_down = false;
	if (act == FAKE_STRANGER)
		id = fake_id('e');
	if (recreate(k, ref, id, act, f) == -1)
		return -1;
	for (i = 0; act == FAKE_CLOCK && i < FAKE_MAX; i++)
		k->list[i].started_ms -= 3600 * 1000;
	if (act == FAKE_TWINS)
		start(k, make(k, ref, id, "deploy-data-2"));
	if (act == FAKE_NOTHING)
		memset(k->list, 0, sizeof(k->list));
	return leave(act, FAKE_UP, f);
}

static int
name(struct engine *e, const char *id, const char *ref, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_NAME, id, ref, &act, f) == -1)
		return -1;
	if (fake_image_of(k, id)[0] == '\0')
		return fault_set(f, FAULT_FAILED, NULL, "fake: No such image: %s", id);
	put_name(k->names, ref, fake_image_of(k, id));
	return leave(act, FAKE_NAME, f);
}

static int
unname(struct engine *e, const char *ref, struct fault *f)
{
	struct fake *k = e->self;
	char id[IMAGE_ID_MAX];
	enum fake_act act;

	if (enter(k, FAKE_UNNAME, ref, "", &act, f) == -1)
		return -1;
	(void)strlcpy(id, get_name(k->names, ref), sizeof(id));
	if (id[0] == '\0')
		return fault_set(f, FAULT_HOST, NULL, "fake: No such image: %s", ref);
	/* `docker image rm` takes the image with its last name, unless it is used */
	if (count_names(k, id) == 1 && is_used(k, id))
		return fault_set(f, FAULT_HOST, NULL, "fake: conflict: %s is used", ref);
	fake_forget_name(k, ref);
	if (count_names(k, id) == 0)
		make_image(k, id)->here = false;
	return leave(act, FAKE_UNNAME, f);
}

static int
remove_container(struct engine *e, const char *id, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;

	if (enter(k, FAKE_REMOVE, id, "", &act, f) == -1)
		return -1;
	if (by_id(k, id) != NULL)
		memset(by_id(k, id), 0, sizeof(struct container));
	return leave(act, FAKE_REMOVE, f);
}

static int
prune(struct engine *e, struct fault *f)
{
	struct fake *k = e->self;
	enum fake_act act;
	unsigned i;

	if (enter(k, FAKE_PRUNE, "", "", &act, f) == -1)
		return -1;
	/* the worst case: all that dangles is older than a week */
	for (i = 0; i < FAKE_MAX && !k->spare; i++)
		if (count_names(k, k->images[i].id) == 0 && !is_used(k, k->images[i].id))
			k->images[i].here = false;
	return leave(act, FAKE_PRUNE, f);
}

static int
settle(struct engine *e, struct fault *f)
{
	enum fake_act act;

	return enter(e->self, FAKE_SETTLE, "", "", &act, f);
}

static const struct engine functions = { .hello = hello,
	.describe = describe,
	.containers = containers,
	.inspect = inspect,
	.depends_run = depends_run,
	.image = image,
	.names = names,
	.root = root,
	.logs = logs,
	.pull = pull,
	.up = up,
	.name = name,
	.unname = unname,
	.remove = remove_container,
	.prune = prune,
	.settle = settle };

/* ---- the service ---- */

static int
status_now(struct fake *k)
{
	const struct fake_image *image = NULL;
	struct container *c = NULL;
	unsigned i, *answers = &k->answers[0];

	k->asked++;
	if (k->quiet)
		image = find_image(k, get_name(k->registry, k->served));
	for (i = 0; !k->quiet && i < FAKE_MAX; i++)
		if (k->list[i].state == CONTAINER_RUNNING) {
			c = &k->list[i];
			answers = &k->answers[i];
			image = find_image(k, c->image);
		}
	if (image == NULL)
		return 0;
	switch (image->kind) {
	case FAKE_SICK:
		return 503;
	case FAKE_SLOW:
		return ++*answers > 2 ? 200 : 0;
	case FAKE_WAVERS:
		return ++*answers == 2 ? 503 : 200;
	case FAKE_MUTE:
		return 0;
	case FAKE_DIES:
		if (c != NULL) {
			c->exit_code = 1;
			c->state = CONTAINER_EXITED;
		}
		return 200;
	case FAKE_FLAPS:
		if (c != NULL) {
			c->restarts++;
			touch_started(k, c);
		}
		return 200;
	default:
		return 200;
	}
}

static volatile sig_atomic_t orphaned;

static void
note_orphaned(int sig)
{
	(void)sig;
	orphaned = 1;
}

/* Whose test failed clears up after it; out of its group, that Check ends. */
static void
outlive(void)
{
	struct sigaction sa = { .sa_handler = note_orphaned };

	setsid();
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(LIFE_S);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static _Noreturn void
live(struct fake *k, int listener)
{
	char buf[2048];
	int fd, status;

	outlive();
	for (;;) {
		if (orphaned) {
			room_remove(k->home);
			_exit(0);
		}
		fd = accept(listener, NULL, NULL);
		if (fd == -1 && errno != EINTR && errno != ECONNABORTED)
			_exit(1);
		if (fd == -1)
			continue;
		(void)!recv(fd, buf, sizeof(buf), 0);
		status = status_now(k);
		if (status != 0) {
			int n = snprintf(buf, sizeof(buf),
			    "HTTP/1.1 %d Fake\r\n"
			    "Content-Length: 5\r\n\r\nfake\n",
			    status);

			(void)!send(fd, buf, (size_t)n, MSG_NOSIGNAL);
		}
		close(fd);
	}
}

/* ---- the host ---- */

static const char before[] = "# what compose reads\nSECRET='do not show'\n"
			     "TWILIGHT_VERSION=";
static const char after[] = " # the version\nOTHER=\"1\"\n";

static void
write_file(const char *path, const char *a, const char *b, const char *c)
{
	FILE *fp = fopen(path, "we");

	ck_assert_ptr_nonnull(fp);
	fprintf(fp, "%s%s%s", a, b, c);
	ck_assert_int_eq(fclose(fp), 0);
}

void
rig_write_env(struct rig *r, const char *value)
{
	write_file(r->target.env_file, before, value, after);
}

static void
hear(void *arg, enum say kind, const char *line)
{
	struct rig *r = arg;

	(void)kind;
	(void)strlcat(r->said, line, sizeof(r->said));
	(void)strlcat(r->said, "\n", sizeof(r->said));
}

static void
load_settings(struct rig *r, const char *port, char *const *settings)
{
	static char home[96], url[96],
	    service[] = "TWILIGHT_SERVICE=data", tries[] = "TWILIGHT_HEALTH_TRIES=2",
	    pause[] = "TWILIGHT_HEALTH_SLEEP=0", settled[] = "TWILIGHT_HEALTH_SETTLE=0",
	    disk[] = "TWILIGHT_DISK_MIN=0";
	char *env[32];
	size_t n = 0;

	snprintf(home, sizeof(home), "TWILIGHT_HOME=%s", r->fake->home);
	snprintf(url, sizeof(url), "TWILIGHT_HEALTH_URL=http://127.0.0.1:%s/healthz",
	    port);
	/* the first one of a name counts */
	for (; settings != NULL && *settings != NULL; settings++)
		env[n++] = *settings;
	env[n++] = home;
	env[n++] = url;
	env[n++] = service;
	env[n++] = tries;
	env[n++] = pause;
	env[n++] = settled;
	env[n++] = disk;
	env[n] = NULL;
	ck_assert_msg(target_load(&r->target, env, &r->f) == 0, "%s", r->f.what);
}

static struct fake *
fake_open(void)
{
	struct fake *k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	ck_assert_ptr_ne(k, MAP_FAILED);
	k->engine = functions;
	k->engine.self = k;
	snprintf(k->home, sizeof(k->home), "%s/twilight-fake.XXXXXX", shm);
	ck_assert_ptr_nonnull(mkdtemp(k->home));
	fake_push(k, "v1", 'a', FAKE_GOOD);
	fake_push(k, "v2", 'b', FAKE_GOOD);
	fake_push(k, "v3", 'c', FAKE_GOOD);
	fake_push(k, "bad", 'd', FAKE_SICK);
	make_image(k, fake_id('e'))->here = true;
	return k;
}

void
rig_open_bare(struct rig *r, char *const *settings)
{
	char port[6] = "0", path[160];
	int fd;

	memset(r, 0, sizeof(*r));
	r->fake = fake_open();
	fd = liar_listen("127.0.0.1", port, 64);
	ck_assert_int_ne(fd, -1);
	fflush(NULL);
	r->server = fork();
	ck_assert_int_ne(r->server, -1);
	if (r->server == 0)
		live(r->fake, fd);
	close(fd);
	load_settings(r, port, settings);
	snprintf(path, sizeof(path), "%s/source", r->fake->home);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/source/deploy", r->fake->home);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	rig_write_env(r, "v1");
	r->progress = (struct progress){ hear, r };
	(void)strlcpy(r->who.actor, "tester", sizeof(r->who.actor));
}

void
rig_open(struct rig *r, char *const *settings)
{
	rig_open_bare(r, settings);
	fake_have(r->fake, REPO ":v1", 'a');
	fake_start(r->fake, REPO ":v1", 'a', "deploy-data-1", CONTAINER_RUNNING);
}

void
rig_close(struct rig *r)
{
	kill(r->server, SIGKILL);
	waitpid(r->server, NULL, 0);
	room_remove(r->fake->home);
	munmap(r->fake, sizeof(*r->fake));
}

/* ---- a request ---- */

static int
run_locked(struct rig *r, const char *verb, const char *tag)
{
	struct session *s = &r->s;
	bool only = strcmp(verb, "recover") == 0;

	s->engine = &r->fake->engine;
	s->engine->silent = false;
	if (s->engine->hello(s->engine, &r->f) == -1)
		return -1;
	if (recover_run(s, &r->f) == -1) {
		if (only || r->f.kind == FAULT_HOST)
			return -1;
		hear(r, SAY_WARN, r->f.what);
		fault_clear(&r->f);
	}
	if (only)
		return 0;
	if (strcmp(verb, "rollback") == 0)
		return rollback_run(s, tag, &r->f);
	return deploy_run(s, tag, 0, &r->f);
}

/* What must be so after every request, whatever came of it. */
static void
check_after(struct rig *r, int rc)
{
	DIR *dir = opendir(r->fake->home);
	struct dirent *entry;

	ck_assert_msg((rc == 0) == (r->f.kind == FAULT_NONE), "%d, but %d: %s", rc,
	    (int)r->f.kind, r->f.what);
	ck_assert_msg(rc == 0 || r->f.what[0] != '\0', "a fault without words");
	ck_assert_msg(strstr(r->said, "do not show") == NULL, "a secret was told");
	ck_assert_ptr_nonnull(dir);
	while (r->f.kind != FAULT_HOST && (entry = readdir(dir)) != NULL)
		ck_assert_msg(strncmp(entry->d_name, ".env.", 5) != 0,
		    "%s was left behind", entry->d_name);
	closedir(dir);
}

enum fault_kind
rig_run(struct rig *r, const char *verb, const char *tag)
{
	int rc;

	fault_clear(&r->f);
	r->said[0] = '\0';
	stepping = r->fake;
	rc = session_open(&r->s, &r->target, &r->progress, &r->who, verb, &r->f);
	if (rc == 0) {
		rc = run_locked(r, verb, tag);
		session_close(&r->s);
	}
	stepping = NULL;
	check_after(r, rc);
	return r->f.kind;
}

enum fault_kind
rig_deploy(struct rig *r, const char *tag)
{
	return rig_run(r, "deploy", tag);
}

enum fault_kind
rig_recover(struct rig *r)
{
	return rig_run(r, "recover", "");
}

bool
rig_run_killed(struct rig *r, const char *verb, const char *tag, unsigned n)
{
	int status;
	pid_t pid;

	r->fake->steps = 0;
	r->fake->dies_at = n;
	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		(void)rig_run(r, verb, tag);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	r->fake->dies_at = 0;
	ck_assert_msg(WIFEXITED(status) &&
		(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED),
	    "the child ended with %#x", (unsigned)status);
	return WEXITSTATUS(status) == KILLED;
}

/* ---- the state folder ---- */

static int
state(struct rig *r)
{
	struct fault f = { 0 };
	int fd = folder_open(r->target.state, true, &f);

	ck_assert_msg(fd != -1, "%s", f.what);
	return fd;
}

void
rig_plant_journal(struct rig *r, const struct journal *j)
{
	struct fault f = { 0 };
	int fd = state(r);

	ck_assert_msg(journal_write(fd, j, &f) == 0, "%s", f.what);
	close(fd);
}

void
rig_plant_record(struct rig *r, const struct record *record)
{
	struct fault f = { 0 };
	int fd = state(r);

	ck_assert_msg(history_append(fd, record, &f) == 0, "%s", f.what);
	close(fd);
}

bool
rig_journal(struct rig *r, struct journal *j)
{
	struct fault f = { 0 };
	struct journal unused;
	int fd = state(r), rc = journal_read(fd, j == NULL ? &unused : j, &f);

	close(fd);
	ck_assert_msg(rc != -1, "%s", f.what);
	return rc == 1;
}

static bool
collect(void *arg, const struct record *record)
{
	struct rig *r = arg;

	ck_assert_uint_lt(r->records, sizeof(r->history) / sizeof(r->history[0]));
	r->history[r->records++] = *record;
	return true;
}

void
rig_history(struct rig *r)
{
	struct fault f = { 0 };
	struct record swap;
	int fd = state(r);
	size_t i;

	r->records = 0;
	ck_assert_msg(history_walk(fd, collect, r, &f) == 0, "%s", f.what);
	close(fd);
	for (i = 0; i < r->records / 2; i++) {
		swap = r->history[i];
		r->history[i] = r->history[r->records - 1 - i];
		r->history[r->records - 1 - i] = swap;
	}
}

/* ---- what must be so ---- */

void
rig_env_at(struct rig *r, const char *value, const char *file, int line)
{
	char want[512], got[512] = "";
	FILE *fp = fopen(r->target.env_file, "re");

	ck_assert_ptr_nonnull(fp);
	got[fread(got, 1, sizeof(got) - 1, fp)] = '\0';
	fclose(fp);
	snprintf(want, sizeof(want), "%s%s%s", before, value, after);
	ck_assert_msg(strcmp(got, want) == 0, "%s:%d: .env is \"%s\", not with %s; %s",
	    file, line, got, value, r->f.what);
}

void
rig_runs_at(struct rig *r, const char *image, const char *file, int line)
{
	const struct container *c = fake_running(r->fake);
	const char *got = c == NULL ? "" : c->image;

	ck_assert_msg(strcmp(got, image) == 0, "%s:%d: \"%.15s\" runs, not \"%.15s\"; %s",
	    file, line, got, image, r->f.what);
}

void
rig_name_at(struct rig *r, const char *ref, const char *image, const char *file, int line)
{
	const char *got = fake_image_of(r->fake, ref);

	ck_assert_msg(strcmp(got, image) == 0,
	    "%s:%d: %s means \"%.15s\", not \"%.15s\"; %s", file, line, ref, got, image,
	    r->f.what);
}

void
rig_last_at(struct rig *r, enum outcome outcome, int code, const char *file, int line)
{
	const struct record *last;

	rig_history(r);
	ck_assert_msg(r->records > 0, "%s:%d: nothing was recorded", file, line);
	last = &r->history[r->records - 1];
	ck_assert_msg(last->outcome == outcome && last->code == code,
	    "%s:%d: recorded %s, %d; not %s, %d; %s", file, line,
	    outcome_name(last->outcome), last->code, outcome_name(outcome), code,
	    r->f.what);
}

void
rig_kind_at(struct rig *r, enum fault_kind got, enum fault_kind want, const char *file,
    int line)
{
	ck_assert_msg(got == want, "%s:%d: %d, not %d: %s\n%s", file, line, (int)got,
	    (int)want, r->f.what, r->said);
}

void
rig_ids_are_unique(struct rig *r)
{
	size_t i, j;

	rig_history(r);
	for (i = 0; i < r->records; i++)
		for (j = i + 1; j < r->records; j++)
			ck_assert_msg(strcmp(r->history[i].id, r->history[j].id) != 0,
			    "%s is in the history twice", r->history[i].id);
}
