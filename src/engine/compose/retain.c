/*
 * MUST: remove only names of the services' repositories and retention tags.
 * MUST NOT: remove by force: docker keeps an image that a container uses.
 */
#include "engine/compose/retain.h"

#include "engine/compose/containers.h"
#include "engine/compose/images.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names to be removed, as far as they were collected. */
struct doomed {
	const struct release *keep;
	size_t n_keep;
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

/* "twilight-deploy/PROJECT-SERVICE": the project tells targets apart on one engine. */
static void
retention_repository(const struct compose *c, const char *service,
    char out[REFERENCE_MAX])
{
	char *p;

	snprintf(out, REFERENCE_MAX, "twilight-deploy/%s-%s", c->project, service);
	/* a repository is lower case, and does not end in a separator */
	for (p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_' || *p == '.')
			*p = '-';
	while (p[-1] == '-')
		*--p = '\0';
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
	retention_repository(c, p->service, repository);
	/* all digits of the id: two images must never share a tag */
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
is_kept(const struct doomed *d, const char *id)
{
	size_t i, j;

	for (i = 0; i < d->n_keep; i++)
		for (j = 0; j < d->keep[i].n; j++)
			if (strcmp(d->keep[i].part[j].revision, id) == 0)
				return true;
	return false;
}

static bool
is_run(const struct instance *list, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].revision, id) == 0)
			return true;
	return false;
}

/* Adds the names below `repository` that nothing needs. */
static int
collect(struct compose *c, struct doomed *d, const char *service, const char *repository,
    struct fault *f)
{
	struct instance run[CONTAINERS_MAX];
	struct image_name *list, *grown;
	size_t n, n_run, i;

	/* whatever the history says, what the service's containers use stays */
	if (containers_list(c, service, run, &n_run, f) == -1 ||
	    images_names(c, repository, &list, &n, f) == -1)
		return -1;
	grown = reallocarray(d->list, d->n + n + 1, sizeof(*grown));
	if (grown == NULL) {
		free(list);
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	}
	d->list = grown;
	for (i = 0; i < n; i++)
		if (!list[i].used && !is_kept(d, list[i].id) &&
		    !is_run(run, n_run, list[i].id))
			d->list[d->n++] = list[i];
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

static int
collect_service(struct compose *c, struct doomed *d, size_t i, struct fault *f)
{
	const char *service = c->docker.target->service[i].name;
	char repository[REFERENCE_MAX];

	retain_repository(c->resolved[i].reference, repository);
	if (!is_repeated(c, i) && collect(c, d, service, repository, f) == -1)
		return -1;
	retention_repository(c, service, repository);
	return collect(c, d, service, repository, f);
}

int
retain_prune(struct engine *e, const struct release *keep, size_t n, struct fault *f)
{
	struct compose *c = e->self;
	struct doomed d = { .keep = keep, .n_keep = n };
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < c->docker.target->n_services; i++)
		rc = collect_service(c, &d, i, f);
	if (rc == 0 && d.n > 0)
		rc = images_untag(c, d.list, d.n, f);
	free(d.list);
	return rc == 0 ? docker_prune(&c->docker, f) : -1;
}
