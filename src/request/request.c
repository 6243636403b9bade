#include "request/request.h"

#include "request/extra.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define JSON 1U
#define WAIT 2U
#define CHECK 4U
#define START 8U
#define SEQ 16U
#define TARGET 32U
#define DIGEST 64U
#define COMMIT 128U
#define SIG 256U
#define FOR 512U

/* The table of verbs.  Their handlers are in cli/handlers.c: request/ knows no output. */
static const struct {
	const char *name, *usage, *text;
	enum { ASKED, OPEN, HARMLESS } permission; /* with --allow; by default; always */
	enum { NOTHING, TAG, MAYBE_TAG, MAYBE_WORD, REASON } words;
	unsigned extras;
} verbs[VERB__MAX] = {
	[VERB_DEPLOY] = { "deploy",
	    "deploy TAG [seq=N] [digest=D] [commit=HEX] [sig=S] [target=NAME] [--json]",
	    "run TAG; if it is not healthy, go back to what ran", OPEN, TAG,
	    SEQ | DIGEST | COMMIT | SIG | TARGET | JSON },
	[VERB_PLAN] = { "plan",
	    "plan TAG [digest=D] [commit=HEX] [sig=S] [target=NAME] [--json]",
	    "show what a deploy of TAG would do; changes nothing", OPEN, TAG,
	    DIGEST | COMMIT | SIG | TARGET | JSON },
	[VERB_VERIFY] = { "verify", "verify [target=NAME] [--json]",
	    "check that the deployed version runs, healthy; changes nothing", OPEN,
	    NOTHING, TARGET | JSON },
	[VERB_ROLLBACK] = { "rollback", "rollback [TAG] [target=NAME] [--json]",
	    "go back to the newest other known-good version, or to TAG", ASKED, MAYBE_TAG,
	    TARGET | JSON },
	[VERB_STATUS] = { "status", "status [--wait|--check] [target=NAME] [--json]",
	    "show what runs, its health, and the deploy in progress", OPEN, NOTHING,
	    WAIT | CHECK | TARGET | JSON },
	[VERB_HISTORY] = { "history", "history [N] [target=NAME] [--json]",
	    "show the last N deploys, 10 by default", OPEN, MAYBE_WORD, TARGET | JSON },
	[VERB_RECOVER] = { "recover", "recover [--start] [target=NAME] [--json]",
	    "finish or revert interrupted deploys", ASKED, NOTHING,
	    START | TARGET | JSON },
	[VERB_FREEZE] = { "freeze", "freeze [target=NAME] [for=TIME] [--json] REASON",
	    "refuse every deploy from now on; rollback stays possible", ASKED, REASON,
	    FOR | TARGET | JSON },
	[VERB_UNFREEZE] = { "unfreeze", "unfreeze [target=NAME] [--json]",
	    "allow deploys again", ASKED, NOTHING, TARGET | JSON },
	[VERB_VERSION] = { "version", "version [--json]",
	    "print the version of this program", HARMLESS, NOTHING, JSON },
	[VERB_HELP] = { "help", "help [TOPIC|VERB]", "print this text", HARMLESS,
	    MAYBE_WORD, 0 },
};

