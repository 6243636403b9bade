/*
 * Where a rollback goes: to the newest known-good release whose revisions are on this
 * host and which does not run now.  No registry is needed.
 */
#include "deploy/internal.h"

#include "state/ledger.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

/* All that a history may hold. */
#define LOOK_BACK (2 * LEDGER_KEEP)

const char *
choose_parts(const struct target *t, struct release *r)
{
	const struct part *p;
	struct release was;
	size_t i;

	release_name_parts(r, t->service[0].name);
	was = *r;
	for (i = 0; i < t->n_services; i++) {
		p = release_part(&was, t->service[i].name);
		if (p == NULL)
			return t->service[i].name;
		r->part[i] = *p;
	}
	r->n = t->n_services;
	return NULL;
}

static bool
is_candidate(const struct deploy *d, struct release *r)
{
	if (r->n != d->s->target->n_services || choose_parts(d->s->target, r) != NULL)
		return false;
	return d->wish[0] != '\0' ? strcmp(r->tag, d->wish) == 0
				  : !release_same(r, &d->j.from);
}

static int
choose(struct deploy *d, struct release *list, size_t n, struct fault *f)
{
	struct engine *e = d->s->engine;
	bool here;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_candidate(d, &list[i]))
			continue;
		here = !e->observes;
		if (!here && e->available(e, &list[i], &here, f) == -1)
			return -1;
		if (here) {
			d->j.to = list[i];
			return 0;
		}
	}
	return fault_set(f, FAULT_REFUSED,
	    "`history` shows what was deployed; `deploy TAG` pulls it",
	    d->wish[0] == '\0'
		? "no known-good version to roll back to"
		: "no known-good version to roll back to: %s was never healthy here, or its image is gone",
	    d->wish);
}

int
choose_release(struct deploy *d, struct fault *f)
{
	struct release *list = calloc(LOOK_BACK, sizeof(*list));
	size_t n;
	int rc;

	if (list == NULL)
		return fault_memory(f);
	/* a release that is named may have failed since its last success */
	rc = ledger_good(d->s->dirfd, d->wish[0] != '\0', list, LOOK_BACK, &n, f);
	if (rc == 0)
		rc = choose(d, list, n, f);
	free(list);
	return rc;
}
