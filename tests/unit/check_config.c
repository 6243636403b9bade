/*
 * check_config.c: settings from the environment and from a file; what each bad file is
 * answered.
 */
#include "suite.h"
#include "config/config.h"
#include "room.h"
#include "skip.h"

#include <sys/stat.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "c.conf"

Suite *config_suite(void);

static char room[ROOM_MAX];
static int dir;
static struct config c;
static struct target t; /* the first */
static struct fault f;

static void
setup(void)
{
	dir = room_enter(room);
	memset(&c, 0, sizeof(c));
	memset(&t, 0xa5, sizeof(t));
	memset(&f, 0, sizeof(f));
}

static void
teardown(void)
{
	config_free(&c);
	room_leave();
}

/* `path` NULL: the default file, which is missing. */
static int
load_config(const char *path, char *const *env)
{
	const char *name = path == NULL ? "missing.conf" : path;
	int rc;

	config_free(&c);
	fault_clear(&f);
	memset(&c, 0xa5, sizeof(c));
	rc = config_load(&c, name, path == NULL, env, &f);
	ck_assert_int_eq(rc == 0, f.kind == FAULT_NONE);
	ck_assert(rc == 0 || (c.target == NULL && c.n == 0));
	if (rc == 0)
		t = c.target[0];
	return rc;
}

/* Up to three "NAME=value"; the rest of the environment is empty. */
static int
load(const char *a, const char *b, const char *d)
{
	char *env[4] = { NULL };
	int rc, i;

	if (a != NULL)
		ck_assert_ptr_nonnull(env[0] = strdup(a));
	if (b != NULL)
		ck_assert_ptr_nonnull(env[1] = strdup(b));
	if (d != NULL)
		ck_assert_ptr_nonnull(env[2] = strdup(d));
	rc = load_config(NULL, env);
	for (i = 0; i < 3; i++)
		free(env[i]);
	return rc;
}

static int
load_text(const char *text)
{
	room_put(FILE_NAME, text, strlen(text));
	return load_config(FILE_NAME, NULL);
}

/* FAULT_HOST, these texts in `what` and `next`, and nothing unprintable. */
static void
says(const char *what, const char *next)
{
	const char *p;

	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, what) != NULL, "%s, not %s", f.what, what);
	ck_assert_msg(*f.next != '\0' && strstr(f.next, next) != NULL, "%s: %s", f.what,
	    f.next);
	for (p = f.what; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", f.what);
}

static void
loads(const char *setting)
{
	ck_assert_msg(load(setting, NULL, NULL) == 0, "%s: %s", setting, f.what);
}

/* The fault names the setting. */
static void
refused(const char *setting)
{
	char name[64] = "";

	strncat(name, setting, strcspn(setting, "="));
	ck_assert_msg(load(setting, NULL, NULL) == -1, "took %s", setting);
	says(name, "");
}

START_TEST(has_the_documented_defaults)
{
	ck_assert_int_eq(load(NULL, NULL, NULL), 0);
	ck_assert_str_eq(t.home, "/home/deploy/twilight");
	ck_assert_str_eq(t.env_file, "/home/deploy/twilight/.env");
	ck_assert_str_eq(t.compose_dir, "/home/deploy/twilight/source/deploy");
	ck_assert_str_eq(t.state, "/home/deploy/twilight/.twilight-deploy");
	ck_assert_str_eq(t.lock, "/home/deploy/twilight/.twilight-deploy/lock");
	ck_assert_str_eq(t.service[0].name, "data");
	ck_assert_str_eq(t.project, "");
	ck_assert_str_eq(t.service[0].health_url, "http://localhost:8081/healthz");
	ck_assert_int_eq(t.health_tries, 30);
	ck_assert_int_eq(t.health_sleep, 2000);
	ck_assert_int_eq(t.health_settle, 2000);
	ck_assert_str_eq(t.tag_pattern,
	    "sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+");
	ck_assert_str_eq(t.immutable, ".*[0-9]+\\.[0-9]+\\.[0-9]+");
	ck_assert_int_eq(t.keep, 3);
	ck_assert_str_eq(t.prune, "all");
	ck_assert_int_eq(t.disk_min, INT64_C(1) << 30);
	ck_assert_int_eq(t.pull_limit, 300000);
	ck_assert_int_eq(t.up_limit, 120000);
	ck_assert_int_eq(t.call_limit, 30000);
	ck_assert_int_eq(t.pre_deploy_limit, 600000);
	ck_assert_int_eq(t.service[0].drain_limit, 60000);
	ck_assert_str_eq(t.keep_env, "");
	ck_assert_str_eq(t.on_start, "");
	ck_assert_str_eq(t.on_result, "");
	ck_assert_int_eq(t.hook_limit, 30000);
	ck_assert_str_eq(t.variable, "TWILIGHT_VERSION");
	ck_assert_str_eq(t.value, "%t");
	ck_assert_str_eq(t.engine, "compose");
	ck_assert_str_eq(t.name, "default");
	ck_assert_uint_eq(t.n_services, 1);
}
END_TEST

