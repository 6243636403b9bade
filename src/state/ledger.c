#include "state/ledger.h"

#include <bsd/string.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys of releases (release_key()), in a tree. */
struct seen {
	void *root;
	bool failed; /* out of memory */
};

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* gcc does not know that tsearch(3) keeps the key */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* Adds it.  False: it was there already, is empty, or out of memory. */
static bool
is_first(struct seen *s, const char *key)
{
	char *copy;

	if (*key == '\0' || tfind(key, &s->root, compare_keys) != NULL)
		return false;
	copy = strdup(key);
	if (copy != NULL && tsearch(copy, &s->root, compare_keys) != NULL)
		return true;
	free(copy);
	s->failed = true;
	return false;
}
#pragma GCC diagnostic pop

static enum verdict
verdict_on_to(const struct record *r)
{
	if (r->unjudged)
		return VERDICT_NONE;
	if (outcome_is_good(r->outcome))
		return VERDICT_GOOD;
	return r->outcome == OUTCOME_REJECTED || r->outcome == OUTCOME_ROLLED_BACK ||
		r->outcome == OUTCOME_UNVERIFIED
	    ? VERDICT_BAD
	    : VERDICT_NONE;
}

/*
 * A rollback that succeeded is a verdict on what it replaced: nobody leaves a good
 * release.  If `from` and `to` are the same release, the verdict on `to` counts.
 */
static enum verdict
verdict_on_from(const struct record *r)
{
	return r->verb == RECORD_ROLLBACK && verdict_on_to(r) == VERDICT_GOOD
	    ? VERDICT_BAD
	    : VERDICT_NONE;
}

struct good_list {
	struct seen seen;
	struct release *list;
	size_t max, n;
	bool include_bad;
};

/* Newest first: the first verdict on a release counts. */
static bool
collect_good(void *arg, const struct record *r)
{
	struct good_list *g = arg;
	enum verdict verdict = verdict_on_to(r);
	char key[RELEASE_KEY_MAX];

	if (verdict == VERDICT_BAD && g->include_bad)
		verdict = VERDICT_NONE;
	if (verdict != VERDICT_NONE && is_first(&g->seen, release_key(&r->to, key)) &&
	    verdict == VERDICT_GOOD && g->n < g->max)
		g->list[g->n++] = r->to;
	if (!g->include_bad && verdict_on_from(r) == VERDICT_BAD)
		(void)is_first(&g->seen, release_key(&r->from, key));
	return g->n < g->max && !g->seen.failed;
}

int
ledger_good(int dirfd, bool include_bad, struct release *list, size_t max, size_t *n,
    struct fault *f)
{
	struct good_list g = { .list = list, .max = max, .include_bad = include_bad };
	int rc = history_walk(dirfd, collect_good, &g, f);

	tdestroy(g.seen.root, free);
	*n = g.n;
	if (rc == 0 && g.seen.failed)
		return fault_set(f, FAULT_HOST, "free some memory",
		    "cannot read the history: out of memory");
	return rc;
}

struct judged {
	char key[RELEASE_KEY_MAX];
	struct judgement *j;
};

static bool
has_key(const struct release *r, const char *wanted)
{
	char key[RELEASE_KEY_MAX];

	return *wanted != '\0' && strcmp(release_key(r, key), wanted) == 0;
}

static bool
find_verdict(void *arg, const struct record *r)
{
	struct judged *judged = arg;
	struct judgement *j = judged->j;

	if (has_key(&r->to, judged->key)) {
		j->verdict = verdict_on_to(r);
		(void)strlcpy(j->why, r->why, sizeof(j->why));
	} else if (has_key(&r->from, judged->key)) {
		j->verdict = verdict_on_from(r);
		snprintf(j->why, sizeof(j->why), "%s rolled back to %s", r->who.actor,
		    r->to.tag);
	}
	(void)strlcpy(j->time, r->time, sizeof(j->time));
	return j->verdict == VERDICT_NONE;
}

int
ledger_knows(int dirfd, const struct release *r, struct judgement *j, struct fault *f)
{
	struct judged judged = { .j = j };

	memset(j, 0, sizeof(*j));
	(void)release_key(r, judged.key);
	return history_walk(dirfd, find_verdict, &judged, f);
}

struct bad_list {
	struct seen seen, bad;
};

static void
add_verdict(struct bad_list *b, enum verdict verdict, const struct release *r)
{
	char key[RELEASE_KEY_MAX];

	if (verdict != VERDICT_NONE && release_is_resolved(r) &&
	    is_first(&b->seen, release_key(r, key)) && verdict == VERDICT_BAD)
		(void)is_first(&b->bad, key);
}

