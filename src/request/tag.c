#include "request/tag.h"

#include "sys/text.h"

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
refuse(const char *tag, const char *next, struct fault *f)
{
	char safe[160];

	return fault_set(f, FAULT_REFUSED, next, "invalid tag: %s",
	    text_escape(safe, sizeof(safe), tag, strlen(tag)));
}

/* As it is, for it is the operator's own; yet a line must stay one. */
static const char *
allowed(const char *pattern, char *next, size_t size)
{
	char *p;

	snprintf(next, size, "TWILIGHT_TAG_PATTERN allows %s", pattern);
	for (p = next; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return next;
}

int
tag_check(const char *tag, const char *pattern, struct fault *f)
{
	char why[128], next[256];
	regmatch_t m;
	regex_t re;
	int rc;

	if (!tag_is_valid(tag))
		return refuse(tag, "send a docker tag such as sha-abc1234 or v1.2.3", f);
	rc = regcomp(&re, pattern, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, &re, why, sizeof(why));
		return fault_set(f, FAULT_HOST, "see regex(7)",
		    "bad setting TWILIGHT_TAG_PATTERN: %s", why);
	}
	/* POSIX matches the leftmost longest: a shorter span is no match */
	rc = regexec(&re, tag, 1, &m, 0);
	regfree(&re);
	if (rc != 0 || m.rm_so != 0 || (size_t)m.rm_eo != strlen(tag))
		return refuse(tag, allowed(pattern, next, sizeof(next)), f);
	return 0;
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
