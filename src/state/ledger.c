#include "state/ledger.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Versions by what tells them apart, in the order in which they were seen. */
struct seen {
	char (*keys)[IMAGE_ID_MAX + TAG_MAX];
	size_t n;
	bool failed; /* out of memory */
};

static const char *
key_of(const struct version *v)
{
	return v->image[0] != '\0' ? v->image : v->tag;
}

/* Adds it; false when it was there already (or there is no memory). */
static bool
first_sight(struct seen *s, const char *key)
{
	void *grown;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->keys[i], key) == 0)
			return false;
	grown = reallocarray(s->keys, s->n + 1, sizeof(*s->keys));
	if (grown == NULL) {
		s->failed = true;
		return false;
	}
	s->keys = grown;
	(void)strlcpy(s->keys[s->n++], key, sizeof(*s->keys));
	return true;
}

static int
out_of_memory(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "free some memory",
	    "cannot read the history: out of memory");
}

/* What one record says about one version. */
enum word { NOTHING, PROVEN, CONDEMNED };

/* A `rollback` that worked condemns what it left. */
static enum word
word_on(const struct record *r, const char *key)
{
	if (strcmp(key_of(&r->to), key) == 0) {
		if (outcome_proves(r->outcome))
			return PROVEN;
		/* a kill says nothing about the version that it hit */
		if (!r->interrupted &&
		    (r->outcome == OUTCOME_ROLLED_BACK ||
			r->outcome == OUTCOME_UNVERIFIED))
			return CONDEMNED;
	}
	if (strcmp(key_of(&r->from), key) == 0 && outcome_proves(r->outcome) &&
	    strcmp(r->verb, "rollback") == 0)
		return CONDEMNED;
	return NOTHING;
}

struct proven {
	struct seen seen;
	struct version *list;
	size_t max, n;
	bool forgive;
};

/* Newest first: the first word on a version is the last one spoken. */
static bool
judge(void *arg, const struct record *r)
{
	const char *to = key_of(&r->to), *from = key_of(&r->from);
	enum word word = word_on(r, to);
	struct proven *p = arg;

	if (word == CONDEMNED && p->forgive)
		word = NOTHING;
	if (word != NOTHING && *to != '\0' && first_sight(&p->seen, to) && word == PROVEN)
		p->list[p->n++] = r->to;
	if (!p->forgive && *from != '\0' && word_on(r, from) == CONDEMNED)
		(void)first_sight(&p->seen, from);
	return p->n < p->max && !p->seen.failed;
}

int
ledger_proven(int dirfd, bool forgive, struct version *list, size_t max, size_t *n,
    struct fault *f)
{
	struct proven p = { .list = list, .max = max, .forgive = forgive };
	int rc = history_walk(dirfd, judge, &p, f);

	free(p.seen.keys);
	*n = p.n;
	if (rc == 0 && p.seen.failed)
		return out_of_memory(f);
	return rc;
}

struct question {
	const char *key;
	enum word word;
};

static bool
answer(void *arg, const struct record *r)
{
	struct question *q = arg;

	q->word = word_on(r, q->key);
	return q->word == NOTHING;
}

int
ledger_knows(int dirfd, const struct version *v, struct fault *f)
{
	struct question q = { .key = key_of(v), .word = NOTHING };

	if (*q.key == '\0')
		return 0;
	if (history_walk(dirfd, answer, &q, f) == -1)
		return -1;
	return q.word == PROVEN;
}

/* A deploy that went well: its number, or that it has none, is in force. */
static bool
lands(const struct record *r)
{
	return strcmp(r->verb, "deploy") == 0 &&
	    (r->outcome == OUTCOME_DEPLOYED || r->outcome == OUTCOME_RECOVERED);
}

struct newest {
	int64_t seq;
	struct version *to;
};

static bool
newest_deploy(void *arg, const struct record *r)
{
	struct newest *n = arg;

	if (!lands(r))
		return true;
	n->seq = r->seq;
	*n->to = r->to;
	return false;
}

int
ledger_sequence(int dirfd, int64_t *seq, struct version *to, struct fault *f)
{
	struct newest n = { .seq = 0, .to = to };

	if (history_walk(dirfd, newest_deploy, &n, f) == -1)
		return -1;
	*seq = n.seq;
	return n.seq > 0;
}

struct trim {
	bool (*keep)(void *, const struct version *);
	void *arg;
	struct seen seen;
	size_t n;
	bool landed; /* the newest one that landed is among them */
};

/* By image and tag: a tag that moved is two versions. */
static bool
newest_word(struct trim *t, enum word word, const struct version *v)
{
	char key[IMAGE_ID_MAX + TAG_MAX];

	if (*key_of(v) == '\0' || word == NOTHING)
		return false;
	(void)strlcpy(key, v->image, sizeof(key));
	(void)strlcat(key, v->tag, sizeof(key));
	return first_sight(&t->seen, key);
}

/* A condemnation stays as long as the success that it took back. */
static bool
wanted(void *arg, const struct record *r)
{
	struct trim *t = arg;
	enum word from_word = word_on(r, key_of(&r->from));
	bool to = newest_word(t, word_on(r, key_of(&r->to)), &r->to);
	bool from = newest_word(t, from_word == CONDEMNED ? CONDEMNED : NOTHING,
	    &r->from);

	bool newest = !t->landed && lands(r);

	t->landed = t->landed || newest;
	return t->n++ < LEDGER_KEEP || newest || (to && t->keep(t->arg, &r->to)) ||
	    (from && t->keep(t->arg, &r->from));
}

int
ledger_trim(int dirfd, bool (*keep)(void *, const struct version *), void *arg,
    struct fault *f)
{
	struct trim t = { .keep = keep, .arg = arg };
	size_t n;
	int rc;

	if (history_count(dirfd, &n, f) == -1)
		return -1;
	if (n <= LEDGER_KEEP + LEDGER_KEEP / 10)
		return 0;
	rc = history_filter(dirfd, wanted, &t, f);
	free(t.seen.keys);
	return rc;
}
