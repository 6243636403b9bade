/*
 * The pre-deploy job: a one-shot instance of the new version, such as a migration, before
 * anything that serves is touched.  It outlives this process, and only its instance tells
 * how it ended.
 *
 * MUST NOT: run it twice, or go on past one that was interrupted: nobody knows what it did.
 */
#include "deploy/internal.h"

#include "sys/deadline.h"
#include "sys/signals.h"

#include <string.h>
#include <time.h>

#define LOOK_MS 300     /* between two looks */
#define WATCHED_MS 2000 /* while there are events too */
#define NOTE_MS 5000

bool
predeploy_is_wanted(const struct deploy *d)
{
	return d->s->target->pre_deploy[0] != '\0';
}

int
predeploy_check(const struct session *s, struct fault *f)
{
	if (s->target->pre_deploy[0] == '\0' || s->engine->oneoff_start != NULL)
		return 0;
	return fault_set(f, FAULT_HOST, "remove pre_deploy from the settings",
	    "the engine %s cannot run a pre-deploy job", s->engine->name);
}

bool
predeploy_began(const struct deploy *d)
{
	return d->j.verb == RECORD_DEPLOY && d->j.phase >= PHASE_PRE_DEPLOY &&
	    predeploy_is_wanted(d);
}

/* One that was created and not started never starts: its command has ended. */
static bool
is_over(const struct instance *i)
{
	return i->state != INSTANCE_RUNNING && i->state != INSTANCE_PAUSED;
}

/* How long it may still run; measured from its start, also by another process. */
static int64_t
time_left(const struct deploy *d, const struct instance *job)
{
	int64_t limit = d->s->target->pre_deploy_limit;
	int64_t age = (int64_t)time(NULL) * 1000 - job->started_ms;

	return age <= 0 ? limit : age < limit ? limit - age : 0;
}

static void
note_wait(const struct deploy *d, int64_t left)
{
	int64_t limit = d->s->target->pre_deploy_limit;

	progress_say(d->s->progress, SAY_NOTE,
	    "waiting for the pre-deploy job (%lld of %lld s)",
	    (long long)((limit - left) / 1000), (long long)(limit / 1000));
}

/* Waits until it is over, or its limit has passed.  A signal does not end a job. */
static int
await_end(struct deploy *d, const char *id, struct instance *job, struct fault *f)
{
	int64_t deadline = -1, next_note = deadline_in(NOTE_MS);
	struct engine *e = d->s->engine;
	int fd = e->watch(e, &id, 1);

	for (;;) {
		if (e->look(e, id, job, f) == -1)
			return -1;
		if (deadline == -1)
			deadline = deadline_in(time_left(d, job));
		if (is_over(job) || deadline_left(deadline) == 0)
			return 0;
		if (deadline_left(next_note) == 0) {
			note_wait(d, deadline_left(deadline));
			next_note = deadline_in(NOTE_MS);
		}
		(void)signals_wait(deadline_poll(deadline,
				       fd == -1 ? LOOK_MS : WATCHED_MS),
		    fd, false);
		if (fd != -1)
			(void)e->changed(e, &fd);
	}
}

/* What it wrote last, and why it does not count. */
static int
fail_job(struct deploy *d, const struct instance *job, struct fault *f)
{
	const struct progress *p = d->s->progress;
	struct engine *e = d->s->engine;
	struct fault late = { 0 };

	progress_say(p, SAY_WARN, "last log lines of the pre-deploy job:");
	if (e->evidence(e, job->id, &late) == -1)
		progress_say(p, SAY_WARN, "%s", late.what);
	if (!is_over(job))
		return fault_set(f, FAULT_FAILED, NULL,
		    "the pre-deploy job did not end within %lld s",
		    (long long)(d->s->target->pre_deploy_limit / 1000));
	return fault_set(f, FAULT_FAILED, NULL,
	    "the pre-deploy job ended with exit %lld%s (%s)", (long long)job->exit_code,
	    job->oom_killed ? ", out of memory" : "", engine_state_name(job->state));
}

static int
run_job(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct oneoffs found;
	struct instance job;

	if (e->oneoff_start(e, ONEOFF_JOB, &d->j.to, 0, d->j.id, f) == -1 ||
	    e->oneoff_find(e, ONEOFF_JOB, d->j.id, &found, f) == -1)
		return -1;
	if (found.n == 0)
		return fault_set(f, FAULT_FAILED, NULL,
		    "the pre-deploy job has vanished");
	if (await_end(d, found.list[0].instance, &job, f) == -1)
		return -1;
	return job.state == INSTANCE_EXITED && job.exit_code == 0 ? 0
								  : fail_job(d, &job, f);
}

int
predeploy_run(struct deploy *d, struct fault *f)
{
	struct fault late = { 0 };

	/* whatever fails, the release never ran */
	d->unjudged = true;
	if (run_job(d, f) == -1)
		return -1;
	/* predeploy_tidy() tries again */
	if (oneoffs_end(d, ONEOFF_JOB, &late) == -1)
		progress_say(d->s->progress, SAY_WARN, "%s", late.what);
	if (deploy_stopped(f) == -1)
		return -1;
	d->unjudged = false;
	return 0;
}

void
predeploy_tidy(struct deploy *d)
{
	struct fault f = { 0 };

	if (predeploy_began(d) && oneoffs_end(d, ONEOFF_JOB, &f) == -1)
		progress_say(d->s->progress, SAY_WARN,
		    "the container of the pre-deploy job is left: %s", f.what);
}

int
predeploy_recover(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct oneoffs found;
	struct instance job;

	if (d->j.phase != PHASE_PRE_DEPLOY || e->oneoff_find == NULL)
		return 0;
	if (e->oneoff_find(e, ONEOFF_JOB, d->j.id, &found, f) == -1 ||
	    (found.n > 0 && await_end(d, found.list[0].instance, &job, f) == -1))
		return -1;
	return oneoffs_end(d, ONEOFF_JOB, f);
}
