/*
 * MUST NOT: show arguments of a hook, or its output but for the last line: both may
 *           have secrets.
 */
#include "cli/hooks.h"

#include "cli/records.h"
#include "dotenv/mask.h"
#include "sys/childenv.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/run.h"
#include "sys/text.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define COMMAND_MAX sizeof(((struct target *)NULL)->on_start)
#define GRACE_MS 2000
#define LINE_MAX_SHOWN 300

struct made {
	const struct target *target;
	struct record record;
};

struct hook {
	const char *key;
	const char *command; /* "": none */
	bool stoppable;      /* a signal to us ends it */
};

/* Splits `words` in place at spaces and tabs, and sets `argv` to the words. */
static void
split(char *words, const char *argv[COMMAND_MAX / 2 + 1])
{
	size_t n = 0;
	char *word;

	while ((word = strsep(&words, " \t")) != NULL)
		if (*word != '\0')
			argv[n++] = word;
	argv[n] = NULL;
}

/* A descriptor from which the record can be read; -1 and the fault. */
static int
open_record(const struct target *t, const struct record *r, struct fault *f)
{
	char *text = records_text(records_object(r, t->name));
	int fd = text == NULL ? -1 : memfd_create("record", MFD_CLOEXEC);

	if (text == NULL)
		fault_memory(f);
	else if (fd == -1 || file_write(fd, text, strlen(text)) == -1 ||
	    file_write(fd, "\n", 1) == -1 || lseek(fd, 0, SEEK_SET) == -1) {
		fault_set(f, FAULT_HOST, NULL, "cannot keep the record in memory: %s",
		    strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	free(text);
	return fd;
}

/* The caller frees it, also after a failure. */
static int
fill_env(struct childenv *env, const struct hooks *h, const struct target *t,
    const struct record *r, struct fault *f)
{
	char code[16];
	const char *const vars[][2] = {
		{ "TWILIGHT_TARGET", t->name },
		{ "TWILIGHT_VERB", record_verb_name(r->verb) },
		{ "TWILIGHT_TAG", r->to.tag },
		{ "TWILIGHT_PREVIOUS", r->from.tag },
		{ "TWILIGHT_OUTCOME", outcome_name(r->outcome) },
		{ "TWILIGHT_CODE", code },
		{ "TWILIGHT_WHY", r->why },
	};
	size_t i;

	snprintf(code, sizeof(code), "%d", r->code);
	if (childenv_init(env, h->env, f) == -1 ||
	    childenv_keep(env, h->env, t->keep_env, f) == -1)
		return -1;
	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++)
		if (childenv_set(env, vars[i][0], vars[i][1], f) == -1)
			return -1;
	return 0;
}

/* ": " and the last line of the output that is not empty; "" for none. */
static const char *
last_output_line(const struct target *t, const struct run_result *res,
    char line[LINE_MAX_SHOWN])
{
	bool cut = res->end != RUN_EXITED;
	size_t end = res->out_len, begin, len;
	struct fault none = { 0 };
	struct mask mask;

	while (end > 0 && strchr("\r\n \t", res->out[end - 1]) != NULL)
		end--;
	for (begin = end; begin > 0 && res->out[begin - 1] != '\n';)
		begin--;
	len = end - begin > MASK_SHOW_MAX ? MASK_SHOW_MAX : end - begin;
	line[0] = '\0';
	/* the last line is not there; without the mask nothing is shown */
	if (res->out_cut || end == 0 ||
	    mask_load(&mask, t->env_file, t->variable, t->variables, &none) == -1)
		return line;
	(void)strlcpy(line, ": ", LINE_MAX_SHOWN);
	(void)mask_show(&mask, line + 2, LINE_MAX_SHOWN - 2, res->out + begin, len,
	    cut || len < end - begin);
	mask_free(&mask);
	return line;
}

/* How it ended, if it failed. */
static void
judge_run(const struct run *run, const struct target *t, const struct run_result *res,
    struct fault *f)
{
	char line[LINE_MAX_SHOWN], path[160];

	text_escape(path, sizeof(path), run->path, strlen(run->path));
	(void)last_output_line(t, res, line);
	if (res->end == RUN_TIMEOUT)
		fault_set(f, FAULT_FAILED, NULL, "%s did not end within %lld s%s", path,
		    (long long)(run->limit_ms / 1000), line);
	else if (res->end == RUN_STOPPED)
		fault_set(f, FAULT_FAILED, NULL, "%s was interrupted%s", path, line);
	else if (res->end == RUN_SIGNALLED)
		fault_set(f, FAULT_FAILED, NULL, "%s was ended by SIG%s%s", path,
		    sigabbrev_np(res->status), line);
	else if (res->status != 0)
		fault_set(f, FAULT_FAILED, NULL, "%s exited with %d%s", path, res->status,
		    line);
}

static void
run_hook(const struct hooks *h, const struct hook *hook, const struct target *t,
    const struct record *r)
{
	char words[COMMAND_MAX], line[FAULT_WHAT_MAX + 64];
	const char *argv[COMMAND_MAX / 2 + 1];
	struct run_result res = { 0 };
	struct childenv env = { 0 };
	struct fault f = { 0 };
	struct run run = { .kind = RUN_LOOK,
		.argv = argv,
		.cwd = "/",
		.limit_ms = t->hook_limit,
		.grace_ms = GRACE_MS,
		.merge = true,
		.stoppable = hook->stoppable,
		.hold_fd = -1 };

	if (hook->command[0] == '\0')
		return;
	(void)strlcpy(words, hook->command, sizeof(words));
	split(words, argv);
	run.path = argv[0];
	run.in_fd = open_record(t, r, &f);
	if (run.in_fd != -1 && fill_env(&env, h, t, r, &f) == 0) {
		run.env = env.list;
		if (run_child(&run, &res, &f) == 0)
			judge_run(&run, t, &res, &f);
		run_free(&res);
	}
	if (run.in_fd != -1)
		close(run.in_fd);
	childenv_free(&env);
	if (f.kind == FAULT_NONE)
		return;
	snprintf(line, sizeof(line), "%s failed: %s", hook->key, f.what);
	output_say(h->output, SAY_WARN, line);
	log_event(LOG_WARNING, "%s %s of %s: %s", record_verb_name(r->verb), r->to.tag,
	    t->name, line);
}

static void
keep_record(struct hooks *h, const struct target *t, const struct record *r)
{
	struct made *grown = reallocarray(h->made, h->n + 1, sizeof(*grown));

	if (grown == NULL) {
		log_event(LOG_WARNING, "on_result is not run: out of memory");
		return;
	}
	h->made = grown;
	h->made[h->n++] = (struct made){ t, *r };
}

void
hooks_record(void *hooks, const struct target *t, const struct record *r)
{
	const struct hook start = { "on_start", t->on_start, true };

	if (r->outcome == OUTCOME_STARTED)
		run_hook(hooks, &start, t, r);
	else if (t->on_result[0] != '\0')
		keep_record(hooks, t, r);
}

void
hooks_results(struct hooks *h)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		const struct target *t = h->made[i].target;
		/* a deploy that a signal ended has a result, too */
		const struct hook result = { "on_result", t->on_result, false };

		run_hook(h, &result, t, &h->made[i].record);
	}
	free(h->made);
	h->made = NULL;
	h->n = 0;
}

/* The program, escaped: its arguments may contain secrets. */
static const char *
hook_program(const char *command, char safe[160], bool *runs)
{
	char program[COMMAND_MAX];
	struct stat st;

	(void)strlcpy(program, command, sizeof(program));
	program[strcspn(program, " \t")] = '\0';
	*runs = stat(program, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(program, X_OK) == 0;
	return text_escape(safe, 160, program, strlen(program));
}

static void
plan_hook(struct output *o, const char *key, const char *command)
{
	char safe[160];
	bool runs;

	if (*command == '\0')
		return;
	(void)hook_program(command, safe, &runs);
	output_row(o, key, "%s%s", safe, runs ? "" : ", which cannot be run");
}

void
hooks_plan(struct output *o, const struct target *t)
{
	plan_hook(o, "on_start", t->on_start);
	plan_hook(o, "on_result", t->on_result);
}

json_t *
hooks_object(const char *command)
{
	char safe[160];
	bool runs;

	if (*command == '\0')
		return json_null();
	(void)hook_program(command, safe, &runs);
	return json_pack("{ss sb}", "program", safe, "executable", runs);
}