static bool
collect_bad(void *arg, const struct record *r)
{
	struct bad_list *b = arg;

	add_verdict(b, verdict_on_to(r), &r->to);
	add_verdict(b, verdict_on_from(r), &r->from);
	return !b->seen.failed && !b->bad.failed;
}

int
ledger_bad(int dirfd, struct bad_list **list, struct fault *f)
{
	struct bad_list *b = *list = calloc(1, sizeof(*b));

	if (b == NULL)
		return fault_memory(f);
	if (history_walk(dirfd, collect_bad, b, f) == -1)
		return -1;
	return b->seen.failed || b->bad.failed ? fault_memory(f) : 0;
}

bool
ledger_is_bad(const struct bad_list *b, const struct release *r)
{
	char key[RELEASE_KEY_MAX];

	return release_is_resolved(r) &&
	    tfind(release_key(r, key), &b->bad.root, compare_keys) != NULL;
}

void
ledger_bad_free(struct bad_list *b)
{
	if (b == NULL)
		return;
	tdestroy(b->seen.root, free);
	tdestroy(b->bad.root, free);
	free(b);
}

/* Did its release become the running one?  Then its sequence number is in force. */
static bool
is_landed(const struct record *r)
{
	return r->verb == RECORD_DEPLOY &&
	    (r->outcome == OUTCOME_DEPLOYED || r->outcome == OUTCOME_RECOVERED);
}

struct sequence {
	int64_t seq;
	char *tag;
};

static bool
find_landed(void *arg, const struct record *r)
{
	struct sequence *s = arg;

	if (!is_landed(r))
		return true;
	s->seq = r->seq;
	if (r->seq > 0)
		(void)strlcpy(s->tag, r->to.tag, TAG_MAX);
	return false;
}

int
ledger_sequence(int dirfd, int64_t *seq, char tag[TAG_MAX], struct fault *f)
{
	struct sequence s = { .seq = 0, .tag = tag };
	int rc;

	tag[0] = '\0';
	rc = history_walk(dirfd, find_landed, &s, f);
	*seq = s.seq;
	return rc;
}

struct trim {
	bool (*keep)(void *, const struct release *);
	void *arg;
	struct seen seen;
	size_t n, bad;
	bool landed; /* the newest deploy that succeeded was seen */
};

/* By key and tag: two tags of one revision are two releases. */
static bool
is_newest_verdict(struct trim *t, enum verdict verdict, const struct release *r)
{
	char key[RELEASE_KEY_MAX + TAG_MAX];

	if (verdict == VERDICT_NONE || *release_key(r, key) == '\0')
		return false;
	(void)strlcat(key, r->tag, sizeof(key));
	return is_first(&t->seen, key);
}

/* What runs by itself may ask for it again, long after its image was pruned. */
static bool
keeps_bad(struct trim *t, enum verdict verdict, const struct release *r)
{
	return verdict == VERDICT_BAD && release_is_resolved(r) &&
	    t->bad++ < LEDGER_KEEP_BAD;
}

/* A bad verdict stays as long as the good one before it. */
static bool
keeps_record(void *arg, const struct record *r)
{
	struct trim *t = arg;
	bool to = is_newest_verdict(t, verdict_on_to(r), &r->to);
	bool from = is_newest_verdict(t, verdict_on_from(r), &r->from);
	bool landed = !t->landed && is_landed(r);
	bool bad = (to && keeps_bad(t, verdict_on_to(r), &r->to)) ||
	    (from && keeps_bad(t, verdict_on_from(r), &r->from));

	t->landed = t->landed || landed;
	/* out of memory: keep the rest */
	return t->n++ < LEDGER_KEEP || landed || bad || t->seen.failed ||
	    (to && t->keep(t->arg, &r->to)) || (from && t->keep(t->arg, &r->from));
}

int
ledger_trim(int dirfd, bool (*keep)(void *, const struct release *), void *arg,
    struct fault *f)
{
	struct trim t = { .keep = keep, .arg = arg };
	size_t n;
	int rc;

	if (history_count(dirfd, &n, f) == -1)
		return -1;
	if (n <= LEDGER_KEEP + LEDGER_KEEP / 10)
		return 0;
	rc = history_filter(dirfd, keeps_record, &t, f);
	tdestroy(t.seen.root, free);
	return rc;
}
