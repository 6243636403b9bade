#include "cli/handlers.h"

#include "cli/help.h"
#include "cli/people.h"
#include "cli/records.h"
#include "cli/status.h"
#include "cli/wait.h"
#include "deploy/deploy.h"
#include "sys/deadline.h"
#include "sys/log.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* "NAME: " where there are others. */
static const char *
about_target(const struct call *c, const struct target *t, char out[TARGET_NAME_MAX + 2])
{
	snprintf(out, TARGET_NAME_MAX + 2, "%s%s", c->config.n > 1 ? t->name : "",
	    c->config.n > 1 ? ": " : "");
	return out;
}

/* ---- answers for programs ---- */

/*
 * A record for what has none in the history: a request that was refused, or changes
 * nothing.  `verb` and `outcome` stand in it as they are.
 */
static void
show_answer(struct call *c, const struct target *t, const struct record *r,
    const char *outcome, const struct fault *f)
{
	json_t *doc = records_object(r, t == NULL ? c->request.target : t->name);

	if (doc != NULL) {
		(void)json_object_set_new(doc, "verb",
		    json_string(verb_name(c->request.verb)));
		(void)json_object_set_new(doc, "code", json_integer((int)f->kind));
		if (outcome != NULL)
			(void)json_object_set_new(doc, "outcome", json_string(outcome));
	}
	records_json(&c->output, doc);
}

static void
fill_record(const struct call *c, struct record *r, const struct fault *f)
{
	memset(r, 0, sizeof(*r));
	session_now(r->time, sizeof(r->time));
	(void)strlcpy(r->to.tag, c->tag[0] == '\0' ? c->request.word : c->tag,
	    sizeof(r->to.tag));
	(void)strlcpy(r->why, f->what, sizeof(r->why));
	r->who = c->who;
	/* what was begun and could not be reverted is recorded when it is recovered */
	r->outcome = f->kind == FAULT_UNVERIFIED ? OUTCOME_UNVERIFIED : OUTCOME_REFUSED;
	r->seq = c->request.seq;
}

/* The record that was made, or why there is none. */
void
handler_answer(struct call *c, const struct target *t, const struct record *made,
    const struct fault *f)
{
	struct record r;

	if (made != NULL && made->id[0] != '\0') {
		show_answer(c, t, made, NULL, f);
		return;
	}
	fill_record(c, &r, f);
	show_answer(c, t, &r, f->kind == FAULT_NONE ? "nothing to do" : NULL, f);
}

/* ---- the verbs that change something: the lock is held, what was left is recovered ---- */

static int
do_deploy(struct call *c, struct session *s, struct fault *f)
{
	return deploy_run(s, c->tag, c->request.seq, f);
}

static int
do_rollback(struct call *c, struct session *s, struct fault *f)
{
	return rollback_run(s, c->tag, f);
}

static int
do_recover(struct call *c, struct session *s, struct fault *f)
{
	char name[TARGET_NAME_MAX + 2];

	if (c->starting)
		return start_run(s, f);
	if (s->record.id[0] == '\0')
		output_line(&c->output, "%snothing was interrupted",
		    about_target(c, s->target, name));
	return 0;
}

/* ---- the verbs that look ---- */

static void
show_plan(struct call *c, const struct release *from, const struct release *to)
{
	struct output *o = &c->output;
	const struct part *p, *old;
	size_t i;

	output_row(o, "running", "%s", from->tag[0] == '\0' ? "nothing" : from->tag);
	output_row(o, "would deploy", "%s", to->tag);
	for (i = 0; i < to->n; i++) {
		p = &to->part[i];
		old = release_part(from, p->service);
		output_row(o, p->service, "%s%s%s",
		    p->revision[0] == '\0' ? "would be pulled"
			: old != NULL && strcmp(old->revision, p->revision) == 0
			? "runs this image already; the registry is asked for a newer one"
			: "is on this host; the registry is asked for a newer one",
		    p->reference[0] == '\0' ? "" : ": ", p->reference);
	}
	output_line(o, "nothing was pulled or changed");
}

static int
do_plan(struct call *c, const struct target *t, struct fault *f)
{
	struct session s;
	struct record r;
	struct release from = { 0 }, to = { 0 };
	int rc;

	rc = session_look(&s, t, c->env, &c->progress, &c->who, f);
	if (rc == 0) {
		rc = plan_run(&s, c->tag, &from, &to, f);
		session_close(&s);
	}
	if (rc == 0)
		show_plan(c, &from, &to);
	if (c->request.json) {
		fill_record(c, &r, f);
		r.from = from;
		if (rc == 0)
			r.to = to;
		show_answer(c, t, &r, rc == 0 ? "planned" : NULL, f);
	}
	return rc;
}

static int
do_verify(struct call *c, const struct target *t, struct fault *f)
{
	char name[TARGET_NAME_MAX + 2];
	struct release now = { 0 };
	struct session s;
	struct record r;
	int rc;

	rc = session_look(&s, t, c->env, &c->progress, &c->who, f);
	if (rc == 0) {
		rc = verify_run(&s, &now, f);
		session_close(&s);
	}
	if (rc == 0)
		output_line(&c->output, "%sverified: %s runs as it was deployed, healthy",
		    about_target(c, t, name), now.tag);
	if (c->request.json) {
		fill_record(c, &r, f);
		r.to = now;
		show_answer(c, t, &r, rc == 0 ? "verified" : "failed", f);
	}
	return rc;
}

