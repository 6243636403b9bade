/*
 * MUST: remove only retention tags of the target, and names of images that have one:
 *       another target, or a person, may have others in the same repository.
 * MUST NOT: remove by force: docker keeps an image that a container uses.
 */
#include "engine/compose/retain.h"

#include "engine/compose/containers.h"
#include "engine/compose/images.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where retention tags are; the older ones are only removed. */
enum retention { RETENTION_OLD = '-', RETENTION = '.' };

/* The names to remove, and what they are compared with. */
struct unneeded {
	const struct release *keep;
	size_t n_keep;
	struct instance run[SERVICES_MAX * CONTAINERS_MAX]; /* containers of the target */
	size_t n_run;
	struct image_name *list;
	size_t n;
};

void
retain_repository(const char *reference, char out[REFERENCE_MAX])
{
	char *slash, *colon;

	(void)strlcpy(out, reference, REFERENCE_MAX);
	out[strcspn(out, "@")] = '\0';
	slash = strrchr(out, '/');
	colon = strrchr(slash == NULL ? out : slash, ':');
	if (colon != NULL)
		*colon = '\0';
}

/* A path of a repository has no capitals, and separators only between other letters. */
static void
fold_name(char *out, size_t size, const char *name)
{
	char *p;

	(void)strlcpy(out, name + strspn(name, "-_."), size);
	for (p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_' || *p == '.')
			*p = '-';
	while (p > out && p[-1] == '-')
		*--p = '\0';
}

/*
 * "twilight-deploy/PROJECT.SERVICE".  The project tells targets of one engine apart;
 * neither name has a '.' once it is folded.
 */
static void
retention_repository(const struct compose *c, const char *service, enum retention which,
    char out[REFERENCE_MAX])
{
	char project[sizeof(c->project)], folded[SERVICE_MAX];

	fold_name(project, sizeof(project), c->project);
	fold_name(folded, sizeof(folded), service);
	snprintf(out, REFERENCE_MAX, "twilight-deploy/%s%c%s", project, (char)which,
	    folded);
}

static int
retain_part(struct compose *c, const struct part *p, struct fault *f)
{
	const char *colon = strchr(p->revision, ':');
	char repository[REFERENCE_MAX], reference[REFERENCE_MAX + REVISION_MAX];
	char here[REVISION_MAX];

	if (images_id(c, p->revision, here, f) == -1)
		return -1;
	if (here[0] == '\0')
		return 0;
	retention_repository(c, p->service, RETENTION, repository);
	/* the whole id: two images must not share a tag */
	snprintf(reference, sizeof(reference), "%s:%.128s", repository,
	    colon == NULL ? p->revision : colon + 1);
	return images_tag(c, p->revision, reference, f);
}

int
retain_release(struct engine *e, const struct release *r, struct fault *f)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (retain_part(e->self, &r->part[i], f) == -1)
			return -1;
	return 0;
}

int
retain_available(struct engine *e, const struct release *r, bool *all, struct fault *f)
{
	char here[REVISION_MAX];
	size_t i;

	*all = r->n > 0;
	for (i = 0; *all && i < r->n; i++) {
		if (images_id(e->self, r->part[i].revision, here, f) == -1)
			return -1;
		*all = here[0] != '\0';
	}
	return 0;
}

static bool
is_needed(const struct unneeded *u, const char *id)
{
	size_t i, j;

	for (i = 0; i < u->n_keep; i++)
		for (j = 0; j < u->keep[i].n; j++)
			if (strcmp(u->keep[i].part[j].revision, id) == 0)
				return true;
	for (i = 0; i < u->n_run; i++)
		if (strcmp(u->run[i].revision, id) == 0)
			return true;
	return false;
}

/* Has one of the first `n` names this id? */
static bool
is_listed_id(const struct unneeded *u, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(u->list[i].id, id) == 0)
			return true;
	return false;
}

/* Adds the unneeded names of `repository`; `retained`: of these images only. */
static int
collect_names(struct compose *c, struct unneeded *u, const char *repository,
    const size_t *retained, struct fault *f)
{
	struct image_name *list, *grown;
	size_t n, i;

	if (repository[0] == '\0')
		return 0;
	if (images_names(c, repository, &list, &n, f) == -1)
		return -1;
	grown = reallocarray(u->list, u->n + n + 1, sizeof(*grown));
	if (grown == NULL) {
		free(list);
		return fault_memory(f);
	}
	u->list = grown;
	for (i = 0; i < n; i++)
		if (!list[i].used && !is_needed(u, list[i].id) &&
		    (retained == NULL || is_listed_id(u, *retained, list[i].id)))
			u->list[u->n++] = list[i];
	free(list);
	return 0;
}

/* Has an earlier service of the target the same repository? */
static bool
is_repeated(const struct compose *c, size_t service)
{
	char mine[REFERENCE_MAX], other[REFERENCE_MAX];
	size_t i;

	retain_repository(c->resolved[service].reference, mine);
	for (i = 0; i < service; i++) {
		retain_repository(c->resolved[i].reference, other);
		if (strcmp(mine, other) == 0)
			return true;
	}
	return false;
}

/* Retention tags first: they tell which images are the target's. */
static int
collect_target(struct compose *c, struct unneeded *u, struct fault *f)
{
	const struct target *t = c->docker.target;
	char repository[REFERENCE_MAX];
	size_t i, n, retained;

	for (i = 0; i < t->n_services; i++) {
		if (containers_list(c, t->service[i].name, u->run + u->n_run, &n, f) ==
		    -1)
			return -1;
		u->n_run += n;
	}
	for (i = 0; i < 2 * t->n_services; i++) {
		retention_repository(c, t->service[i / 2].name,
		    i % 2 == 0 ? RETENTION : RETENTION_OLD, repository);
		if (collect_names(c, u, repository, NULL, f) == -1)
			return -1;
	}
	for (retained = u->n, i = 0; i < t->n_services; i++) {
		retain_repository(c->resolved[i].reference, repository);
		if (!is_repeated(c, i) &&
		    collect_names(c, u, repository, &retained, f) == -1)
			return -1;
	}
	return 0;
}

int
retain_prune(struct engine *e, const struct release *keep, size_t n, struct fault *f)
{
	struct compose *c = e->self;
	struct unneeded *u = calloc(1, sizeof(*u));
	int rc;

	if (u == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	u->keep = keep;
	u->n_keep = n;
	rc = collect_target(c, u, f);
	if (rc == 0 && u->n > 0)
		rc = images_untag(c, u->list, u->n, f);
	free(u->list);
	free(u);
	return rc == 0 ? docker_prune(&c->docker, f) : -1;
}
