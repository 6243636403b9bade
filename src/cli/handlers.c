#include "cli/handlers.h"

#include "cli/frozen.h"
#include "cli/help.h"
#include "cli/people.h"
#include "cli/records.h"
#include "cli/status.h"
#include "deploy/deploy.h"
#include "sys/log.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* "NAME: " if there are several targets, else "". */
static const char *
about_target(const struct call *c, const struct target *t, char out[TARGET_NAME_MAX + 2])
{
	snprintf(out, TARGET_NAME_MAX + 2, "%s%s", c->config.n > 1 ? t->name : "",
	    c->config.n > 1 ? ": " : "");
	return out;
}

/* ---- answers in JSON ---- */

/* `verb` and `outcome` replace those of the record; NULL: they stay. */
static void
show_record(struct call *c, const struct target *t, const struct record *r,
    const char *verb, const char *outcome, const struct fault *f)
{
	json_t *doc = records_object(r, t == NULL ? c->request.target : t->name);

	if (doc != NULL)
		(void)json_object_set_new(doc, "code", json_integer((int)f->kind));
	if (doc != NULL && verb != NULL)
		(void)json_object_set_new(doc, "verb", json_string(verb));
	if (doc != NULL &&
	    (c->request.verb == VERB_FREEZE || c->request.verb == VERB_UNFREEZE))
		(void)json_object_set_new(doc, "freeze",
		    c->frozen == NULL ? json_null() : freeze_object(c->frozen));
	if (doc != NULL && c->request.verb == VERB_PLAN && f->kind == FAULT_NONE)
		(void)json_object_set_new(doc, "plan", report_plan_object(t));
	if (doc != NULL && outcome != NULL)
		(void)json_object_set_new(doc, "outcome", json_string(outcome));
	records_json(&c->output, doc);
}

void
handler_no_record(struct call *c, const struct target *t, const struct release *from,
    const struct release *to, const char *outcome, const struct fault *f)
{
	struct record r = { .who = c->who, .seq = c->request.seq };

	session_now(r.time, sizeof(r.time));
	(void)strlcpy(r.to.tag, c->tag[0] == '\0' ? c->request.word : c->tag,
	    sizeof(r.to.tag));
	if (from != NULL)
		r.from = *from;
	if (to != NULL && to->tag[0] != '\0')
		r.to = *to;
	(void)strlcpy(r.why, f->what, sizeof(r.why));
	/* a deploy that could not be reverted gets its record when it is recovered */
	r.outcome = f->kind == FAULT_UNVERIFIED ? OUTCOME_UNVERIFIED : OUTCOME_REFUSED;
	show_record(c, t, &r, c->starting ? "start" : verb_name(c->request.verb),
	    f->kind == FAULT_NONE ? outcome : NULL, f);
}

/* ---- verbs that take the lock ---- */

static int
do_deploy(struct call *c, struct session *s, struct fault *f)
{
	return deploy_run(s, c->tag, &c->request, f);
}

static int
do_rollback(struct call *c, struct session *s, struct fault *f)
{
	return rollback_run(s, c->tag, f);
}

/* run_session() has recovered the target. */
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

/* ---- verbs that observe, without the lock ---- */

static int
do_plan(struct call *c, struct session *s, struct release *from, struct release *to,
    struct fault *f)
{
	struct output *o = &c->output;
	const struct part *p, *old;
	size_t i;

	if (plan_run(s, c->tag, &c->request, from, to, f) == -1)
		return -1;
	output_row(o, "running", "%s", from->tag[0] == '\0' ? "nothing" : from->tag);
	output_row(o, "would deploy", "%s", to->tag);
	for (i = 0; i < to->n; i++) {
		p = &to->part[i];
		old = release_part(from, p->service);
		output_row(o, p->service, "%s",
		    p->revision[0] == '\0' ? "would be pulled"
			: old != NULL && strcmp(old->revision, p->revision) == 0
			? "runs this image; a deploy asks the registry for a newer one"
			: "is on this host; a deploy asks the registry for a newer one");
		/* in full: it says what the tag resolves to */
		if (p->reference[0] != '\0')
			output_line(o, "%-17s %s", "", p->reference);
		if (p->digest[0] != '\0')
			output_line(o, "%-17s %s", "", p->digest);
	}
	report_plan(o, s->target);
	output_line(o, "nothing was pulled or changed");
	return 0;
}

