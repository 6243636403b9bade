#include "cli/cli.h"

#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/wait.h"
#include "config/target.h"
#include "deploy/deploy.h"
#include "deploy/recover.h"
#include "deploy/session.h"
#include "engine/compose.h"
#include "request/tag.h"
#include "sys/childenv.h"
#include "sys/log.h"
#include "sys/signals.h"

#include <sys/prctl.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* All that a request carries through this file. */
struct call {
	struct options options;
	struct request request;
	struct target target;
	struct who who;
	struct output output;
	struct record record; /* of this request; no id: it came to none */
	char *const *env;
};

/* ---- the verbs ---- */

static int
do_deploy(struct call *c, struct session *s, struct fault *f)
{
	return deploy_run(s, c->request.word, c->request.seq, f);
}

static int
do_rollback(struct call *c, struct session *s, struct fault *f)
{
	return rollback_run(s, c->request.word, f);
}

static int
do_recover(struct call *c, struct session *s, struct fault *f)
{
	(void)c;
	(void)s;
	(void)f;
	return 0; /* every locking verb has recovered by then */
}

static int
do_status(struct call *c, struct fault *f)
{
	if (c->request.wait)
		return wait_for_end(&c->output, &c->target, f);
	return report_status(&c->output, &c->target, c->env, f);
}

static int
do_history(struct call *c, struct fault *f)
{
	return report_history(&c->output, &c->target, c->request.count, c->request.json,
	    f);
}

static int
do_version(struct call *c, struct fault *f)
{
	(void)f;
	output_line(&c->output, "twilight-deploy %s", VERSION);
	return 0;
}

static int
do_help(struct call *c, struct fault *f)
{
	return help_show(&c->output, c->request.word, f);
}

static const struct {
	/* one of these: with the lock held and the engine there, or without */
	int (*locked)(struct call *, struct session *, struct fault *);
	int (*plain)(struct call *, struct fault *);
	bool needs_settings;
	bool takes_tag;
	bool always; /* --allow or not */
} handlers[VERB__MAX] = {
	[VERB_DEPLOY] = { .locked = do_deploy,
	    .needs_settings = true,
	    .takes_tag = true },
	[VERB_ROLLBACK] = { .locked = do_rollback,
	    .needs_settings = true,
	    .takes_tag = true },
	[VERB_RECOVER] = { .locked = do_recover, .needs_settings = true },
	[VERB_STATUS] = { .plain = do_status, .needs_settings = true },
	[VERB_HISTORY] = { .plain = do_history, .needs_settings = true },
	[VERB_VERSION] = { .plain = do_version, .always = true },
	[VERB_HELP] = { .plain = do_help, .always = true },
};

/*
 * What was interrupted comes first.  Where it is over, in whichever way, another
 * request goes on: else nobody could fix forward.
 */
static int
recover(struct call *c, struct session *s, struct fault *f)
{
	bool left;

	if (recover_run(s, &left, f) == 0)
		return 0;
	if (c->request.verb == VERB_RECOVER || left)
		return -1;
	output_say(&c->output, SAY_WARN, f->what);
	log_event(LOG_WARNING, "recovered (%d): %s", (int)f->kind, f->what);
	fault_clear(f);
	return 0;
}

static int
run_locked(struct call *c, struct fault *f)
{
	struct progress progress = { output_say, &c->output };
	struct compose compose;
	struct session s;
	char what[200];
	int rc;

	snprintf(what, sizeof(what), "%s%s%s", verb_name(c->request.verb),
	    c->request.word[0] == '\0' ? "" : " ", c->request.word);
	if (session_open(&s, &c->target, &progress, &c->who, what, f) == -1)
		return -1;
	c->output.droppable = true;
	rc = compose_open(&compose, &c->target, c->env, s.dirfd, &progress, f);
	if (rc == 0) {
		s.engine = &compose.engine;
		s.mask = &compose.mask;
		rc = s.engine->check(s.engine, f);
		if (rc == -1)
			recover_later(&s, f);
		else
			rc = recover(c, &s, f);
		s.record.id[0] = '\0';
		if (rc == 0)
			rc = handlers[c->request.verb].locked(c, &s, f);
		if (s.record.id[0] != '\0')
			c->record = s.record;
		compose_close(&compose);
	} else
		recover_later(&s, f);
	session_close(&s);
	return rc;
}

/* ---- from the caller's words to a request that may run ---- */

