/*
 * A journal.  Strings (first byte odd, but not '{'): what is written is read the same, or is
 * refused and the old journal stays.  Else bytes: what can be read is the same after writing
 * and reading it.
 */
#include "fuzz.h"
#include "state/journal.h"

#include <jansson.h>
#include <string.h>

static bool
read_it(struct journal *j)
{
	struct fault f = { 0 };
	bool found;
	int rc = journal_read(fuzz_dirfd(), j, &found, &f);

	MUST(rc == 0 ? f.kind == FAULT_NONE : fuzz_said(&f, FAULT_HOST) && !found);
	return found;
}

static void
bytes(const uint8_t *data, size_t len)
{
	static struct journal j, again;
	struct fault f = { 0 };

	fuzz_put("journal", data, len);
	if (!read_it(&j))
		return;
	MUST(j.phase < PHASE__MAX && j.verb < RECORD_VERB__MAX);
	MUST(j.from.n <= SERVICES_MAX && j.to.n <= SERVICES_MAX);
	MUST(journal_write(fuzz_dirfd(), &j, &f) == 0);
	MUST(read_it(&again) && memcmp(&j, &again, sizeof(j)) == 0);
}

/* The next string of the input, as far as it fits. */
static bool
next(const uint8_t **data, size_t *len, char *to, size_t size)
{
	const uint8_t *end = memchr(*data, '\n', *len);
	size_t n = end == NULL ? *len : (size_t)(end - *data);
	json_t *text;
	bool good;

	memcpy(to, *data, strnlen((const char *)*data, n < size ? n : size - 1));
	*data += end == NULL ? n : n + 1;
	*len -= end == NULL ? n : n + 1;
	text = json_string(to);
	good = text != NULL;
	json_decref(text);
	return good;
}

static bool
next_release(const uint8_t **data, size_t *len, struct release *r)
{
	bool good = next(data, len, r->tag, sizeof(r->tag));
	struct part *p;

	while (r->n<SERVICES_MAX && * len> 0) {
		p = &r->part[r->n++];
#define NEXT(m) good = next(data, len, p->m, sizeof(p->m)) && good
		NEXT(service), NEXT(reference), NEXT(revision);
		NEXT(instance), NEXT(previous), NEXT(desired);
#undef NEXT
		p->served = *len % 2 == 1;
	}
	return good;
}

/* `to` gets the first half of the rest, `from` the second. */
static void
strings(const uint8_t *data, size_t len, enum phase phase)
{
	static const struct journal empty;
	static struct journal j, again;
	struct fault f = { 0 };
	bool good = true;
	size_t half;

	memset(&j, 0, sizeof(j));
	MUST(journal_write(fuzz_dirfd(), &empty, &f) == 0);
	j.phase = phase;
	j.verb = len % 2 == 1 ? RECORD_ROLLBACK : RECORD_DEPLOY;
#define NEXT(m) good = next(&data, &len, j.m, sizeof(j.m)) && good
	NEXT(id), NEXT(engine), NEXT(time), NEXT(who.actor), NEXT(who.key);
	NEXT(who.client);
#undef NEXT
	half = len / 2;
	len -= half;
	good = next_release(&data, &half, &j.to) && good;
	good = next_release(&data, &len, &j.from) && good;
	MUST((journal_write(fuzz_dirfd(), &j, &f) == 0) == good);
	MUST(good || fuzz_said(&f, FAULT_HOST));
	MUST(read_it(&again));
	MUST(memcmp(&again, good ? &j : &empty, sizeof(j)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > 0 && data[0] % 2 == 1 && data[0] != '{')
		strings(data + 1, len - 1, (enum phase)(data[0] / 2 % PHASE__MAX));
	else
		bytes(data, len);
	return 0;
}
