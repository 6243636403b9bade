/*
 * Each target takes, key by key, the first of: environment, its own section, the
 * settings before any section, the default.
 */
#include "config/config.h"

#include "config/inifile.h"
#include "config/keys.h"
#include "config/sections.h"
#include "sys/childenv.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the values of one target come from. */
struct sources {
	const char *path;
	char *const *env; /* NULL: the environment is not asked */
	const struct section *own, *all;
	struct fault *fault;
};

/* A value and where it stands; a default has no origin. */
struct found {
	const char *value;
	struct origin origin;
	bool own, fallback;
};

static const char *
find_env(const struct sources *s, const struct key *k)
{
	const char *value = k->env == NULL ? NULL : env_get(s->env, k->env);

	return value != NULL && *value == '\0' && !k->strict ? NULL : value;
}

static struct found
find_value(const struct sources *s, const struct key *k, const char *service)
{
	struct found v = { find_env(s, k), { NULL, 0 }, false, false };
	const struct item *it;

	if (v.value != NULL) {
		v.own = true;
		return v;
	}
	it = section_item(s->own, k, service);
	v.own = it != NULL && s->own != s->all;
	if (it == NULL)
		it = section_item(s->all, k, service);
	if (it == NULL) {
		v.value = k->fallback;
		v.fallback = true;
		return v;
	}
	v.value = it->value;
	v.origin.path = s->path;
	v.origin.line = it->line;
	return v;
}

/* Joins two paths; where they are too long, that is the fault of `k`, or of the home. */
static int
below(const struct sources *s, const struct key *k, char field[PATH_MAX],
    const char *folder, const char *rest)
{
	int n = snprintf(field, PATH_MAX, "%s%s", folder, rest);
	struct found v = find_value(s, k, "");

	if (n >= 0 && n < PATH_MAX)
		return 0;
	if (v.fallback) {
		k = key_table;
		v = find_value(s, k, "");
	}
	return value_wrong(k, v.value, &v.origin, "shorter", s->fault);
}

static bool
is_default(const struct target *t)
{
	return strcmp(t->name, TARGET_DEFAULT) == 0;
}

static int
set_one(const struct sources *s, struct target *t, const struct key *k)
{
	struct found v = find_value(s, k, "");

	if (key_is_of_service(k))
		return 0;
	/* the home is the first row, so it is known by now */
	if (v.fallback && k->kind == VALUE_PATH && k != key_table && *v.value != '\0')
		return below(s, k, (char *)t + k->offset, t->home, v.value);
	/* another target's service does not answer where the first program's does */
	if (v.fallback && k->kind == VALUE_URL && !is_default(t))
		return 0;
	if (!v.fallback && *v.value == '\0' && *k->fallback != '\0' &&
	    v.origin.path != NULL)
		return value_wrong(k, v.value, &v.origin, "something", s->fault);
	return value_set(k, t, v.value, &v.origin, s->fault);
}

static bool
has_service(const struct target *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_services; i++)
		if (strcmp(t->service[i].name, name) == 0)
			return true;
	return false;
}

/* health_url.SERVICE, which wins over a health_url of the file. */
static int
set_service_urls(const struct sources *s, struct target *t)
{
	const struct key *k = key_find("health_url."), *first = key_find("health_url");
	struct origin o = { s->path, 0 };
	char safe[128];
	size_t i;

	for (i = 0; i < s->own->n; i++) {
		const struct item *it = &s->own->item[i];

		if (it->key != k || has_service(t, it->service))
			continue;
		text_escape(safe, sizeof(safe), it->service, strlen(it->service));
		return inifile_fault(s->fault, s->path, it->line,
		    "name the service in `services`, or remove the line",
		    "health_url.%s: not a service of target %s", safe, t->name);
	}
	for (i = 0; i < t->n_services; i++) {
		const struct item *it = section_item(s->own, k, t->service[i].name);

		if (it == NULL)
			continue;
		o.line = it->line;
		if ((i > 0 || find_env(s, first) == NULL) &&
		    value_set_url(k, &t->service[i], it->value, &o, s->fault) == -1)
			return -1;
	}
	return 0;
}

/* A file name that is not absolute is of compose_dir. */
static int
resolve_files(const struct sources *s, struct target *t)
{
	const struct key *k = key_find("compose_files");
	char all[PATH_MAX], *rest = all, *name;
	struct found v = find_value(s, k, "");
	size_t n = 0;

	(void)strlcpy(all, t->compose_files, sizeof(all));
	while (*all != '\0' && n < PATH_MAX && (name = strsep(&rest, ":")) != NULL)
		n += (size_t)snprintf(t->compose_files + n, PATH_MAX - n, "%s%s%s%s",
		    n == 0 ? "" : ":", *name == '/' ? "" : t->compose_dir,
		    *name == '/' ? "" : "/", name);
	return n < PATH_MAX ? 0 : value_wrong(k, v.value, &v.origin, "shorter", s->fault);
}

