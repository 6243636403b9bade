/*
 * The steps of a deploy, and what each undoes when it fails:
 *
 *   preflight, snapshot     nothing was changed
 *   journal                 nothing was changed
 *   pull, identify          the image names are restored
 *   swap                    the image names and .env are restored
 *   up, gate                rolled back: what ran runs again
 *   commit                  the history, then the journal, then the pruning
 *
 * An engine that does not answer is no evidence about the release: the gate then
 * leaves the journal for the next request.
 *
 * MUST: .env is not touched before the image is on this host.
 * MUST: a signal ends a deploy only between two steps, or in the pull and
 *       in the wait for health; never in an `up`.
 */
#include "deploy/deploy.h"

#include "state/ledger.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <string.h>

static int
pull(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	int64_t began = clock_ms();
	int rc = e->pull(e, d->j.to.tag, f);

	d->pull_ms = clock_ms() - began;
	if (rc == -1 || deploy_resolve(d, d->j.to.image, f) == -1)
		return -1;
	if (!e->blind && d->j.to.image[0] == '\0')
		return fault_set(f, FAULT_FAILED, NULL,
		    "the pull succeeded, but %s is not on this host", d->j.to.ref);
	return deploy_stopped(f);
}

void
deploy_commit(struct deploy *d)
{
	struct fault late = { 0 };

	progress_say(d->s->progress, SAY_RESULT, "healthy after %u tries", d->gate.tries);
	/*
	 * The new version runs, and that is what was asked for.  Where the disk
	 * does not take the record, the journal stays and the next request
	 * writes it (deploy/recover.h).
	 */
	if (deploy_record(d, d->success, NULL, &late) == -1 ||
	    journal_clear(d->s->dirfd, &late) == -1) {
		progress_say(d->s->progress, SAY_WARN, "%s; %s", late.what, late.next);
		return;
	}
	if (!d->s->engine->blind && deploy_keep_image(d, d->j.to.image, &late) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", late.what);
	prune_after(d);
}

static int
swap(struct deploy *d, struct fault *f)
{
	d->j.step = JOURNAL_SWAP;
	if (deploy_stopped(f) == -1 || journal_write(d->s->dirfd, &d->j, f) == -1)
		return -1;
	return envfile_replace(&d->env, d->j.to.tag, d->j.id, f);
}

/* What is known of the container that failed, before it is gone. */
static void
show_evidence(struct deploy *d, const struct fault *why)
{
	struct engine *e = d->s->engine;
	const struct http_answer *a = &d->gate.answer;
	struct fault none = { 0 };
	size_t len = a->body_len;
	char body[400];

	/* most bodies end in a newline, which says nothing */
	while (len > 0 && (a->body[len - 1] == '\n' || a->body[len - 1] == '\r'))
		len--;
	progress_say(d->s->progress, SAY_WARN, "%s", why->what);
	if (len > 0 || (a->why[0] != '\0' && strstr(why->what, a->why) == NULL))
		progress_say(d->s->progress, SAY_WARN, "last health answer: %s%s%s",
		    a->why, len == 0 ? "" : ": ",
		    mask_show(d->s->mask, body, sizeof(body), a->body, len, true));
	if (d->gate.container[0] == '\0')
		return;
	progress_say(d->s->progress, SAY_WARN, "last log lines of the container:");
	if (e->logs(e, d->gate.container, &none) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", none.what);
}

/*
 * A blind engine cannot be asked later what runs: the journal says that `up` has
 * gone well, and recovery then asks for health instead of reverting.
 */
static int
start(struct deploy *d, struct fault *f)
{
	if (deploy_up(d, d->j.to.tag, f) == -1)
		return -1;
	if (!d->s->engine->blind)
		return 0;
	d->j.step = JOURNAL_VERIFY;
	return journal_write(d->s->dirfd, &d->j, f);
}

int
deploy_forward(struct deploy *d, struct fault *f)
{
	const char *failed = "UP";

	if (swap(d, f) == -1)
		/* the `up` of the earlier run may have come: .env alone must not go back */
		return d->resumed ? -1 : restore_names_only(d, f);
	d->gate.container[0] = '\0';
	d->gate.answer.why[0] = '\0';
	if (start(d, f) == 0) {
		failed = "HEALTH";
		if (deploy_gate(d, d->j.to.image, true, f) == 0) {
			deploy_commit(d);
			return 0;
		}
		if (f->kind == FAULT_HOST)
			return deploy_unanswered(d, f);
		d->interrupted = d->interrupted || d->gate.stopped;
	} else
		/* docker failed, which says nothing about the version */
		d->interrupted = true;
	show_evidence(d, f);
	progress_say(d->s->progress, SAY_SHOUT, "%s FAILED -- rolling back to %s", failed,
	    d->j.from.tag[0] == '\0' ? d->j.old_value : d->j.from.tag);
	return restore_all(d, f);
}

/* An older commit must not land after a newer one. */
static int
check_sequence(struct deploy *d, struct fault *f)
{
	struct version newest;
	int64_t in_force;
	int rc;

	if (d->j.seq == 0)
		return 0;
	rc = ledger_sequence(d->s->dirfd, &in_force, &newest, f);
	if (rc != 1 || d->j.seq >= in_force)
		return rc == -1 ? -1 : 0;
	return fault_set(f, FAULT_SUPERSEDED, "a plain `deploy TAG` forgets the number",
	    "superseded: seq=%lld, but seq=%lld (%s) is deployed; nothing was changed",
	    (long long)d->j.seq, (long long)in_force, newest.tag);
}

static int
deploy_steps(struct deploy *d, struct fault *f)
{
	struct session *s = d->s;

	if (check_sequence(d, f) == -1 || deploy_read(d, f) == -1 ||
	    deploy_describe(d, f) == -1 || prune_until_space(d, f) == -1 ||
	    deploy_snapshot(d, f) == -1)
		return -1;
	progress_say(s->progress, SAY_RESULT, "rollback target: %s",
	    d->j.from.tag[0] == '\0' ? d->env.value : d->j.from.tag);
	progress_say(s->progress, SAY_RESULT, "deploying:       %s", d->j.to.tag);
	d->j.step = JOURNAL_PULL;
	if (deploy_resolve(d, d->j.displaced, f) == -1 || deploy_stopped(f) == -1 ||
	    journal_write(s->dirfd, &d->j, f) == -1)
		return -1;
	if (pull(d, f) == -1)
		return restore_names_only(d, f);
	return deploy_forward(d, f);
}

int
deploy_run(struct session *s, const char *tag, int64_t seq, struct fault *f)
{
	struct deploy d;
	int rc;

	deploy_begin(&d, s, "deploy");
	(void)strlcpy(d.j.to.tag, tag, sizeof(d.j.to.tag));
	d.j.seq = seq;
	rc = deploy_steps(&d, f);
	envfile_free(&d.env);
	return rc;
}
