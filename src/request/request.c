#include "request/request.h"

#include "sys/text.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define JSON 1U
#define WAIT 2U
#define CHECK 4U
#define START 8U
#define SEQ 16U
#define TARGET 32U

/* The table of verbs; their handlers are cli/handlers.c's. */
static const struct {
	const char *name, *usage, *text;
	enum { ASKED, OPEN, HARMLESS } permission; /* by --allow; the default; always */
	enum { NOTHING, TAG, MAYBE_TAG, MAYBE_WORD } words;
	unsigned extras;
} verbs[VERB__MAX] = {
	[VERB_DEPLOY] = { "deploy", "deploy TAG [seq=N] [target=NAME] [--json]",
	    "run TAG; if it is not healthy, go back to what ran", OPEN, TAG,
	    SEQ | TARGET | JSON },
	[VERB_PLAN] = { "plan", "plan TAG [target=NAME] [--json]",
	    "what a deploy of TAG would do; changes nothing", OPEN, TAG, TARGET | JSON },
	[VERB_VERIFY] = { "verify", "verify [target=NAME] [--json]",
	    "does what was deployed last run, healthy? changes nothing", OPEN, NOTHING,
	    TARGET | JSON },
	[VERB_ROLLBACK] = { "rollback", "rollback [TAG] [target=NAME] [--json]",
	    "go back to the newest other known-good version, or to TAG", ASKED, MAYBE_TAG,
	    TARGET | JSON },
	[VERB_STATUS] = { "status", "status [--wait|--check] [target=NAME] [--json]",
	    "what runs, is it healthy, what is in flight", OPEN, NOTHING,
	    WAIT | CHECK | TARGET | JSON },
	[VERB_HISTORY] = { "history", "history [N] [target=NAME] [--json]",
	    "the last N deploys, 10 by default", OPEN, MAYBE_WORD, TARGET | JSON },
	[VERB_RECOVER] = { "recover", "recover [--start] [target=NAME] [--json]",
	    "finish or revert interrupted deploys", ASKED, NOTHING,
	    START | TARGET | JSON },
	[VERB_VERSION] = { "version", "version", "the version of this program", HARMLESS,
	    NOTHING, 0 },
	[VERB_HELP] = { "help", "help [TOPIC|VERB]", "this text", HARMLESS, MAYBE_WORD,
	    0 },
};

/* What may stand behind the word.  A name that ends in '=' is followed by a value. */
static const struct {
	const char *name;
	unsigned bit;
	const char *usage;
	size_t flag; /* where it is in struct request; 0 for one with a value */
} extras[] = {
	{ "--json", JSON, "--json", offsetof(struct request, json) },
	{ "--wait", WAIT, "--wait", offsetof(struct request, wait) },
	{ "--check", CHECK, "--check", offsetof(struct request, check) },
	{ "--start", START, "--start", offsetof(struct request, start) },
	{ "seq=", SEQ, "seq=N", 0 },
	{ "target=", TARGET, "target=NAME", 0 },
};

#define EXTRAS (sizeof(extras) / sizeof(extras[0]))

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
verb_takes_tag(enum verb v)
{
	return v < VERB__MAX && (verbs[v].words == TAG || verbs[v].words == MAYBE_TAG);
}

bool
verb_is_open(enum verb v)
{
	return v < VERB__MAX && verbs[v].permission != ASKED;
}

