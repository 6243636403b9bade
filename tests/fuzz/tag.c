/*
 * A tag and an expression that the first byte selects, compared with libc's regexec(3).
 */
#include "fuzz.h"
#include "request/tag.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const patterns[] = {
	"sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+",
	".*",
	"",
	"a|ab|abc",
	"^v[0-9]+|main$",
	"(a|b)*",
	"[a-z]+-[0-9]+",
	"x?",
	"^a",
	"b$",
};
#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static regex_t docker, release, policy[PATTERNS];

/* Of a whole tag. */
static void
compile(regex_t *re, const char *expression)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "^(%s)$", expression);
	MUST(regcomp(re, whole, REG_EXTENDED | REG_NOSUB) == 0);
}

static void
compile_all(void)
{
	static bool done;
	size_t i;

	if (done)
		return;
	done = true;
	/* {0,127} is slow in regexec; the length is checked here */
	compile(&docker, "[A-Za-z0-9_][A-Za-z0-9_.-]*");
	compile(&release, ".*[0-9]+\\.[0-9]+\\.[0-9]+");
	for (i = 0; i < PATTERNS; i++)
		compile(&policy[i], patterns[i]);
}

static bool
matches(const regex_t *re, const char *s)
{
	return regexec(re, s, 0, NULL, 0) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fault f = { 0 };
	size_t pattern;
	char *tag;
	bool good;

	if (len == 0)
		return 0;
	compile_all();
	pattern = data[0] % PATTERNS;
	tag = fuzz_string(data + 1, len - 1);
	good = strlen(tag) <= 128 && matches(&docker, tag);
	MUST(tag_is_valid(tag) == good);
	MUST(tag_is_release(tag) == matches(&release, tag));
	if (tag_check(tag, patterns[pattern], &f) == 0)
		MUST(f.kind == FAULT_NONE && good && matches(&policy[pattern], tag));
	else {
		MUST(!good || !matches(&policy[pattern], tag));
		MUST(fuzz_said(&f, FAULT_REFUSED) && f.next[0] != '\0');
	}
	free(tag);
	return 0;
}