static int
read_request(struct call *c, struct fault *f)
{
	const char *sent = c->options.local ? NULL
					    : env_get(c->env, "SSH_ORIGINAL_COMMAND");
	const char *line = sent == NULL ? c->options.line : sent;
	enum verb v;

	if (sent != NULL && c->options.line[0] != '\0')
		return fault_set(f, FAULT_REFUSED,
		    "say `twilight-deploy --local VERB` to run the words of the command line",
		    "invalid request: one was sent, and the command line names one too");
	if (request_parse(&c->request, line, strlen(line), f) == -1)
		return -1;
	v = c->request.verb;
	/* the network asks for what is open, unless --allow says otherwise */
	if (!handlers[v].always &&
	    (c->options.allow_given ? !c->options.allow[v]
				    : sent != NULL && !verb_is_open(v)))
		return fault_set(f, FAULT_REFUSED,
		    "see --allow in its authorized_keys line",
		    "invalid request: %s is not allowed for this key", verb_name(v));
	return 0;
}

static int
check(struct call *c, struct fault *f)
{
	if (read_request(c, f) == -1)
		return -1;
	if (!handlers[c->request.verb].needs_settings)
		return 0;
	if (target_load(&c->target, c->env, f) == -1)
		return -1;
	if (!handlers[c->request.verb].takes_tag || c->request.word[0] == '\0')
		return 0;
	return tag_check(c->request.word, c->target.tag_pattern, f);
}

static void
warn(void *arg, const char *line)
{
	output_say(arg, SAY_WARN, line);
}

/* What was asked for is the answer: one that cannot be written is none. */
static int
run_plain(struct call *c, struct fault *f)
{
	int lost;

	if (handlers[c->request.verb].plain(c, f) == -1)
		return -1;
	lost = c->output.gone[STDOUT_FILENO];
	return lost == 0 || lost == EPIPE
	    ? 0
	    : fault_set(f, FAULT_HOST, NULL, "cannot write the answer: %s",
		  strerror(lost));
}

static int
run(struct call *c, struct fault *f)
{
	if (handlers[c->request.verb].needs_settings)
		target_strays(&c->target, c->env, warn, &c->output);
	if (handlers[c->request.verb].plain != NULL)
		return run_plain(c, f);
	/*
	 * Under another user's id a docker could not be ended, and sudo(8) closes the
	 * descriptor of the lock that a detached command holds.
	 */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fault_set(f, FAULT_HOST, NULL, "cannot set no_new_privs");
	if (signals_init(f) == -1)
		return -1;
	return run_locked(c, f);
}

/* What came of it, for programs: the history's record, or why there is none. */
static void
show_record(struct call *c, const struct fault *f)
{
	struct record *r = &c->record;

	if (r->id[0] == '\0') {
		(void)strlcpy(r->verb, verb_name(c->request.verb), sizeof(r->verb));
		(void)strlcpy(r->to.tag, c->request.word, sizeof(r->to.tag));
		(void)strlcpy(r->why, f->what, sizeof(r->why));
		r->who = c->who;
		/* what was begun and could not be put back is recorded when it is mended */
		r->outcome = f->kind == FAULT_UNVERIFIED ? OUTCOME_UNVERIFIED
							 : OUTCOME_REFUSED;
		r->seq = c->request.seq;
	}
	r->code = (int)f->kind;
	report_record(&c->output, r);
}

static void
log_request(const struct call *c, const char *verdict, const struct fault *f)
{
	const char *sent = env_get(c->env, "SSH_ORIGINAL_COMMAND");

	log_event(f->kind == FAULT_NONE ? LOG_NOTICE : LOG_WARNING,
	    "%s: \"%.256s\" by %s%s%s%s%s: exit %d%s%s", verdict,
	    sent != NULL && !c->options.local ? sent : c->options.line, c->who.actor,
	    c->who.key[0] == '\0' ? "" : " ", c->who.key,
	    c->who.client[0] == '\0' ? "" : " from ", c->who.client, (int)f->kind,
	    f->kind == FAULT_NONE ? "" : ": ", f->what);
}

int
cli_main(int argc, char **argv, char *const *env)
{
	struct call c = { .env = env };
	struct fault f = { 0 };
	bool accepted = false;

	output_init(&c.output);
	session_now(c.record.time, sizeof(c.record.time));
	if (options_parse(&c.options, argc, argv, &f) == 0) {
		c.output.verbose = c.options.verbose;
		accepted = check(&c, &f) == 0;
	}
	who_read(&c.who, c.options.actor, env);
	c.output.json = c.request.json;
	if (accepted) {
		log_event(LOG_INFO, "accepted: %s %s by %s", verb_name(c.request.verb),
		    c.request.word, c.who.actor);
		(void)!run(&c, &f);
	}
	if (f.kind != FAULT_NONE)
		output_fault(&c.output, &f);
	if (c.request.json && handlers[c.request.verb].locked != NULL)
		show_record(&c, &f);
	log_request(&c, accepted ? "done" : "refused", &f);
	return (int)f.kind;
}