static const struct {
	const char *setting;
	size_t at;
	const char *want;
} texts[] = {
#define AT(m) offsetof(struct target, m)
	{ "TWILIGHT_HOME=/srv", AT(home), "/srv" },
	{ "TWILIGHT_HOME=/srv", AT(env_file), "/srv/.env" },
	{ "TWILIGHT_HOME=/srv", AT(compose_dir), "/srv/source/deploy" },
	{ "TWILIGHT_HOME=/srv", AT(state), "/srv/.twilight-deploy" },
	{ "TWILIGHT_HOME=/srv", AT(lock), "/srv/.twilight-deploy/lock" },
	{ "TWILIGHT_HOME=/a b/$c", AT(env_file), "/a b/$c/.env" },
	{ "TWILIGHT_HOME=", AT(home), "/home/deploy/twilight" },
	{ "TWILIGHT_ENV_FILE=/etc/x.env", AT(env_file), "/etc/x.env" },
	{ "TWILIGHT_ENV_FILE=/etc/x.env", AT(home), "/home/deploy/twilight" },
	{ "TWILIGHT_ENV_FILE=", AT(env_file), "/home/deploy/twilight/.env" },
	{ "TWILIGHT_COMPOSE_DIR=/opt/c", AT(compose_dir), "/opt/c" },
	{ "TWILIGHT_STATE=/var/s", AT(state), "/var/s" },
	{ "TWILIGHT_STATE=/var/s", AT(lock), "/var/s/lock" },
	{ "TWILIGHT_LOCK=/run/l", AT(lock), "/run/l" },
	{ "TWILIGHT_LOCK=/run/l", AT(state), "/home/deploy/twilight/.twilight-deploy" },
	{ "TWILIGHT_LOCK=", AT(lock), "/home/deploy/twilight/.twilight-deploy/lock" },
	{ "TWILIGHT_SERVICE=api_1.x-y", AT(service[0].name), "api_1.x-y" },
	{ "TWILIGHT_SERVICE=_a", AT(service[0].name), "_a" },
	{ "TWILIGHT_SERVICE=api worker", AT(service[1].name), "worker" },
	{ "TWILIGHT_SERVICE= api, worker ", AT(service[1].name), "worker" },
	{ "TWILIGHT_SERVICE=api worker", AT(service[1].health_url), "" },
	{ "TWILIGHT_SERVICE=api worker", AT(service[0].health_url),
	    "http://localhost:8081/healthz" },
	{ "TWILIGHT_HEALTH_URL=none", AT(service[0].health_url), "" },
	{ "TWILIGHT_VARIABLE=_A1", AT(variable), "_A1" },
	{ "TWILIGHT_VALUE=h:5000/a/b:%t", AT(value), "h:5000/a/b:%t" },
	{ "TWILIGHT_TAG_PREFIX=api-", AT(tag_prefix), "api-" },
	{ "TWILIGHT_ENGINE=blind", AT(engine), "blind" },
	{ "TWILIGHT_COMPOSE_FILES=a.yml:/b.yml", AT(compose_files),
	    "/home/deploy/twilight/source/deploy/a.yml:/b.yml" },
	{ "TWILIGHT_SERVICE=", AT(service[0].name), "data" },
	{ "TWILIGHT_PROJECT=twilight", AT(project), "twilight" },
	{ "TWILIGHT_PROJECT=", AT(project), "" },
	{ "TWILIGHT_HEALTH_URL=http://h:1/x,y", AT(service[0].health_url),
	    "http://h:1/x,y" },
	{ "TWILIGHT_TAG_PATTERN=^v1$", AT(tag_pattern), "^v1$" },
	{ "TWILIGHT_IMMUTABLE=none", AT(immutable), "none" },
	{ "TWILIGHT_PRUNE=own", AT(prune), "own" },
	{ "TWILIGHT_PRUNE=all", AT(prune), "all" },
	{ "TWILIGHT_KEEP_ENV=A,B C", AT(keep_env), "A,B C" },
	{ "TWILIGHT_KEEP_ENV=", AT(keep_env), "" },
	{ "TWILIGHT_ON_START=/bin/a b  c", AT(on_start), "/bin/a b  c" },
	{ "TWILIGHT_ON_RESULT=/bin/a", AT(on_result), "/bin/a" },
	{ "TWILIGHT_ON_RESULT=", AT(on_result), "" },
	{ "TWILIGHT_DRAIN_URL=http://h:1/drain", AT(service[0].drain_url),
	    "http://h:1/drain" },
	{ "TWILIGHT_DRAIN_URL=none", AT(service[0].drain_url), "" },
	{ "TWILIGHT_HOME=/srv", AT(strategy), "recreate" },
	{ "TWILIGHT_STRATEGY=rehearse", AT(strategy), "rehearse" },
	{ "TWILIGHT_STRATEGY=rehearse", AT(service[0].strategy), "" },
	{ "TWILIGHT_PRE_DEPLOY=migrate --to head", AT(pre_deploy), "migrate --to head" },
	{ "TWILIGHT_PRE_DEPLOY=m 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", AT(pre_deploy),
	    "m 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16" },
	{ "TWILIGHT_RESTART=gateway, db_1", AT(restart), "gateway, db_1" },
	{ "TWILIGHT_RESTART=a b c d e f g h", AT(restart), "a b c d e f g h" },
	/* no setting: only a part of the name is one */
	{ "TWILIGHT_HOMES=/srv", AT(home), "/home/deploy/twilight" },
	{ "XTWILIGHT_HOME=/srv", AT(home), "/home/deploy/twilight" },
	{ "twilight_home=/srv", AT(home), "/home/deploy/twilight" },
};

START_TEST(takes_text)
{
	loads(texts[_i].setting);
	ck_assert_str_eq((const char *)&t + texts[_i].at, texts[_i].want);
}
END_TEST

static const struct {
	const char *setting;
	size_t at;
	int64_t want;
} numbers[] = {
	{ "TWILIGHT_HEALTH_TRIES=1", AT(health_tries), 1 },
	{ "TWILIGHT_HEALTH_TRIES=007", AT(health_tries), 7 },
	{ "TWILIGHT_HEALTH_TRIES=100000", AT(health_tries), 100000 },
	{ "TWILIGHT_HEALTH_TRIES=", AT(health_tries), 30 },
	{ "TWILIGHT_HEALTH_SLEEP=0", AT(health_sleep), 0 },
	{ "TWILIGHT_HEALTH_SLEEP=0.0", AT(health_sleep), 0 },
	{ "TWILIGHT_HEALTH_SLEEP=1", AT(health_sleep), 1000 },
	{ "TWILIGHT_HEALTH_SLEEP=0.1", AT(health_sleep), 100 },
	{ "TWILIGHT_HEALTH_SLEEP=0.25", AT(health_sleep), 250 },
	{ "TWILIGHT_HEALTH_SLEEP=1.005", AT(health_sleep), 1005 },
	{ "TWILIGHT_HEALTH_SLEEP=2.50", AT(health_sleep), 2500 },
	{ "TWILIGHT_HEALTH_SLEEP=3599.999", AT(health_sleep), 3599999 },
	{ "TWILIGHT_HEALTH_SLEEP=3600", AT(health_sleep), 3600000 },
	{ "TWILIGHT_HEALTH_SETTLE=0", AT(health_settle), 0 },
	{ "TWILIGHT_HEALTH_SETTLE=0.5", AT(health_settle), 500 },
	{ "TWILIGHT_HEALTH_SETTLE=3600", AT(health_settle), 3600000 },
	{ "TWILIGHT_SERVICE=a b,c", AT(n_services), 3 },
	{ "TWILIGHT_SERVICE=a b c d e f g h", AT(n_services), 8 },
	{ "TWILIGHT_STRIP_PREFIX=yes", AT(strip_prefix), 1 },
	{ "TWILIGHT_STRIP_PREFIX=no", AT(strip_prefix), 0 },
	{ "TWILIGHT_KEEP=1", AT(keep), 1 },
	{ "TWILIGHT_KEEP=100", AT(keep), 100 },
	{ "TWILIGHT_DISK_MIN=0", AT(disk_min), 0 },
	{ "TWILIGHT_DISK_MIN=1", AT(disk_min), 1 },
	{ "TWILIGHT_DISK_MIN=3K", AT(disk_min), 3 << 10 },
	{ "TWILIGHT_DISK_MIN=500M", AT(disk_min), 500 << 20 },
	{ "TWILIGHT_DISK_MIN=2G", AT(disk_min), INT64_C(2) << 30 },
	{ "TWILIGHT_DISK_MIN=8589934591G", AT(disk_min), INT64_C(8589934591) << 30 },
	{ "TWILIGHT_PULL_LIMIT=1", AT(pull_limit), 1000 },
	{ "TWILIGHT_PULL_LIMIT=86400", AT(pull_limit), 86400000 },
	{ "TWILIGHT_UP_LIMIT=1.5", AT(up_limit), 1500 },
	{ "TWILIGHT_CALL_LIMIT=10", AT(call_limit), 10000 },
	{ "TWILIGHT_HOOK_LIMIT=3600", AT(hook_limit), 3600000 },
	{ "TWILIGHT_HOME=/srv", AT(service[0].port), 0 },
	{ "TWILIGHT_PORT=65535", AT(service[0].port), 65535 },
#undef AT
};

