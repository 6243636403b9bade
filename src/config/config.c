/*
 * Each target takes, key by key, the first of: environment, its own section, the
 * settings before any section, the default.
 */
#include "config/config.h"

#include "config/conflicts.h"
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
	char *const *env; /* NULL: the environment is not read */
	const struct section *own, *all;
	struct fault *fault;
};

/* A value and its origin; a default has none. */
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
find_value(const struct sources *s, const struct key *k)
{
	const char *env = find_env(s, k);
	const struct item *own = section_item(s->own, k, ""), *it = own;

	if (env != NULL)
		return (struct found){ .value = env, .own = true };
	if (it == NULL)
		it = section_item(s->all, k, "");
	if (it == NULL)
		return (struct found){ .value = k->fallback, .fallback = true };
	return (struct found){ it->value, { s->path, it->line, NULL },
		own != NULL && s->own != s->all, false };
}

/* Joins two paths.  When they are too long, `k` is at fault, or else the home. */
static int
join_path(const struct sources *s, const struct key *k, char field[PATH_MAX],
    const char *folder, const char *rest)
{
	int n = snprintf(field, PATH_MAX, "%s%s", folder, rest);
	struct found v = find_value(s, k);

	if (n >= 0 && n < PATH_MAX)
		return 0;
	if (v.fallback) {
		k = key_table;
		v = find_value(s, k);
	}
	return value_wrong(k, v.value, &v.origin, "shorter", s->fault);
}

static bool
is_default(const struct target *t)
{
	return strcmp(t->name, TARGET_DEFAULT) == 0;
}

/* Is NAME.SERVICE given?  Then a service without it has none, also the first one. */
static bool
is_of_services(const struct sources *s, const struct key *k)
{
	size_t i;

	for (i = 0; i < s->own->n; i++)
		if (s->own->item[i].key->scope == SCOPE_SERVICE &&
		    strcmp(s->own->item[i].key->name, k->name) == 0)
			return true;
	return false;
}

static int
set_key(const struct sources *s, struct target *t, const struct key *k)
{
	struct found v = find_value(s, k);

	if (k->scope == SCOPE_SERVICE)
		return 0;
	/* the home is known: it is the first row */
	if (v.fallback && k->kind == VALUE_PATH && k != key_table && *v.value != '\0')
		return join_path(s, k, (char *)t + k->offset, t->home, v.value);
	if (v.fallback && k->kind == VALUE_URL &&
	    (!is_default(t) || is_of_services(s, k)))
		return 0;
	if (*v.value == '\0' && *k->fallback != '\0' && v.origin.path != NULL)
		return value_wrong(k, v.value, &v.origin, "given, or the line removed",
		    s->fault);
	return value_set(k, t, v.value, &v.origin, s->fault);
}

static struct service *
find_service(struct target *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_services; i++)
		if (strcmp(t->service[i].name, name) == 0)
			return &t->service[i];
	return NULL;
}

/* The services but the first, which has the keys without a service. */
static int
set_service_defaults(const struct sources *s, struct target *t)
{
	const struct origin none = { 0 };
	const struct key *k;
	size_t i;

	for (k = key_table; k < key_table + key_count; k++)
		for (i = 1; i < t->n_services; i++)
			if (k->scope == SCOPE_SERVICE && k->fallback[0] != '\0' &&
			    value_set(k, &t->service[i], k->fallback, &none, s->fault) ==
				-1)
				return -1;
	return 0;
}

/* NAME.SERVICE wins over NAME (of the first service), but not over the environment. */
static int
set_service_keys(const struct sources *s, struct target *t)
{
	struct service *service;
	char safe[128];
	size_t i;

	for (i = 0; i < s->own->n; i++) {
		const struct item *it = &s->own->item[i];
		const struct origin o = { s->path, it->line, it->service };
		const struct key *plain = key_find(it->key->name);

		if (it->key->scope != SCOPE_SERVICE)
			continue;
		service = find_service(t, it->service);
		if (service == NULL)
			return sections_fault(s->fault, s->path, it->line,
			    "name the service in `services`, or remove the line",
			    "%s.%s: not a service of target %s", it->key->name,
			    text_escape(safe, sizeof(safe), it->service,
				strlen(it->service)),
			    t->name);
		/* a NAME of the whole target has a field of its own */
		if (service == t->service && plain != NULL &&
		    plain->offset == offsetof(struct target, service) + it->key->offset &&
		    find_env(s, plain) != NULL)
			continue;
		if (value_set(it->key, service, it->value, &o, s->fault) == -1)
			return -1;
	}
	return 0;
}

/* A relative file name is relative to compose_dir. */
static int
resolve_files(const struct sources *s, struct target *t)
{
	const struct key *k = key_find("compose_files");
	char all[PATH_MAX], *rest = all, *name;
	struct found v = find_value(s, k);
	size_t n = 0;

	(void)strlcpy(all, t->compose_files, sizeof(all));
	while (*all != '\0' && n < PATH_MAX && (name = strsep(&rest, ":")) != NULL)
		n += (size_t)snprintf(t->compose_files + n, PATH_MAX - n, "%s%s%s%s",
		    n == 0 ? "" : ":", *name == '/' ? "" : t->compose_dir,
		    *name == '/' ? "" : "/", name);
	return n < PATH_MAX ? 0 : value_wrong(k, v.value, &v.origin, "shorter", s->fault);
}

