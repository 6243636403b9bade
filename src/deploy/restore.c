/*
 * The way back.  It restores what ran, not what .env said: the old value into
 * .env (other edits of the file survive), the old name back on the old image
 * (which is what makes latest -> latest roll back), `up`, and the same gate.
 *
 * MUST: once ROLLBACK is in the journal nothing goes forward again.
 * MUST NOT: need a registry.
 * MUST NOT: be stopped by a signal.
 */
#include "deploy/deploy.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* Gives `why` this kind, and appends what follows from it. */
static int
conclude(struct fault *why, enum fault_kind kind, const char *next, const char *fmt, ...)
{
	char what[sizeof(why->what)];
	va_list ap;
	int n;

	n = snprintf(what, sizeof(what), "not deployed: %.300s; ", why->what);
	va_start(ap, fmt);
	vsnprintf(what + n, sizeof(what) - (size_t)n, fmt, ap);
	va_end(ap);
	fault_clear(why);
	return fault_set(why, kind, next, "%s", what);
}

int
deploy_name_again(struct deploy *d, const char *image, const char *ref, struct fault *f)
{
	struct engine *e = d->s->engine;
	char now[IMAGE_ID_MAX], here[IMAGE_ID_MAX];

	if (e->blind || image[0] == '\0' || ref[0] == '\0')
		return 0;
	if (e->image(e, ref, now, f) == -1)
		return -1;
	if (strcmp(now, image) == 0)
		return 0;
	if (e->image(e, image, here, f) == -1)
		return -1;
	if (here[0] == '\0' || e->name(e, image, ref, f) == 0)
		return 0;
	f->kind = FAULT_HOST;
	return -1;
}

/*
 * The reference that compose resolves for the old version: where the repository
 * of the compose file has changed since, it is not the one that its container
 * was created from.
 */
static int
old_reference(struct deploy *d, char ref[REF_MAX], struct fault *f)
{
	const struct journal *j = &d->j;
	char old[REF_MAX], new[REF_MAX];
	struct engine *e = d->s->engine;
	struct service service;

	(void)strlcpy(ref, j->from.ref, REF_MAX);
	prune_repository(j->from.ref, old);
	prune_repository(j->to.ref, new);
	if (e->blind || old[0] == '\0' || new[0] == '\0' || strcmp(old, new) == 0)
		return 0;
	if (e->describe(e, j->from.tag, &service, f) == -1)
		return -1;
	(void)strlcpy(ref, service.ref, REF_MAX);
	return 0;
}

/* The name of what ran, and the name that a pull moved, if that is another. */
static int
restore_names(struct deploy *d, struct fault *f)
{
	const struct journal *j = &d->j;
	char ref[REF_MAX];

	if (old_reference(d, ref, f) == -1 ||
	    deploy_name_again(d, j->from.image, ref, f) == -1)
		return -1;
	if (strcmp(j->to.ref, ref) == 0)
		return 0;
	return deploy_name_again(d, j->displaced, j->to.ref, f);
}

/*
 * .env, read afresh: what a person wrote into it since stays.  Another value
 * than ours means that a person decided on the version too.
 */
static int
restore_value(struct deploy *d, struct fault *f)
{
	struct session *s = d->s;

	envfile_free(&d->env);
	if (envfile_read(&d->env, s->target->env_file, TARGET_VARIABLE, f) == -1)
		return -1;
	if (strcmp(d->env.value, d->j.old_value) == 0)
		return 0;
	if (strcmp(d->env.value, d->j.to.tag) != 0) {
		progress_say(s->progress, SAY_WARN,
		    "somebody wrote %s into .env meanwhile: it is left", d->env.value);
		return 0;
	}
	return envfile_replace(&d->env, d->j.old_value, d->j.id, f);
}

/* The record, then the journal; where the disk refuses, the journal stays. */
static void
close_journal(struct deploy *d, enum outcome outcome, const struct fault *why)
{
	struct fault late = { 0 };

	if (deploy_record(d, outcome, why, &late) == -1 ||
	    journal_clear(d->s->dirfd, &late) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s; %s", late.what, late.next);
	else
		prune_history(d);
}

/* Does what served before still run?  Nothing that did not has to. */
static int
still_serves(struct deploy *d, bool *serves, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct container now;

	*serves = e->blind || !d->j.served || d->j.container[0] == '\0';
	if (*serves)
		return 0;
	if (e->inspect(e, d->j.container, &now, f) == -1)
		return -1;
	*serves = now.state == CONTAINER_RUNNING;
	return 0;
}

/* A docker call that could not be ended may still move what is put back here. */
static int
settle(struct deploy *d, struct fault *f)
{
	return d->s->engine->settle(d->s->engine, f);
}

int
restore_names_only(struct deploy *d, struct fault *why)
{
	struct fault f = { 0 };
	bool serves;

	if (settle(d, &f) == -1 || restore_value(d, &f) == -1 ||
	    restore_names(d, &f) == -1 || still_serves(d, &serves, &f) == -1) {
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
		/* the journal stays: the next request tries again */
		return conclude(why, FAULT_UNVERIFIED, "fix this, then run `recover`",
		    "the previous state could not be restored: %.120s", f.what);
	}
	if (!serves) {
		progress_say(d->s->progress, SAY_WARN,
		    "the container of %s has ended meanwhile: starting it again",
		    d->j.from.tag);
		return restore_all(d, why);
	}
	conclude(why, FAULT_FAILED, "fix the cause, then deploy again",
	    "nothing was changed, %s",
	    d->j.served ? "what ran runs as before" : "nothing ran before either");
	close_journal(d, OUTCOME_PUT_BACK, why);
	return -1;
}

/* Is there a container of the service that runs? */
static bool
something_runs(struct deploy *d)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	struct fault f = { 0 };
	size_t n, i;

	if (e->blind || e->containers(e, list, GATE_CONTAINERS_MAX, &n, &f) == -1)
		return e->blind;
	for (i = 0; i < n; i++)
		if (list[i].state == CONTAINER_RUNNING)
			return true;
	return false;
}