START_TEST(takes_numbers)
{
	int64_t got;

	loads(numbers[_i].setting);
	memcpy(&got, (const char *)&t + numbers[_i].at, sizeof(got));
	ck_assert_msg(got == numbers[_i].want, "%s: %lld", numbers[_i].setting,
	    (long long)got);
}
END_TEST

START_TEST(takes_them_together)
{
	ck_assert_int_eq(load("TWILIGHT_STATE=/var/s", "TWILIGHT_HOME=/srv",
			     "TWILIGHT_HEALTH_TRIES=5"),
	    0);
	ck_assert_str_eq(t.state, "/var/s");
	ck_assert_str_eq(t.lock, "/var/s/lock");
	ck_assert_str_eq(t.env_file, "/srv/.env");
	ck_assert_int_eq(t.health_tries, 5);
	/* the first of two counts */
	ck_assert_int_eq(load("TWILIGHT_HOME=/a", "TWILIGHT_HOME=/b", NULL), 0);
	ck_assert_str_eq(t.home, "/a");
}
END_TEST

/* Values that a key refuses, separated by '|'. */
static const struct {
	const char *name, *values;
} bad[] = {
	{ "HOME", "srv|./srv|~| /srv|/a,b|/a:b|/a\nb" },
	{ "ENV_FILE", ".env|/a,/b|/a:/b" },
	{ "COMPOSE_DIR", "deploy|/a,b|/a:b" },
	{ "STATE", "state|/a\n" },
	{ "LOCK", "lock|../lock" },
	{ "SIGNED_BY", "signers" },
	{ "SERVICE",
	    "-d|--help|.a|a/b|a;b|a$b|a=b|a\n|\xc3\xa4| |a b a|a,-b|a b c d e f g h i" },
	{ "VARIABLE", "1A|A-B" },
	{ "KEEP_ENV", "1A|A-B|A=s3cret|A s3.cret|$s3cret|\xc3\xa4|A\tB|A;B" },
	{ "VALUE", "v|%t%t|:%t|r/a%t|r/%t:%t|a$b:%t" },
	{ "TAG_PREFIX", "-a|a/" },
	{ "STRIP_PREFIX", "1" },
	{ "ENGINE", "|or|docker" },
	{ "COMPOSE_FILES", ":a|a::b|a:|a,b" },
	{ "PROJECT", "-p|a b|a/b|\x1b[2J" },
	{ "HEALTH_URL", "" },
	{ "VERSION_URL", "|https://x|x" },
	{ "VERSION_EXPECT", "a\nb|\x1b[2J|a\x7f" },
	{ "TAG_PATTERN", "|v[|(v1" },
	{ "IMMUTABLE", "|(v1" },
	{ "PRUNE", "|none|All|all |everything" },
	{ "STRATEGY", "|Rehearse|start|recreate rehearse" },
	{ "PORT", "-1|65536|http|80-81" },
	{ "HEALTH_TRIES",
	    "0|100001|-1|+1|1.0|1.5| 1|1 |0x1f|1e3|thirty|1K|4294967297|18446744073709551617|99999999999999999999999999999999|\x1b[2J" },
	{ "HEALTH_SLEEP",
	    "-1|.5|1.|1.x|1.2.3|1,5|0.0001|1.0000|2s|3600.001|3601|9223372036854775807|9223372036854776|inf" },
	{ "HEALTH_SETTLE", "nan|3600.5" },
	{ "KEEP", "0|101|three" },
	{ "DISK_MIN",
	    "-1|1T|1GB|1g|G|1.5G|1 G|8589934592G|17179869185G|9223372036854775808|99999999999999999999|9007199254740992K" },
	{ "PULL_LIMIT", "0|0.999|86400.001|86401" },
	{ "UP_LIMIT", "0|2m" },
	{ "CALL_LIMIT", "0|none" },
};

START_TEST(refuses)
{
	char values[512], setting[128], *value, *rest = values;

	strcpy(values, bad[_i].values);
	while ((value = strsep(&rest, "|")) != NULL) {
		snprintf(setting, sizeof(setting), "TWILIGHT_%s=%s", bad[_i].name, value);
		refused(setting);
		ck_assert_ptr_null(strstr(f.what, "cret"));
	}
}
END_TEST

START_TEST(shows_the_value_escaped)
{
	refused("TWILIGHT_HEALTH_TRIES=\x1b[2J\n");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_HEALTH_TRIES=\\033[2J\\n: must be "
	    "a number from 1 to 100000");
	refused("TWILIGHT_HOME=srv");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_HOME=srv: must be an absolute path");
	refused("TWILIGHT_DISK_MIN=lots");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_DISK_MIN=lots: must be a number of "
	    "bytes such as 500M or 2G");
	refused("TWILIGHT_SERVICE=a b c d e f g h i");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_SERVICE=a b c d e f g h i: must be at most 8 services");
	refused("TWILIGHT_PRUNE=everything");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_PRUNE=everything: must be all or own");
	refused("TWILIGHT_PRE_DEPLOY=-d up");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_PRE_DEPLOY=-d up: must be a service, and words of a "
	    "command");
	refused("TWILIGHT_PRE_DEPLOY=m 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17");
	ck_assert_ptr_nonnull(strstr(f.what, ": must be at most 16 words"));
	refused("TWILIGHT_DRAIN_DONE_EXPECT==0");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_DRAIN_DONE_EXPECT==0: must be MEMBER=VALUE");
	refused("TWILIGHT_RESTART=a -b");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_RESTART=a -b: must be letters, digits, '_'; '.' and '-' "
	    "after the first character");
	refused("TWILIGHT_RESTART=a b c d e f g h i");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_RESTART=a b c d e f g h i: must be a list of at most 8 services");
	refused("TWILIGHT_TAG_PATTERN=(v1");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_TAG_PATTERN=(v1: must be an expression of regex(7): "
	    "Unmatched ( or \\(");
}
END_TEST

/* NAME=VALUE with a value of `len` bytes. */
static char *
long_setting(const char *name, char first, size_t len)
{
	size_t n = strlen(name);
	char *s = malloc(n + len + 2);

	ck_assert_ptr_nonnull(s);
	memcpy(s, name, n);
	s[n] = '=';
	memset(s + n + 1, 'a', len);
	s[n + 1] = first;
	s[n + 1 + len] = '\0';
	return s;
}

static const struct {
	const char *name;
	char first;
	size_t most;
} lengths[] = {
	{ "TWILIGHT_SERVICE", 'a', 63 },
	{ "TWILIGHT_PROJECT", 'a', 63 },
	{ "TWILIGHT_TAG_PATTERN", 'v', 511 },
	{ "TWILIGHT_KEEP_ENV", 'A', 1023 },
	{ "TWILIGHT_ON_START", '/', 1023 },
	{ "TWILIGHT_ON_RESULT", '/', 1023 },
	{ "TWILIGHT_VARIABLE", 'A', 63 },
	{ "TWILIGHT_TAG_PREFIX", 'a', 63 },
	{ "TWILIGHT_ENV_FILE", '/', PATH_MAX - 1 },
	{ "TWILIGHT_COMPOSE_DIR", '/', PATH_MAX - 1 },
	{ "TWILIGHT_LOCK", '/', PATH_MAX - 1 },
	/* the paths below it must fit too */
	{ "TWILIGHT_COMPOSE_FILES", 'a',
	    PATH_MAX - sizeof("/home/deploy/twilight/source/deploy/") },
	{ "TWILIGHT_HOME", '/', PATH_MAX - 1 - sizeof("/.twilight-deploy/lock") + 1 },
	{ "TWILIGHT_STATE", '/', PATH_MAX - 1 - sizeof("/lock") + 1 },
};

