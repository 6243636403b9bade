/*
 * A history file.  For any content: an appended record is the newest, every record that was
 * readable before is readable after it, and only bytes after the last newline are lost.
 * Trimming that keeps all records loses none.
 */
#include "fuzz.h"
#include "state/history.h"
#include "sys/file.h"

#include <stdlib.h>
#include <string.h>

#define FILE_NAME "history.jsonl"
#define KEPT 8 /* the newest are compared, all are counted */

struct seen {
	size_t n;
	struct record at[KEPT];
};

static bool
see(void *arg, const struct record *r)
{
	struct seen *s = arg;

	MUST(r->outcome < OUTCOME__MAX && r->verb < RECORD_VERB__MAX);
	MUST(r->from.n <= SERVICES_MAX && r->to.n <= SERVICES_MAX);
	if (s->n < KEPT)
		memcpy(&s->at[s->n], r, sizeof(*r));
	s->n++;
	return true;
}

static bool
all(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	return true;
}

static void
walk(struct seen *s)
{
	struct fault f = { 0 };

	s->n = 0;
	MUST(history_walk(fuzz_dirfd(), see, s, &f) == 0);
}

/* Not byte for byte: a text that is too long is left empty. */
static bool
same(const struct record *a, const struct record *b)
{
	char *s = record_json(a), *t = record_json(b);
	bool is = s != NULL && t != NULL && strcmp(s, t) == 0;

	free(s);
	free(t);
	return is;
}

/* Is `old` what `new` has after its first `skip` records? */
static void
follows(const struct seen *new, size_t skip, const struct seen *old)
{
	size_t i;

	MUST(new->n == old->n + skip);
	for (i = 0; i < old->n && i + skip < KEPT; i++)
		MUST(same(&new->at[i + skip], &old->at[i]));
}

static size_t
whole_lines(const uint8_t *data, size_t len, size_t *end)
{
	size_t i, n = 0;

	for (*end = i = 0; i < len; i++)
		if (data[i] == '\n') {
			*end = i + 1;
			n++;
		}
	return n;
}

static void
appended(const uint8_t *data, size_t len, const struct record *r)
{
	size_t end, n, count, lines = whole_lines(data, len, &end);
	struct fault f = { 0 };
	char *bytes;
	bool there;

	MUST(history_append(fuzz_dirfd(), r, &f) == 0);
	MUST(history_count(fuzz_dirfd(), &count, &f) == 0 && count == lines + 1);
	MUST(file_read(fuzz_dirfd(), FILE_NAME, 1 << 20, &bytes, &n) == 0);
	MUST(n > end && memcmp(bytes, data, end) == 0 && bytes[n - 1] == '\n');
	free(bytes);
	MUST(history_has(fuzz_dirfd(), r->id, &there, &f) == 0 && there);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct seen before, after;
	static const struct record plain = { .id = "a1", .code = 1, .why = "\"\n" };
	const struct record *r = &plain;
	struct fault f = { 0 };

	fuzz_put(FILE_NAME, data, len);
	walk(&before);
	/* what was read can be written, and reads the same */
	if (before.n > 0)
		r = &before.at[0];
	appended(data, len, r);
	walk(&after);
	follows(&after, 1, &before);
	MUST(same(&after.at[0], r));
	MUST(history_filter(fuzz_dirfd(), all, NULL, &f) == 0);
	walk(&before);
	follows(&before, 0, &after);
	return 0;
}