static int
do_verify(struct call *c, struct session *s, struct release *from, struct release *to,
    struct fault *f)
{
	char name[TARGET_NAME_MAX + 2];

	(void)from;
	if (verify_run(s, to, f) == -1)
		return -1;
	output_line(&c->output, "%sverified: %s runs as it was deployed, healthy",
	    about_target(c, s->target, name), to->tag);
	return 0;
}

/* ---- verbs that only read ---- */

static int
wait_status(struct call *c, const struct target *t, struct fault *f)
{
	struct record r;
	int rc = wait_for_end(&c->output, t, &r, f);

	if (c->request.json && r.id[0] != '\0')
		show_record(c, t, &r, NULL, NULL, f);
	else if (c->request.json)
		handler_no_record(c, t, NULL, NULL, "nothing to do", f);
	return rc;
}

static int
do_status(struct call *c, const struct target *t, struct fault *f)
{
	char why[FAULT_WHAT_MAX];
	struct status s;
	int code;

	if (c->request.wait)
		return wait_status(c, t, f);
	status_look(&s, t, c->env, &c->who);
	if (c->request.json)
		records_json(&c->output, report_object(&s));
	if (c->request.check) {
		code = status_judge(&s, why, sizeof(why));
		output_line(&c->output, "%s: %s", t->name, why);
		return code == 0 ? 0
				 : fault_set(f, (enum fault_kind)code, NULL, "%s", why);
	}
	if (!c->request.json)
		report_status(&c->output, &s, c->config.n > 1);
	*f = s.why;
	return f->kind == FAULT_NONE ? 0 : -1;
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
	if (c->request.json)
		records_json(&c->output,
		    json_pack("{si ss}", "v", 1, "version", VERSION));
	else
		output_line(&c->output, "twilight-deploy %s", VERSION);
	return 0;
}

static int
do_help(struct call *c, const struct target *t, struct fault *f)
{
	(void)t;
	return help_show(&c->output, c->request.word, c->may, f);
}

/* The handlers of the table of verbs in request/request.c. */
static const struct {
	/* one of these */
	int (*locked)(struct call *, struct session *, struct fault *);
	int (*look)(struct call *, struct session *, struct release *from,
	    struct release *to, struct fault *);
	int (*plain)(struct call *, const struct target *, struct fault *);
	const char *outcome; /* in JSON: of success without a record; NULL: no record */
	bool no_target;      /* it needs no settings */
	bool changes;        /* a plain one that does not only read */
} handlers[VERB__MAX] = {
	[VERB_DEPLOY] = { .locked = do_deploy, .outcome = "nothing to do" },
	[VERB_PLAN] = { .look = do_plan, .outcome = "planned" },
	[VERB_VERIFY] = { .look = do_verify, .outcome = "verified" },
	[VERB_ROLLBACK] = { .locked = do_rollback, .outcome = "nothing to do" },
	[VERB_STATUS] = { .plain = do_status },
	[VERB_HISTORY] = { .plain = do_history },
	[VERB_RECOVER] = { .locked = do_recover, .outcome = "nothing to do" },
	[VERB_FREEZE] = { .plain = frozen_begin, .outcome = "frozen", .changes = true },
	[VERB_UNFREEZE] = { .plain = frozen_end, .outcome = "unfrozen", .changes = true },
	[VERB_VERSION] = { .plain = do_version, .no_target = true },
	[VERB_HELP] = { .plain = do_help, .no_target = true },
};

/* ---- running ---- */

static void
show_success(struct call *c, const struct target *t, const struct record *r)
{
	char line[400];

	if (r->id[0] == '\0' || !outcome_is_good(r->outcome))
		return;
	output_say(&c->output, SAY_RESULT,
	    people_success(r, c->config.n > 1 ? t->name : NULL, line, sizeof(line)));
}

/*
 * The fault of a recovery counts after the request, too: a start verifies nothing, and a
 * request that has failed has not verified what the recovery could not.  Only a revert
 * has.
 */
