/*
 * A new setting is a field of struct target and a row here.
 */
#include "config/keys.h"

#include "config/config.h"
#include "sys/text.h"

#include <stdio.h>
#include <string.h>

#define AT(m) offsetof(struct target, m), sizeof(((struct target *)NULL)->m)
#define SERVICE_AT(m) offsetof(struct service, m), sizeof(((struct service *)NULL)->m)

/* NAME, of the first service, and NAME.SERVICE, whose default is `own`. */
#define EACH(name, env, kind, strict, m, fallback, own, min, max, text)                \
	{ name, env, kind, SCOPE_SHARED, strict, AT(service[0].m), fallback, min, max, \
		NULL, text },                                                          \
	{                                                                              \
		name, NULL, kind, SCOPE_SERVICE, strict, SERVICE_AT(m), own, min, max, \
		    NULL, "the same for one service"                                   \
	}

const struct key key_table[] = {
	{ "home", "TWILIGHT_HOME", VALUE_PATH, SCOPE_SHARED, false, AT(home),
	    "/home/deploy/twilight", 0, 0, NULL,
	    "the folder that holds .env and the compose folder" },
	{ "env_file", "TWILIGHT_ENV_FILE", VALUE_PATH, SCOPE_SHARED, false, AT(env_file),
	    "/.env", 0, 0, NULL, "the file whose variable names the version" },
	{ "compose_dir", "TWILIGHT_COMPOSE_DIR", VALUE_PATH, SCOPE_SHARED, false,
	    AT(compose_dir), "/source/deploy", 0, 0, NULL,
	    "the folder of the compose file" },
	{ "compose_files", "TWILIGHT_COMPOSE_FILES", VALUE_PATHS, SCOPE_SHARED, false,
	    AT(compose_files), "", 0, 0, NULL,
	    "compose files, ':' between them; empty: compose's own choice" },
	{ "project", "TWILIGHT_PROJECT", VALUE_NAME, SCOPE_SHARED, false, AT(project), "",
	    0, 0, NULL, "the compose project; empty: compose's own choice" },
	{ "engine", "TWILIGHT_ENGINE", VALUE_CHOICE, SCOPE_SHARED, true, AT(engine),
	    "compose", 0, 0, "compose or blind",
	    "compose: docker compose; blind: nothing can be observed" },
	{ "services", "TWILIGHT_SERVICE", VALUE_SERVICES, SCOPE_SHARED, false, 0,
	    sizeof(struct target), "data", 0, 0, NULL,
	    "the compose services, separated by spaces or commas" },
	{ "variable", "TWILIGHT_VARIABLE", VALUE_VARIABLE, SCOPE_SHARED, false,
	    AT(variable), "TWILIGHT_VERSION", 0, 0, NULL,
	    "the variable of env_file that is changed" },
	{ "value", "TWILIGHT_VALUE", VALUE_FORMAT, SCOPE_SHARED, false, AT(value), "%t",
	    0, 0, NULL, "its value; %t is the tag: %t alone, or REGISTRY/REPO:%t" },
	{ "tag_pattern", "TWILIGHT_TAG_PATTERN", VALUE_REGEX, SCOPE_SHARED, true,
	    AT(tag_pattern), "sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+", 0,
	    0, NULL, "POSIX extended expression that a whole tag must match" },
	{ "immutable", "TWILIGHT_IMMUTABLE", VALUE_REGEX, SCOPE_SHARED, true,
	    AT(immutable), ".*[0-9]+\\.[0-9]+\\.[0-9]+", 0, 0, NULL,
	    "tags that may never name another image than before; none: no tag" },
	{ "signed_by", "TWILIGHT_SIGNED_BY", VALUE_PATH, SCOPE_SHARED, false,
	    AT(signed_by), "", 0, 0, NULL,
	    "file of allowed signers; then a deploy needs sig=; empty: it does not" },
	{ "tag_prefix", "TWILIGHT_TAG_PREFIX", VALUE_PREFIX, SCOPE_TARGET, false,
	    AT(tag_prefix), "", 0, 0, NULL,
	    "the target accepts only tags with this prefix" },
	{ "strip_prefix", "TWILIGHT_STRIP_PREFIX", VALUE_FLAG, SCOPE_SHARED, false,
	    AT(strip_prefix), "no", 0, 0, NULL,
	    "yes: the tag is used without tag_prefix" },
	{ "health_url", "TWILIGHT_HEALTH_URL", VALUE_URL, SCOPE_SHARED, true,
	    AT(service[0].health_url), "http://localhost:8081/healthz", 0, 0, NULL,
	    "of the first service, unless one has its own; 200 to 399 is good; or none" },
	{ "health_url", NULL, VALUE_URL, SCOPE_SERVICE, true, SERVICE_AT(health_url), "",
	    0, 0, NULL, "the same for one service; without a URL it must only run" },
	EACH("version_url", "TWILIGHT_VERSION_URL", VALUE_URL, true, version_url, "none",
	    "", 0, 0, "of the first service; must answer with the deployed version"),
	EACH("version_expect", "TWILIGHT_VERSION_EXPECT", VALUE_LINE, false,
	    version_expect, "", "", 0, 0,
	    "a JSON member of that answer, or a text with %t (tag) or %h (digits)"),
	{ "health_tries", "TWILIGHT_HEALTH_TRIES", VALUE_NUMBER, SCOPE_SHARED, false,
	    AT(health_tries), "30", 1, 100000, NULL,
	    "windows of health_sleep before it counts as unhealthy" },
	{ "health_sleep", "TWILIGHT_HEALTH_SLEEP", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(health_sleep), "2", 0, 3600, NULL, "seconds in a window" },
	{ "health_settle", "TWILIGHT_HEALTH_SETTLE", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(health_settle), "2", 0, 3600, NULL,
	    "seconds that a container must have run without a restart" },
	{ "pull_limit", "TWILIGHT_PULL_LIMIT", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(pull_limit), "300", 1, 86400, NULL, "seconds for a pull" },
	{ "up_limit", "TWILIGHT_UP_LIMIT", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(up_limit), "120", 1, 86400, NULL, "seconds for `docker compose up`" },
	{ "call_limit", "TWILIGHT_CALL_LIMIT", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(call_limit), "30", 1, 86400, NULL,
	    "seconds for every other call of docker" },
	{ "keep", "TWILIGHT_KEEP", VALUE_NUMBER, SCOPE_SHARED, false, AT(keep), "3", 1,
	    100, NULL, "known-good releases whose images are kept" },
	{ "prune", "TWILIGHT_PRUNE", VALUE_CHOICE, SCOPE_SHARED, true, AT(prune), "all",
	    0, 0, "all or own",
	    "all: dangling images older than a week too; own: only ours" },
	{ "disk_min", "TWILIGHT_DISK_MIN", VALUE_SIZE, SCOPE_SHARED, false, AT(disk_min),
	    "1G", 0, INT64_MAX, NULL, "free bytes below which no deploy starts" },
	{ "state", "TWILIGHT_STATE", VALUE_PATH, SCOPE_SHARED, false, AT(state),
	    "/.twilight-deploy", 0, 0, NULL, "the folder of journal, history and locks" },
	{ "lock", "TWILIGHT_LOCK", VALUE_PATH, SCOPE_TARGET, false, AT(lock), "", 0, 0,
	    NULL, "the lock file; empty: `lock` in the state folder" },
	{ "keep_env", "TWILIGHT_KEEP_ENV", VALUE_KEEP, SCOPE_SHARED, false, AT(keep_env),
	    "", 0, 0, NULL, "names of variables that docker and hooks get too" },
	{ "on_start", "TWILIGHT_ON_START", VALUE_COMMAND, SCOPE_SHARED, false,
	    AT(on_start), "", 0, 0, NULL,
	    "program and arguments, run when a deploy begins; no shell" },
	{ "on_result", "TWILIGHT_ON_RESULT", VALUE_COMMAND, SCOPE_SHARED, false,
	    AT(on_result), "", 0, 0, NULL,
	    "the same for each new record of the history" },
	{ "hook_limit", "TWILIGHT_HOOK_LIMIT", VALUE_SECONDS, SCOPE_SHARED, false,
	    AT(hook_limit), "30", 1, 3600, NULL, "seconds for each run of these two" },
	EACH("drain_url", "TWILIGHT_DRAIN_URL", VALUE_URL, true, drain_url, "none", "", 0,
	    0, "POST to the first service before it is stopped; none: no drain"),
	EACH("drain_done_url", "TWILIGHT_DRAIN_DONE_URL", VALUE_URL, true, drain_done_url,
	    "none", "", 0, 0, "answers 200 once the first service is idle"),
	EACH("drain_done_expect", "TWILIGHT_DRAIN_DONE_EXPECT", VALUE_CLAIM, true,
	    drain_done_expect, "", "", 0, 0,
	    "MEMBER=VALUE of its JSON answer once it is idle"),
	EACH("drain_limit", "TWILIGHT_DRAIN_LIMIT", VALUE_SECONDS, true, drain_limit,
	    "60", "60", 1, 86400, "seconds that a service may take to be idle"),
	EACH("drain_resume_url", "TWILIGHT_DRAIN_RESUME_URL", VALUE_URL, true,
	    drain_resume_url, "none", "", 0, 0,
	    "POST to a drained service that stays; none: a restart"),
	{ "pre_deploy", "TWILIGHT_PRE_DEPLOY", VALUE_JOB, SCOPE_SHARED, false,
	    AT(pre_deploy), "", 0, 0, NULL,
	    "SERVICE [WORDS]: a job that runs before a deploy" },
	{ "pre_deploy_limit", "TWILIGHT_PRE_DEPLOY_LIMIT", VALUE_SECONDS, SCOPE_SHARED,
	    false, AT(pre_deploy_limit), "600", 1, 86400, NULL, "seconds for that job" },
	{ "strategy", "TWILIGHT_STRATEGY", VALUE_CHOICE, SCOPE_SHARED, true, AT(strategy),
	    "recreate", 0, 0, "recreate or rehearse",
	    "rehearse: try the new version beside the old one first" },
	{ "strategy", NULL, VALUE_CHOICE, SCOPE_SERVICE, true, SERVICE_AT(strategy), "",
	    0, 0, "recreate or rehearse", "the same for one service" },
	EACH("port", "TWILIGHT_PORT", VALUE_NUMBER, true, port, "0", "0", 0, 65535,
	    "port of the first service's candidate; 0: the published one"),
	{ "restart", "TWILIGHT_RESTART", VALUE_NAMES, SCOPE_SHARED, false, AT(restart),
	    "", 0, 0, NULL, "further services that are restarted after `up`" },
};

