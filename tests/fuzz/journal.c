/*
 * A journal.  Bytes: what can be read is written and read again the same.
 * Strings (first byte odd): what is written is read the same, or is refused
 * with the old one in place.
 */
#include "fuzz.h"
#include "state/journal.h"

#include <jansson.h>
#include <string.h>

static bool
read_it(struct journal *j)
{
	struct fault f = { 0 };
	int rc = journal_read(fuzz_dirfd(), j, &f);

	MUST(rc == 0 || rc == 1 ? f.kind == FAULT_NONE : fuzz_said(&f, FAULT_HOST));
	return rc == 1;
}

static void
bytes(const uint8_t *data, size_t len)
{
	struct journal j, again;
	struct fault f = { 0 };

	fuzz_put("journal", data, len);
	if (!read_it(&j))
		return;
	MUST(j.step < JOURNAL__MAX && journal_write(fuzz_dirfd(), &j, &f) == 0);
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

static void
strings(const uint8_t *data, size_t len, enum journal_step step)
{
	static const struct journal empty;
	struct journal j = empty, again;
	struct fault f = { 0 };
	bool good = true;

	MUST(journal_write(fuzz_dirfd(), &empty, &f) == 0);
	j.step = step;
	j.blind = len % 2 == 1;
#define NEXT(m) good = next(&data, &len, j.m, sizeof(j.m)) && good
	NEXT(id), NEXT(verb), NEXT(from.tag), NEXT(from.image), NEXT(from.ref);
	NEXT(to.tag), NEXT(to.image), NEXT(to.ref), NEXT(container);
	NEXT(displaced), NEXT(old_value), NEXT(actor), NEXT(time);
#undef NEXT
	MUST((journal_write(fuzz_dirfd(), &j, &f) == 0) == good);
	MUST(good || fuzz_said(&f, FAULT_HOST));
	MUST(read_it(&again));
	MUST(memcmp(&again, good ? &j : &empty, sizeof(j)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > 0 && data[0] % 2 == 1 && data[0] != '{')
		strings(data + 1, len - 1,
		    (enum journal_step)(data[0] / 2 % JOURNAL__MAX));
	else
		bytes(data, len);
	return 0;
}