START_TEST(bounds_the_length)
{
	size_t most = lengths[_i].most, beyond[] = { most + 1, most + 2, 2 * PATH_MAX };
	char *s = long_setting(lengths[_i].name, lengths[_i].first, most);
	int i;

	loads(s);
	free(s);
	for (i = 0; i < N(beyond); i++) {
		s = long_setting(lengths[_i].name, lengths[_i].first, beyond[i]);
		ck_assert_int_eq(load(s, NULL, NULL), -1);
		ck_assert_int_eq(f.kind, FAULT_HOST);
		ck_assert_ptr_nonnull(strstr(f.what, "TWILIGHT_"));
		free(s);
	}
}
END_TEST

START_TEST(survives_every_byte)
{
	static const char *const names[] = { "TWILIGHT_HOME=/a?b", "TWILIGHT_SERVICE=a?b",
		"TWILIGHT_HEALTH_SLEEP=1?2", "TWILIGHT_DISK_MIN=1?", "TWILIGHT_PRUNE=al?",
		"TWILIGHT_KEEP_ENV=A?B" };
	char s[64];
	int i, byte;

	for (byte = 1; byte < 256; byte++)
		for (i = 0; i < N(names); i++) {
			strcpy(s, names[i]);
			*strchr(s, '?') = (char)byte;
			if (load(s, NULL, NULL) == -1)
				refused(s);
		}
}
END_TEST

struct lines {
	char text[16384];
	int n;
};

static void
collect(void *arg, const char *line)
{
	struct lines *l = arg;

	strcat(strcat(l->text, line), "\n");
	l->n++;
}

/* `help settings` lists what is read, in 80 columns. */
START_TEST(describes_itself)
{
	static struct lines l;
	char *line, *rest = l.text, *env, setting[128];
	int n = 0, of_service = 0;

	config_describe(collect, &l);
	ck_assert_ptr_nonnull(strstr(l.text,
	    "env_file, TWILIGHT_ENV_FILE\n"
	    "    the file whose variable names the version\n"
	    "    default: $home/.env\n"));
	ck_assert_ptr_nonnull(strstr(l.text, "    default: 30 (1 to 100000)\n"));
	ck_assert_ptr_nonnull(strstr(l.text, "\nhealth_url.SERVICE\n"));
	while ((line = strsep(&rest, "\n")) != NULL) {
		ck_assert_uint_le(strlen(line), 80);
		env = strstr(line, ", TWILIGHT_");
		of_service += *line != ' ' && strstr(line, ".SERVICE") != NULL;
		if (env == NULL || *line == ' ')
			continue;
		n++;
		/* each name is read: only keep_env accepts any value */
		snprintf(setting, sizeof(setting), "%s=\n(", env + 2);
		ck_assert_msg(load(setting, NULL, NULL) == -1 ||
			strstr(line, "keep_env") != NULL,
		    "%s is not read", line);
	}
	ck_assert_int_eq(3 * (n + of_service), l.n);
	ck_assert_int_ge(n, 33);
}
END_TEST

/* Misspelt names, but not what docker gets, nor the version. */
START_TEST(reports_strays)
{
	char home[] = "TWILIGHT_HOME=/srv", slip[] = "TWILIGHT_HEALTH_TRYS=5",
	     odd[] = "TWILIGHT_\x1b[2J", part[] = "TWILIGHT_HOM=x",
	     keep[] = "TWILIGHT_KEEP_ENV=A TWILIGHT_OURS", port[] = "TWILIGHT_OURS=1",
	     version[] = "TWILIGHT_VERSION=v1", other[] = "TWILIGHT=1",
	     path[] = "PATH=/bin";
	char *env[] = { home, slip, odd, part, keep, port, version, other, path, NULL };
	static struct lines l;

	ck_assert_int_eq(load_config(NULL, env), 0);
	config_strays(&c, env, collect, &l);
	ck_assert_str_eq(l.text,
	    "TWILIGHT_HEALTH_TRYS is not a setting and has no effect; "
	    "did you mean TWILIGHT_HEALTH_TRIES?\n"
	    "TWILIGHT_\\033[2J is not a setting and has no effect; "
	    "`help settings` lists them\n"
	    "TWILIGHT_HOM is not a setting and has no effect; "
	    "did you mean TWILIGHT_HOME?\n");
}
END_TEST

/* ---- the file ---- */

#define B "[target b]\nenv_file = /b\ncompose_dir = /b\n"

