#include "request/choose.h"

#include "request/tag.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

bool
choose_allows(const char *allowed, const char *name)
{
	size_t len = strlen(name), n;

	if (allowed == NULL || strcmp(allowed, "all") == 0)
		return true;
	for (;; allowed += n + 1) {
		n = strcspn(allowed, ",");
		if (n == len && memcmp(allowed, name, n) == 0)
			return true;
		if (allowed[n] == '\0')
			return false;
	}
}

/* The next allowed target, from the i-th on; NULL at the end. */
static const struct target *
next_allowed(const struct config *c, const char *allowed, size_t *i)
{
	while (*i < c->n) {
		const struct target *t = &c->target[(*i)++];

		if (choose_allows(allowed, t->name))
			return t;
	}
	return NULL;
}

/* "targets are A, B": the `next` of a fault. */
static const char *
list_allowed(const struct config *c, const char *allowed, char next[256])
{
	const struct target *t;
	size_t i = 0, n;

	n = strlcpy(next, "targets are ", 256);
	for (; n < 256 && (t = next_allowed(c, allowed, &i)) != NULL;)
		n += (size_t)snprintf(next + n, 256 - n, "%s%s",
		    next[n - 1] == ' ' ? "" : ", ", t->name);
	if (next[strlen(next) - 1] == ' ')
		(void)strlcpy(next,
		    "`--target` in the key's line lists the targets it may use", 256);
	return next;
}

int
choose_named(const struct config *c, const char *name, const char *allowed,
    const struct target **t, struct fault *f)
{
	char safe[100], next[256];
	size_t i = 0;

	if (name != NULL && *name != '\0') {
		*t = choose_allows(allowed, name) ? config_find(c, name) : NULL;
		if (*t != NULL)
			return 0;
		return fault_set(f, FAULT_REFUSED, list_allowed(c, allowed, next),
		    "invalid request: no such target: %s",
		    text_escape(safe, sizeof(safe), name, strlen(name)));
	}
	*t = next_allowed(c, allowed, &i);
	if (*t == NULL)
		return fault_set(f, FAULT_REFUSED, list_allowed(c, allowed, next),
		    "invalid request: no target for this key");
	if (next_allowed(c, allowed, &i) == NULL)
		return 0;
	return fault_set(f, FAULT_REFUSED, list_allowed(c, allowed, next),
	    "invalid request: name the target: target=NAME");
}

/* `out` gets the tag as the target uses it. */
static int
match_target(const struct target *t, const char *tag, bool named, char out[TAG_MAX],
    struct fault *f)
{
	size_t len = strlen(t->tag_prefix);
	bool prefixed = strncmp(tag, t->tag_prefix, len) == 0;
	bool stripped = prefixed && len > 0 && t->strip_prefix;
	struct fault why = { 0 };
	char next[sizeof(why.next) + 80];

	snprintf(next, sizeof(next), "tags of target %s start with %s", t->name,
	    t->tag_prefix);
	if (!prefixed && !(named && t->strip_prefix))
		return fault_set(f, FAULT_REFUSED, next, "invalid tag: %s", tag);
	(void)strlcpy(out, tag + (stripped ? len : 0), TAG_MAX);
	if (tag_check(out, t->tag_pattern, &why) == 0)
		return 0;
	if (why.kind != FAULT_REFUSED)
		return fault_set(f, why.kind, why.next, "%s", why.what);
	/* quote the tag as it was sent */
	snprintf(next, sizeof(next), "%s%s%s%s", stripped ? "after " : "",
	    stripped ? t->tag_prefix : "", stripped ? ": " : "", why.next);
	return fault_set(f, why.kind, next, "invalid tag: %s", tag);
}

int
choose_tag(const struct target *t, const char *tag, char out[TAG_MAX], struct fault *f)
{
	size_t len = strlen(t->tag_prefix);

	if (tag_is_valid(tag) && t->strip_prefix && strncmp(tag, t->tag_prefix, len) == 0)
		tag += len;
	if (!tag_is_valid(tag))
		return tag_check(tag, "", f);
	(void)strlcpy(out, tag, TAG_MAX);
	return 0;
}

static int
refuse_two_targets(const char *tag, const struct target *a, const struct target *b,
    struct fault *f)
{
	char next[200];

	snprintf(next, sizeof(next), "add target=%s or target=%s", a->name, b->name);
	return fault_set(f, FAULT_REFUSED, next,
	    "invalid tag: %s: targets %s and %s accept it", tag, a->name, b->name);
}

int
choose_by_tag(const struct config *c, const char *tag, const char *name,
    const char *allowed, struct choice *choice, struct fault *f)
{
	bool named = name != NULL && *name != '\0';
	const struct target *t;
	struct fault why = { 0 }, near = { 0 };
	char out[TAG_MAX], next[256];
	size_t i = 0, asked = 0, len;

	choice->target = NULL;
	if (!tag_is_valid(tag))
		return tag_check(tag, "", f);
	if (named && choose_named(c, name, allowed, &t, f) == -1)
		return -1;
	while ((t = next_allowed(c, named ? name : allowed, &i)) != NULL) {
		fault_clear(&why);
		asked++;
		if (match_target(t, tag, named, out, &why) == -1) {
			if (why.kind != FAULT_REFUSED)
				break;
			len = strlen(t->tag_prefix);
			if (len > 0 && strncmp(tag, t->tag_prefix, len) == 0)
				near = why;
			continue;
		}
		if (choice->target != NULL)
			return refuse_two_targets(tag, choice->target, t, f);
		choice->target = t;
		memcpy(choice->tag, out, sizeof(out));
	}
	if (why.kind == FAULT_HOST || (asked == 1 && choice->target == NULL))
		return fault_set(f, why.kind, why.next, "%s", why.what);
	if (choice->target != NULL)
		return 0;
	/* its prefix is right: what is wrong with the rest */
	if (near.kind != FAULT_NONE)
		return fault_set(f, near.kind, near.next, "%s", near.what);
	return fault_set(f, FAULT_REFUSED, list_allowed(c, allowed, next),
	    asked == 0 ? "invalid tag: %s: no target for this key"
		       : "invalid tag: %s: no target accepts it",
	    tag);
}
