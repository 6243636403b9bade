#include "cli/cli.h"

#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/people.h"
#include "request/choose.h"
#include "sys/childenv.h"
#include "sys/log.h"
#include "sys/signals.h"

#include <sys/prctl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/*
 * Under another user's id a docker could not be ended, and sudo(8) closes the
 * descriptor of the lock that a detached command holds.
 */
static int
prepare_process(struct fault *f)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fault_set(f, FAULT_HOST, NULL, "cannot set no_new_privs");
	return signals_init(f);
}

/* ---- from the caller's words to a request that may run ---- */

static void
fill_permissions(struct call *c, bool network)
{
	int v;

	for (v = 0; v < VERB__MAX; v++)
		c->may[v] = verb_is_harmless((enum verb)v) ||
		    (c->options.allow_given ? c->options.allow[v]
					    : !network || verb_is_open((enum verb)v));
	c->allowed = c->options.targets;
	if (c->allowed == NULL && network)
		c->allowed = TARGET_DEFAULT;
}

static int
read_request(struct call *c, struct fault *f)
{
	const char *sent = c->options.local ? NULL
					    : env_get(c->env, "SSH_ORIGINAL_COMMAND");
	const char *line = sent == NULL ? c->options.line : sent;
	char may[160], next[256];
	enum verb v;

	fill_permissions(c, sent != NULL);
	if (sent != NULL && c->options.line[0] != '\0')
		return fault_set(f, FAULT_REFUSED,
		    "`twilight-deploy --local VERB` runs the words of the command line",
		    "invalid request: one was sent, and the command line names one too");
	if (request_parse(&c->request, line, strlen(line), f) == -1) {
		/* an ssh without a command sends none; and at a prompt there is no key */
		if (line[0] == '\0')
			fill_permissions(c, env_get(c->env, "SSH_CONNECTION") != NULL);
		return -1;
	}
	v = c->request.verb;
	if (c->may[v])
		return 0;
	snprintf(next, sizeof(next),
	    "this key may: %s; --allow in its line may have more",
	    help_names(c->may, may, sizeof(may)));
	return fault_set(f, FAULT_REFUSED, next,
	    "invalid request: %s is not allowed for this key", verb_name(v));
}

/* A tag chooses the target; without one a name does, or all that are allowed are meant. */
static int
choose_targets(struct call *c, struct fault *f)
{
	const struct request *r = &c->request;
	const char *name = r->target;
	struct fault none = { 0 };
	struct choice choice;
	size_t i;

	c->n = 1;
	/* a rollback names a tag as the history does, without its prefix */
	if (r->verb == VERB_ROLLBACK && r->word[0] != '\0' &&
	    choose_named(&c->config, name, c->allowed, &c->target[0], &none) == 0)
		name = c->target[0]->name;
	if (verb_takes_tag(r->verb) && r->word[0] != '\0') {
		if (choose_by_tag(&c->config, r->word, name, c->allowed, &choice, f) ==
		    -1)
			return -1;
		c->target[0] = choice.target;
		memcpy(c->tag, choice.tag, sizeof(c->tag));
		return 0;
	}
	if (name[0] != '\0' || r->verb == VERB_ROLLBACK)
		return choose_named(&c->config, name, c->allowed, &c->target[0], f);
	for (i = c->n = 0; i < c->config.n; i++)
		if (choose_allows(c->allowed, c->config.target[i].name))
			c->target[c->n++] = &c->config.target[i];
	/* the fault that says what there is */
	return c->n > 0 ? 0 : choose_named(&c->config, "", c->allowed, &c->target[0], f);
}

static void
warn_stray(void *arg, const char *line)
{
	output_say(arg, SAY_WARN, line);
}

static int
accept_request(struct call *c, struct fault *f)
{
	const char *path = c->options.config;

	if (read_request(c, f) == -1)
		return -1;
	if (!handler_needs_target(c->request.verb))
		return 0;
	if (config_load(&c->config, path == NULL ? CONFIG_PATH : path, path == NULL,
		c->env, f) == -1)
		return -1;
	return choose_targets(c, f);
}

/* ---- running it ---- */

/*
 * Of a verb that looks the answer is all: one that cannot be written is none.  The
 * code of another says what it did.
 */
static int
check_written(const struct call *c, struct fault *f)
{
	int lost = c->output.gone[STDOUT_FILENO];

	return lost == 0 || lost == EPIPE || handler_locks(c->request.verb)
	    ? 0
	    : fault_set(f, FAULT_HOST, NULL, "cannot write the answer: %s",
		  strerror(lost));
}

/* Shows a fault; `whole` keeps the worst of all targets. */
static void
take_fault(struct call *c, const struct target *t, const struct fault *f,
    struct fault *whole)
{
	if (f->kind == FAULT_NONE)
		return;
	/* the line of a check says it */
	if (!c->request.check)
		output_fault(&c->output, c->n > 1 ? t->name : NULL, f);
	if (people_worse((int)f->kind, (int)whole->kind) != (int)whole->kind)
		*whole = *f;
}

static void
run_targets(struct call *c, struct fault *whole)
{
	struct fault f;
	size_t i;

	for (i = 0; i < c->n; i++) {
		fault_clear(&f);
		(void)!handler_run(c, c->target[i], &f);
		take_fault(c, c->target[i], &f, whole);
	}
}

/* The faults are shown; the worst of them is the code. */
static void
run_request(struct call *c, struct fault *f)
{
	enum verb v = c->request.verb;

	if (!handler_needs_target(v)) {
		if (handler_run(c, NULL, f) == -1)
			output_fault(&c->output, NULL, f);
		return;
	}
	config_strays(&c->config, c->env, warn_stray, &c->output);
	if (handler_locks(v) && prepare_process(f) == -1) {
		output_fault(&c->output, NULL, f);
		return;
	}
	run_targets(c, f);
	if (c->request.start) {
		c->starting = true;
		run_targets(c, f);
	}
}

/* What is refused before a target is known. */
static void
show_refusal(struct call *c, const struct fault *f)
{
	const char *line = c->options.line;

	output_fault(&c->output, NULL, f);
	if (c->request.json && verb_takes_tag(c->request.verb))
		handler_answer(c, NULL, NULL, f);
	/* nothing was asked for: help */
	if (f->kind == FAULT_REFUSED && strncmp(f->what, "invalid tag: none", 17) == 0 &&
	    line[0] == '\0' && c->request.word[0] == '\0')
		help_short(&c->output, c->may);
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
	c.progress = (struct progress){ output_say, &c.output };
	if (options_parse(&c.options, argc, argv, &f) == 0) {
		c.output.verbose = c.options.verbose;
		accepted = accept_request(&c, &f) == 0;
	}
	who_read(&c.who, c.options.actor, env);
	c.output.json = c.request.json;
	if (accepted) {
		log_event(LOG_INFO, "accepted: %s %s by %s", verb_name(c.request.verb),
		    c.request.word, c.who.actor);
		run_request(&c, &f);
		if (f.kind == FAULT_NONE && check_written(&c, &f) == -1)
			output_fault(&c.output, NULL, &f);
	} else
		show_refusal(&c, &f);
	config_free(&c.config);
	log_request(&c, accepted ? "done" : "refused", &f);
	return (int)f.kind;
}