static const struct {
	const char *text;
	size_t which, at;
	const char *want;
} file_texts[] = {
#define AT(m) offsetof(struct target, m)
	{ "", 0, AT(name), "default" },
	{ "# x\n\n  ; y\n", 0, AT(home), "/home/deploy/twilight" },
	{ "services = a b\nhealth_url.b = http://b/\n", 0, AT(service[0].health_url),
	    "" },
	{ "services = a b\n", 0, AT(service[0].health_url),
	    "http://localhost:8081/healthz" },
	{ "home = /srv", 0, AT(env_file), "/srv/.env" },
	{ "home=/srv\n", 0, AT(state), "/srv/.twilight-deploy" },
	{ "home\t=  /a b \t\n", 0, AT(home), "/a b" },
	{ "home = /a;b#c\n", 0, AT(home), "/a;b#c" },
	{ "home = /a=b\n", 0, AT(home), "/a=b" },
	{ "home = /\xc3\xa4\n", 0, AT(home), "/\xc3\xa4" },
	{ "services = api\n", 0, AT(service[0].health_url),
	    "http://localhost:8081/healthz" },
	{ "project =\n", 0, AT(project), "" },
	/* without sections, the keys of one target are those of `default` */
	{ "services = a b\nhealth_url.b = http://b/\n", 0, AT(service[1].health_url),
	    "http://b/" },
	{ "lock = /l\n", 0, AT(lock), "/l" },
	{ "tag_prefix = a-\n", 0, AT(tag_prefix), "a-" },
	{ "[target default]\nhome = /srv\n", 0, AT(state), "/srv/.twilight-deploy" },
	{ "[target default]  \nlock = /l\n", 0, AT(lock), "/l" },
	{ "home = /srv\n[target x]\n", 0, AT(name), "x" },
	{ "home = /srv\n[target x]\n", 0, AT(env_file), "/srv/.env" },
	{ "home = /srv\n[target x]\n", 0, AT(state), "/srv/.twilight-deploy/targets/x" },
	{ "home = /srv\n[target x]\n", 0, AT(lock),
	    "/srv/.twilight-deploy/targets/x/lock" },
	{ "state = /s\n[target x]\n", 0, AT(state), "/s/targets/x" },
	{ "state = /s\n[target default]\n", 0, AT(state), "/s" },
	{ "[target x]\nhome = /srv\n", 0, AT(state), "/srv/.twilight-deploy/targets/x" },
	{ "[target x]\nstate = /s\n", 0, AT(state), "/s" },
	{ "[target x]\nstate = /s\n", 0, AT(lock), "/s/lock" },
	{ "[target x]\nservices = a b\n", 0, AT(service[0].health_url), "" },
	{ "[target x]\nhealth_url = http://h/\nservices = a b\n", 0,
	    AT(service[0].health_url), "http://h/" },
	{ "[target x]\nhealth_url = http://h/\nservices = a b\n", 0,
	    AT(service[1].health_url), "" },
	{ "[target x]\nservices = a b\nhealth_url.b = http://b/\n", 0,
	    AT(service[1].health_url), "http://b/" },
	{ "[target x]\nhealth_url = http://h/\nservices = a b\nhealth_url.a = http://a/",
	    0, AT(service[0].health_url), "http://a/" },
	{ "health_url = http://h/\n[target x]\nhealth_url = none\n", 0,
	    AT(service[0].health_url), "" },
	{ "[target default]\nservices = a.b\nhealth_url.a.b = none\n", 0,
	    AT(service[0].health_url), "" },
	{ "[target x]\ncompose_dir = /c\ncompose_files = a:/b\n", 0, AT(compose_files),
	    "/c/a:/b" },
	{ "variable = A\n[target a]\n" B, 0, AT(env_file), "/home/deploy/twilight/.env" },
	{ "variable = A\n[target a]\n" B "variable = B\n", 1, AT(variable), "B" },
	{ "variable = A\n[target a]\n" B, 1, AT(variable), "A" },
	{ "variable = A\n[target a]\n" B, 1, AT(name), "b" },
	{ "home = /h\n[target a]\nvariable = A\n[target b]\nservices = w\n", 1,
	    AT(env_file), "/h/.env" },
	{ "home = /h\n[target a]\nproject = a\nvariable = A\n[target b]\nproject = b\n",
	    1, AT(service[0].name), "data" },
	{ "strategy = rehearse\nservices = a b\nstrategy.b = recreate\n", 0, AT(strategy),
	    "rehearse" },
	{ "strategy = rehearse\nservices = a b\nstrategy.b = recreate\n", 0,
	    AT(service[1].strategy), "recreate" },
	{ "strategy = rehearse\nservices = a b\nstrategy.a = recreate\n", 0,
	    AT(service[0].strategy), "recreate" },
	{ "[target 0]\n", 0, AT(name), "0" },
	{ "[target a_b.c-D]\n", 0, AT(name), "a_b.c-D" },
	{ "[target\t a]\n", 0, AT(name), "a" },
#undef AT
};

START_TEST(reads_a_file)
{
	ck_assert_msg(load_text(file_texts[_i].text) == 0, "%s: %s", file_texts[_i].text,
	    f.what);
	ck_assert_str_eq(c.path, FILE_NAME);
	ck_assert_uint_gt(c.n, file_texts[_i].which);
	ck_assert_str_eq((const char *)&c.target[file_texts[_i].which] +
		file_texts[_i].at,
	    file_texts[_i].want);
}
END_TEST