bool
verb_is_harmless(enum verb v)
{
	return v < VERB__MAX && verbs[v].permission == HARMLESS;
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

/* ---- refusals ---- */

struct word {
	const char *at;
	size_t len;
};

/* With the usage of the verb, where it is one. */
static int
request_invalid(enum verb v, const struct word *shown, const char *why, struct fault *f)
{
	char safe[128], next[96];

	snprintf(next, sizeof(next), "usage: %s", verb_usage(v));
	return fault_set(f, FAULT_REFUSED,
	    v == VERB__MAX ? "`help` lists the commands" : next,
	    "invalid request: %s: %s", why,
	    text_escape(safe, sizeof(safe), shown->at, shown->len));
}

static int
no_tag(enum verb v, struct fault *f)
{
	char next[96];

	snprintf(next, sizeof(next), "usage: %s", verb_usage(v));
	return fault_set(f, FAULT_REFUSED, next, "invalid tag: none was given");
}

static int
long_tag(const struct word *w, struct fault *f)
{
	char safe[96];

	return fault_set(f, FAULT_REFUSED, "a docker tag has at most 128 bytes",
	    "invalid tag: %s", text_escape(safe, sizeof(safe), w->at, w->len));
}

static void
copy_word(char *out, size_t size, const struct word *w)
{
	size_t n = w->len < size ? w->len : size - 1;

	memcpy(out, w->at, n);
	out[n] = '\0';
}

static int
unknown_verb(const struct word *w, struct fault *f)
{
	char name[TEXT_WORD_MAX + 2], safe[96], next[64];
	unsigned best = ~0U, distance;
	int v, near = VERB__MAX;

	copy_word(name, sizeof(name), w);
	for (v = 0; v < VERB__MAX; v++) {
		distance = text_distance(verbs[v].name, name);
		if (distance < best && text_is_near(verbs[v].name, distance)) {
			best = distance;
			near = v;
		}
	}
	snprintf(next, sizeof(next), "did you mean `%s`?", verb_name((enum verb)near));
	return fault_set(f, FAULT_REFUSED,
	    near == VERB__MAX ? "`help` lists the commands" : next,
	    "invalid request: unknown command: %s",
	    text_escape(safe, sizeof(safe), w->at, w->len));
}

/* The extra of this verb that resembles `name` (no dashes, no value); NULL for none. */
static const char *
nearest_extra(enum verb v, const char *name)
{
	const char *near = NULL;
	unsigned best = ~0U, distance;
	char bare[16];
	size_t i;

	for (i = 0; i < EXTRAS; i++) {
		if ((verbs[v].extras & extras[i].bit) == 0)
			continue;
		(void)strlcpy(bare, extras[i].name + strspn(extras[i].name, "-"),
		    sizeof(bare));
		bare[strcspn(bare, "=")] = '\0';
		distance = text_distance(bare, name);
		if (distance < best && text_is_near(bare, distance)) {
			best = distance;
			near = extras[i].usage;
		}
	}
	return near;
}

/* "deploy has no --seq; write seq=N" */
static int
unknown_extra(enum verb v, const struct word *w, struct fault *f)
{
	char word[TEXT_WORD_MAX + 2], safe[96], next[96];
	const char *near, *bare = word;

	copy_word(word, sizeof(word), w);
	bare += strspn(bare, "-");
	word[strcspn(word, "=")] = '\0';
	near = nearest_extra(v, bare);
	if (near == NULL)
		snprintf(next, sizeof(next), "usage: %s", verb_usage(v));
	else
		snprintf(next, sizeof(next), "write %s", near);
	return fault_set(f, FAULT_REFUSED, next, "invalid request: %s has no %s",
	    verb_name(v),
	    text_escape(safe, sizeof(safe), w->at, near == NULL ? w->len : strlen(word)));
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
		return "a space at its beginning or end";
	for (i = 1; i < len; i++)
		if (line[i] == ' ' && line[i - 1] == ' ')
			return "two spaces in a row";
	return NULL;
}

/* ---- words ---- */

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

static bool
word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

static bool
word_is_help(const struct word *w)
{
	return word_is(w, "--help") || word_is(w, "-h");
}

/* The row of `extras`, or EXTRAS. */
static size_t
extra_of(const struct word *w)
{
	size_t i, len;

	for (i = 0; i < EXTRAS; i++) {
		len = strlen(extras[i].name);
		if (extras[i].name[len - 1] == '='
			? w->len >= len && memcmp(w->at, extras[i].name, len) == 0
			: word_is(w, extras[i].name))
			break;
	}
	return i;
}

/* What is wrong with the value, or NULL. */
static const char *
set_extra(struct request *r, size_t i, const char *value, size_t len)
{
	if (extras[i].flag != 0)
		*(bool *)((char *)r + extras[i].flag) = true;
	else if (extras[i].bit == SEQ) {
		if (!to_number(value, len, REQUEST_SEQ_MAX, &r->seq))
			return "seq= takes a number from 1 to 999999999999999";
	} else {
		if (len == 0 || len >= sizeof(r->target))
			return "target= takes the name of a target";
		memcpy(r->target, value, len);
	}
	return r->wait && r->check ? "--wait and --check exclude each other" : NULL;
}

/* A word behind the first one, or instead of it; `seen` are the extras so far. */
static int
take_extra(struct request *r, size_t i, const struct word *w, unsigned *seen,
    struct fault *f)
{
	unsigned bit = extras[i].bit;
	size_t name = strlen(extras[i].name);
	const char *why;

	if ((verbs[r->verb].extras & bit) == 0)
		return unknown_extra(r->verb, w, f);
	if ((*seen & bit) != 0)
		return request_invalid(r->verb, w, "given twice", f);
	*seen |= bit;
	why = set_extra(r, i, w->at + name, w->len - name);
	return why == NULL ? 0 : request_invalid(r->verb, w, why, f);
}

static int
take_word(struct request *r, const struct word *w, struct fault *f)
{
	if (w->len < sizeof(r->word)) {
		copy_word(r->word, sizeof(r->word), w);
		return 0;
	}
	return verb_takes_tag(r->verb) ? long_tag(w, f)
				       : request_invalid(r->verb, w, "too long", f);
}

/* A word that is neither an extra nor expected. */
static int
stray_word(const struct request *r, const struct word *w, struct fault *f)
{
	if (w->at[0] == '-' || memchr(w->at, '=', w->len) != NULL)
		return unknown_extra(r->verb, w, f);
	return request_invalid(r->verb, w, "too many words", f);
}

/* The word that begins there; there is one. */
static struct word
word_at(const char *from, const char *end)
{
	const char *space = memchr(from, ' ', (size_t)(end - from));
	struct word w = { from, (size_t)((space == NULL ? end : space) - from) };

	return w;
}

/* verb [word] *extra, as in request.h */
static int
take_words(struct request *r, const char *line, size_t len, struct fault *f)
{
	const char *end = line + len;
	struct word w = word_at(line, end);
	unsigned seen = 0;
	size_t extra;
	int rc = 0;

	r->verb = word_is_help(&w) ? VERB_HELP : verb_find(w.at, w.len);
	if (r->verb == VERB__MAX)
		return unknown_verb(&w, f);
	while (rc == 0 && w.at + w.len < end) {
		w = word_at(w.at + w.len + 1, end);
		extra = extra_of(&w);
		if (word_is_help(&w) && w.at + w.len == end && r->word[0] == '\0') {
			(void)strlcpy(r->word, verb_name(r->verb), sizeof(r->word));
			r->verb = VERB_HELP;
		} else if (extra < EXTRAS)
			rc = take_extra(r, extra, &w, &seen, f);
		else if (seen != 0 || r->word[0] != '\0' ||
		    verbs[r->verb].words == NOTHING)
			rc = stray_word(r, &w, f);
		else
			rc = take_word(r, &w, f);
	}
	if (rc == 0 && verbs[r->verb].words == TAG && r->word[0] == '\0')
		return no_tag(r->verb, f);
	return rc;
}

int
request_parse(struct request *r, const char *line, size_t len, struct fault *f)
{
	const struct word all = { line, len };
	const char *why;

	memset(r, 0, sizeof(*r));
	if (len == 0)
		return no_tag(VERB_DEPLOY, f);
	why = bytes_fault(line, len);
	if (why != NULL)
		return request_invalid(VERB__MAX, &all, why, f);
	if (take_words(r, line, len, f) == -1)
		return -1;
	why = r->verb == VERB_HISTORY ? set_count(r) : NULL;
	return why == NULL ? 0 : request_invalid(r->verb, &all, why, f);
}
