/*
 * The settings, NAME=value lines: what is accepted lies within its bounds and,
 * written down in full, loads the same again.
 */
#include "fuzz.h"
#include "config/target.h"

#include <stdlib.h>
#include <string.h>

#define LINES 64

static const char *
seconds(char *to, size_t size, int64_t ms)
{
	snprintf(to, size, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
	return to;
}

/* In the largest unit that it is a multiple of. */
static const char *
bytes(char *to, size_t size, int64_t n)
{
	static const char *const units[] = { "", "K", "M", "G" };
	int i;

	for (i = 0; i < 3 && n % 1024 == 0; i++)
		n /= 1024;
	snprintf(to, size, "%lld%s", (long long)n, units[i]);
	return to;
}

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
bounds(const struct target *t)
{
	MUST(is_path(t->home) && is_path(t->env_file) && is_path(t->compose_dir));
	MUST(is_path(t->state) && is_path(t->lock));
	MUST(t->service[0] != '\0' && t->service[0] != '-' && t->project[0] != '-');
	MUST(t->health_url[0] != '\0' && t->tag_pattern[0] != '\0');
	MUST(strcmp(t->prune, "all") == 0 || strcmp(t->prune, "own") == 0);
	MUST(within(t->health_tries, 1, 100000) && within(t->health_sleep, 0, 3600000));
	MUST(within(t->health_settle, 0, 3600000) && within(t->keep, 1, 100));
	MUST(
	    within(t->pull_limit, 1000, 86400000) && within(t->up_limit, 1000, 86400000));
	MUST(within(t->call_limit, 1000, 86400000));
	MUST(t->disk_min >= 0);
}

static void
again(const struct target *t)
{
	static char lines[20][PATH_MAX + 64];
	char *env[21], number[64];
	struct fault f = { 0 };
	static struct target u;
	size_t n = 0;

#define PUT(name, fmt, v)                                                  \
	snprintf(lines[n], sizeof(lines[n]), "TWILIGHT_" name "=" fmt, v), \
	    env[n] = lines[n], n++
	PUT("HOME", "%s", t->home), PUT("ENV_FILE", "%s", t->env_file);
	PUT("COMPOSE_DIR", "%s", t->compose_dir), PUT("STATE", "%s", t->state);
	PUT("LOCK", "%s", t->lock), PUT("SERVICE", "%s", t->service);
	PUT("PROJECT", "%s", t->project), PUT("HEALTH_URL", "%s", t->health_url);
	PUT("TAG_PATTERN", "%s", t->tag_pattern), PUT("KEEP_ENV", "%s", t->keep_env);
	PUT("PRUNE", "%s", t->prune), PUT("KEEP", "%lld", (long long)t->keep);
	PUT("HEALTH_TRIES", "%lld", (long long)t->health_tries);
	PUT("DISK_MIN", "%s", bytes(number, sizeof(number), t->disk_min));
	PUT("HEALTH_SLEEP", "%s", seconds(number, sizeof(number), t->health_sleep));
	PUT("HEALTH_SETTLE", "%s", seconds(number, sizeof(number), t->health_settle));
	PUT("PULL_LIMIT", "%s", seconds(number, sizeof(number), t->pull_limit));
	PUT("UP_LIMIT", "%s", seconds(number, sizeof(number), t->up_limit));
	PUT("CALL_LIMIT", "%s", seconds(number, sizeof(number), t->call_limit));
#undef PUT
	env[n] = NULL;
	MUST(target_load(&u, env, &f) == 0 && memcmp(t, &u, sizeof(u)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = fuzz_string(data, len), *env[LINES + 1], *rest = text;
	static struct target t;
	struct fault f = { 0 };
	size_t n = 0;

	while (n < LINES && (env[n] = strsep(&rest, "\n")) != NULL)
		n++;
	env[n] = NULL;
	if (target_load(&t, env, &f) == 0) {
		bounds(&t);
		again(&t);
	} else {
		MUST(fuzz_said(&f, FAULT_HOST));
		MUST(strstr(f.what, "TWILIGHT_") != NULL);
	}
	free(text);
	return 0;
}
