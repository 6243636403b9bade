/* A line from the network: what is accepted says the same line again. */
#include "fuzz.h"
#include "request/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is this what is left of the line: each extra that was set, once? */
static bool
extras(const struct request *r, const char *rest, size_t len)
{
	bool json = false, wait = false;
	long long seq = 0;
	char text[REQUEST_MAX + 1], *at = text, *word;

	if (len > REQUEST_MAX)
		return false;
	memcpy(text, rest, len);
	text[len] = '\0';
	while ((word = strsep(&at, " ")) != NULL)
		if (strcmp(word, "--json") == 0 && !json)
			json = true;
		else if (strcmp(word, "--wait") == 0 && !wait)
			wait = true;
		else if (strncmp(word, "seq=", 4) == 0 && seq == 0)
			seq = atoll(word + 4);
		else if (word != text || *word != '\0')
			return false;
	return json == r->json && wait == r->wait && seq == r->seq;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char again[REQUEST_MAX + 16];
	struct fault f = { 0 };
	struct request r;
	char *line = malloc(len); /* no NUL behind it, as sshd promises none */
	int n;

	MUST(line != NULL || len == 0);
	memcpy(line, data, len);
	if (request_parse(&r, line, len, &f) == 0) {
		MUST(f.kind == FAULT_NONE && r.verb < VERB__MAX && len <= REQUEST_MAX);
		/* the extras are in any order, and a number may have zeros in front */
		n = snprintf(again, sizeof(again), "%s%s%s", verb_name(r.verb),
		    r.word[0] == '\0' ? "" : " ", r.word);
		MUST((size_t)n <= len && memcmp(again, line, (size_t)n) == 0);
		MUST(extras(&r, line + n, len - (size_t)n));
		MUST(fuzz_printable(again) && strchr(r.word, ' ') == NULL);
		MUST(r.verb != VERB_DEPLOY || r.word[0] != '\0');
		MUST(r.verb == VERB_HISTORY ? r.count >= 1 && r.count <= 1000
					    : r.count == 0);
		MUST(r.verb != VERB_HISTORY || r.word[0] == '\0' ||
		    (unsigned)atoi(r.word) == r.count);
	} else {
		MUST(fuzz_said(&f, FAULT_REFUSED) && f.next[0] != '\0');
		MUST(strncmp(f.what, "invalid ", 8) == 0);
	}
	free(line);
	return 0;
}
