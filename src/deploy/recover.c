#include "deploy/recover.h"

#include "deploy/deploy.h"

#include <string.h>

/* What is there now, as far as it is known. */
struct found {
	bool old_value, new_value; /* of .env; both where they are the same */
	bool old_runs; /* the recorded container; on a first deploy: nothing does */
	bool new_runs; /* a container of the new image */
	bool replaced; /* the recorded one is gone, and another is there */
};

static int
look_at_containers(struct deploy *d, struct found *found, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = d->s->engine;
	size_t n, i;
	bool all;

	if (e->blind)
		return 0;
	if (e->describe(e, d->j.to.tag, &d->service, f) == -1 ||
	    e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1 ||
	    e->depends_run(e, &d->service, &all, f) == -1)
		return -1;
	/* after a boot what the service depends on may be down */
	d->with_depends = !all;
	d->leftovers = true;
	d->recreate = d->j.step != JOURNAL_PULL;
	found->old_runs = n == 0 && d->j.container[0] == '\0';
	found->replaced = n > 0 && d->j.container[0] != '\0';
	for (i = 0; i < n; i++) {
		if (strcmp(list[i].id, d->j.container) == 0)
			found->replaced = false;
		if (list[i].state != CONTAINER_RUNNING)
			continue;
		if (strcmp(list[i].id, d->j.container) == 0)
			found->old_runs = true;
		else if (d->j.to.image[0] != '\0' &&
		    strcmp(list[i].image, d->j.to.image) == 0)
			found->new_runs = true;
	}
	return 0;
}

static int
look(struct deploy *d, struct found *found, struct fault *f)
{
	const char *path = d->s->target->env_file;

	memset(found, 0, sizeof(*found));
	envfile_sweep(path);
	if (envfile_read(&d->env, path, TARGET_VARIABLE, f) == -1)
		return -1;
	found->old_value = strcmp(d->env.value, d->j.old_value) == 0;
	found->new_value = strcmp(d->env.value, d->j.to.tag) == 0;
	return look_at_containers(d, found, f);
}

static int
interrupted(struct deploy *d, struct fault *f)
{
	d->interrupted = true;
	return fault_set(f, FAULT_FAILED, NULL, "the %s of %s was interrupted", d->j.verb,
	    d->j.to.tag);
}

static int
abandon(struct deploy *d, struct fault *f)
{
	struct fault why = { 0 };

	interrupted(d, &why);
	progress_say(d->s->progress, SAY_WARN,
	    "%s; .env was edited since: it is left as it is", why.what);
	if (deploy_record(d, OUTCOME_ABANDONED, &why, f) == -1)
		return -1;
	return journal_clear(d->s->dirfd, f);
}

/* The rollback's target is proven, so it goes on to it; if it is still here. */
static int
complete_rollback(struct deploy *d, struct fault *f)
{
	d->resumed = true;
	if (rollback_name(d, f) == -1)
		return f->kind == FAULT_HOST ? -1 : restore_all(d, f);
	return deploy_forward(d, f);
}

static int
complete(struct deploy *d, struct fault *f)
{
	/* a revert whose journal write failed may already have moved the tag */
	if (deploy_name_again(d, d->j.to.image, d->j.to.ref, f) == -1)
		return -1;
	if (deploy_gate(d, d->j.to.image, false, f) == -1)
		return f->kind == FAULT_HOST ? -1 : restore_all(d, f);
	deploy_commit(d);
	return 0;
}

/*
 * Before the swap, but another container is there: a boot's own `up` took
 * what the pull had moved the name to.  From here on it is a revert, which the
 * next run can only know from the journal.
 */
static int
undo_boot(struct deploy *d, struct fault *f)
{
	d->j.step = JOURNAL_ROLLBACK;
	if (journal_write(d->s->dirfd, &d->j, f) == -1)
		return -1;
	interrupted(d, f);
	return restore_all(d, f);
}

