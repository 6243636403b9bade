/*
 * Variables of the environment that look like settings and are none.
 */
#include "config/config.h"
#include "config/keys.h"
#include "sys/text.h"

#include <stdio.h>
#include <string.h>

/* Is it a key's, a target's variable, or one that child processes get? */
static bool
is_known_name(const struct config *c, const char *name)
{
	size_t i, len = strlen(name);
	const char *at;

	for (i = 0; i < key_count; i++)
		if (key_table[i].env != NULL && strcmp(key_table[i].env, name) == 0)
			return true;
	for (i = 0; i < c->n; i++) {
		if (strcmp(c->target[i].variable, name) == 0)
			return true;
		for (at = c->target[i].keep_env; *at != '\0'; at += strspn(at, " ,")) {
			if (strcspn(at, " ,") == len && memcmp(at, name, len) == 0)
				return true;
			at += strcspn(at, " ,");
		}
	}
	return false;
}

void
config_strays(const struct config *c, char *const *env,
    void (*line)(void *, const char *), void *arg)
{
	char buf[256], name[256], safe[128];
	const char *near;

	for (; env != NULL && *env != NULL; env++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*env, "="), *env);
		if (strncmp(name, "TWILIGHT_", 9) != 0 || is_known_name(c, name))
			continue;
		near = key_nearest(name, true);
		snprintf(buf, sizeof(buf),
		    "%s is not a setting and has no effect; %s%s%s",
		    text_escape(safe, sizeof(safe), name, strlen(name)),
		    near == NULL ? "`help settings` lists them" : "did you mean ",
		    near == NULL ? "" : near, near == NULL ? "" : "?");
		line(arg, buf);
	}
}
