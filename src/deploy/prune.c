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

/* Adds the names below `repository` that are not kept to *all. */
static int
add_others(struct deploy *d, const struct keep *k, const char *repository,
    struct image_name **all, size_t *n_all, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct image_name *list, *grown;
	size_t n, i;

	if (e->names(e, repository, &list, &n, f) == -1)
		return -1;
	grown = reallocarray(*all, *n_all + n + 1, sizeof(**all));
	if (grown == NULL) {
		free(list);
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	}
	*all = grown;
	for (i = 0; i < n; i++)
		if (!list[i].used && !is_kept(k, list[i].image))
			(*all)[(*n_all)++] = list[i];
	free(list);
	return 0;
}

void
prune_repository(const char *ref, char out[REF_MAX])
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
	char repository[REF_MAX], second[REF_MAX];
	struct engine *e = d->s->engine;
	struct image_name *all = NULL;
	struct keep k;
	size_t n = 0;
	int rc = 0;

	if (fill(d, &k, f) == -1)
		return -1;
	prune_repository(d->service.ref, repository);
	deploy_second_names(d, second);
	if (add_others(d, &k, repository, &all, &n, f) == -1 ||
	    add_others(d, &k, second, &all, &n, f) == -1)
		rc = -1;
	else if (n > 0)
		rc = e->unname(e, all, n, f);
	free(all);
	return rc;
}

static int
prune(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (!e->blind && prune_own(d, f) == -1)
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
	return !e->blind && v->image[0] != '\0' &&
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

/* The folders that need space, and the first that is short of it. */
struct space {
	int64_t min;
	char place[PATH_MAX]; /* "" while none is short */
	int64_t free;
};

static void
measure(void *arg, const char *place)
{
	struct space *s = arg;
	int64_t free = folder_free_space(place);

	/* a folder that is not there holds nothing */
	if (s->place[0] != '\0' || free < 0 || free >= s->min)
		return;
	(void)strlcpy(s->place, place, sizeof(s->place));
	s->free = free;
}

static int
measure_all(struct deploy *d, struct space *s, struct fault *f)
{
	struct engine *e = d->s->engine;

	memset(s, 0, sizeof(*s));
	s->min = d->s->target->disk_min;
	measure(s, d->s->target->state);
	return e->blind ? 0 : e->places(e, measure, s, f);
}

int
prune_until_space(struct deploy *d, struct fault *f)
{
	struct fault late = { 0 };
	struct space s;

	if (measure_all(d, &s, f) == -1)
		return -1;
	if (s.place[0] == '\0')
		return 0;
	progress_say(d->s->progress, SAY_WARN, "little space is left: pruning first");
	if (prune(d, &late) == -1)
		progress_say(d->s->progress, SAY_WARN, "not pruned: %s", late.what);
	if (measure_all(d, &s, f) == -1)
		return -1;
	if (s.place[0] == '\0')
		return 0;
	return fault_set(f, FAULT_HOST, "free some, or lower TWILIGHT_DISK_MIN",
	    "%lld MiB are free on the file system of %.200s, %lld MiB are required",
	    (long long)(s.free >> 20), s.place, (long long)(s.min >> 20));
}