static int
resolve(struct deploy *d, struct fault *f)
{
	bool blind = d->s->engine->blind;
	struct found found;

	if (look(d, &found, f) == -1)
		return -1;
	/* before the swap .env is not ours: another value is a person's */
	if (!found.old_value && (!found.new_value || d->j.step == JOURNAL_PULL))
		return abandon(d, f);
	if (d->j.step == JOURNAL_PULL || (found.old_value && found.old_runs)) {
		if (found.replaced)
			return undo_boot(d, f);
		interrupted(d, f);
		return restore_names_only(d, f);
	}
	if (blind && d->j.step == JOURNAL_VERIFY)
		return complete(d, f);
	if (d->j.step != JOURNAL_ROLLBACK && !blind) {
		if (strcmp(d->j.verb, "rollback") == 0)
			return complete_rollback(d, f);
		if (found.new_value && found.new_runs)
			return complete(d, f);
	}
	interrupted(d, f);
	return restore_all(d, f);
}

/*
 * Where the journal had to stay, nothing else may be begun; and the exit code
 * says whether the interrupted run had changed anything.
 */
static int
conclude(const struct deploy *d, int rc, bool *left, struct fault *f)
{
	struct fault none = { 0 };
	struct journal there;

	*left = journal_read(d->s->dirfd, &there, &none) != 0;
	if (!*left)
		return rc;
	if (rc == 0)
		fault_set(f, FAULT_HOST, "see the disk of the state folder",
		    "the interrupted %s is recovered, but that cannot be recorded",
		    d->j.verb);
	f->kind = d->j.step == JOURNAL_PULL ? FAULT_HOST : FAULT_UNVERIFIED;
	return -1;
}

/* A blind engine's journal says nothing that an engine could check, and vice versa. */
static int
check_engine(const struct deploy *d, struct fault *f)
{
	if (d->j.blind == d->s->engine->blind)
		return 0;
	return fault_set(f, FAULT_HOST,
	    d->j.blind ? "set TWILIGHT_ENGINE=blind, then run `recover`"
		       : "unset TWILIGHT_ENGINE, then run `recover`",
	    "the interrupted %s of %s was begun with another engine", d->j.verb,
	    d->j.to.tag);
}

static int
recover(struct deploy *d, struct fault *f)
{
	struct session *s = d->s;
	int done;

	if (check_engine(d, f) == -1 || s->engine->settle(s->engine, f) == -1)
		return -1;
	done = history_has(s->dirfd, d->j.id, f);
	if (done != 0)
		return done == 1 ? journal_clear(s->dirfd, f) : -1;
	progress_say(s->progress, SAY_NOTE,
	    "recovering the interrupted %s of %s (begun %s, at: %s)", d->j.verb,
	    d->j.to.tag, d->j.time, journal_step_name(d->j.step));
	return resolve(d, f);
}

int
recover_run(struct session *s, bool *left, struct fault *f)
{
	struct deploy d;
	int rc;

	journal_sweep(s->dirfd);
	history_sweep(s->dirfd);
	memset(&d, 0, sizeof(d));
	d.s = s;
	d.success = OUTCOME_RECOVERED;
	rc = journal_read(s->dirfd, &d.j, f);
	*left = rc == -1;
	if (rc != 1)
		return rc;
	*left = true;
	rc = conclude(&d, recover(&d, f), left, f);
	envfile_free(&d.env);
	return rc;
}

void
recover_later(struct session *s, struct fault *why)
{
	struct fault none = { 0 };
	struct journal j;

	if (journal_read(s->dirfd, &j, &none) != 1 ||
	    history_has(s->dirfd, j.id, &none) == 1)
		return;
	progress_say(s->progress, SAY_WARN, "the interrupted %s of %s is not recovered",
	    j.verb, j.to.tag);
	if (j.step != JOURNAL_PULL)
		why->kind = FAULT_UNVERIFIED;
}