/* `status --check`: a line for the monitor; its code is the fault's kind. */
static int
check_status(struct call *c, const struct status *s, struct fault *f)
{
	char why[FAULT_WHAT_MAX];
	int code = status_judge(s, why, sizeof(why));

	output_line(&c->output, "%s: %s", s->target->name, why);
	return code == 0 ? 0 : fault_set(f, (enum fault_kind)code, NULL, "%s", why);
}

static int
do_status(struct call *c, const struct target *t, struct fault *f)
{
	struct status s;

	if (c->request.wait)
		return wait_for_end(&c->output, t, c->request.json, f);
	status_look(&s, t, c->env, &c->who);
	if (c->request.json)
		records_json(&c->output, report_object(&s));
	if (c->request.check)
		return check_status(c, &s, f);
	if (!c->request.json)
		report_status(&c->output, &s, c->config.n > 1);
	if (s.why.kind == FAULT_NONE)
		return 0;
	*f = s.why;
	return -1;
}

static int
do_history(struct call *c, const struct target *t, struct fault *f)
{
	if (c->n > 1 && !c->request.json)
		output_line(&c->output, "target %s", t->name);
	return records_show(&c->output, t, c->request.count, c->request.json, f);
}

static int
do_version(struct call *c, const struct target *t, struct fault *f)
{
	(void)t;
	(void)f;
	output_line(&c->output, "twilight-deploy %s", VERSION);
	return 0;
}

static int
do_help(struct call *c, const struct target *t, struct fault *f)
{
	(void)t;
	return help_show(&c->output, c->request.word, c->may, f);
}

/* The handlers of request.c's table of verbs. */
static const struct {
	/* one of these: with the lock held and the engine there, or without */
	int (*locked)(struct call *, struct session *, struct fault *);
	int (*plain)(struct call *, const struct target *, struct fault *);
	bool no_target; /* it needs no settings */
} handlers[VERB__MAX] = {
	[VERB_DEPLOY] = { .locked = do_deploy },
	[VERB_PLAN] = { .plain = do_plan },
	[VERB_VERIFY] = { .plain = do_verify },
	[VERB_ROLLBACK] = { .locked = do_rollback },
	[VERB_STATUS] = { .plain = do_status },
	[VERB_HISTORY] = { .plain = do_history },
	[VERB_RECOVER] = { .locked = do_recover },
	[VERB_VERSION] = { .plain = do_version, .no_target = true },
	[VERB_HELP] = { .plain = do_help, .no_target = true },
};

/* ---- with the lock ---- */

/*
 * What was interrupted comes first.  Where it is over, in whichever way, another
 * request goes on: else nobody could fix forward.
 */
static int
recover_first(struct call *c, struct session *s, struct fault *f)
{
	bool left;

	if (recover_run(s, &left, f) == 0)
		return 0;
	if ((c->request.verb == VERB_RECOVER && !c->starting) || left)
		return -1;
	output_say(&c->output, SAY_WARN, f->what);
	log_event(LOG_WARNING, "recovered (%d): %s", (int)f->kind, f->what);
	fault_clear(f);
	return 0;
}

static void
show_success(struct call *c, const struct target *t, const struct record *r)
{
	char line[400];

	if (r->id[0] == '\0' || !outcome_is_good(r->outcome))
		return;
	output_say(&c->output, SAY_RESULT,
	    people_success(r, c->config.n > 1 ? t->name : NULL, line, sizeof(line)));
}

static int
run_session(struct call *c, struct session *s, struct fault *f)
{
	if (recover_first(c, s, f) == -1)
		return -1;
	if (c->request.verb != VERB_RECOVER)
		s->record.id[0] = '\0';
	if (handlers[c->request.verb].locked(c, s, f) == -1)
		return -1;
	show_success(c, s->target, &s->record);
	return 0;
}

static int
run_locked(struct call *c, const struct target *t, struct fault *f)
{
	struct session s;
	char what[200];
	int rc;

	snprintf(what, sizeof(what), "%s%s%s", verb_name(c->request.verb),
	    c->tag[0] == '\0' ? "" : " ", c->tag);
	rc = session_open(&s, t, c->env, &c->progress, &c->who, what, f);
	if (rc == 0) {
		c->output.droppable = true;
		c->output.began = s.began;
		rc = run_session(c, &s, f);
		c->output.droppable = false;
		c->output.began = 0;
	}
	session_close(&s);
	if (c->request.json && !c->starting)
		handler_answer(c, t, &s.record, f);
	return rc;
}

bool
handler_locks(enum verb v)
{
	return handlers[v].locked != NULL;
}

bool
handler_needs_target(enum verb v)
{
	return !handlers[v].no_target;
}

int
handler_run(struct call *c, const struct target *t, struct fault *f)
{
	return handler_locks(c->request.verb) ? run_locked(c, t, f)
					      : handlers[c->request.verb].plain(c, t, f);
}
