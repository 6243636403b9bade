#include "config/target.h"

#include "sys/childenv.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <regex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	TEXT,   /* as it is */
	SCOPE,  /* all or own */
	ENGINE, /* compose or blind */
	REGEX,  /* a POSIX extended expression */
	NEVER_EMPTY = REGEX,
	MAYBE, /* text; of these the empty one is the default */
	PATH,  /* absolute; a default of "/x" is below TWILIGHT_HOME */
	NAME,  /* what docker takes for a service or project name */
	NUMBER,
	SECONDS, /* decimal, kept in milliseconds */
	SIZE     /* bytes, with K, M or G behind */
};

static const struct setting {
	const char *name;
	enum kind kind;
	size_t offset, size;
	const char *fallback;
	int64_t min, max; /* as written: seconds, not milliseconds */
	const char *text;
} settings[] = {
#define AT(m) offsetof(struct target, m), sizeof(((struct target *)NULL)->m)
	{ "TWILIGHT_HOME", PATH, AT(home), "/home/deploy/twilight", 0, 0,
	    "the tree that holds .env and the compose folder" },
	{ "TWILIGHT_ENV_FILE", PATH, AT(env_file), "/.env", 0, 0,
	    "the file whose TWILIGHT_VERSION is swapped" },
	{ "TWILIGHT_COMPOSE_DIR", PATH, AT(compose_dir), "/source/deploy", 0, 0,
	    "the folder of the compose file" },
	{ "TWILIGHT_STATE", PATH, AT(state), "/.twilight-deploy", 0, 0,
	    "journal, history and locks" },
	{ "TWILIGHT_LOCK", PATH, AT(lock), "", 0, 0,
	    "the lock file; by default `lock` in the state folder" },
	{ "TWILIGHT_SERVICE", NAME, AT(service), "data", 0, 0,
	    "the compose service that is deployed" },
	{ "TWILIGHT_PROJECT", NAME, AT(project), "", 0, 0,
	    "the compose project; by default compose's own choice" },
	{ "TWILIGHT_ENGINE", ENGINE, AT(engine), "compose", 0, 0,
	    "compose: docker; blind: a stub that reports nothing, taken at its word" },
	{ "TWILIGHT_HEALTH_URL", TEXT, AT(health_url), "http://localhost:8081/healthz", 0,
	    0, "asked until it answers 200 to 399" },
	{ "TWILIGHT_HEALTH_TRIES", NUMBER, AT(health_tries), "30", 1, 100000,
	    "windows of HEALTH_SLEEP before it counts as unhealthy" },
	{ "TWILIGHT_HEALTH_SLEEP", SECONDS, AT(health_sleep), "2", 0, 3600,
	    "seconds in a window" },
	{ "TWILIGHT_HEALTH_SETTLE", SECONDS, AT(health_settle), "2", 0, 3600,
	    "seconds that a container must have run without a restart" },
	{ "TWILIGHT_TAG_PATTERN", REGEX, AT(tag_pattern),
	    "sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+", 0, 0,
	    "POSIX extended expression that a whole tag must match" },
	{ "TWILIGHT_KEEP", NUMBER, AT(keep), "3", 1, 100,
	    "proven versions whose images are kept" },
	{ "TWILIGHT_PRUNE", SCOPE, AT(prune), "all", 0, 0,
	    "all: also dangling images older than a week; own: only ours" },
	{ "TWILIGHT_DISK_MIN", SIZE, AT(disk_min), "1G", 0, INT64_MAX,
	    "free bytes below which nothing is begun" },
	{ "TWILIGHT_PULL_LIMIT", SECONDS, AT(pull_limit), "300", 1, 86400,
	    "seconds for a pull" },
	{ "TWILIGHT_UP_LIMIT", SECONDS, AT(up_limit), "120", 1, 86400,
	    "seconds for `docker compose up`" },
	{ "TWILIGHT_CALL_LIMIT", SECONDS, AT(call_limit), "30", 1, 86400,
	    "seconds for every other call of docker" },
	{ "TWILIGHT_KEEP_ENV", MAYBE, AT(keep_env), "", 0, 0,
	    "names of variables that docker gets too, parted by spaces" },
#undef AT
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static int
wrong(const struct setting *s, const char *value, const char *must, struct fault *f)
{
	char safe[128];

	return fault_set(f, FAULT_HOST, "`help settings` lists them",
	    "bad setting %s=%s: must be %s", s->name,
	    text_escape(safe, sizeof(safe), value, strlen(value)), must);
}

/* Digits, and for seconds up to three decimals; -1 when it is not that. */
static int64_t
decimal(const char *s, bool fraction, const char **end)
{
	int64_t n = 0, scale = 100;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n > INT64_MAX / 10000 - 1)
			return -1;
		n = n * 10 + (*s - '0');
	}
	if (fraction) {
		n *= 1000;
		if (*s == '.' && s[1] >= '0' && s[1] <= '9')
			for (s++; *s >= '0' && *s <= '9' && scale > 0; s++, scale /= 10)
				n += (*s - '0') * scale;
	}
	*end = s;
	return n;
}

static int64_t
suffix(const char **end)
{
	switch (**end) {
	case 'K':
		(*end)++;
		return INT64_C(1) << 10;
	case 'M':
		(*end)++;
		return INT64_C(1) << 20;
	case 'G':
		(*end)++;
		return INT64_C(1) << 30;
	default:
		return 1;
	}
}

