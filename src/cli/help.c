#include "cli/help.h"

#include "config/target.h"
#include "request/request.h"
#include "sys/text.h"

#include <stddef.h>
#include <string.h>

static const struct {
	int code;
	const char *text;
} codes[] = {
	{ 0, "what was asked for is so: the version runs and is healthy" },
	{ 1,
	    "not deployed; the previous version serves (nothing changed, or rolled back and verified)" },
	{ 2,
	    "request refused: bad verb or tag, not allowed for this key; nothing changed" },
	{ 3, "another deploy is running; nothing changed" },
	{ 4,
	    "the host is not ready: settings, .env, compose file, docker, disk; nothing changed" },
	{ 5, "not deployed and the previous version could not be verified: look now" },
	{ 6, "superseded: a newer sequence is deployed; nothing changed" },
	{ 70, "a bug of ours" },
};

static void
show_codes(struct output *o)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		output_line(o, "%3d  %s", codes[i].code, codes[i].text);
	output_line(o, "An unknown code is to be treated as a failure.");
}

static void
setting(void *arg, const char *line)
{
	output_line(arg, "%s", line);
}

static void
show_verbs(struct output *o)
{
	int v;

	output_line(o,
	    "usage: twilight-deploy [--actor NAME] [--allow VERB,VERB|all] [--local]");
	output_line(o, "           [--verbose] [VERB ...]");
	output_line(o, "  twilight-deploy deploy sha-abc1234      at a prompt");
	output_line(o, "  ssh deploy@host deploy sha-abc1234      as a forced command");
	output_line(o, "%s", "");
	for (v = 0; v < VERB__MAX; v++)
		output_line(o, "  %-28s %s", verb_usage((enum verb)v),
		    verb_text((enum verb)v));
	output_line(o, "%s", "");
	output_line(o, "`help exit-codes` and `help settings` tell the rest.");
}

int
help_show(struct output *o, const char *topic, struct fault *f)
{
	char safe[96];

	if (topic[0] == '\0')
		show_verbs(o);
	else if (strcmp(topic, "exit-codes") == 0)
		show_codes(o);
	else if (strcmp(topic, "settings") == 0)
		target_describe(setting, o);
	else
		return fault_set(f, FAULT_REFUSED,
		    "topics are exit-codes and settings; `help` alone lists the verbs",
		    "invalid request: no such topic: %s",
		    text_escape(safe, sizeof(safe), topic, strlen(topic)));
	return 0;
}
