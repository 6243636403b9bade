/*
 * Makes a release the desired and the running one: the value in .env, the references of
 * its images, `up`.
 *
 * MUST NOT: need a registry.
 * MUST: start a release that is reverted to even if .env cannot be written.
 */
#include "engine/compose/compose.h"
#include "engine/compose/containers.h"
#include "engine/compose/images.h"
#include "sys/deadline.h"
#include "sys/signals.h"

#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LOCK_PAUSE_US (20 * 1000)

/* Did compose create it and not rename it: "0123456789ab_NAME" (convergence.go)? */
static bool
is_half_made(const struct instance *i)
{
	return i->state == INSTANCE_CREATED &&
	    strspn(i->name, "0123456789abcdef") == 12 && i->name[12] == '_';
}

static bool
is_any(const struct instance *i)
{
	(void)i;
	return true;
}

/* Removes the containers of the service for which `which` is true. */
static int
remove_containers(struct compose *c, const char *service,
    bool (*which)(const struct instance *), struct fault *f)
{
	struct instance list[CONTAINERS_MAX];
	size_t n, i;

	if (containers_list(c, service, list, &n, f) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		const char *const argv[] = { "docker", "rm", "-f", list[i].id, NULL };

		if (which(&list[i]) &&
		    docker_detach(&c->docker, argv, "rm", c->docker.target->call_limit,
			false, f) == -1)
			return -1;
	}
	return 0;
}

/* What compose resolved for a service; NULL: the target has no such service. */
static const struct resolved *
resolved_of(const struct compose *c, const char *service)
{
	const struct target *t = c->docker.target;
	size_t i;

	for (i = 0; i < t->n_services; i++)
		if (strcmp(t->service[i].name, service) == 0)
			return &c->resolved[i];
	return NULL;
}

/* Tags the images as compose will ask for them, and removes half-made containers. */
static int
prepare_start(struct compose *c, const struct release *r, bool sweep, struct fault *f)
{
	const struct resolved *resolved;
	const struct part *p;
	size_t i;

	for (i = 0; i < r->n; i++) {
		p = &r->part[i];
		resolved = resolved_of(c, p->service);
		if (resolved == NULL)
			return fault_set(f, FAULT_HOST,
			    "add it to `services`, then run `recover`",
			    "%s has service %s, and the target has not", r->tag,
			    p->service);
		if (images_tag_again(c, p->revision, resolved->reference, f) == -1)
			return -1;
		if (p->revision[0] == '\0' &&
		    remove_containers(c, p->service, is_any, f) == -1)
			return -1;
		if (sweep && remove_containers(c, p->service, is_half_made, f) == -1)
			return -1;
	}
	return 0;
}

/* Sets UP_DEPENDS if something that the services depend on does not run. */
static int
depends_flag(struct compose *c, unsigned *flags, struct fault *f)
{
	size_t i;
	bool all;

	for (i = 0; i < c->docker.target->n_services; i++) {
		if (containers_depends_run(c, &c->resolved[i], &all, f) == -1)
			return -1;
		if (!all)
			*flags |= UP_DEPENDS;
	}
	return 0;
}

static int
start_once(struct compose *c, const struct release *r, unsigned how, struct fault *f)
{
	const char *services[SERVICES_MAX + 1] = { NULL };
	bool sweep = c->cut || (how & APPLY_RESUMED) != 0;
	unsigned flags = sweep ? UP_RECREATE : 0;
	size_t i, n = 0;

	if (prepare_start(c, r, sweep, f) == -1)
		return -1;
	if ((how & (APPLY_RESUMED | APPLY_BOOT)) != 0 && depends_flag(c, &flags, f) == -1)
		return -1;
	for (i = 0; i < r->n; i++)
		if (r->part[i].revision[0] != '\0')
			services[n++] = r->part[i].service;
	if (n == 0)
		return 0;
	/*
	 * An `up` that does not finish may have told the engine to stop a container,
	 * which runs for some more seconds.  So the next `up` recreates what runs.
	 */
	c->cut = true;
	if (docker_up(&c->docker, r->tag, services, flags, f) == -1)
		return -1;
	c->cut = false;
	return 0;
}

/* Which services that ran before do not run? */
static int
find_stopped(struct compose *c, const struct release *r, struct release *stopped,
    struct fault *f)
{
	struct instance list[CONTAINERS_MAX];
	size_t n, i, j;

	*stopped = *r;
	stopped->n = 0;
	for (i = 0; i < r->n; i++) {
		if (!r->part[i].served)
			continue;
		if (containers_list(c, r->part[i].service, list, &n, f) == -1)
			return -1;
		for (j = 0; j < n && list[j].state != INSTANCE_RUNNING; j++)
			continue;
		if (j == n)
			stopped->part[stopped->n++] = r->part[i];
	}
	return 0;
}

/* A second `up` repairs what an interrupted one left. */
static int
start_again(struct compose *c, const struct release *r, unsigned how, struct fault *f)
{
	struct release stopped = *r;

	if (start_once(c, r, how, f) == 0) {
		if (find_stopped(c, r, &stopped, f) == -1)
			stopped = *r;
		if (stopped.n == 0)
			return 0;
	} else if (f->kind == FAULT_HOST)
		return -1;
	if (f->what[0] != '\0')
		progress_say(c->docker.progress, SAY_WARN, "%s; trying again", f->what);
	fault_clear(f);
	c->cut = true;
	return start_once(c, &stopped, how, f);
}

static int
describe_release(struct compose *c, const struct release *r, struct fault *f)
{
	char value[DESIRED_MAX];

	if (target_value(c->docker.target, r->tag, value, f) == -1)
		return -1;
	return strcmp(value, c->described) == 0 ? 0 : compose_describe(c, value, f);
}

static bool
nothing_ran(const struct release *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->part[i].revision[0] != '\0')
			return false;
	return true;
}

/*
 * Compose creates the networks of a project if it does not find them.  Two first `up` at the
 * same time, of two targets, can each create one; after that no `up` starts a container
 * ("network NAME is ambiguous", engine 20.10).  So a first one holds flock(2) on the folder
 * of the compose file; an `up` that outlives this process does not.  FAULT_HOST if another
 * holds it for too long.
 */
static int
start_first(struct compose *c, const struct release *r, unsigned how, struct fault *f)
{
	const struct target *t = c->docker.target;
	int64_t deadline = deadline_in(t->up_limit);
	int fd = open(t->compose_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	bool said = false;

	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK) {
		if (!said)
			progress_say(c->docker.progress, SAY_NOTE,
			    "waiting for the first start of another target");
		said = true;
		if (signals_stop() != 0 || deadline_left(deadline) == 0) {
			rc = fault_set(f, FAULT_HOST, "deploy again when it has ended",
			    "another target of %s is started for the first time",
			    t->compose_dir);
			break;
		}
		usleep(LOCK_PAUSE_US);
	}
	if (rc == 0)
		rc = start_once(c, r, how, f);
	if (fd != -1)
		close(fd);
	return rc;
}

int
compose_apply(struct engine *e, const struct release *r, const struct release *over,
    unsigned how, struct fault *f)
{
	bool revert = (how & APPLY_REVERT) != 0;
	struct compose *c = e->self;

	if (docker_desire_release(&c->docker, r, over, revert, f) == -1)
		return -1;
	/* without a tag nothing ran before: all services are removed */
	if (r->tag[0] != '\0' && describe_release(c, r, f) == -1)
		return -1;
	if (revert)
		return start_again(c, r, how, f);
	return nothing_ran(over) ? start_first(c, r, how, f) : start_once(c, r, how, f);
}