/* What is in the file; the fault: its line, what, and what to do. */
static const struct {
	const char *text;
	unsigned line;
	const char *what, *next;
} bad_files[] = {
	{ "x", 1, "is not a setting", "KEY = VALUE" },
	{ "home /srv\n", 1, "is not a setting", "KEY = VALUE" },
	{ "home: /srv\n", 1, "is not a setting", "KEY = VALUE" },
	{ "home: /srv = x\n", 1, "is not a setting", "KEY = VALUE" },
	{ "= /srv\n", 1, "has no key", "KEY = VALUE" },
	{ "#\n\nhome = srv\n", 3, "bad setting home=srv: must be an absolute path",
	    "help settings" },
	{ "home = /srv\n  /opt\n", 2, "begins with white space", "ends with its" },
	{ "home = /srv\n\tkeep = 3\n", 2, "begins with white space", "remove" },
	{ " [target a]\n", 1, "begins with white space", "remove" },
	{ "home = /srv\r\n", 1, "has a carriage return", "Unix" },
	{ "\xef\xbb\xbfhome = /srv\n", 1, "begins with a byte order", "without" },
	{ "home = /srv\x1b\n", 1, "has a control byte", "remove" },
	{ "#\n# \x7f\n", 2, "has a control byte", "remove" },
	{ "home = /srv # x\n", 1, "a comment after a value", "own" },
	{ "home = /srv\t; x\n", 1, "a comment after a value", "own" },
	{ "project = # x\n", 1, "a comment after a value", "own" },
	{ "project = ; x\n", 1, "a comment after a value", "own" },
	{ "home = \"/srv\"\n", 1, "a value in quotes", "remove the quotes" },
	{ "home =\n", 1, "bad setting home=: must be given", "help" },
	{ "services =\n", 1, "bad setting services=: must be given", "help" },
	{ "health_url =\n", 1, "bad setting health_url=: must be given", "help" },
	{ "keep =\n", 1, "bad setting keep=: must be given", "help" },
	{ "healthurl = x\n", 1, "unknown key healthurl", "mean health_url?" },
	{ "service = x\n", 1, "unknown key service", "mean services?" },
	{ "Home = x\n", 1, "unknown key Home", "mean home?" },
	{ "HOME = x\n", 1, "unknown key HOME", "mean home?" },
	{ "TWILIGHT_SERVICE = x\n", 1, "unknown key TWILIGHT_SERVICE", "mean services?" },
	{ "zzzzzzzzz = x\n", 1, "unknown key zzzzzzzzz", "`help settings` lists" },
	{ "health_url. = none\n", 1, "health_url.: not a service of target", "" },
	{ "\x9b = x\n", 1, "unknown key \\233", "help" },
	{ "keep = 3\nkeep = 3\n", 2, "keep is set twice; the first is in line 1",
	    "remove" },
	{ "[target a]\nservices = a\nhealth_url.a = none\nhealth_url.a = none\n", 4,
	    "health_url.a is set twice; the first is in line 3", "remove" },
	{ "#\nhealth_url.a = none\n[target a]\n", 2,
	    "health_url.a is a setting of one target, not of all", "[target NAME]" },
	{ "state = /s\nlock = /s/up.lock\n", 2,
	    "bad setting lock=/s/up.lock: must be another", "" },
	{ "lock = /l\n[target a]\n", 1, "lock is a setting of one", "[target NAME]" },
	{ "tag_prefix = a\n[target default]\n", 1, "tag_prefix is a setting of one",
	    "[target NAME]" },
	{ "[target a]\n\nhealth_url.api = http://h/\n", 3,
	    "health_url.api: not a service of target a", "services" },
	{ "[target a]\nhealth_url.\xc8 = none\n", 2, "health_url.\\310: not a service",
	    "" },
	{ "[target a]\nhealth_url. = none\n", 2, "health_url.: not a service", "" },
	{ "[target a]\nhealth_url.data = ftp://h/\n", 2,
	    "health_url.data: the URL does not begin with http://: ftp://h/",
	    "http://HOST" },
	{ "health_url = http://u:s3cret@h/\n", 1, "health_url: the URL names a user",
	    "" },
	{ "health_url = ftp://h/?s3cret\n", 1, "health_url: the URL does not begin", "" },
	{ "drain_url = ftp://h/?s3cret\n", 1, "drain_url: the URL does not begin", "" },
	{ "drain_limit.data = 0\n", 1, "bad setting drain_limit.data=0: must be", "" },
	{ "[target a]\nservices = a a\n", 2, "bad setting services=a a: must be", "" },
	{ "[]\n", 1, "unknown section []", "[target NAME]" },
	{ "[target]\n", 1, "[target] is not a target with a valid name", "`all`" },
	{ "[target ]\n", 1, "[target ] is not a target with a valid", "" },
	{ "[target all]\n", 1, "[target all] is not a target with", "`all`" },
	{ "[target .a]\n", 1, "[target .a] is not a target with a valid", "" },
	{ "[target -a]\n", 1, "[target -a] is not a target with a valid", "" },
	{ "[target a b]\n", 1, "[target a b] is not a target with a valid", "" },
	{ "[target a/b]\n", 1, "[target a/b] is not a target with a valid", "" },
	{ "[target a\n", 1, "a section without ']'", "[target NAME]" },
	{ "[target a] x\n", 1, "a section without ']'", "[target NAME]" },
	{ "[target a] # x\n", 1, "a section without ']'", "[target NAME]" },
	{ "[targt a]\n", 1, "unknown section [targt a]", "[target NAME]" },
	{ "[hook a]\n", 1, "unknown section [hook a]", "[target NAME]" },
	{ "[default]\n", 1, "unknown section [default]", "[target NAME]" },
	{ "[target a]\n[target b]\n[target a]\n", 3,
	    "a second [target a]; the first is in line 1", "merge" },
	/* 63 bytes are a name, 64 are not; inih would cut both at 49 */
	{ "[target a23456789b123456789c123456789d123456789e123456789f1234567]\n"
	  "[target a23456789b123456789c123456789d123456789e123456789f1234567890]\n"
	  "[target a23456789b123456789c123456789d123456789e123456789f123456789012345]\n",
	    3, "[target a23456789b", "63" },
	/* between two targets */
	{ "[target a]\n[target b]\n", 2,
	    "targets a and b have the same env_file and variable", "variable" },
	{ "[target a]\n[target b]\nvariable = B\n", 2,
	    "targets a and b have the same service data", "one target only" },
	{ "project = p\n[target a]\n" B, 3, "targets a and b have the same service data",
	    "one target only" },
	{ "services = x y\n[target a]\n[target b]\nvariable = B\nservices = z y\n", 3,
	    "targets a and b have the same service y", "one target only" },
	{ "[target a]\nstate = /s\n" B "state = /s\n", 3,
	    "targets a and b have the same state folder", "folder" },
	{ "[target default]\n" B "state = /home/deploy/twilight/.twilight-deploy\n", 2,
	    "targets default and b have the same state folder", "folder" },
	{ "[target a]\nlock = /l\n" B "lock = /l\n", 3,
	    "targets a and b have the same lock", "" },
	{ "[target a]\nstate = /none/s\n" B "state = /none/x/../s/\n", 3,
	    "targets a and b have the same state folder", "" },
	{ "[target a]\nlock = /none/l\n" B "lock = //none/./l\n", 3,
	    "targets a and b have the same lock", "" },
	{ "env_file = /b/\nservices = x\n[target a]\n[target b]\nenv_file = /b\n", 4,
	    "targets a and b have the same env_file", "" },
	{ "compose_dir = //b/\n[target a]\n" B, 3,
	    "targets a and b have the same service data", "" },
	/* compose names the project after the folder */
	{ "[target a]\nproject = b\n" B, 3, "targets a and b have the same service data",
	    "" },
	{ "[target a]\ncompose_dir = /x/_B.//\n" B "project = b\n", 3,
	    "targets a and b have the same service data", "" },
	{ "[target a]\ncompose_files = /x/b/c.yml:/y/d.yml\n" B "project = b\n", 3,
	    "targets a and b have the same service data", "" },
};

START_TEST(refuses_a_file)
{
	char what[128];

	ck_assert_msg(load_text(bad_files[_i].text) == -1, "took %s", bad_files[_i].text);
	snprintf(what, sizeof(what), FILE_NAME ":%u: %s", bad_files[_i].line,
	    bad_files[_i].what);
	says(what, bad_files[_i].next);
	ck_assert_ptr_null(strstr(f.what, "s3cret"));
}
END_TEST

START_TEST(finds_conflicts_through_links)
{
	char text[256];

	ck_assert_int_eq(mkdirat(dir, "real", 0700), 0);
	ck_assert_int_eq(symlinkat("real", dir, "link"), 0);
	snprintf(text, sizeof(text),
	    "[target a]\nstate = %s/real/s\n" B "state = %s/link/s\n", room, room);
	ck_assert_int_eq(load_text(text), -1);
	says("c.conf:3: targets a and b have the same state folder", "folder");
	/* the names themselves stay as they were written */
	ck_assert_ptr_nonnull(strstr(text, B));
	*strstr(text, B) = '\0';
	strcat(text, B);
	ck_assert_msg(load_text(text) == 0, "%s", f.what);
	ck_assert_ptr_nonnull(strstr(t.state, "/real/s"));
}
END_TEST

START_TEST(names_the_line_of_each_key)
{
	static const char *const keys[] = { "home = x", "env_file = x", "compose_dir = x",
		"compose_files = ::", "project = -", "engine = x", "services = -",
		"variable = -", "value = x", "tag_pattern = (", "tag_prefix = -",
		"strip_prefix = x", "health_url = x", "health_url.data = x",
		"health_tries = 0", "health_sleep = -1", "health_settle = -1",
		"pull_limit = 0", "up_limit = 0", "call_limit = 0", "keep = 0",
		"prune = x", "disk_min = x", "state = x", "lock = x", "on_start = x",
		"on_result = a/b", "hook_limit = 0" };
	char text[128];
	int i;

	for (i = 0; i < N(keys); i++) {
		snprintf(text, sizeof(text), "[target a]\n# x\n%s\n", keys[i]);
		ck_assert_msg(load_text(text) == -1, "took %s", keys[i]);
		says("c.conf:3: ", "");
	}
}
END_TEST

START_TEST(reads_whole_lines_and_no_longer_ones)
{
	static char text[PATH_MAX + 256];
	int at = sprintf(text, "# x\nkeep_env = ");

	memset(text + at, 'A', 1023);
	ck_assert_int_eq(load_text(text), 0);
	ck_assert_uint_eq(strlen(t.keep_env), 1023);
	memset(text + at, 'A', 1024);
	ck_assert_int_eq(load_text(text), -1);
	says("c.conf:2: bad setting keep_env=", "");
	memset(text + at, 'A', PATH_MAX + 200);
	ck_assert_int_eq(load_text(text), -1);
	says("c.conf:2: the line is too long", "");
	memset(text, '#', PATH_MAX + 200);
	ck_assert_int_eq(load_text(text), -1);
	says("c.conf:1: the line is too long", "");
}
END_TEST