/* $STATE/targets/NAME where the target has no state key of its own. */
static int
set_state(const struct sources *s, struct target *t)
{
	const struct key *k = key_find("state");
	struct found v = find_value(s, k, "");
	char folder[PATH_MAX], rest[TARGET_NAME_MAX + 16];

	if (!v.own && !is_default(t)) {
		memcpy(folder, t->state, sizeof(folder));
		snprintf(rest, sizeof(rest), "/targets/%s", t->name);
		if (below(s, k, t->state, folder, rest) == -1)
			return -1;
	}
	return t->lock[0] != '\0' ? 0 : below(s, k, t->lock, t->state, "/lock");
}

static int
make_target(const struct sources *s, struct target *t)
{
	size_t i;

	(void)strlcpy(t->name, s->own == s->all ? TARGET_DEFAULT : s->own->name,
	    sizeof(t->name));
	for (i = 0; i < KEYS; i++)
		if (set_one(s, t, &key_table[i]) == -1)
			return -1;
	if (set_service_urls(s, t) == -1 || resolve_files(s, t) == -1)
		return -1;
	return set_state(s, t);
}

/* Would both be the same services of the same compose project? */
static bool
same_project(const struct target *a, const struct target *b)
{
	if (strcmp(a->project, b->project) != 0)
		return false;
	return a->project[0] != '\0' || strcmp(a->compose_dir, b->compose_dir) == 0;
}

static int
check_pair(const struct sections *file, const struct target *a, const struct target *b,
    unsigned line, struct fault *f)
{
	size_t i;

	if (strcmp(a->state, b->state) == 0 || strcmp(a->lock, b->lock) == 0)
		return inifile_fault(f, file->path, line, "give each a folder of its own",
		    "targets %s and %s have the same %s", a->name, b->name,
		    strcmp(a->state, b->state) == 0 ? "state folder" : "lock");
	if (strcmp(a->env_file, b->env_file) == 0 &&
	    strcmp(a->variable, b->variable) == 0)
		return inifile_fault(f, file->path, line,
		    "give each a variable of its own",
		    "targets %s and %s have the same env_file and variable", a->name,
		    b->name);
	for (i = 0; same_project(a, b) && i < a->n_services; i++)
		if (has_service(b, a->service[i].name))
			return inifile_fault(f, file->path, line,
			    "a service is of one target only",
			    "targets %s and %s have the same service %s", a->name,
			    b->name, a->service[i].name);
	return 0;
}

static int
check_pairs(const struct config *c, const struct sections *file, struct fault *f)
{
	size_t i, j;

	for (i = 1; i < c->n; i++)
		for (j = 0; j < i; j++)
			if (check_pair(file, &c->target[j], &c->target[i],
				file->section[i + 1].line, f) == -1)
				return -1;
	return 0;
}

/* Variables beside a file with other targets: for which of them would they be? */
static int
check_env(const struct sections *file, char *const *env, struct fault *f)
{
	char names[200] = "", safe[200];
	size_t i, n = 0;

	for (i = 0; i < KEYS; i++)
		if (key_table[i].env != NULL && env_get(env, key_table[i].env) != NULL &&
		    n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
			    n == 0 ? "" : " ", key_table[i].env);
	if (n == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "remove them from the environment",
	    "%s has targets; these variables could be of any: %s",
	    text_escape(safe, sizeof(safe), file->path, strlen(file->path)), names);
}

static int
make_targets(struct config *c, const struct sections *file, char *const *env,
    struct fault *f)
{
	size_t n = file->n == 1 ? 1 : file->n - 1, i;
	bool only_default = file->n == 1 ||
	    (n == 1 && strcmp(file->section[1].name, TARGET_DEFAULT) == 0);
	struct sources s = { file->path, only_default ? env : NULL, NULL,
		&file->section[0], f };

	if (!only_default && check_env(file, env, f) == -1)
		return -1;
	c->target = calloc(n, sizeof(*c->target));
	if (c->target == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	for (i = 0; i < n; i++) {
		s.own = &file->section[file->n == 1 ? 0 : i + 1];
		if (make_target(&s, &c->target[i]) == -1)
			return -1;
	}
	c->n = n;
	return check_pairs(c, file, f);
}

int
config_load(struct config *c, const char *path, char *const *env, struct fault *f)
{
	struct sections *file = calloc(1, sizeof(*file));
	int rc;

	memset(c, 0, sizeof(*c));
	if (file == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	rc = sections_load(file, path, f);
	if (rc == 0)
		rc = make_targets(c, file, env, f);
	memcpy(c->path, file->path, sizeof(c->path));
	sections_free(file);
	free(file);
	if (rc == -1)
		config_free(c);
	return rc;
}

void
config_free(struct config *c)
{
	free(c->target);
	c->target = NULL;
	c->n = 0;
}

const struct target *
config_find(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->target[i].name, name) == 0)
			return &c->target[i];
	return NULL;
}

/* A key's, a target's variable, or one that children get. */
static bool
has_reader(const struct config *c, const char *name)
{
	size_t i, len = strlen(name);
	const char *at;

	for (i = 0; i < KEYS; i++)
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
		size_t len = strcspn(*env, "=");

		snprintf(name, sizeof(name), "%.*s", (int)(len < 255 ? len : 255), *env);
		if (strncmp(name, "TWILIGHT_", 9) != 0 || has_reader(c, name))
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