static int
set_state(const struct sources *s, struct target *t)
{
	const struct key *k = key_find("state"), *lock = key_find("lock");
	char folder[PATH_MAX], rest[TARGET_NAME_MAX + 16];
	struct found v = find_value(s, lock);

	if (!find_value(s, k).own && !is_default(t)) {
		memcpy(folder, t->state, sizeof(folder));
		snprintf(rest, sizeof(rest), "/targets/%s", t->name);
		if (join_path(s, k, t->state, folder, rest) == -1)
			return -1;
	}
	if (t->lock[0] == '\0')
		return join_path(s, k, t->lock, t->state, "/lock");
	/* detached commands take it while the program holds its own */
	snprintf(folder, sizeof(folder), "%.*s/up.lock", PATH_MAX - 16, t->state);
	return strcmp(t->lock, folder) != 0
	    ? 0
	    : value_wrong(lock, v.value, &v.origin, "another file", s->fault);
}

/* What the environment or the target's own section says of a service; its key. */
static const struct key *
find_own(const struct sources *s, const struct target *t, size_t service,
    const char *name, struct found *v)
{
	const struct key *plain = key_find(name);
	const struct item *it;

	for (it = s->own->item; it < s->own->item + s->own->n; it++) {
		v->value = it->value;
		v->origin = (struct origin){ s->path, it->line, it->service };
		if (strcmp(it->key->name, name) == 0 &&
		    strcmp(it->service, t->service[service].name) == 0)
			return it->key;
	}
	*v = find_value(s, plain);
	return service == 0 && !v->fallback &&
		(v->origin.path == NULL || section_item(s->own, plain, "") != NULL)
	    ? plain
	    : NULL;
}

/* A shared setting may be meant for another target; `none` turns off what is given. */
static int
check_needs(const struct sources *s, const struct target *t)
{
	static const char *const needs[][3] = {
#define NEEDS(name, of) { name, of, "set together with " of }
		NEEDS("version_expect", "version_url"),
		NEEDS("drain_done_url", "drain_url"),
		NEEDS("drain_done_expect", "drain_done_url"),
		NEEDS("drain_resume_url", "drain_url"),
	};
	const struct key *k;
	struct found v = { 0 }, of = { 0 };
	size_t i, n;

	for (i = 0; i < t->n_services; i++)
		for (n = 0; n < sizeof(needs) / sizeof(needs[0]); n++) {
			k = find_own(s, t, i, needs[n][0], &v);
			/* the value may contain a secret */
			if (k != NULL && *v.value != '\0' &&
			    strcmp(v.value, "none") != 0 &&
			    find_own(s, t, i, needs[n][1], &of) == NULL &&
			    (i > 0 || of.fallback))
				return value_wrong(k, "...", &v.origin, needs[n][2],
				    s->fault);
		}
	return 0;
}

static int
make_target(const struct sources *s, struct target *t)
{
	size_t i;

	(void)strlcpy(t->name, s->own == s->all ? TARGET_DEFAULT : s->own->name,
	    sizeof(t->name));
	for (i = 0; i < key_count; i++)
		if (set_key(s, t, &key_table[i]) == -1)
			return -1;
	if (set_service_defaults(s, t) == -1 || set_service_keys(s, t) == -1 ||
	    check_needs(s, t) == -1 || resolve_files(s, t) == -1)
		return -1;
	return set_state(s, t);
}

/* ---- all targets ---- */

/* A variable cannot say which of several targets it is for. */
static int
check_env(const struct sections *file, char *const *env, struct fault *f)
{
	char names[200] = "", safe[200];
	size_t i, n = 0;

	for (i = 0; i < key_count; i++)
		if (key_table[i].env != NULL && env_get(env, key_table[i].env) != NULL &&
		    n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
			    n == 0 ? "" : " ", key_table[i].env);
	if (n == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "remove them from the environment",
	    "%s has targets; these variables could be for any: %s",
	    text_escape(safe, sizeof(safe), file->path, strlen(file->path)), names);
}

/* A version is no secret, whichever target it is of. */
static void
share_variables(struct config *c)
{
	char all[sizeof(c->target->variables)] = "";
	size_t i;

	for (i = 0; i < c->n; i++) {
		(void)strlcat(all, i == 0 ? "" : " ", sizeof(all));
		(void)strlcat(all, c->target[i].variable, sizeof(all));
	}
	for (i = 0; i < c->n; i++)
		memcpy(c->target[i].variables, all, sizeof(all));
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
		return fault_memory(f);
	for (i = 0; i < n; i++) {
		s.own = &file->section[file->n == 1 ? 0 : i + 1];
		if (make_target(&s, &c->target[i]) == -1)
			return -1;
	}
	c->n = n;
	share_variables(c);
	return conflicts_check(c, file, f);
}

int
config_load(struct config *c, const char *path, bool optional, char *const *env,
    struct fault *f)
{
	struct sections *file = calloc(1, sizeof(*file));
	int rc;

	memset(c, 0, sizeof(*c));
	if (file == NULL)
		return fault_memory(f);
	rc = sections_load(file, path, optional, f);
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