START_TEST(refuses_nul_and_garbage)
{
	static char garbage[1024 * 1024 + 1];
	size_t i;

	room_put(FILE_NAME, "#\nhome = /s\0rv\n", 15);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), -1);
	says("c.conf:2: has a NUL byte", "plain text");
	for (i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * 7919 + i / 251);
	room_put(FILE_NAME, garbage, sizeof(garbage) - 1);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), -1);
	says("c.conf:1: ", "");
	memset(garbage, '\n', sizeof(garbage));
	room_put(FILE_NAME, garbage, sizeof(garbage) - 1);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), 0);
	room_put(FILE_NAME, garbage, sizeof(garbage));
	ck_assert_int_eq(load_config(FILE_NAME, NULL), -1);
	says("c.conf: more than 1 MiB", "shorten");
}
END_TEST

/* 64 are accepted; of 10,000 the 65th is refused. */
START_TEST(bounds_the_targets)
{
	static char text[10000 * 64];
	size_t n = 0, at = 0;

	for (; n < 10000; n++) {
		at += (size_t)sprintf(text + at, "[target t%zu]\nhome = /srv/%zu\n", n,
		    n);
		if (n == TARGETS_MAX - 1) {
			ck_assert_msg(load_text(text) == 0, "%s", f.what);
			ck_assert_uint_eq(c.n, TARGETS_MAX);
			ck_assert_str_eq(c.target[63].env_file, "/srv/63/.env");
			ck_assert_ptr_eq(config_find(&c, "t63"), &c.target[63]);
			ck_assert_ptr_null(config_find(&c, "t64"));
		}
	}
	ck_assert_int_eq(load_text(text), -1);
	says("c.conf:129: more than 64 targets", "");
}
END_TEST

START_TEST(drains_each_service)
{
	const struct service *s;

	ck_assert_int_eq(load_text("services = a b c\ndrain_limit = 7\n"
				   "drain_done_url = http://h:1/idle\n[target default]\n"
				   "drain_url.b = http://h:1/\ndrain_limit.b = 1.5\n"
				   "drain_done_url.b = http://h:1/idle\n"
				   "drain_done_expect.b = a.b=0\n"
				   "drain_resume_url.b = http://h:1/resume\n"),
	    0);
	s = c.target[0].service;
	ck_assert_int_eq(s[0].drain_limit, 7000);
	ck_assert_int_eq(s[1].drain_limit, 1500);
	ck_assert_int_eq(s[2].drain_limit, 60000);
	ck_assert_str_eq(s[0].drain_url, "");
	ck_assert_str_eq(s[1].drain_url, "http://h:1/");
	ck_assert_str_eq(s[1].drain_done_url, "http://h:1/idle");
	ck_assert_str_eq(s[1].drain_done_expect, "a.b=0");
	ck_assert_str_eq(s[1].drain_resume_url, "http://h:1/resume");
}
END_TEST

/* A setting without the one that it belongs to; it may contain a secret. */
START_TEST(needs_the_other_setting)
{
	static const char *const pairs[][4] = {
		{ "drain_done_url", "DRAIN_DONE_URL", "drain_url", "http://h:1/s3cret" },
		{ "drain_resume_url", "DRAIN_RESUME_URL", "drain_url",
		    "http://h:1/s3cret" },
		{ "version_expect", "VERSION_EXPECT", "version_url", "s3cret" },
		{ "drain_done_expect", "DRAIN_DONE_EXPECT", "drain_done_url",
		    "a=s3cret" },
	};
	const char *const *p = pairs[_i];
	char must[64], text[512];

	snprintf(must, sizeof(must), "=...: must be set together with %s", p[2]);
	snprintf(text, sizeof(text), "TWILIGHT_%s=%s", p[1], p[3]);
	refused(text);
	says(must, "");
	ck_assert_ptr_null(strstr(f.what, "s3cret"));
	/* the first service has it, the second has not */
	snprintf(text, sizeof(text),
	    "services = a b\ndrain_url = http://h:1/\n%s = http://h:1/\n%s.b = %s\n",
	    strcmp(p[2], "drain_url") == 0 ? "version_url" : p[2], p[0], p[3]);
	ck_assert_int_eq(load_text(text), -1);
	snprintf(text, sizeof(text), "c.conf:4: bad setting %s.b%s", p[0], must);
	says(text, "");
	ck_assert_msg(load("TWILIGHT_DRAIN_URL=http://h:1/",
			  "TWILIGHT_DRAIN_DONE_URL=http://h:1/",
			  "TWILIGHT_DRAIN_DONE_EXPECT=a=0") == 0,
	    "%s", f.what);
	ck_assert_str_eq(t.service[0].drain_done_expect, "a=0");
	/* turned off, or of another target */
	snprintf(text, sizeof(text), "%s = none\n%s = %s\n", p[2], p[0], p[3]);
	ck_assert_msg(load_text(text) == 0, "%s", f.what);
	snprintf(text, sizeof(text), "%s = %s\n[target a]\n%s = none\n" B, p[0], p[3],
	    p[2]);
	ck_assert_msg(load_text(text) == 0, "%s", f.what);
	snprintf(text, sizeof(text), "%s = http://h:1/\n[target a]\n%s = %s\n" B, p[2],
	    p[0], p[3]);
	ck_assert_msg(load_text(text) == 0, "%s", f.what);
}
END_TEST

START_TEST(bounds_the_keys_of_services)
{
	char text[32768] = "[target a]\n";
	int i;

	for (i = 0; i < 600; i++)
		sprintf(text + strlen(text), "health_url.s%d = none\n", i);
	ck_assert_int_eq(load_text(text), -1);
	says("too many settings", "service");
}
END_TEST

static const struct {
	mode_t mode;
	const char *what; /* NULL: trusted */
} modes[] = {
	{ 0600, NULL },
	{ 0644, NULL },
	{ 0444, NULL },
	{ 0664, "others than its owner may write it" },
	{ 0620, "others than its owner may write it" },
	{ 0602, "others than its owner may write it" },
};

START_TEST(trusts_what_only_its_owner_writes)
{
	room_put(FILE_NAME, "", 0);
	ck_assert_int_eq(fchmodat(dir, FILE_NAME, modes[_i].mode, 0), 0);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), modes[_i].what == NULL ? 0 : -1);
	if (modes[_i].what != NULL)
		says(modes[_i].what, "chmod");
}
END_TEST

