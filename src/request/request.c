#include "request/request.h"

#include "sys/text.h"

#include <bsd/stdlib.h>
#include <string.h>

static const struct {
	const char	*name, *usage, *text;
	bool		 open;		/* to the network, by default */
	enum { NOTHING, TAG, MAYBE_TAG, MAYBE_WORD } words;
} verbs[VERB__MAX] = {
	[VERB_DEPLOY] = { "deploy", "deploy TAG",
	    "run TAG; if it is not healthy, go back to what ran", true, TAG },
	[VERB_ROLLBACK] = { "rollback", "rollback [TAG]",
	    "go to the newest proven version before this one, or to TAG",
	    false, MAYBE_TAG },
	[VERB_STATUS] = { "status", "status",
	    "what runs, what .env says, what is under way", true, NOTHING },
	[VERB_HISTORY] = { "history", "history [N]",
	    "the last N deploys, 10 by default", true, MAYBE_WORD },
	[VERB_RECOVER] = { "recover", "recover",
	    "mend an interrupted deploy now", false, NOTHING },
	[VERB_VERSION] = { "version", "version", "the program's version", true, NOTHING },
	[VERB_HELP] = { "help", "help [TOPIC]", "this text", true,
	    MAYBE_WORD },
};

const char *
verb_name(enum verb v)
{
	return v < VERB__MAX ? verbs[v].name : "unknown";
}

const char *
verb_usage(enum verb v)
{
	return v < VERB__MAX ? verbs[v].usage : "";
}

const char *
verb_text(enum verb v)
{
	return v < VERB__MAX ? verbs[v].text : "";
}

bool
verb_is_open(enum verb v)
{
	return v < VERB__MAX && verbs[v].open;
}

enum verb
verb_find(const char *name, size_t len)
{
	int v;

	for (v = 0; v < VERB__MAX; v++)
		if (strlen(verbs[v].name) == len && memcmp(verbs[v].name, name, len) == 0)
			break;
	return (enum verb)v;
}

static int
invalid(const char *line, size_t len, const char *why, struct fault *f)
{
	char safe[128];

	return fault_set(f, FAULT_REFUSED, "`help` lists what can be asked",
	    "invalid request: %s: %s", why, text_escape(safe, sizeof(safe), line, len));
}

static int
no_tag(struct fault *f)
{
	return fault_set(f, FAULT_REFUSED, "say `deploy TAG`; `help` lists the rest",
	    "invalid tag: none was given");
}

static int
long_tag(const char *word, size_t len, struct fault *f)
{
	char safe[96];

	return fault_set(f, FAULT_REFUSED, "a docker tag has at most 128 bytes",
	    "invalid tag: %s", text_escape(safe, sizeof(safe), word, len));
}

/* What is wrong with the bytes, or NULL. */
static const char *
bytes_fault(const char *line, size_t len)
{
	size_t i;

	if (len > REQUEST_MAX)
		return "longer than 256 bytes";
	for (i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return "not printable ASCII";
	if (line[0] == ' ' || line[len - 1] == ' ')
		return "a space at its begin or end";
	for (i = 1; i < len; i++)
		if (line[i] == ' ' && line[i - 1] == ' ')
			return "two spaces in a row";
	return NULL;
}

static int
set_count(struct request *r, const char *line, size_t len, struct fault *f)
{
	const char *why;

	r->count = 10;
	if (r->word[0] == '\0')
		return 0;
	/* strtonum(3) would take a sign and blanks too */
	if (strspn(r->word, "0123456789") != strlen(r->word))
		return invalid(line, len, "not a number from 1 to 1000", f);
	r->count = (unsigned)strtonum(r->word, 1, 1000, &why);
	if (why != NULL)
		return invalid(line, len, "not a number from 1 to 1000", f);
	return 0;
}

static int
take_words(struct request *r, const char *line, size_t len, struct fault *f)
{
	const char *space = memchr(line, ' ', len), *word;
	size_t n;

	r->verb = verb_find(line, space == NULL ? len : (size_t)(space - line));
	if (r->verb == VERB__MAX)
		return invalid(line, len, "no such verb", f);
	if (space == NULL)
		return verbs[r->verb].words == TAG ? no_tag(f) : 0;
	word = space + 1;
	n = len - (size_t)(word - line);
	if (verbs[r->verb].words == NOTHING || memchr(word, ' ', n) != NULL)
		return invalid(line, len, "too many words", f);
	if (n >= sizeof(r->word) && verbs[r->verb].words != MAYBE_WORD)
		return long_tag(word, n, f);
	if (n >= sizeof(r->word))
		return invalid(line, len, "a word is too long", f);
	memcpy(r->word, word, n);
	r->word[n] = '\0';
	return 0;
}

int
request_parse(struct request *r, const char *line, size_t len, struct fault *f)
{
	const char *why;

	memset(r, 0, sizeof(*r));
	if (len == 0)
		return no_tag(f);
	why = bytes_fault(line, len);
	if (why != NULL)
		return invalid(line, len, why, f);
	if (take_words(r, line, len, f) == -1)
		return -1;
	return r->verb == VERB_HISTORY ? set_count(r, line, len, f) : 0;
}
