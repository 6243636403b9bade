#include "cli/help.h"

#include "config/config.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *text;
} codes[] = {
	{ 0, "success: the version runs, verified healthy" },
	{ 1, "not deployed; the previous version serves (nothing changed, or reverted)" },
	{ 2,
	    "refused: an invalid request, not allowed, or a wrong image; nothing changed" },
	{ 3, "another deploy of this target is running; nothing changed" },
	{ 4, "the host is not ready (settings, .env, docker, disk); nothing changed" },
	{ 5, "not deployed, and the previous version is not verified: look now" },
	{ 6, "superseded: a newer sequence number is deployed; nothing changed" },
	{ 70, "a bug in this program" },
};

/* The parts of a usage, unless the text of the verb explains them. */
static const struct {
	const char *part, *text;
} parts[] = {
	{ "TAG", "an image tag, such as v1.2.3 or sha-abc1234" },
	{ "seq=N", "the order of pushes: exit code 6 if a larger N is deployed" },
	{ "digest=D", "the registry digest that every image must have: sha256:HEX" },
	{ "commit=HEX", "the commit that the images must be built from, by their label" },
	{ "sig=S",
	    "a signature of REPOSITORY@DIGEST, if the setting signed_by requires it" },
	{ "target=NAME", "the target; without it the tag chooses, or all targets" },
	{ "for=TIME", "a number with s, m, h or d, at most 365d; else until `unfreeze`" },
	{ "REASON",
	    "the rest of the line, at most 200 bytes; deploys are refused with it" },
	{ "[N]", "1 to 1000" },
	{ "--wait", "wait for the deploy in progress, and exit with its code" },
	{ "--check", "for monitors; exit code 0: healthy, and as deployed;" },
	{ "--check", "5: a service is down; 4: unknown; 1: healthy, but drift or" },
	{ "--check", "an unfinished deploy" },
	{ "--start", "then start the version in .env; for a boot" },
	{ "--json", "the answer as JSON on stdout, all else on stderr" },
	{ "TOPIC", "exit-codes or settings" },
};

static void
show_codes(struct output *o)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		output_line(o, "%3d  %s", codes[i].code, codes[i].text);
	output_line(o, "Treat an unknown code as a failure.");
	output_line(o, "The codes of `status --check` are in `help status`.");
}

static void
show_setting(void *arg, const char *line)
{
	output_line(arg, "%s", line);
}

static void
show_verbs(struct output *o, enum say where, const bool may[VERB__MAX])
{
	char line[160];
	int v;

	for (v = 0; v < VERB__MAX; v++) {
		if (!may[v])
			continue;
		snprintf(line, sizeof(line), "  %-10s %s", verb_name((enum verb)v),
		    verb_text((enum verb)v));
		output_say(o, where, line);
	}
}

static void
show_all(struct output *o, const bool may[VERB__MAX])
{
	output_line(o, "usage: twilight-deploy [--config FILE] [--target NAME,NAME|all]");
	output_line(o,
	    "           [--actor NAME] [--trigger NAME] [--allow VERB,VERB|all]");
	output_line(o, "           [--local] [--verbose] VERB ...");
	output_line(o, "  twilight-deploy deploy sha-abc1234      at a prompt");
	output_line(o, "  ssh deploy@host deploy sha-abc1234      as a forced command");
	output_line(o, "%s", "");
	show_verbs(o, SAY_RESULT, may);
	output_line(o, "%s", "");
	output_line(o, "See also: help VERB, help exit-codes, help settings");
}

static void
show_verb(struct output *o, enum verb v)
{
	const char *usage = verb_usage(v), *last = "";
	size_t i;

	output_line(o, "usage: %s", usage);
	output_line(o, "  %s", verb_text(v));
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(usage, parts[i].part) == NULL)
			continue;
		output_line(o, "  %-12s %s",
		    strcmp(parts[i].part, last) == 0 ? "" : parts[i].part, parts[i].text);
		last = parts[i].part;
	}
}

int
help_show(struct output *o, const char *topic, const bool may[VERB__MAX], struct fault *f)
{
	enum verb v = verb_find(topic, strlen(topic));
	char safe[96];

	if (topic[0] == '\0')
		show_all(o, may);
	else if (v != VERB__MAX)
		show_verb(o, v);
	else if (strcmp(topic, "exit-codes") == 0)
		show_codes(o);
	else if (strcmp(topic, "settings") == 0)
		config_describe(show_setting, o);
	else
		return fault_set(f, FAULT_REFUSED,
		    "topics are exit-codes, settings and each command; `help` lists them",
		    "invalid request: no such topic: %s",
		    text_escape(safe, sizeof(safe), topic, strlen(topic)));
	return 0;
}

void
help_short(struct output *o, const bool may[VERB__MAX])
{
	output_say(o, SAY_SHOUT, "available commands:");
	show_verbs(o, SAY_SHOUT, may);
}

void
help_names(const bool may[VERB__MAX], char *out, size_t size)
{
	int v;

	out[0] = '\0';
	for (v = 0; v < VERB__MAX; v++)
		if (may[v] && !verb_is_harmless((enum verb)v)) {
			if (out[0] != '\0')
				(void)strlcat(out, ", ", size);
			(void)strlcat(out, verb_name((enum verb)v), size);
		}
}