/* A second `up` heals what a first one that was cut short left behind. */
static int
up_again(struct deploy *d, const char *tag, struct fault *f)
{
	struct fault first = { 0 };

	d->leftovers = true; /* compose may have left some just now */
	if (deploy_up(d, tag, &first) == 0 && something_runs(d))
		return 0;
	if (first.what[0] != '\0')
		progress_say(d->s->progress, SAY_WARN, "%s; once more", first.what);
	d->leftovers = true;
	return deploy_up(d, tag, f);
}

static int
bring_back_container(struct deploy *d, struct fault *f)
{
	if (restore_names(d, f) == -1)
		return -1;
	/*
	 * An `up` that failed may have left the old container as it was: the
	 * gate tells, where the engine can be asked and does tell.
	 */
	if (up_again(d, d->j.from.tag, f) == -1) {
		if (d->s->engine->blind || f->kind == FAULT_HOST)
			return -1;
		progress_say(d->s->progress, SAY_WARN, "%s", f->what);
		fault_clear(f);
	}
	return deploy_gate(d, d->j.from.image, false, f);
}

/*
 * Where .env cannot be written (a full disk) the old version is started all
 * the same: it is named by the environment.  Then .env lies, so whatever came
 * of it counts as not verified, and the journal stays for the next try.
 */
static int
bring_back(struct deploy *d, struct fault *f)
{
	struct fault value = { 0 };
	int rc = restore_value(d, &value);

	if (rc == 0)
		return bring_back_container(d, f);
	progress_say(d->s->progress, SAY_WARN, "%s", value.what);
	if (bring_back_container(d, f) == -1) {
		f->kind = FAULT_HOST;
		return -1;
	}
	return fault_set(f, FAULT_HOST, NULL, "%.60s runs and is healthy, but %.300s",
	    d->j.from.tag, value.what);
}

/* A first deploy: what it made goes; what .env named before may be tried. */
static int
remove_made(struct deploy *d, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	size_t n, i;

	if (restore_value(d, f) == -1 || restore_names(d, f) == -1 ||
	    e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (e->remove(e, list[i].id, f) == -1)
			return -1;
	return 0;
}

static int
bring_old_value(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	char id[IMAGE_ID_MAX];
	struct service old;

	if (remove_made(d, f) == -1)
		return -1;
	if (strcmp(d->j.old_value, d->j.to.tag) == 0 ||
	    e->describe(e, d->j.old_value, &old, f) == -1 ||
	    e->image(e, old.ref, id, f) == -1 || id[0] == '\0')
		return fault_set(f, FAULT_FAILED, NULL, "nothing serves");
	(void)strlcpy(d->j.from.tag, d->j.old_value, sizeof(d->j.from.tag));
	if (up_again(d, d->j.old_value, f) == -1)
		return -1;
	return deploy_gate(d, id, false, f);
}

int
deploy_unanswered(struct deploy *d, struct fault *why)
{
	char what[sizeof(why->what)];

	(void)strlcpy(what, why->what, sizeof(what));
	fault_clear(why);
	return fault_set(why, FAULT_UNVERIFIED, "run `recover` when the engine answers",
	    "%s was started, but could not be verified: %.300s", d->j.to.tag, what);
}

int
restore_all(struct deploy *d, struct fault *why)
{
	bool first = d->j.container[0] == '\0' && !d->j.blind;
	struct fault f = { 0 };
	unsigned tries = d->gate.tries;
	int rc;

	d->j.step = JOURNAL_ROLLBACK;
	/* without the word on disk the next run decides by what it finds */
	if (journal_write(d->s->dirfd, &d->j, &f) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", f.what);
	fault_clear(&f);
	rc = settle(d, &f);
	if (rc == 0)
		rc = first ? bring_old_value(d, &f) : bring_back(d, &f);
	if (rc == 0) {
		conclude(why, FAULT_FAILED,
		    "see the lines above; fix the cause, then deploy again",
		    "rolled back, %s serves and is healthy", d->j.from.tag);
		d->gate.tries = tries;
		close_journal(d, OUTCOME_ROLLED_BACK, why);
		return -1;
	}
	conclude(why, FAULT_UNVERIFIED, "look now: `status`, docker ps, docker logs",
	    "and %s could not be verified: %.160s",
	    d->j.from.tag[0] == '\0' ? "the previous version" : d->j.from.tag, f.what);
	/* an engine that cannot be asked, a disk that is full: try again later */
	if (f.kind == FAULT_HOST)
		return -1;
	close_journal(d, OUTCOME_UNVERIFIED, why);
	return -1;
}