START_TEST(trusts_root_and_itself)
{
	if (geteuid() != 0)
		SKIP("not root");
	room_put(FILE_NAME, "", 0);
	ck_assert_int_eq(fchmodat(dir, FILE_NAME, 0644, 0), 0);
	ck_assert_int_eq(fchownat(dir, FILE_NAME, 65534, 65534, 0), 0);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), -1);
	says("its owner is neither root nor the user", "chown");
	ck_assert_int_eq(fchmod(dir, 0755), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(fchownat(dir, FILE_NAME, 0, 0, 0), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(fchmodat(dir, FILE_NAME, 0600, 0), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(load_config(FILE_NAME, NULL), -1);
	ck_assert_int_eq(seteuid(0), 0);
	says("cannot read c.conf: Permission denied", "readable");
}
END_TEST

/* Configuration management makes symlinks; a file that was named must exist. */
START_TEST(opens_a_file)
{
	static char longer[PATH_MAX + 1];

	room_put(FILE_NAME, "home = /srv\n", 12);
	ck_assert_int_eq(symlinkat(FILE_NAME, dir, "link"), 0);
	ck_assert_int_eq(load_config("link", NULL), 0);
	ck_assert_str_eq(t.home, "/srv");
	ck_assert_int_eq(load_config("none", NULL), -1);
	says("cannot read none: No such file", "");
	ck_assert_int_eq(load_config("", NULL), -1);
	says("cannot read : No such file", "");
	ck_assert_int_eq(load_config(".", NULL), -1);
	says(".: not a regular file", "");
	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	ck_assert_int_eq(load_config("fifo", NULL), -1);
	says("fifo: not a regular file", "");
	memset(longer, 'a', PATH_MAX);
	ck_assert_int_eq(load_config(longer, NULL), -1);
	says(": too long", "");
}
END_TEST

static const struct {
	const char *text, *env;
	size_t at;
	const char *want, *what; /* the field, or the fault */
} both[] = {
#define AT(m) offsetof(struct target, m)
	{ "home = /f\n", "TWILIGHT_HOME=/e", AT(env_file), "/e/.env", NULL },
	{ "[target default]\nhome = /f\n", "TWILIGHT_HOME=/e", AT(home), "/e", NULL },
	{ "[target default]\nproject = f\n", "TWILIGHT_PROJECT=", AT(project), "f",
	    NULL },
	{ "[target default]\nstate = /f\n", "TWILIGHT_STATE=/e", AT(lock), "/e/lock",
	    NULL },
	{ "[target default]\nhealth_url.data = http://f/\n",
	    "TWILIGHT_HEALTH_URL=http://e/", AT(service[0].health_url), "http://e/",
	    NULL },
	{ "[target default]\n", "TWILIGHT_KEEP=x", 0, NULL,
	    "bad setting TWILIGHT_KEEP=x: m" },
	{ "[target default]\nkeep = x\n", "TWILIGHT_KEEP=3", AT(home),
	    "/home/deploy/twilight", NULL },
	{ "[target a]\n", "TWILIGHT_VERSION=v1", AT(name), "a", NULL },
	{ "[target a]\n", "TWILIGHT_SLIP=v1", AT(name), "a", NULL },
	{ "[target a]\n", "TWILIGHT_HOME=", 0, NULL, "c.conf has targets; these variab" },
	{ "[target a]\n", "TWILIGHT_SERVICE=a", 0, NULL, "for any: TWILIGHT_SERVICE" },
	{ "[target default]\n" B, "TWILIGHT_LOCK=/l", 0, NULL, "for any: TWILIGHT_LOCK" },
#undef AT
};

START_TEST(takes_the_environment_beside_a_file)
{
	char *env[] = { strdup(both[_i].env), NULL };
	int rc;

	room_put(FILE_NAME, both[_i].text, strlen(both[_i].text));
	rc = load_config(FILE_NAME, env);
	free(env[0]);
	ck_assert_msg(rc == (both[_i].what == NULL ? 0 : -1), "%s", f.what);
	if (rc == -1)
		says(both[_i].what, "");
	else
		ck_assert_str_eq((const char *)&t + both[_i].at, both[_i].want);
}
END_TEST

/* ---- the value in .env ---- */

static const struct {
	const char *format, *value, *tag; /* tag NULL: not of that form */
} values[] = {
	{ "%t", "v1", "v1" },
	{ "h:5000/r/a:%t", "h:5000/r/a:v1", "v1" },
	{ "h:5000/r/a:%t", "v1", NULL },
	{ "h:5000/r/a:%t", "h:5000/r/b:v1", NULL },
	{ "h:5000/r/a:%t", "h:5000/r/a:", NULL },
	{ "r/a:%t", "r/a:v1@sha256:00", NULL },
	{ "%t", "r/a:v1", NULL },
	{ "%t", "", NULL },
};

START_TEST(finds_the_tag_in_a_value)
{
	char tag[TAG_MAX], out[DESIRED_MAX];

	(void)snprintf(t.value, sizeof(t.value), "%s", values[_i].format);
	ck_assert_int_eq(target_tag_of(&t, values[_i].value, tag),
	    values[_i].tag != NULL);
	if (values[_i].tag == NULL)
		return;
	ck_assert_str_eq(tag, values[_i].tag);
	ck_assert_int_eq(target_value(&t, tag, out, &f), 0);
	ck_assert_str_eq(out, values[_i].value);
}
END_TEST

START_TEST(bounds_a_value)
{
	char tag[TAG_MAX], out[DESIRED_MAX], value[DESIRED_MAX];

	load(NULL, NULL, NULL);
	memset(tag, 'a', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	memset(t.value, 'r', sizeof(t.value) - 1);
	strcpy(t.value + DESIRED_MAX - TAG_MAX, ":%t");
	ck_assert_int_eq(target_value(&t, tag, out, &f), -1);
	says("target default: the value of TWILIGHT_VERSION is too long", "shorten");
	strcpy(t.value + DESIRED_MAX - TAG_MAX, "%t");
	fault_clear(&f);
	ck_assert_int_eq(target_value(&t, tag, out, &f), 0);
	ck_assert_uint_eq(strlen(out), DESIRED_MAX - 1);
	ck_assert(target_tag_of(&t, out, value));
	strcpy(t.value, "%t");
	memset(value, 'a', TAG_MAX);
	value[TAG_MAX] = '\0';
	ck_assert(!target_tag_of(&t, value, tag));
}
END_TEST

Suite *
config_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		ONCE(has_the_documented_defaults), EACH(takes_text, N(texts)),
		EACH(takes_numbers, N(numbers)), ONCE(takes_them_together),
		ONCE(describes_itself), ONCE(reports_strays),
		EACH(reads_a_file, N(file_texts)),
		EACH(takes_the_environment_beside_a_file, N(both)),
		EACH(finds_the_tag_in_a_value, N(values)), CASE("Limits"),
		EACH(bounds_the_length, N(lengths)),
		ONCE(reads_whole_lines_and_no_longer_ones), ONCE(bounds_the_targets),
		ONCE(bounds_the_keys_of_services), ONCE(drains_each_service),
		EACH(needs_the_other_setting, 4), ONCE(bounds_a_value), CASE("Hostile"),
		EACH(refuses, N(bad)), ONCE(shows_the_value_escaped),
		ONCE(survives_every_byte), EACH(refuses_a_file, N(bad_files)),
		ONCE(finds_conflicts_through_links), ONCE(names_the_line_of_each_key),
		ONCE(refuses_nul_and_garbage),
		EACH(trusts_what_only_its_owner_writes, N(modes)),
		ONCE(trusts_root_and_itself), ONCE(opens_a_file) };

	return unit_suite("config", setup, teardown, tests, N(tests));
}
