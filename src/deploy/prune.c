/*
 * Space.  Names of this service's repository go, and our second names, but
 * for the running version, the previous one and the newest proven ones; and,
 * unless TWILIGHT_PRUNE=own, dangling images older than a week, anybody's.
 * Names of other repositories are never touched, and nothing is forced:
 * docker keeps an image that a container uses.
 */
#include "deploy/deploy.h"

#include "request/tag.h"
#include "state/folder.h"
#include "state/ledger.h"

#include <bsd/string.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MAX (100 + 2 + GATE_CONTAINERS_MAX) /* TWILIGHT_KEEP is at most 100 */

struct keep {
	char images[KEEP_MAX][IMAGE_ID_MAX];
	size_t n;
};

static void
add(struct keep *k, const char *image)
{
	if (image[0] != '\0' && k->n < KEEP_MAX)
		(void)strlcpy(k->images[k->n++], image, IMAGE_ID_MAX);
}

static bool
is_kept(const struct keep *k, const char *image)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (strcmp(k->images[i], image) == 0)
			return true;
	return false;
}

/* Whatever the ledger says, what the service's containers use stays. */
static int
add_used(struct deploy *d, struct keep *k, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	size_t n, i;

	if (e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	for (i = 0; i < n; i++)
		add(k, list[i].image);
	return 0;
}

static int
fill(struct deploy *d, struct keep *k, struct fault *f)
{
	/* the newest proven one usually runs; the one before is the way back */
	size_t max = d->s->target->keep < 2 ? 2 : (size_t)d->s->target->keep, n, i;
	struct version *list;
	int rc;

	k->n = 0;
	add(k, d->j.from.image);
	add(k, d->j.to.image);
	if (add_used(d, k, f) == -1)
		return -1;
	list = calloc(max, sizeof(*list));
	if (list == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	rc = ledger_proven(d->s->dirfd, false, list, max, &n, f);
	for (i = 0; rc == 0 && i < n; i++)
		add(k, list[i].image);
	free(list);
	return rc;
}

static int
unname_others(struct deploy *d, const struct keep *k, const char *repository,
    struct fault *f)
{
	struct engine *e = d->s->engine;
	struct image_name *list;
	size_t n, i;

	if (e->names(e, repository, &list, &n, f) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		struct fault in_use = { 0 };

		if (!list[i].used && !is_kept(k, list[i].image))
			(void)!e->unname(e, list[i].ref, &in_use);
	}
	free(list);
	return 0;
}

/* "127.0.0.1:5000/demo:v1" to "127.0.0.1:5000/demo" */
static void
repository_of(const char *ref, char out[REF_MAX])
{
	char *slash, *colon;

	(void)strlcpy(out, ref, REF_MAX);
	out[strcspn(out, "@")] = '\0';
	slash = strrchr(out, '/');
	colon = strrchr(slash == NULL ? out : slash, ':');
	if (colon != NULL)
		*colon = '\0';
}

static int
prune_own(struct deploy *d, struct fault *f)
{
	char repository[REF_MAX];
	struct keep k;

	if (fill(d, &k, f) == -1)
		return -1;
	repository_of(d->service.ref, repository);
	if (unname_others(d, &k, repository, f) == -1)
		return -1;
	deploy_second_names(d, repository);
	return unname_others(d, &k, repository, f);
}

static int
prune(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (!e->silent && prune_own(d, f) == -1)
		return -1;
	return strcmp(d->s->target->prune, "all") == 0 ? e->prune(e, f) : 0;
}

/* Releases, for they are never used again; and what can be gone back to. */
static bool
worth_a_record(void *arg, const struct version *v)
{
	struct deploy *d = arg;
	struct engine *e = d->s->engine;
	struct fault f = { 0 };
	char id[IMAGE_ID_MAX];

	if (tag_is_release(v->tag))
		return true;
	/* an engine that does not answer has not said that it is gone */
	return !e->silent && v->image[0] != '\0' &&
	    (e->image(e, v->image, id, &f) == -1 || id[0] != '\0');
}

void
prune_history(struct deploy *d)
{
	struct fault f = { 0 };

	if (ledger_trim(d->s->dirfd, worth_a_record, d, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "history not trimmed: %s", f.what);
}

void
prune_after(struct deploy *d)
{
	struct fault f = { 0 };

	if (prune(d, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "not pruned: %s", f.what);
	prune_history(d);
}

/* The first place that is short of space, with what it has; NULL when none. */
static const char *
short_place(const struct deploy *d, const char *root, int64_t *space)
{
	const char *places[2] = { d->s->target->state, root };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (places[i][0] == '\0')
			continue;
		*space = folder_free_space(places[i]);
		if (*space >= 0 && *space < d->s->target->disk_min)
			return places[i];
	}
	return NULL;
}

int
prune_until_space(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	char root[PATH_MAX] = "";
	struct fault late = { 0 };
	const char *place;
	int64_t space;

	if (!e->silent && e->root(e, root, sizeof(root), f) == -1)
		return -1;
	if (short_place(d, root, &space) == NULL)
		return 0;
	progress_say(d->s->progress, SAY_WARN, "little space is left: pruning first");
	if (prune(d, &late) == -1)
		progress_say(d->s->progress, SAY_WARN, "not pruned: %s", late.what);
	place = short_place(d, root, &space);
	if (place == NULL)
		return 0;
	return fault_set(f, FAULT_HOST, "free some, or lower TWILIGHT_DISK_MIN",
	    "%lld MiB are free on the file system of %.200s, %lld MiB are asked for",
	    (long long)(space >> 20), place, (long long)(d->s->target->disk_min >> 20));
}
