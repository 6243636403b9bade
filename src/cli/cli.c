#include "cli/cli.h"

#include "cli/handlers.h"
#include "cli/help.h"
#include "cli/people.h"
#include "deploy/deploy.h"
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
 * docker must run as this user: otherwise it could not be killed, and sudo(8) closes the
 * descriptor of the lock that a detached command holds.
 */
static int
prepare_process(struct fault *f)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fault_set(f, FAULT_HOST, NULL, "cannot set no_new_privs");
	return signals_init(f);
}

/* ---- accepting a request ---- */

static void
fill_permissions(struct call *c, bool network)
{
	int v;

	for (v = 0; v < VERB__MAX; v++)
		c->may[v] = verb_is_harmless((enum verb)v) ||
		    (c->options.verbs != NULL ? c->options.allow[v]
					      : !network || verb_is_open((enum verb)v));
	c->allowed = c->options.targets;
	if (c->allowed == NULL && network)
		c->allowed = TARGET_DEFAULT;
}

static int
read_request(struct call *c, struct fault *f)
{
	char may[160], next[256];
	enum verb v;

	/* ssh(1) without a command is a request from the network, too, and an empty one */
	fill_permissions(c,
	    c->sent != NULL ||
		(c->line[0] == '\0' && env_get(c->env, "SSH_CONNECTION") != NULL));
	if (c->sent != NULL && c->options.line[0] != '\0')
		return fault_set(f, FAULT_REFUSED,
		    "`twilight-deploy --local VERB` ignores SSH_ORIGINAL_COMMAND",
		    "invalid request: SSH_ORIGINAL_COMMAND and the command line both have one");
	if (request_parse(&c->request, c->line, strlen(c->line), f) == -1)
		return -1;
	v = c->request.verb;
	if (c->may[v])
		return 0;
	help_names(c->may, may, sizeof(may));
	snprintf(next, sizeof(next),
	    "this key may: %s; the host's administrator can allow %s",
	    may[0] == '\0' ? "nothing" : may, verb_name(v));
	return fault_set(f, FAULT_REFUSED, next,
	    "invalid request: %s is not allowed for this key", verb_name(v));
}

/* A tag chooses the target.  Without one a name does, else all allowed targets. */
static int
choose_targets(struct call *c, struct fault *f)
{
	const struct request *r = &c->request;
	const char *name = r->target;
	struct fault none = { 0 };
	struct choice choice;
	size_t i;

	c->n = 1;
	/* the history, not the pattern, says which tags a rollback may have */
	if (r->verb == VERB_ROLLBACK && r->word[0] != '\0' &&
	    choose_named(&c->config, name, c->allowed, &c->target[0], &none) == 0)
		return choose_tag(c->target[0], r->word, c->tag, f);
	if (verb_takes_tag(r->verb) && r->word[0] != '\0') {
		if (choose_by_tag(&c->config, r->word, name, c->allowed, &choice, f) ==
		    -1)
			return -1;
		c->target[0] = choice.target;
		memcpy(c->tag, choice.tag, sizeof(c->tag));
		return 0;
	}
	if (name[0] != '\0' || verb_needs_name(r->verb))
		return choose_named(&c->config, name, c->allowed, &c->target[0], f);
	for (i = c->n = 0; i < c->config.n; i++)
		if (choose_allows(c->allowed, c->config.target[i].name))
			c->target[c->n++] = &c->config.target[i];
	/* sets the fault that lists the targets */
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
 * A verb that only reads has failed if its answer cannot be written.  The exit code of
 * another verb says what it did.  A closed reader has read enough.
 */
static int
check_written(const struct call *c, struct fault *f)
{
	int lost = c->output.gone[STDOUT_FILENO];

	if (lost == 0 || lost == EPIPE || handler_changes(c->request.verb))
		return 0;
	return fault_set(f, FAULT_HOST, NULL, "cannot write the answer: %s",
	    strerror(lost));
}

/* Runs the request for one target.  Shows its fault; `worst` keeps the worst one. */
static void
run_target(struct call *c, const struct target *t, struct fault *worst)
{
	struct fault f = { 0 };

	if (handler_run(c, t, &f) == 0)
		return;
	/* the line of --check has it already */
	if (!c->request.check)
		output_fault(&c->output, c->n > 1 ? t->name : NULL, &f);
	if (fault_worse(f.kind, worst->kind) != worst->kind)
		*worst = f;
}

static void
run_request(struct call *c, struct fault *f)
{
	bool unrecovered[TARGETS_MAX] = { false };
	enum verb v = c->request.verb;
	size_t i;

	if (!handler_needs_target(v)) {
		if (handler_run(c, NULL, f) == -1)
			output_fault(&c->output, NULL, f);
		return;
	}
	config_strays(&c->config, c->env, warn_stray, &c->output);
	if (handler_locks(v) && prepare_process(f) == -1) {
		for (i = 0; i < c->n; i++)
			recover_later(c->target[i], false, f);
		output_fault(&c->output, NULL, f);
		return;
	}
	for (i = 0; i < c->n; i++) {
		run_target(c, c->target[i], f);
		unrecovered[i] = c->unrecovered;
	}
	/* after all are recovered: a service may depend on one of another target */
	c->starting = c->request.start;
	for (i = 0; i < c->n && c->starting; i++)
		if (!unrecovered[i])
			run_target(c, c->target[i], f);
}

static void
log_request(const struct call *c, const char *verdict, const struct fault *f)
{
	char who[PEOPLE_WHO_MAX];

	log_event(f->kind == FAULT_NONE ? LOG_NOTICE : LOG_WARNING,
	    "%s: \"%.256s\" by %s%s%s%s%s: exit %d%s%s", verdict, c->line,
	    people_who(&c->who, who), c->who.key[0] == '\0' ? "" : " ", c->who.key,
	    c->who.client[0] == '\0' ? "" : " from ", c->who.client, (int)f->kind,
	    f->kind == FAULT_NONE ? "" : ": ", f->what);
}

int
cli_main(int argc, char **argv, char *const *env)
{
	struct call c = { .env = env, .request.verb = VERB__MAX };
	struct fault f = { 0 };
	bool parsed, accepted;

	output_init(&c.output);
	c.progress = (struct progress){ output_say, &c.output };
	c.hooks = (struct hooks){ .env = env, .output = &c.output };
	parsed = options_parse(&c.options, argc, argv, &f) == 0;
	c.output.verbose = c.options.verbose;
	c.sent = c.options.local ? NULL : env_get(env, "SSH_ORIGINAL_COMMAND");
	c.line = c.sent == NULL ? c.options.line : c.sent;
	who_read(&c.who, c.options.actor, c.options.trigger, env);
	accepted = parsed && accept_request(&c, &f) == 0;
	c.output.json = c.request.json;
	if (accepted) {
		log_event(LOG_INFO, "accepted: %s %s by %s", verb_name(c.request.verb),
		    c.request.word, c.who.actor);
		run_request(&c, &f);
		if (f.kind == FAULT_NONE && check_written(&c, &f) == -1)
			output_fault(&c.output, NULL, &f);
	} else {
		output_fault(&c.output, NULL, &f);
		handler_refusal(&c, &f);
		if (parsed && c.line[0] == '\0')
			help_short(&c.output, c.may);
	}
	log_request(&c, accepted ? "done" : "refused", &f);
	/* the answer is given, and all locks are released */
	hooks_results(&c.hooks);
	config_free(&c.config);
	return (int)f.kind;
}
