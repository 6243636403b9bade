#include "sys/childenv.h"

#include <bsd/string.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NAME_MAX_LEN 128

const char *
env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

static int
out_of_memory(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
}

static int
put(struct childenv *c, char *entry, struct fault *f)
{
	char **list;

	if (entry == NULL)
		return out_of_memory(f);
	list = reallocarray(c->list, c->n + 2, sizeof(*list));
	if (list == NULL) {
		free(entry);
		return out_of_memory(f);
	}
	c->list = list;
	c->list[c->n++] = entry;
	c->list[c->n] = NULL;
	return 0;
}

int
childenv_set(struct childenv *c, const char *name, const char *value, struct fault *f)
{
	size_t i, len = strlen(name);
	char *entry;

	if (asprintf(&entry, "%s=%s", name, value) == -1)
		return out_of_memory(f);
	for (i = 0; i < c->n; i++)
		if (strncmp(c->list[i], name, len) == 0 && c->list[i][len] == '=') {
			free(c->list[i]);
			c->list[i] = entry;
			return 0;
		}
	return put(c, entry, f);
}

static int
copy(struct childenv *c, char *const *env, const char *name, const char *fallback,
    struct fault *f)
{
	const char *value = env_get(env, name);

	if (value == NULL)
		value = fallback;
	return value == NULL ? 0 : childenv_set(c, name, value, f);
}

static int
keep_names(struct childenv *c, char *const *env, const char *keep, struct fault *f)
{
	char name[NAME_MAX_LEN];
	size_t len;

	for (; *keep != '\0'; keep += len) {
		keep += strspn(keep, " ,");
		len = strcspn(keep, " ,");
		if (len >= sizeof(name))
			return fault_set(f, FAULT_HOST, "name variables only",
			    "TWILIGHT_KEEP_ENV holds a name of %zu bytes", len);
		memcpy(name, keep, len);
		name[len] = '\0';
		if (len > 0 && copy(c, env, name, NULL, f) == -1)
			return -1;
	}
	return 0;
}

int
childenv_init(struct childenv *c, char *const *env, const char *keep, struct fault *f)
{
	static const char *const where_set[] = { "DOCKER_HOST", "DOCKER_CONTEXT",
		"DOCKER_CONFIG", "XDG_RUNTIME_DIR" };
	/* a password file that cannot be read is no reason to fail */
	const struct passwd *pw = env_get(env, "HOME") == NULL ||
		env_get(env, "USER") == NULL || env_get(env, "LOGNAME") == NULL
	    ? getpwuid(geteuid())
	    : NULL;
	size_t i;

	memset(c, 0, sizeof(*c));
	if (copy(c, env, "PATH", DEFAULT_PATH, f) == -1 ||
	    copy(c, env, "HOME", pw == NULL ? "/" : pw->pw_dir, f) == -1 ||
	    copy(c, env, "USER", pw == NULL ? NULL : pw->pw_name, f) == -1 ||
	    copy(c, env, "LOGNAME", pw == NULL ? NULL : pw->pw_name, f) == -1 ||
	    childenv_set(c, "SHELL", "/bin/sh", f) == -1 ||
	    childenv_set(c, "LANG", "C.UTF-8", f) == -1)
		goto fail;
	for (i = 0; i < sizeof(where_set) / sizeof(where_set[0]); i++)
		if (copy(c, env, where_set[i], NULL, f) == -1)
			goto fail;
	if (keep_names(c, env, keep, f) == -1)
		goto fail;
	return 0;
fail:
	childenv_free(c);
	return -1;
}

void
childenv_free(struct childenv *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->list[i]);
	free(c->list);
	memset(c, 0, sizeof(*c));
}
