#include "config/target.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* The length of the text before the %t that ends target->value. */
static size_t
before_tag(const struct target *t)
{
	size_t len = strlen(t->value);

	return len < 2 ? 0 : len - 2;
}

bool
target_rehearses(const struct target *t, size_t i)
{
	const char *own = t->service[i].strategy;

	return strcmp(own[0] != '\0' ? own : t->strategy, "rehearse") == 0;
}

int
target_value(const struct target *t, const char *tag, char out[DESIRED_MAX],
    struct fault *f)
{
	int n = snprintf(out, DESIRED_MAX, "%.*s%s", (int)before_tag(t), t->value, tag);

	if (n < 0 || n >= DESIRED_MAX)
		return fault_set(f, FAULT_HOST, "shorten `value` or the tag",
		    "target %s: the value of %s is too long", t->name, t->variable);
	return 0;
}

bool
target_tag_of(const struct target *t, const char *value, char tag[TAG_MAX])
{
	size_t len = before_tag(t);

	return strncmp(value, t->value, len) == 0 && value[len] != '\0' &&
	    strpbrk(value + len, ":/@") == NULL &&
	    strlcpy(tag, value + len, TAG_MAX) < TAG_MAX;
}
