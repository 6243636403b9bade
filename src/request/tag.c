#include "request/tag.h"

#include "sys/text.h"

#include <bsd/string.h>
#include <regex.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

bool
tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	return len >= 1 && len <= 128 && strspn(tag, WORD) > 0 &&
	    strspn(tag, WORD ".-") == len;
}

static int
refuse_tag(const char *tag, const char *next, struct fault *f)
{
	char safe[160];

	return fault_set(f, FAULT_REFUSED, next, "invalid tag: %s",
	    text_escape(safe, sizeof(safe), tag, strlen(tag)));
}

/* regexec(3) finds the leftmost longest match: a shorter span means no full match. */
static bool
pattern_spans(const regex_t *re, const char *tag)
{
	regmatch_t m;

	return regexec(re, tag, 1, &m, 0) == 0 && m.rm_so == 0 &&
	    (size_t)m.rm_eo == strlen(tag);
}

/*
 * Common tags that the expression matches; if it matches none, the expression itself.
 * It is the operator's text, so it is only reduced to one printable line, not escaped.
 */
static const char *
list_accepted(const regex_t *re, const char *pattern, char *next, size_t size)
{
	static const char *const usual[] = { "v1.2.3", "1.2.3", "v1.2.3-rc1",
		"sha-abc1234", "abc1234", "0123456789abcdef0123456789abcdef01234567",
		"main", "latest", "stable", "20240131", "1" };
	size_t i, n = strlcpy(next, "accepted here: ", size), none = n;
	char *p;

	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (pattern_spans(re, usual[i]) && n < size)
			n += (size_t)snprintf(next + n, size - n, "%s%s",
			    n == none ? "" : ", ", usual[i]);
	if (n == none)
		snprintf(next, size, "accepted here: tags that match %s", pattern);
	for (p = next; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return next;
}

int
tag_check(const char *tag, const char *pattern, struct fault *f)
{
	char why[128], next[256];
	int rc = 0;
	regex_t re;

	if (!tag_is_valid(tag))
		return refuse_tag(tag, "a docker tag looks like sha-abc1234 or v1.2.3",
		    f);
	rc = regcomp(&re, pattern, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, &re, why, sizeof(why));
		return fault_set(f, FAULT_HOST, "see regex(7)",
		    "bad setting TWILIGHT_TAG_PATTERN: %s", why);
	}
	if (!pattern_spans(&re, tag))
		rc = refuse_tag(tag, list_accepted(&re, pattern, next, sizeof(next)), f);
	regfree(&re);
	return rc;
}

bool
tag_matches(const char *tag, const char *pattern)
{
	regex_t re;
	bool spans;

	if (regcomp(&re, pattern, REG_EXTENDED) != 0)
		return false;
	spans = pattern_spans(&re, tag);
	regfree(&re);
	return spans;
}

const char *
tag_bare(const char *tag, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(tag, prefix, len) == 0 ? tag + len : tag;
}

bool
tag_is_release(const char *tag)
{
	const char *end = tag + strlen(tag), *at;
	int groups;

	for (groups = 0; groups < 3; groups++) {
		for (at = end; at > tag && at[-1] >= '0' && at[-1] <= '9'; at--)
			continue;
		if (at == end)
			return false;
		if (groups < 2 && (at == tag || at[-1] != '.'))
			return false;
		end = at - 1;
	}
	return true;
}
