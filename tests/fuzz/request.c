/* A line from the network: an accepted request, printed, is the same line. */
#include "fuzz.h"
#include "request/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The extras after the words, in any order. */
struct behind {
	bool json, wait, check, start;
	long long seq, lasts;
	const char *target, *digest, *commit, *sig;
};

/* Is the rest of the line each extra that is set, once? */
static bool
extras(const struct request *r, const char *rest, size_t len)
{
	char text[REQUEST_MAX + 1], *at = text, *word;
	struct behind b = { .target = "", .digest = "", .commit = "", .sig = "" };

	if (len > REQUEST_MAX)
		return false;
	memcpy(text, rest, len);
	text[len] = '\0';
	while ((word = strsep(&at, " ")) != NULL)
		if (strcmp(word, "--json") == 0 && !b.json)
			b.json = true;
		else if (strcmp(word, "--wait") == 0 && !b.wait)
			b.wait = true;
		else if (strcmp(word, "--check") == 0 && !b.check)
			b.check = true;
		else if (strcmp(word, "--start") == 0 && !b.start)
			b.start = true;
		else if (strncmp(word, "seq=", 4) == 0 && b.seq == 0)
			b.seq = atoll(word + 4);
		else if (strncmp(word, "target=", 7) == 0 && *b.target == '\0')
			b.target = word + 7;
		else if (strncmp(word, "digest=", 7) == 0 && *b.digest == '\0')
			b.digest = word + 7;
		else if (strncmp(word, "commit=", 7) == 0 && *b.commit == '\0')
			b.commit = word + 7;
		else if (strncmp(word, "sig=", 4) == 0 && *b.sig == '\0')
			b.sig = word + 4;
		else if (strncmp(word, "for=", 4) == 0 && r->verb == VERB_FREEZE &&
		    b.lasts == 0)
			b.lasts = r->lasts;
		else if (word != text || *word != '\0')
			return false;
	return b.json == r->json && b.wait == r->wait && b.check == r->check &&
	    b.start == r->start && b.seq == r->seq && b.lasts == r->lasts &&
	    strcmp(b.target, r->target) == 0 && strcmp(b.digest, r->digest) == 0 &&
	    strcmp(b.commit, r->commit) == 0 && strcmp(b.sig, r->sig) == 0 &&
	    !(b.wait && b.check);
}

/* "--help", "-h", "deploy --help": the same as `help`. */
static bool
is_help(const struct request *r, const char *line, size_t len)
{
	static const char *const ends[] = { "--help", "-h" };
	size_t i, n;

	for (i = 0; i < 2; i++) {
		n = strlen(ends[i]);
		if (r->verb == VERB_HELP && len >= n &&
		    memcmp(line + len - n, ends[i], n) == 0)
			return true;
		if (r->verb == VERB_HELP && len >= n && memcmp(line, ends[i], n) == 0)
			return true;
	}
	return false;
}

/* An accepted line is in the grammar, and means the parsed request. */
static void
accepted(const struct request *r, const char *line, size_t len)
{
	char again[REQUEST_MAX + 16];
	int n;

	MUST(r->verb < VERB__MAX && len <= REQUEST_MAX && strchr(r->word, ' ') == NULL);
	MUST(r->verb != VERB_DEPLOY || r->word[0] != '\0');
	MUST(r->verb == VERB_HISTORY ? r->count >= 1 && r->count <= 1000 : r->count == 0);
	MUST(r->verb != VERB_HISTORY || r->word[0] == '\0' ||
	    (unsigned)atoi(r->word) == r->count);
	if (is_help(r, line, len))
		return;
	n = (int)strlen(r->reason);
	MUST(r->verb == VERB_FREEZE ? n > 0 && r->lasts <= REQUEST_FOR_MAX
				    : n == 0 && r->lasts == 0);
	if (n > 0) {
		MUST(memcmp(line + len - n, r->reason, (size_t)n) == 0);
		len -= (size_t)n + 1;
	}
	/* the extras are in any order, and a number may have leading zeros */
	n = snprintf(again, sizeof(again), "%s%s%s", verb_name(r->verb),
	    r->word[0] == '\0' ? "" : " ", r->word);
	MUST((size_t)n <= len && memcmp(again, line, (size_t)n) == 0);
	MUST(extras(r, line + n, len - (size_t)n));
	MUST(fuzz_printable(again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fault f = { 0 };
	struct request r;
	char *line = malloc(len); /* not NUL-terminated */

	MUST(line != NULL || len == 0);
	memcpy(line, data, len);
	if (request_parse(&r, line, len, &f) == 0) {
		MUST(f.kind == FAULT_NONE);
		accepted(&r, line, len);
	} else {
		MUST(fuzz_said(&f, FAULT_REFUSED) && f.next[0] != '\0');
		MUST(strncmp(f.what, "invalid ", 8) == 0);
	}
	free(line);
	return 0;
}