const size_t key_count = sizeof(key_table) / sizeof(key_table[0]);

_Static_assert(sizeof(key_table) / sizeof(key_table[0]) * SERVICES_MAX <= KEY_ITEMS_MAX,
    "KEY_ITEMS_MAX is too small");

const char *
key_service(const struct key *k, const char *name)
{
	return k->scope == SCOPE_SERVICE ? name + strlen(k->name) + 1 : "";
}

const struct key *
key_find(const char *name)
{
	size_t i, len;

	for (i = 0; i < key_count; i++) {
		len = strlen(key_table[i].name);
		if (strncmp(name, key_table[i].name, len) == 0 &&
		    name[len] == (key_table[i].scope == SCOPE_SERVICE ? '.' : '\0'))
			return &key_table[i];
	}
	return NULL;
}

const char *
key_nearest(const char *name, bool env)
{
	unsigned least = UINT_MAX, n;
	const char *known, *near = NULL;
	size_t i;

	for (i = 0; i < key_count; i++) {
		known = env ? key_table[i].env : key_table[i].name;
		n = known == NULL ? UINT_MAX : text_distance(name, known);
		if (n < least) {
			least = n;
			near = known;
		}
	}
	return text_is_near(name, least) ? near : NULL;
}

/* The default, and its range where there is one. */
static void
describe_default(const struct key *k, char *to, size_t size)
{
	bool below = k->kind == VALUE_PATH && k->fallback[0] != '\0' && k != key_table;
	size_t n;

	n = (size_t)snprintf(to, size, "    default: %s%s", below ? "$home" : "",
	    k->fallback[0] == '\0' ? "empty" : k->fallback);
	if (n < size && (k->kind == VALUE_NUMBER || k->kind == VALUE_SECONDS))
		snprintf(to + n, size - n, " (%lld to %lld)", (long long)k->min,
		    (long long)k->max);
}

void
config_describe(void (*line)(void *, const char *), void *arg)
{
	char buf[160];
	size_t i;

	for (i = 0; i < key_count; i++) {
		const struct key *k = &key_table[i];

		snprintf(buf, sizeof(buf), "%s%s%s", k->name,
		    k->env != NULL ? ", " : ".SERVICE", k->env != NULL ? k->env : "");
		line(arg, buf);
		snprintf(buf, sizeof(buf), "    %s", k->text);
		line(arg, buf);
		describe_default(k, buf, sizeof(buf));
		line(arg, buf);
	}
}