static int
merge_recovery(const struct call *c, const struct session *s, const struct fault *why,
    int rc, struct fault *f)
{
	bool reverted = s->record.id[0] != '\0' &&
	    s->record.outcome == OUTCOME_ROLLED_BACK;

	if (fault_worse(why->kind, f->kind) == f->kind)
		return rc;
	if (c->starting && rc == 0)
		*f = *why;
	else if (c->starting ||
	    (why->kind == FAULT_UNVERIFIED && rc == -1 && !reverted)) {
		f->kind = why->kind;
		fault_now(f, "%s", why->now[0] == '\0' ? why->what : why->now);
	}
	return f->kind == FAULT_NONE ? 0 : -1;
}

/*
 * An interrupted deploy is recovered first.  Once that has ended, with whatever result,
 * the request is run: otherwise a bad state could not be fixed by a new deploy.
 */
static int
run_session(struct call *c, struct session *s, struct fault *f)
{
	bool only_recover = c->request.verb == VERB_RECOVER && !c->starting;
	struct fault why = { 0 };
	int rc = recover_run(s, &c->unrecovered, &why);

	/* the record is that of another request */
	if (!only_recover)
		s->record.id[0] = '\0';
	if (rc == -1 && (only_recover || c->unrecovered)) {
		*f = why;
		return -1;
	}
	if (rc == -1) {
		output_say(&c->output, SAY_WARN, why.what);
		log_event(LOG_WARNING, "recovered (%d): %s", (int)why.kind, why.what);
	}
	rc = merge_recovery(c, s, &why, handlers[c->request.verb].locked(c, s, f), f);
	if (rc == 0)
		show_success(c, s->target, &s->record);
	return rc;
}

static int
run_locked(struct call *c, const struct target *t, struct fault *f)
{
	struct session s;
	char what[200];
	int rc;

	snprintf(what, sizeof(what), "%s%s%s", verb_name(c->request.verb),
	    c->tag[0] == '\0' ? "" : " ", c->tag);
	c->unrecovered = true;
	rc = session_open(&s, t, c->env, &c->progress, &c->who, what, f);
	if (rc == 0) {
		c->output.droppable = true;
		c->output.began = s.began;
		s.on_record = hooks_record;
		s.arg = &c->hooks;
		rc = run_session(c, &s, f);
		c->output.droppable = false;
		c->output.began = 0;
	}
	session_close(&s);
	if (c->request.json && s.record.id[0] != '\0')
		show_record(c, t, &s.record, verb_name(c->request.verb), NULL, f);
	else if (c->request.json)
		handler_no_record(c, t, NULL, NULL,
		    c->starting ? "started" : handlers[c->request.verb].outcome, f);
	return rc;
}

static int
run_look(struct call *c, const struct target *t, struct fault *f)
{
	struct release from = { 0 }, to = { 0 };
	enum verb v = c->request.verb;
	struct session s;
	int rc;

	rc = session_look(&s, t, c->env, &c->progress, &c->who, f);
	if (rc == 0) {
		rc = handlers[v].look(c, &s, &from, &to, f);
		session_close(&s);
	}
	if (c->request.json)
		handler_no_record(c, t, &from, &to, handlers[v].outcome, f);
	return rc;
}

bool
handler_locks(enum verb v)
{
	return handlers[v].locked != NULL;
}

bool
handler_changes(enum verb v)
{
	return handlers[v].locked != NULL || handlers[v].changes;
}

bool
handler_needs_target(enum verb v)
{
	return !handlers[v].no_target;
}

int
handler_run(struct call *c, const struct target *t, struct fault *f)
{
	enum verb v = c->request.verb;

	if (handlers[v].locked != NULL)
		return run_locked(c, t, f);
	if (handlers[v].look != NULL)
		return run_look(c, t, f);
	return handlers[v].plain(c, t, f);
}

void
handler_refusal(struct call *c, const struct fault *f)
{
	enum verb v = c->request.verb;

	if (c->request.json && v < VERB__MAX && handlers[v].outcome != NULL)
		handler_no_record(c, NULL, NULL, NULL, NULL, f);
}
