#include "request/request.h"

#include "sys/text.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

#define JSON 1U
#define WAIT 2U
#define SEQ 4U

static const struct {
	const char *name, *usage, *text;
	bool open; /* to the network, by default */
	enum { NOTHING, TAG, MAYBE_TAG, MAYBE_WORD } words;
	unsigned extras; /* which of JSON, WAIT, SEQ it takes */
} verbs[VERB__MAX] = {
	[VERB_DEPLOY] = { "deploy", "deploy TAG [seq=N] [--json]",
	    "run TAG; if it is not healthy, go back to what ran", true, TAG, SEQ | JSON },
	[VERB_ROLLBACK] = { "rollback", "rollback [TAG] [--json]",
	    "go to the newest proven version before this one, or to TAG", false,
	    MAYBE_TAG, JSON },
	[VERB_STATUS] = { "status", "status [--wait [--json]]",
	    "what runs, what .env says, what is under way", true, NOTHING, WAIT | JSON },
	[VERB_HISTORY] = { "history", "history [N] [--json]",
	    "the last N deploys, 10 by default", true, MAYBE_WORD, JSON },
	[VERB_RECOVER] = { "recover", "recover", "mend an interrupted deploy now", false,
	    NOTHING, 0 },
	[VERB_VERSION] = { "version", "version", "the program's version", true, NOTHING,
	    0 },
	[VERB_HELP] = { "help", "help [TOPIC]", "this text", true, MAYBE_WORD, 0 },
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

/* How the verb is said, where it is one. */
static int
invalid(enum verb v, const char *line, size_t len, const char *why, struct fault *f)
{
	char safe[128], next[64];

	snprintf(next, sizeof(next), "say `%s`", verb_usage(v));
	return fault_set(f, FAULT_REFUSED,
	    v == VERB__MAX ? "`help` lists what can be asked" : next,
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

/* Plain digits: strtonum(3) would take a sign and blanks too. */
static bool
to_number(const char *digits, size_t len, int64_t max, int64_t *n)
{
	char word[20];
	const char *why;

	if (len == 0 || len >= sizeof(word))
		return false;
	memcpy(word, digits, len);
	word[len] = '\0';
	if (strspn(word, "0123456789") != len)
		return false;
	*n = strtonum(word, 1, max, &why);
	return why == NULL;
}

/* What is wrong with the number of a `history`, or NULL. */
static const char *
set_count(struct request *r)
{
	int64_t n = 10;

	if (r->word[0] != '\0' && !to_number(r->word, strlen(r->word), 1000, &n))
		return "not a number from 1 to 1000";
	r->count = (unsigned)n;
	return NULL;
}

struct word {
	const char *at;
	size_t len;
};

static bool
is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

/* One of JSON, WAIT, SEQ; 0 for any other word. */
static unsigned
extra_of(const struct word *w)
{
	if (is(w, "--json"))
		return JSON;
	if (is(w, "--wait"))
		return WAIT;
	return w->len >= 4 && memcmp(w->at, "seq=", 4) == 0 ? SEQ : 0;
}

/* What is wrong with it, or NULL. */
static const char *
take_extra(struct request *r, unsigned extra, const struct word *w)
{
	if ((verbs[r->verb].extras & extra) == 0)
		return "not for this verb";
	if ((extra == JSON && r->json) || (extra == WAIT && r->wait) ||
	    (extra == SEQ && r->seq != 0))
		return "said twice";
	if (extra == JSON)
		r->json = true;
	if (extra == WAIT)
		r->wait = true;
	if (extra == SEQ && !to_number(w->at + 4, w->len - 4, REQUEST_SEQ_MAX, &r->seq))
		return "seq= takes a number from 1 to 999999999999999";
	return NULL;
}

static int
take_word(struct request *r, const struct word *w, struct fault *f)
{
	bool tag = verbs[r->verb].words != MAYBE_WORD;

	if (w->len < sizeof(r->word)) {
		memcpy(r->word, w->at, w->len);
		r->word[w->len] = '\0';
		return 0;
	}
	return tag ? long_tag(w->at, w->len, f)
		   : invalid(r->verb, w->at, w->len, "a word is too long", f);
}

/* The word that begins there; there is one. */
static struct word
word_at(const char *from, const char *end)
{
	const char *space = memchr(from, ' ', (size_t)(end - from));
	struct word w = { from, (size_t)((space == NULL ? end : space) - from) };

	return w;
}

/* verb [word] *extra, parted by single spaces, none at either end */
static int
take_words(struct request *r, const char *line, size_t len, struct fault *f)
{
	const char *end = line + len, *why = NULL;
	struct word w = word_at(line, end);
	unsigned extra, extras = 0;

	r->verb = verb_find(w.at, w.len);
	if (r->verb == VERB__MAX)
		return invalid(r->verb, line, len, "no such verb", f);
	while (why == NULL && w.at + w.len < end) {
		w = word_at(w.at + w.len + 1, end);
		extra = extra_of(&w);
		extras |= extra;
		if (extra != 0)
			why = take_extra(r, extra, &w);
		else if (extras != 0 || r->word[0] != '\0' ||
		    verbs[r->verb].words == NOTHING)
			why = "too many words";
		else if (take_word(r, &w, f) == -1)
			return -1;
	}
	if (why != NULL)
		return invalid(r->verb, line, len, why, f);
	return verbs[r->verb].words == TAG && r->word[0] == '\0' ? no_tag(f) : 0;
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
		return invalid(VERB__MAX, line, len, why, f);
	if (take_words(r, line, len, f) == -1)
		return -1;
	why = r->verb == VERB_HISTORY ? set_count(r) : NULL;
	if (r->verb == VERB_STATUS && r->json && !r->wait)
		why = "--json needs --wait";
	return why == NULL ? 0 : invalid(r->verb, line, len, why, f);
}
