#include "sys/childenv.h"

#include <sys/stat.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The entry of a name of `len` bytes, or NULL. */
static char *const *
find_entry(char *const *env, const char *name, size_t len)
{
	for (; env != NULL && *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return env;
	return NULL;
}

const char *
env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);
	char *const *entry = find_entry(env, name, len);

	return entry == NULL ? NULL : *entry + len + 1;
}

int
env_find(const char *name, char *const *env, char *out, size_t size, struct fault *f)
{
	const char *path = env_get(env, "PATH"), *end;
	bool found = false;
	struct stat st;

	for (; path != NULL && *path != '\0'; path = *end == ':' ? end + 1 : end) {
		end = path + strcspn(path, ":");
		/* an empty or relative entry is the current folder: never used */
		if (*path != '/' ||
		    (size_t)snprintf(out, size, "%.*s/%s", (int)(end - path), path,
			name) >= size)
			continue;
		if (stat(out, &st) == -1 || !S_ISREG(st.st_mode))
			continue;
		if (access(out, X_OK) == 0)
			return 0;
		found = found || access(out, F_OK) == 0;
	}
	return fault_set(f, FAULT_HOST, "install it, or correct PATH",
	    found ? "%s on PATH is not executable" : "%s is not on PATH", name);
}

int
childenv_set(struct childenv *c, const char *name, const char *value, struct fault *f)
{
	char *const *old = find_entry(c->list, name, strlen(name));
	char *entry, **list = c->list;

	if (asprintf(&entry, "%s=%s", name, value) == -1)
		return fault_memory(f);
	if (old != NULL) {
		free(*old);
		list[old - list] = entry;
		return 0;
	}
	list = reallocarray(c->list, c->n + 2, sizeof(*list));
	if (list == NULL) {
		free(entry);
		return fault_memory(f);
	}
	c->list = list;
	c->list[c->n++] = entry;
	c->list[c->n] = NULL;
	return 0;
}

int
childenv_keep(struct childenv *c, char *const *env, const char *names, struct fault *f)
{
	char *name;
	size_t len;
	int rc = 0;

	for (; rc == 0 && *names != '\0'; names += len) {
		names += strspn(names, " ,");
		len = strcspn(names, " ,");
		if (len == 0 || find_entry(env, names, len) == NULL)
			continue;
		name = strndup(names, len);
		if (name == NULL)
			return fault_memory(f);
		rc = childenv_set(c, name, env_get(env, name), f);
		free(name);
	}
	return rc;
}

int
childenv_init(struct childenv *c, char *const *env, struct fault *f)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL",
		"LANG" };
	const char *values[] = { env_get(env, "PATH"), env_get(env, "HOME"),
		env_get(env, "USER"), env_get(env, "LOGNAME"), "/bin/sh", "C.UTF-8" };
	const struct passwd *pw = NULL;
	size_t i;

	memset(c, 0, sizeof(*c));
	if (values[0] == NULL)
		values[0] = DEFAULT_PATH;
	/* without an entry in the password file docker works as well */
	if (values[1] == NULL || values[2] == NULL || values[3] == NULL)
		pw = getpwuid(geteuid());
	if (values[1] == NULL)
		values[1] = pw == NULL ? "/" : pw->pw_dir;
	for (i = 2; i <= 3 && pw != NULL; i++)
		if (values[i] == NULL)
			values[i] = pw->pw_name;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (values[i] != NULL && childenv_set(c, names[i], values[i], f) == -1) {
			childenv_free(c);
			return -1;
		}
	return 0;
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
