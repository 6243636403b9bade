/*
 * The verbs that change no version: plan, verify, start.
 */
#include "deploy/internal.h"

#include "state/ledger.h"
#include "state/lock.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* Without the lock nothing is said about what a running deploy is changing. */
static int
refuse_busy(const struct session *s, struct fault *f)
{
	char holder[256];

	if (!lock_held(s->target->lock, holder, sizeof(holder)))
		return 0;
	return fault_set(f, FAULT_BUSY, "`status --wait` waits for its end",
	    "deploy already running%s%s%s", holder[0] == '\0' ? "" : " (", holder,
	    holder[0] == '\0' ? "" : ")");
}

static int
warn_interrupted(const struct session *s, struct fault *f)
{
	struct journal j;
	bool found = false, over;

	if (s->dirfd == -1 || journal_read(s->dirfd, &j, &found, f) == -1)
		return s->dirfd == -1 ? 0 : -1;
	if (!found || history_has(s->dirfd, j.id, &over, f) == -1)
		return found ? -1 : 0;
	if (!over)
		progress_say(s->progress, SAY_WARN,
		    "the %s of %s was interrupted: the next deploy recovers it first",
		    record_verb_name(j.verb), j.to.tag);
	return 0;
}

/* ---- plan ---- */

int
plan_run(struct session *s, const char *tag, struct release *from, struct release *to,
    struct fault *f)
{
	struct engine *e = s->engine;
	struct deploy d;

	deploy_begin(&d, s, RECORD_DEPLOY);
	if (refuse_busy(s, f) == -1 || warn_interrupted(s, f) == -1 ||
	    e->check(e, f) == -1 || observe_running(&d, f) == -1 ||
	    e->resolve(e, tag, &d.j.to, f) == -1 || commit_space(&d, false, f) == -1)
		return -1;
	if (e->observes && e->revisions(e, &d.j.to, f) == -1)
		return -1;
	*from = d.j.from;
	*to = d.j.to;
	return 0;
}

/* ---- verify ---- */

/* The parts of `r` in the target's order, each with its service's name. */
static int
sort_parts(const struct target *t, const struct release *r, struct release *out,
    struct fault *f)
{
	const struct part *p;
	char safe[100];

	(void)strlcpy(out->tag, r->tag, sizeof(out->tag));
	for (out->n = 0; out->n < t->n_services; out->n++) {
		p = release_part(r, t->service[out->n].name);
		if (p == NULL)
			return fault_set(f, FAULT_UNVERIFIED, "deploy it",
			    "service %s is not part of what was deployed last, %s",
			    t->service[out->n].name,
			    text_escape(safe, sizeof(safe), r->tag, strlen(r->tag)));
		out->part[out->n] = *p;
		(void)strlcpy(out->part[out->n].service, t->service[out->n].name,
		    SERVICE_MAX);
	}
	return 0;
}

static int
last_good(struct session *s, struct release *r, struct fault *f)
{
	struct release newest;
	size_t n = 0;

	if (s->dirfd != -1 && ledger_good(s->dirfd, false, &newest, 1, &n, f) == -1)
		return -1;
	if (n == 0)
		return fault_set(f, FAULT_UNVERIFIED, "deploy a version",
		    "nothing was ever deployed, healthy, here");
	return sort_parts(s->target, &newest, r, f);
}

int
verify_run(struct session *s, struct release *r, struct fault *f)
{
	struct verified seen;
	struct deploy d;

	deploy_begin(&d, s, RECORD_DEPLOY);
	if (refuse_busy(s, f) == -1 || warn_interrupted(s, f) == -1 ||
	    last_good(s, r, f) == -1 || observe_running(&d, f) == -1)
		return -1;
	progress_say(s->progress, SAY_NOTE, "verifying %s", r->tag);
	if (verify_release(s, r, &d.j.from, 0, true, &seen, f) == 0)
		return 0;
	if (f->kind != FAULT_FAILED || seen.stopped)
		return -1;
	f->kind = FAULT_UNVERIFIED;
	(void)strlcpy(f->next, "look now: `status`, docker ps, docker logs",
	    sizeof(f->next));
	return -1;
}

/* ---- start ---- */

int
start_run(struct session *s, struct fault *f)
{
	struct engine *e = s->engine;
	struct release r = { 0 };
	struct observation o;
	char tag[TAG_MAX], safe[160];
	size_t i;

	if (e->check(e, f) == -1 || e->observe(e, &o, f) == -1)
		return -1;
	if (!target_tag_of(s->target, o.part[0].desired, tag))
		return fault_set(f, FAULT_HOST, "write a version into it",
		    "the desired version is not one of this target: %s",
		    text_escape(safe, sizeof(safe), o.part[0].desired,
			strlen(o.part[0].desired)));
	if (e->resolve(e, tag, &r, f) == -1 ||
	    (e->observes && e->revisions(e, &r, f) == -1))
		return -1;
	for (i = 0; e->observes && i < r.n; i++)
		if (r.part[i].revision[0] == '\0')
			return fault_set(f, FAULT_HOST, "`deploy TAG` pulls it",
			    "cannot start %s: its image is not on this host", tag);
	progress_say(s->progress, SAY_NOTE, "starting %s", tag);
	if (e->apply(e, &r, &r, APPLY_BOOT, f) == 0)
		return 0;
	/* nothing says what serves now */
	if (f->kind == FAULT_FAILED)
		f->kind = FAULT_UNVERIFIED;
	return -1;
}
