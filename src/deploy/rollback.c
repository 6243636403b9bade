/*
 * `rollback`: to the newest version that was proven here, whose image is
 * still on this host, that does not run now, and that nobody rolled back from
 * since its last success.  By image id: no registry is needed.
 */
#include "deploy/deploy.h"

#include "state/ledger.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

/* How many proven versions are considered: all that a history may hold. */
#define LOOK_BACK (2 * LEDGER_KEEP)

struct wish {
	const char *tag;         /* "" for any */
	const char *running;     /* the image that is not to be chosen */
	const char *running_tag; /* where no image is known */
};

static bool
is_candidate(const struct wish *w, const struct version *v)
{
	if (w->tag[0] != '\0')
		return strcmp(v->tag, w->tag) == 0;
	if (v->image[0] == '\0' || w->running[0] == '\0')
		return strcmp(v->tag, w->running_tag) != 0;
	return strcmp(v->image, w->running) != 0;
}

/* Is its image on this host?  A blind engine is taken at its word. */
static int
is_here(struct engine *e, const struct version *v, bool *here, struct fault *f)
{
	char id[IMAGE_ID_MAX] = "";

	if (!e->blind && v->image[0] != '\0' && e->image(e, v->image, id, f) == -1)
		return -1;
	*here = e->blind || id[0] != '\0';
	return 0;
}

static int
choose(struct deploy *d, const struct wish *wish, const struct version *list, size_t n,
    struct fault *f)
{
	const char *tag = wish->tag;
	bool here;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_candidate(wish, &list[i]))
			continue;
		if (is_here(d->s->engine, &list[i], &here, f) == -1)
			return -1;
		if (here) {
			d->j.to = list[i];
			return 0;
		}
	}
	return fault_set(f, FAULT_REFUSED,
	    "`history` shows what was; `deploy TAG` pulls it",
	    tag[0] == '\0'
		? "no proven version to go to"
		: "no proven version to go to: %s was never healthy here, or its image is gone",
	    tag);
}

/* The newest proven version that fits and whose image is on this host. */
static int
choose_proven(struct deploy *d, const char *tag, struct fault *f)
{
	const struct wish wish = { tag, d->j.from.image, d->j.from.tag };
	struct version *list = calloc(LOOK_BACK, sizeof(*list));
	size_t n;
	int rc;

	if (list == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	/* who names a version may also go to one that was left */
	rc = ledger_proven(d->s->dirfd, tag[0] != '\0', list, LOOK_BACK, &n, f);
	if (rc == 0)
		rc = choose(d, &wish, list, n, f);
	free(list);
	return rc;
}

int
rollback_name(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;

	if (e->blind || strcmp(d->j.displaced, d->j.to.image) == 0)
		return 0;
	return e->name(e, d->j.to.image, d->j.to.ref, f);
}

static int
rollback_steps(struct deploy *d, const char *tag, struct fault *f)
{
	struct session *s = d->s;

	if (deploy_read(d, f) == -1)
		return -1;
	/* what runs must be known before it is known where to go */
	(void)strlcpy(d->j.to.tag, d->env.value, sizeof(d->j.to.tag));
	if (deploy_describe(d, f) == -1 || deploy_snapshot(d, f) == -1 ||
	    choose_proven(d, tag, f) == -1 || deploy_describe(d, f) == -1)
		return -1;
	progress_say(s->progress, SAY_RESULT, "running:         %s",
	    d->j.from.tag[0] == '\0' ? "nothing" : d->j.from.tag);
	progress_say(s->progress, SAY_RESULT, "rolling back to: %s", d->j.to.tag);
	d->j.step = JOURNAL_SWAP;
	if (deploy_resolve(d, d->j.displaced, f) == -1 || deploy_stopped(f) == -1 ||
	    journal_write(s->dirfd, &d->j, f) == -1)
		return -1;
	if (rollback_name(d, f) == -1)
		return restore_names_only(d, f);
	return deploy_forward(d, f);
}

int
rollback_run(struct session *s, const char *tag, struct fault *f)
{
	struct deploy d;
	int rc;

	deploy_begin(&d, s, "rollback");
	rc = rollback_steps(&d, tag, f);
	envfile_free(&d.env);
	return rc;
}
