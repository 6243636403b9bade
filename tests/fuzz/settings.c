/*
 * The settings, as a file and as NAME=value lines of the environment: accepted values are
 * within their bounds and, written in full, load the same again.
 */
#include "fuzz.h"
#include "config/config.h"
#include "health/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 64

static char text[1024 * 1024];
static size_t text_len;

static bool
within(int64_t n, int64_t min, int64_t max)
{
	return n >= min && n <= max;
}

static bool
is_path(const char *s)
{
	return s[0] == '/' && strpbrk(s, ",:\n") == NULL;
}

static void
check_services(const struct target *t)
{
	struct url url;
	size_t i, j;

	MUST(t->n_services >= 1 && t->n_services <= SERVICES_MAX);
	for (i = 0; i < t->n_services; i++) {
		const struct service *s = &t->service[i];
		struct fault f = { 0 };

		MUST(s->name[0] != '\0' && s->name[0] != '-' &&
		    strpbrk(s->name, " ,\n/") == NULL);
		MUST(s->health_url[0] == '\0' || url_parse(&url, s->health_url, &f) == 0);
		for (j = 0; j < i; j++)
			MUST(strcmp(s->name, t->service[j].name) != 0);
	}
}

static void
check_value(const struct target *t)
{
	char value[DESIRED_MAX], tag[TAG_MAX];
	struct fault f = { 0 };

	if (target_value(t, "v1", value, &f) == -1)
		return;
	MUST(target_tag_of(t, value, tag) && strcmp(tag, "v1") == 0);
}

static void
bounds(const struct target *t)
{
	MUST(is_path(t->home) && is_path(t->env_file) && is_path(t->compose_dir));
	MUST(is_path(t->state) && is_path(t->lock));
	MUST(t->name[0] != '\0' && t->name[0] != '.' && strchr(t->name, '/') == NULL);
	MUST(t->compose_files[0] == '\0' || t->compose_files[0] == '/');
	MUST(
	    t->project[0] != '-' && t->tag_prefix[0] != '-' && t->tag_pattern[0] != '\0');
	MUST(strcmp(t->engine, "compose") == 0 || strcmp(t->engine, "blind") == 0);
	MUST(strcmp(t->prune, "all") == 0 || strcmp(t->prune, "own") == 0);
	MUST(within(t->health_tries, 1, 100000) && within(t->health_sleep, 0, 3600000));
	MUST(within(t->health_settle, 0, 3600000) && within(t->keep, 1, 100));
	MUST(
	    within(t->pull_limit, 1000, 86400000) && within(t->up_limit, 1000, 86400000));
	MUST(within(t->call_limit, 1000, 86400000) && within(t->strip_prefix, 0, 1));
	MUST(t->disk_min >= 0);
	check_services(t);
	check_value(t);
}

static void
put_setting(const char *key, const char *value)
{
	text_len += (size_t)snprintf(text + text_len,
	    text_len < sizeof(text) ? sizeof(text) - text_len : 0, "%s = %s\n", key,
	    value);
	if (text_len > sizeof(text))
		text_len = sizeof(text);
}

static void
put_seconds(const char *key, int64_t ms)
{
	char number[64];

	snprintf(number, sizeof(number), "%lld.%03lld", (long long)(ms / 1000),
	    (long long)(ms % 1000));
	put_setting(key, number);
}

/* In the largest unit of which it is a multiple. */
static void
put_number(const char *key, int64_t n, bool size)
{
	static const char *const units[] = { "", "K", "M", "G" };
	char number[64];
	int i;

	for (i = 0; size && i < 3 && n % 1024 == 0; i++)
		n /= 1024;
	snprintf(number, sizeof(number), "%lld%s", (long long)n, units[size ? i : 0]);
	put_setting(key, number);
}

static void
put_url(const char *key, const char *service, const char *url)
{
	char name[SERVICE_MAX + 32];

	snprintf(name, sizeof(name), "%s.%s", key, service);
	put_setting(name, url[0] == '\0' ? "none" : url);
}

static void
put_drain(const struct service *s)
{
	char name[SERVICE_MAX + 32];

	put_url("drain_url", s->name, s->drain_url);
	put_url("drain_done_url", s->name, s->drain_done_url);
	put_url("drain_resume_url", s->name, s->drain_resume_url);
	snprintf(name, sizeof(name), "drain_done_expect.%s", s->name);
	put_setting(name, s->drain_done_expect);
	snprintf(name, sizeof(name), "drain_limit.%s", s->name);
	put_seconds(name, s->drain_limit);
}

static void
put_version(const struct service *s)
{
	char name[SERVICE_MAX + 32];

	put_url("version_url", s->name, s->version_url);
	snprintf(name, sizeof(name), "version_expect.%s", s->name);
	put_setting(name, s->version_expect);
}

