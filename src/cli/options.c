#include "cli/options.h"

#include "sys/text.h"

#include <bsd/string.h>
#include <getopt.h>
#include <string.h>

enum { OPT_ACTOR = 256, OPT_ALLOW, OPT_LOCAL, OPT_VERSION };

static const struct option long_options[] = {
	{ "actor", required_argument, NULL, OPT_ACTOR },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "local", no_argument, NULL, OPT_LOCAL },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int
usage(const char *what, const char *word, struct fault *f)
{
	char safe[96];

	return fault_set(f, FAULT_REFUSED, "`twilight-deploy --help` lists them",
	    "%s: %s", what, text_escape(safe, sizeof(safe), word, strlen(word)));
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
			return usage("--allow names no verb", at, f);
		o->allow[v] = true;
		if (at[len] == '\0')
			return 0;
	}
}

/* Words that do not fit are cut: the request is too long to be valid then. */
static void
join(struct options *o, int argc, char **argv)
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
	int c, at;

	memset(o, 0, sizeof(*o));
	opterr = 0;
	/* '+': the first word that is no option begins the request; ':' tells the two apart */
	while (at = optind,
	    (c = getopt_long(argc, argv, "+:hv", long_options, NULL)) != -1)
		switch (c) {
		case OPT_ACTOR:
			o->actor = optarg;
			break;
		case OPT_ALLOW:
			if (parse_allow(o, optarg, f) == -1)
				return -1;
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
		default:
			return usage(c == ':' ? "an argument is missing"
					      : "not an option",
			    at < argc ? argv[at] : "", f);
		}
	join(o, argc - optind, argv + optind);
	return 0;
}
