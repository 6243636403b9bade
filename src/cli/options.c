#include "cli/options.h"

#include "sys/text.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPT_ACTOR = 256, OPT_ALLOW, OPT_CONFIG, OPT_LOCAL, OPT_TARGET, OPT_VERSION };

static const struct option long_options[] = {
	{ "actor", required_argument, NULL, OPT_ACTOR },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "local", no_argument, NULL, OPT_LOCAL },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int
bad_option(const char *what, const char *word, struct fault *f)
{
	char safe[96];

	return fault_set(f, FAULT_REFUSED, "`twilight-deploy --help` lists the options",
	    "%s: %s", what, text_escape(safe, sizeof(safe), word, strlen(word)));
}

/* "did you mean --verbose?" */
static int
unknown_option(const char *word, struct fault *f)
{
	unsigned best = ~0U, distance;
	const struct option *o;
	char bare[64], next[64] = "";

	(void)strlcpy(bare, word + strspn(word, "-"), sizeof(bare));
	bare[strcspn(bare, "=")] = '\0';
	for (o = long_options; o->name != NULL; o++) {
		distance = text_distance(o->name, bare);
		if (distance < best && text_is_near(o->name, distance)) {
			best = distance;
			snprintf(next, sizeof(next), "did you mean --%s?", o->name);
		}
	}
	bad_option("unknown option", word, f);
	if (next[0] != '\0')
		(void)strlcpy(f->next, next, sizeof(f->next));
	return -1;
}

/* getopt_long(3) accepts any unambiguous prefix of a name. */
static bool
is_abbreviated(const char *word, int index)
{
	size_t len;

	if (index == -1 || strncmp(word, "--", 2) != 0)
		return false;
	len = strcspn(word + 2, "=");
	return strlen(long_options[index].name) != len;
}

/* "VERB,VERB" or "all" */
static int
parse_allow(struct options *o, const char *list, struct fault *f)
{
	const char *at = list;
	enum verb v;
	size_t len;
	int i;

	o->allow_given = true;
	for (i = 0; i < VERB__MAX; i++)
		o->allow[i] = strcmp(list, "all") == 0;
	if (o->allow[0])
		return 0;
	for (;; at += len + 1) {
		len = strcspn(at, ",");
		v = verb_find(at, len);
		if (v == VERB__MAX)
			return bad_option("--allow has an unknown verb", at, f);
		o->allow[v] = true;
		if (at[len] == '\0')
			return 0;
	}
}

/* `line` holds more than REQUEST_MAX bytes: a request that is cut here is refused as too long. */
static void
join_words(struct options *o, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (i > 0)
			(void)strlcat(o->line, " ", sizeof(o->line));
		(void)strlcat(o->line, argv[i], sizeof(o->line));
	}
}

int
options_parse(struct options *o, int argc, char **argv, struct fault *f)
{
	int c, at, index;

	memset(o, 0, sizeof(*o));
	opterr = 0;
	/* '+': stop at the first non-option; ':': return ':' for a missing argument */
	while (at = optind, index = -1,
	    (c = getopt_long(argc, argv, "+:hv", long_options, &index)) != -1) {
		if (is_abbreviated(argv[at], index))
			return unknown_option(argv[at], f);
		switch (c) {
		case OPT_ACTOR:
			o->actor = optarg;
			break;
		case OPT_ALLOW:
			if (parse_allow(o, optarg, f) == -1)
				return -1;
			break;
		case OPT_CONFIG:
			o->config = optarg;
			break;
		case OPT_TARGET:
			o->targets = optarg;
			break;
		case OPT_LOCAL:
			o->local = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
		case OPT_VERSION:
			o->local = true;
			(void)strlcpy(o->line, c == 'h' ? "help" : "version",
			    sizeof(o->line));
			return 0;
		case ':':
			return bad_option("missing argument", argv[at], f);
		default:
			return unknown_option(at < argc ? argv[at] : "", f);
		}
	}
	join_words(o, argc - optind, argv + optind);
	return 0;
}
