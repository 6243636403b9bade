#include "cli/options.h"

#include "state/trigger.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Not getopt_long(3): it accepts abbreviations. */
static const struct {
	const char *name;
	bool value;
	size_t at;           /* a bool of struct options, or a string if it has a value */
	const char *request; /* the option is this request */
} known[] = {
	{ "--actor", true, offsetof(struct options, actor), NULL },
	{ "--allow", true, offsetof(struct options, verbs), NULL },
	{ "--config", true, offsetof(struct options, config), NULL },
	{ "--trigger", true, offsetof(struct options, trigger), NULL },
	{ "--target", true, offsetof(struct options, targets), NULL },
	{ "--local", false, offsetof(struct options, local), NULL },
	{ "--verbose", false, offsetof(struct options, verbose), NULL },
	{ "-v", false, offsetof(struct options, verbose), NULL },
	{ "--help", false, offsetof(struct options, local), "help" },
	{ "-h", false, offsetof(struct options, local), "help" },
	{ "--version", false, offsetof(struct options, local), "version" },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static int
refuse_option(const char *what, const char *word, const char *next, struct fault *f)
{
	char safe[96];

	return fault_set(f, FAULT_REFUSED, next, "%s: %s", what,
	    text_escape(safe, sizeof(safe), word, strlen(word)));
}

static int
refuse_unknown(const char *word, struct fault *f)
{
	char name[64], next[64] = "`twilight-deploy --help` lists the options";
	unsigned best = ~0U, distance;
	const char *bare;
	size_t i;

	(void)strlcpy(name, word + strspn(word, "-"), sizeof(name));
	name[strcspn(name, "=")] = '\0';
	for (i = 0; i < KNOWN; i++) {
		bare = known[i].name + strspn(known[i].name, "-");
		distance = text_distance(bare, name);
		if (distance < best && text_is_near(bare, distance)) {
			best = distance;
			snprintf(next, sizeof(next), "did you mean %s?", known[i].name);
		}
	}
	return refuse_option("unknown option", word, next, f);
}

/* "VERB,VERB" or "all" */
static int
parse_allow(struct options *o, struct fault *f)
{
	const char *at = o->verbs;
	enum verb v;
	size_t len;
	int i;

	if (at == NULL)
		return 0;
	for (i = 0; i < VERB__MAX; i++)
		o->allow[i] = strcmp(at, "all") == 0;
	if (o->allow[0])
		return 0;
	while (at != NULL) {
		len = strcspn(at, ",");
		v = verb_find(at, len);
		if (v == VERB__MAX)
			return refuse_option("--allow has an unknown verb", at, NULL, f);
		o->allow[v] = true;
		at = at[len] == '\0' ? NULL : at + len + 1;
	}
	return 0;
}

static int
check_values(struct options *o, struct fault *f)
{
	if (o->trigger == NULL || trigger_find(o->trigger) != TRIGGER__MAX)
		return parse_allow(o, f);
	return refuse_option("--trigger has an unknown name", o->trigger,
	    "triggers are ssh, prompt, webhook, poll and boot", f);
}

/* The row of the option that is the first `len` bytes of `word`; KNOWN for none. */
static size_t
option_of(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < KNOWN; i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, word, len) == 0)
			break;
	return i;
}

/* Reads argv[*i], and advances *i to its value. */
static int
read_option(struct options *o, int argc, char **argv, int *i, struct fault *f)
{
	const char *word = argv[*i];
	size_t len = strcspn(word, "="), k = option_of(word, len);
	void *at;

	if (k == KNOWN || (word[len] == '=' && !known[k].value))
		return refuse_unknown(word, f);
	at = (char *)o + known[k].at;
	if (!known[k].value)
		*(bool *)at = true;
	else if (word[len] == '=')
		*(const char **)at = word + len + 1;
	else if (*i + 1 < argc)
		*(const char **)at = argv[++*i];
	else
		return refuse_option("missing argument", word, NULL, f);
	if (known[k].request != NULL)
		(void)strlcpy(o->line, known[k].request, sizeof(o->line));
	return 0;
}

int
options_parse(struct options *o, int argc, char **argv, struct fault *f)
{
	int i;

	memset(o, 0, sizeof(*o));
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (read_option(o, argc, argv, &i, f) == -1)
			return -1;
		if (o->line[0] != '\0')
			return check_values(o, f);
	}
	/* a request that is cut here is longer than REQUEST_MAX, and refused */
	for (; i < argc; i++) {
		(void)strlcat(o->line, argv[i], sizeof(o->line));
		if (i + 1 < argc)
			(void)strlcat(o->line, " ", sizeof(o->line));
	}
	return check_values(o, f);
}