static void
put_candidate(const struct service *s)
{
	char name[SERVICE_MAX + 32];

	snprintf(name, sizeof(name), "strategy.%s", s->name);
	if (s->strategy[0] != '\0')
		put_setting(name, s->strategy);
	snprintf(name, sizeof(name), "port.%s", s->name);
	put_number(name, s->port, false);
}

static void
put_services(const struct target *t)
{
	char names[SERVICES_MAX * (SERVICE_MAX + 1)] = "";
	size_t i;

	for (i = 0; i < t->n_services; i++)
		strcat(strcat(names, " "), t->service[i].name);
	put_setting("services", names + 1);
	for (i = 0; i < t->n_services; i++) {
		put_url("health_url", t->service[i].name, t->service[i].health_url);
		put_version(&t->service[i]);
		put_drain(&t->service[i]);
		put_candidate(&t->service[i]);
	}
}

static void
put_target(const struct target *t)
{
	if (text_len + TARGET_NAME_MAX + 16 < sizeof(text))
		text_len += (size_t)sprintf(text + text_len, "[target %s]\n", t->name);
	put_setting("home", t->home), put_setting("env_file", t->env_file);
	put_setting("compose_dir", t->compose_dir),
	    put_setting("compose_files", t->compose_files);
	put_setting("state", t->state), put_setting("lock", t->lock),
	    put_setting("project", t->project);
	put_setting("engine", t->engine), put_setting("variable", t->variable),
	    put_setting("value", t->value);
	put_setting("tag_pattern", t->tag_pattern),
	    put_setting("tag_prefix", t->tag_prefix);
	put_setting("strip_prefix", t->strip_prefix ? "yes" : "no");
	put_setting("keep_env", t->keep_env), put_setting("prune", t->prune);
	put_setting("on_start", t->on_start), put_setting("on_result", t->on_result);
	put_setting("restart", t->restart);
	put_setting("strategy", t->strategy);
	put_setting("immutable", t->immutable), put_setting("signed_by", t->signed_by);
	put_setting("pre_deploy", t->pre_deploy);
	put_seconds("pre_deploy_limit", t->pre_deploy_limit);
	put_number("keep", t->keep, false), put_number("disk_min", t->disk_min, true);
	put_number("health_tries", t->health_tries, false);
	put_seconds("health_sleep", t->health_sleep);
	put_seconds("health_settle", t->health_settle);
	put_seconds("pull_limit", t->pull_limit), put_seconds("up_limit", t->up_limit);
	put_seconds("call_limit", t->call_limit);
	put_seconds("hook_limit", t->hook_limit);
	put_services(t);
}

/* Writes and loads them again; skips what a file cannot contain. */
static void
again(const struct config *c, const char *path)
{
	struct fault f = { 0 };
	struct config d;
	size_t i;

	text_len = 0;
	for (i = 0; i < c->n; i++)
		put_target(&c->target[i]);
	if (text_len >= sizeof(text))
		return;
	fuzz_put("again", text, text_len);
	MUST(config_load(&d, path, false, NULL, &f) == 0 && d.n == c->n);
	MUST(memcmp(d.target, c->target, c->n * sizeof(*c->target)) == 0);
	config_free(&d);
}

static void
as_file(const uint8_t *data, size_t len)
{
	static char path[300], path_again[300];
	struct fault f = { 0 };
	struct config c;
	size_t i;

	snprintf(path, sizeof(path), "%s/conf", fuzz_folder());
	snprintf(path_again, sizeof(path_again), "%s/again", fuzz_folder());
	fuzz_put("conf", data, len);
	if (config_load(&c, path, false, NULL, &f) == -1) {
		MUST(fuzz_said(&f, FAULT_HOST));
		MUST(strstr(f.what, "/conf") != NULL);
		return;
	}
	MUST(c.n >= 1 && c.n <= TARGETS_MAX);
	for (i = 0; i < c.n; i++)
		bounds(&c.target[i]);
	again(&c, path_again);
	config_free(&c);
}

static void
as_environment(const uint8_t *data, size_t len)
{
	char *lines = fuzz_string(data, len), *env[LINES + 1], *rest = lines;
	struct fault f = { 0 };
	struct config c;
	size_t n = 0;

	while (n < LINES && (env[n] = strsep(&rest, "\n")) != NULL)
		n++;
	env[n] = NULL;
	if (config_load(&c, NULL, false, env, &f) == 0) {
		MUST(c.n == 1 && strcmp(c.target[0].name, TARGET_DEFAULT) == 0);
		bounds(&c.target[0]);
		config_free(&c);
	} else {
		MUST(fuzz_said(&f, FAULT_HOST));
		MUST(strstr(f.what, "TWILIGHT_") != NULL);
	}
	free(lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	as_file(data, len);
	as_environment(data, len);
	return 0;
}
