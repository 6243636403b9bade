#include "engine/call.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* "compose config", "ps": which command of docker it was. */
static const char *
name(const char *const *argv, char *out, size_t size)
{
	bool group = strcmp(argv[1], "compose") == 0 || strcmp(argv[1], "image") == 0;

	snprintf(out, size, "%s%s%s", argv[1], group ? " " : "", group ? argv[2] : "");
	return out;
}

/* "See 'docker --help'" ends what docker says of a command that it does not know. */
static bool
says_why(const char *line, size_t len)
{
	return len > 0 && memmem(line, len, "level=warning", 13) == NULL &&
	    memmem(line, len, " --help'", 8) == NULL;
}

/* The last line counts: warnings come before it. */
static const char *
reason(const struct run_result *res, size_t *len)
{
	const char *best = res->err, *at, *end;

	*len = strcspn(res->err, "\n");
	for (at = res->err; *at != '\0'; at = *end == '\n' ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if (!says_why(at, (size_t)(end - at)))
			continue;
		best = at;
		*len = (size_t)(end - at);
	}
	return best;
}

int
call_fault(const char *const *argv, const struct run_result *res, struct compose *c,
    const char *next, struct fault *f)
{
	char said[300], what[64];
	const char *line;
	size_t len;

	name(argv, what, sizeof(what));

	if (res->end == RUN_TIMEOUT)
		return fault_set(f, FAULT_HOST, "see that the docker daemon is well",
		    "docker %s did not answer within %lld s%s", what,
		    (long long)(c->target->call_limit / 1000),
		    res->left ? ", and this user may not end it" : "");
	if (res->end == RUN_SIGNALLED)
		return fault_set(f, FAULT_HOST, "see memory and the system log",
		    "docker %s was killed by signal %d (%s)", what, res->status,
		    strsignal(res->status));
	if (mover_line_is_secret(res->err, res->err_len))
		(void)strlcpy(said, "an env file cannot be parsed", sizeof(said));
	else {
		line = reason(res, &len);
		mask_show(&c->mask, said, sizeof(said), line, len,
		    line + len == res->err + sizeof(res->err) - 1);
	}
	return fault_set(f, FAULT_HOST,
	    next == NULL ? "run it by hand to see more" : next,
	    "docker %s failed (exit %d)%s%s", what, res->status,
	    said[0] == '\0' ? "" : ": ", said);
}

struct run
call_run(const struct compose *c, const char *const *argv)
{
	return (struct run){ .kind = RUN_LOOK,
		.path = c->docker,
		.argv = argv,
		.env = c->env.list,
		.cwd = c->target->compose_dir,
		.limit_ms = c->target->call_limit,
		.out_fd = -1,
		.hold_fd = -1 };
}

int
call_any(struct compose *c, const char *const *argv, struct run_result *res,
    struct fault *f)
{
	struct run r = call_run(c, argv);

	if (run_child(&r, res, f) == -1) {
		run_free(res);
		return -1;
	}
	if (res->end == RUN_EXITED && !res->out_cut)
		return 0;
	call_fault(argv, res, c, NULL, f);
	run_free(res);
	return -1;
}

int
call_look(struct compose *c, const char *const *argv, struct run_result *res,
    struct fault *f)
{
	if (call_any(c, argv, res, f) == -1)
		return -1;
	if (res->status == 0)
		return 0;
	call_fault(argv, res, c, NULL, f);
	run_free(res);
	return -1;
}

const char *
call_output(const struct run_result *res)
{
	return res->out == NULL ? "" : res->out;
}

int
call_move(struct compose *c, const char *const *argv, const char *word, int64_t limit_ms,
    bool stoppable, struct fault *f)
{
	struct run r = { .path = c->docker,
		.argv = argv,
		.env = c->env.list,
		.cwd = c->target->compose_dir,
		.limit_ms = limit_ms,
		.stoppable = stoppable };

	return mover_run(&c->mover, &r, word, f);
}