/* The options of a request, after its word.  A name that ends in '=' takes a value. */
static const struct {
	const char *name;
	unsigned bit;
	const char *value;
	size_t flag; /* the bool in struct request */
	const char *(*set)(struct request *, const char *value, size_t len); /* or NULL */
} extras[] = {
	{ "--json", JSON, "", offsetof(struct request, json), NULL },
	{ "--wait", WAIT, "", offsetof(struct request, wait), NULL },
	{ "--check", CHECK, "", offsetof(struct request, check), NULL },
	{ "--start", START, "", offsetof(struct request, start), NULL },
	{ "seq=", SEQ, "N", 0, extra_seq },
	{ "target=", TARGET, "NAME", 0, extra_target },
	{ "digest=", DIGEST, "sha256:HEX", 0, extra_digest },
	{ "commit=", COMMIT, "HEX", 0, extra_commit },
	{ "sig=", SIG, "S", 0, extra_sig },
	{ "for=", FOR, "TIME", 0, extra_for },
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
verb_needs_name(enum verb v)
{
	return v == VERB_ROLLBACK || v == VERB_FREEZE || v == VERB_UNFREEZE;
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

/* "invalid WHY: WORD", with the usage of the verb; `w` is NULL where there is no word. */
static int
refuse_request(enum verb v, const char *why, const struct word *w, struct fault *f)
{
	char safe[128] = "", next[160];

	if (w != NULL)
		text_escape(safe, sizeof(safe), w->at, w->len);
	snprintf(next, sizeof(next), "usage: %s", verb_usage(v));
	return fault_set(f, FAULT_REFUSED,
	    v == VERB__MAX ? "`help` lists the commands" : next, "invalid %s%s%s", why,
	    w == NULL ? "" : ": ", safe);
}

static int
refuse_long_tag(const struct word *w, struct fault *f)
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
refuse_verb(const struct word *w, struct fault *f)
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

/* The verb's option nearest to `name` (without dashes and value); EXTRAS for none. */
static size_t
nearest_extra(enum verb v, const char *name)
{
	unsigned best = ~0U, distance;
	size_t i, near = EXTRAS;
	char bare[16];

	for (i = 0; i < EXTRAS; i++) {
		if ((verbs[v].extras & extras[i].bit) == 0)
			continue;
		(void)strlcpy(bare, extras[i].name + strspn(extras[i].name, "-"),
		    sizeof(bare));
		bare[strcspn(bare, "=")] = '\0';
		distance = text_distance(bare, name);
		if (distance < best && text_is_near(bare, distance)) {
			best = distance;
			near = i;
		}
	}
	return near;
}

/* "deploy has no --seq", next: "write seq=N" */
static int
refuse_extra(enum verb v, const struct word *w, struct fault *f)
{
	char word[TEXT_WORD_MAX + 2], safe[96], next[96];
	size_t near;

	copy_word(word, sizeof(word), w);
	word[strcspn(word, "=")] = '\0';
	near = nearest_extra(v, word + strspn(word, "-"));
	if (near == EXTRAS)
		snprintf(next, sizeof(next), "usage: %s", verb_usage(v));
	else
		snprintf(next, sizeof(next), "write %s%s", extras[near].name,
		    extras[near].value);
	return fault_set(f, FAULT_REFUSED, next, "invalid request: %s has no %s",
	    verb_name(v),
	    text_escape(safe, sizeof(safe), w->at,
		near == EXTRAS ? w->len : strlen(word)));
}

static int
check_line(const struct word *line, struct fault *f)
{
	const char *at = line->at, *why = NULL;
	size_t len = line->len, i;

	if (len > REQUEST_MAX)
		return refuse_request(VERB__MAX, "request: longer than 1024 bytes", line,
		    f);
	for (i = 0; i < len && why == NULL; i++)
		if (at[i] < ' ' || at[i] > '~')
			why = "request: not printable ASCII";
	if (why == NULL && (at[0] == ' ' || at[len - 1] == ' '))
		why = "request: a space at its beginning or end";
	for (i = 1; i < len && why == NULL; i++)
		if (at[i] == ' ' && at[i - 1] == ' ')
			why = "request: two spaces in a row";
	return why == NULL ? 0 : refuse_request(VERB__MAX, why, line, f);
}

/* ---- words ---- */

static bool
word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

/* The row of `extras`; EXTRAS for none. */
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

/* `seen` has the bits of the options so far. */
static int
take_extra(struct request *r, size_t i, const struct word *w, unsigned *seen,
    struct fault *f)
{
	unsigned bit = extras[i].bit;
	size_t name = strlen(extras[i].name);
	const char *why = NULL;

	if ((verbs[r->verb].extras & bit) == 0)
		return refuse_extra(r->verb, w, f);
	if ((*seen & bit) != 0)
		return refuse_request(r->verb, "request: given twice", w, f);
	*seen |= bit;
	if (extras[i].set == NULL)
		*(bool *)((char *)r + extras[i].flag) = true;
	else
		why = extras[i].set(r, w->at + name, w->len - name);
	if (r->wait && r->check)
		why = "request: --wait and --check exclude each other";
	return why == NULL ? 0 : refuse_request(r->verb, why, w, f);
}

static int
take_word(struct request *r, const struct word *w, struct fault *f)
{
	if (w->len < sizeof(r->word)) {
		copy_word(r->word, sizeof(r->word), w);
		return 0;
	}
	return verb_takes_tag(r->verb)
	    ? refuse_long_tag(w, f)
	    : refuse_request(r->verb, "request: too long", w, f);
}

/* The rest of the line, of which `w` is the first word and then the whole. */
static int
take_reason(struct request *r, struct word *w, const char *end, struct fault *f)
{
	/* a mistyped extra must not become a part of the reason */
	if (w->at[0] == '-' || memchr(w->at, '=', w->len) != NULL)
		return refuse_extra(r->verb, w, f);
	w->len = (size_t)(end - w->at);
	if (w->len >= sizeof(r->reason))
		return refuse_request(r->verb, "request: a reason of more than 200 bytes",
		    w, f);
	copy_word(r->reason, sizeof(r->reason), w);
	return 0;
}

/* Neither an option nor the word that the verb takes. */
static int
refuse_word(const struct request *r, const struct word *w, struct fault *f)
{
	if (w->at[0] == '-' || memchr(w->at, '=', w->len) != NULL)
		return refuse_extra(r->verb, w, f);
	return refuse_request(r->verb, "request: too many words", w, f);
}

static struct word
word_at(const char *from, const char *end)
{
	const char *space = memchr(from, ' ', (size_t)(end - from));
	struct word w = { from, (size_t)((space == NULL ? end : space) - from) };

	return w;
}

static int
take_words(struct request *r, const struct word *line, struct fault *f)
{
	const char *end = line->at + line->len;
	struct word w = word_at(line->at, end);
	unsigned seen = 0;
	size_t extra;
	int rc = 0, one;

	r->verb = (word_is(&w, "--help") || word_is(&w, "-h")) ? VERB_HELP
							       : verb_find(w.at, w.len);
	if (r->verb == VERB__MAX)
		return refuse_verb(&w, f);
	/* to the end even after a fault: a later --json makes the refusal JSON */
	while (w.at + w.len < end) {
		w = word_at(w.at + w.len + 1, end);
		extra = extra_of(&w);
		one = 0;
		if ((word_is(&w, "--help") || word_is(&w, "-h")) && w.at + w.len == end &&
		    r->word[0] == '\0') {
			(void)strlcpy(r->word, verb_name(r->verb), sizeof(r->word));
			r->verb = VERB_HELP;
		} else if (extra < EXTRAS)
			one = take_extra(r, extra, &w, &seen, f);
		else if (verbs[r->verb].words == REASON)
			one = take_reason(r, &w, end, f);
		else if (seen != 0 || r->word[0] != '\0' ||
		    verbs[r->verb].words == NOTHING)
			one = refuse_word(r, &w, f);
		else
			one = take_word(r, &w, f);
		rc = one == -1 ? -1 : rc;
	}
	return rc;
}

static int
check_word(struct request *r, const struct word *line, struct fault *f)
{
	int64_t n = 10;

	if (verbs[r->verb].words == TAG && r->word[0] == '\0')
		return refuse_request(r->verb, "tag: none was given", NULL, f);
	if (verbs[r->verb].words == REASON && r->reason[0] == '\0')
		return refuse_request(r->verb, "request: no reason was given", NULL, f);
	if (r->verb != VERB_HISTORY)
		return 0;
	if (r->word[0] != '\0' && !extra_number(r->word, strlen(r->word), 1000, &n))
		return refuse_request(r->verb, "request: not a number from 1 to 1000",
		    line, f);
	r->count = (unsigned)n;
	return 0;
}

int
request_parse(struct request *r, const char *line, size_t len, struct fault *f)
{
	const struct word all = { line, len };

	memset(r, 0, sizeof(*r));
	r->verb = VERB__MAX;
	if (len == 0)
		return refuse_request(VERB_DEPLOY, "tag: none was given", NULL, f);
	if (check_line(&all, f) == -1 || take_words(r, &all, f) == -1)
		return -1;
	return check_word(r, &all, f);
}