static int
set_number(const struct setting *s, void *field, const char *value, struct fault *f)
{
	int64_t unit = s->kind == SECONDS ? 1000 : 1, n, factor;
	const char *end = "";
	char must[96];

	n = decimal(value, s->kind == SECONDS, &end);
	factor = n >= 0 && s->kind == SIZE ? suffix(&end) : 1;
	if (s->kind == SIZE && (n < 0 || *end != '\0' || n > INT64_MAX / factor))
		return wrong(s, value, "a number of bytes such as 500M or 2G", f);
	n *= factor;
	if (n < 0 || *end != '\0' || n < s->min * unit ||
	    (s->kind != SIZE && n > s->max * unit)) {
		snprintf(must, sizeof(must), "a number from %lld to %lld",
		    (long long)s->min, (long long)s->max);
		return wrong(s, value, must, f);
	}
	memcpy(field, &n, sizeof(n));
	return 0;
}

/* Service and project names, as compose's schema allows them. */
static bool
is_name(const char *s)
{
	return *s != '-' && *s != '.' &&
	    s[strspn(s,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

static int
check_regex(const struct setting *s, const char *value, struct fault *f)
{
	char must[160] = "an expression of regex(7): ";
	size_t len = strlen(must);
	regex_t re;
	int rc = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);

	if (rc == 0) {
		regfree(&re);
		return 0;
	}
	regerror(rc, &re, must + len, sizeof(must) - len);
	return wrong(s, value, must, f);
}

static int
set_text(const struct setting *s, char *field, const char *value, struct fault *f)
{
	if (s->kind == PATH && *value != '\0' && *value != '/')
		return wrong(s, value, "an absolute path", f);
	/* compose parts the names in COMPOSE_FILE and COMPOSE_ENV_FILES so */
	if (s->kind == PATH && strpbrk(value, ",:\n") != NULL)
		return wrong(s, value, "a path without comma, colon and newline", f);
	if (s->kind == NAME && !is_name(value))
		return wrong(s, value,
		    "letters, digits and '_', behind the first also '.' and '-'", f);
	if (s->kind == SCOPE && strcmp(value, "all") != 0 && strcmp(value, "own") != 0)
		return wrong(s, value, "all or own", f);
	if (s->kind == ENGINE && strcmp(value, "compose") != 0 &&
	    strcmp(value, "blind") != 0)
		return wrong(s, value, "compose or blind", f);
	if (s->kind <= NEVER_EMPTY && *value == '\0')
		return wrong(s, value, "something", f);
	if (s->kind == REGEX && check_regex(s, value, f) == -1)
		return -1;
	if (strlcpy(field, value, s->size) >= s->size)
		return wrong(s, value, "shorter", f);
	return 0;
}

static int
load_one(const struct setting *s, struct target *t, char *const *env, struct fault *f)
{
	const char *value = env_get(env, s->name);
	char below[PATH_MAX];
	void *field = (char *)t + s->offset;

	if (value == NULL || (*value == '\0' && s->kind > NEVER_EMPTY)) {
		value = s->fallback;
		/* the home itself is the first row, so it is known by now */
		if (s->kind == PATH && field != (void *)t->home && *value != '\0') {
			if ((size_t)snprintf(below, sizeof(below), "%s%s", t->home,
				value) >= sizeof(below))
				return wrong(s, t->home, "shorter", f);
			value = below;
		}
	}
	if (s->kind == NUMBER || s->kind == SECONDS || s->kind == SIZE)
		return set_number(s, field, value, f);
	return set_text(s, field, value, f);
}

int
target_load(struct target *t, char *const *env, struct fault *f)
{
	size_t i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < SETTINGS; i++)
		if (load_one(&settings[i], t, env, f) == -1)
			return -1;
	if (t->lock[0] == '\0' &&
	    (size_t)snprintf(t->lock, sizeof(t->lock), "%s/lock", t->state) >=
		sizeof(t->lock))
		return fault_set(f, FAULT_HOST, NULL, "TWILIGHT_STATE is too long");
	return 0;
}

static bool
is_known(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (strncmp(settings[i].name, name, len) == 0 &&
		    settings[i].name[len] == '\0')
			return true;
	return strncmp(TARGET_VARIABLE, name, len) == 0 && TARGET_VARIABLE[len] == '\0';
}

void
target_strays(const struct target *t, char *const *env,
    void (*line)(void *, const char *), void *arg)
{
	char buf[256], safe[128];
	size_t len;

	for (; env != NULL && *env != NULL; env++) {
		len = strcspn(*env, "=");
		if (strncmp(*env, "TWILIGHT_", 9) != 0 || is_known(*env, len) ||
		    memmem(t->keep_env, strlen(t->keep_env), *env, len) != NULL)
			continue;
		snprintf(buf, sizeof(buf),
		    "%s is no setting and has no effect; `help settings` lists them",
		    text_escape(safe, sizeof(safe), *env, len));
		line(arg, buf);
	}
}

void
target_describe(void (*line)(void *, const char *), void *arg)
{
	char buf[512];
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		bool below = s->kind == PATH && i > 0 && s->fallback[0] != '\0';

		snprintf(buf, sizeof(buf), "%s=%s%s", s->name,
		    below ? "$TWILIGHT_HOME" : "", s->fallback);
		line(arg, buf);
		snprintf(buf, sizeof(buf), "    %s", s->text);
		line(arg, buf);
	}
}
