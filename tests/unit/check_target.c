/*
 * check_target.c: the settings.  What is wrong is named, with its value; what
 * is not set is as the founding documents have it.
 */
#include "config/target.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *target_suite(void);

static struct target t;
static struct fault f;

static void
setup(void)
{
	memset(&t, 0xa5, sizeof(t));
	memset(&f, 0, sizeof(f));
}

/* Up to three "NAME=value"; the rest of the environment is empty. */
static int
load(const char *a, const char *b, const char *c)
{
	char *env[4] = { NULL };
	int rc;

	if (a != NULL)
		ck_assert_ptr_nonnull(env[0] = strdup(a));
	if (b != NULL)
		ck_assert_ptr_nonnull(env[1] = strdup(b));
	if (c != NULL)
		ck_assert_ptr_nonnull(env[2] = strdup(c));
	fault_clear(&f);
	rc = target_load(&t, env, &f);
	ck_assert_int_eq(rc == 0, f.kind == FAULT_NONE);
	free(env[0]);
	free(env[1]);
	free(env[2]);
	return rc;
}

static void
loads(const char *setting)
{
	ck_assert_msg(load(setting, NULL, NULL) == 0, "%s: %s", setting, f.what);
}

/* The fault is the host's, names the setting, and can be printed. */
static void
refused(const char *setting)
{
	char name[64] = "";
	const char *p;

	strncat(name, setting, strcspn(setting, "="));
	ck_assert_msg(load(setting, NULL, NULL) == -1, "took %s", setting);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, name) != NULL, "%s: %s", setting, f.what);
	for (p = f.what; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", f.what);
}

START_TEST(has_the_documented_defaults)
{
	ck_assert_int_eq(load(NULL, NULL, NULL), 0);
	ck_assert_str_eq(t.home, "/home/deploy/twilight");
	ck_assert_str_eq(t.env_file, "/home/deploy/twilight/.env");
	ck_assert_str_eq(t.compose_dir, "/home/deploy/twilight/source/deploy");
	ck_assert_str_eq(t.state, "/home/deploy/twilight/.twilight-deploy");
	ck_assert_str_eq(t.lock, "/home/deploy/twilight/.twilight-deploy/lock");
	ck_assert_str_eq(t.service, "data");
	ck_assert_str_eq(t.project, "");
	ck_assert_str_eq(t.health_url, "http://localhost:8081/healthz");
	ck_assert_int_eq(t.health_tries, 30);
	ck_assert_int_eq(t.health_sleep, 2000);
	ck_assert_int_eq(t.health_settle, 2000);
	ck_assert_str_eq(t.tag_pattern,
	    "sha-[0-9a-f]{7}|latest|main|v[0-9]+\\.[0-9]+\\.[0-9]+");
	ck_assert_int_eq(t.keep, 3);
	ck_assert_str_eq(t.prune, "all");
	ck_assert_int_eq(t.disk_min, INT64_C(1) << 30);
	ck_assert_int_eq(t.pull_limit, 300000);
	ck_assert_int_eq(t.up_limit, 120000);
	ck_assert_int_eq(t.call_limit, 30000);
	ck_assert_str_eq(t.keep_env, "");
	ck_assert_str_eq(TARGET_VARIABLE, "TWILIGHT_VERSION");
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
	{ "TWILIGHT_SERVICE=api_1.x-y", AT(service), "api_1.x-y" },
	{ "TWILIGHT_SERVICE=_a", AT(service), "_a" },
	{ "TWILIGHT_SERVICE=", AT(service), "data" },
	{ "TWILIGHT_PROJECT=twilight", AT(project), "twilight" },
	{ "TWILIGHT_PROJECT=", AT(project), "" },
	{ "TWILIGHT_HEALTH_URL=http://h:1/x,y", AT(health_url), "http://h:1/x,y" },
	{ "TWILIGHT_TAG_PATTERN=^v1$", AT(tag_pattern), "^v1$" },
	{ "TWILIGHT_PRUNE=own", AT(prune), "own" },
	{ "TWILIGHT_PRUNE=all", AT(prune), "all" },
	{ "TWILIGHT_KEEP_ENV=A,B C", AT(keep_env), "A,B C" },
	{ "TWILIGHT_KEEP_ENV=", AT(keep_env), "" },
	/* a name that only begins like one, or ends so, is none */
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
	/* of two the first counts, as everywhere */
	ck_assert_int_eq(load("TWILIGHT_HOME=/a", "TWILIGHT_HOME=/b", NULL), 0);
	ck_assert_str_eq(t.home, "/a");
}
END_TEST

static const char *const bad[] = {
	"TWILIGHT_HOME=srv",
	"TWILIGHT_HOME=./srv",
	"TWILIGHT_HOME=~",
	"TWILIGHT_HOME= /srv",
	"TWILIGHT_HOME=/a,b",
	"TWILIGHT_HOME=/a:b",
	"TWILIGHT_HOME=/a\nb",
	"TWILIGHT_ENV_FILE=.env",
	"TWILIGHT_ENV_FILE=/a,/b",
	"TWILIGHT_ENV_FILE=/a:/b",
	"TWILIGHT_COMPOSE_DIR=deploy",
	"TWILIGHT_COMPOSE_DIR=/a,b",
	"TWILIGHT_COMPOSE_DIR=/a:b",
	"TWILIGHT_STATE=state",
	"TWILIGHT_STATE=/a\n",
	"TWILIGHT_LOCK=lock",
	"TWILIGHT_LOCK=../lock",
	"TWILIGHT_SERVICE=-d",
	"TWILIGHT_SERVICE=--help",
	"TWILIGHT_SERVICE=.a",
	"TWILIGHT_SERVICE=a b",
	"TWILIGHT_SERVICE=a/b",
	"TWILIGHT_SERVICE=a;b",
	"TWILIGHT_SERVICE=a$b",
	"TWILIGHT_SERVICE=a=b",
	"TWILIGHT_SERVICE=a,b",
	"TWILIGHT_SERVICE=a\n",
	"TWILIGHT_SERVICE=\xc3\xa4",
	"TWILIGHT_SERVICE= data",
	"TWILIGHT_PROJECT=-p",
	"TWILIGHT_PROJECT=a b",
	"TWILIGHT_PROJECT=a/b",
	"TWILIGHT_PROJECT=\x1b[2J",
	"TWILIGHT_HEALTH_URL=",
	"TWILIGHT_TAG_PATTERN=",
	"TWILIGHT_TAG_PATTERN=v[",
	"TWILIGHT_TAG_PATTERN=(v1",
	"TWILIGHT_PRUNE=",
	"TWILIGHT_PRUNE=none",
	"TWILIGHT_PRUNE=All",
	"TWILIGHT_PRUNE=all ",
	"TWILIGHT_PRUNE=everything",
	"TWILIGHT_HEALTH_TRIES=0",
	"TWILIGHT_HEALTH_TRIES=100001",
	"TWILIGHT_HEALTH_TRIES=-1",
	"TWILIGHT_HEALTH_TRIES=+1",
	"TWILIGHT_HEALTH_TRIES=1.0",
	"TWILIGHT_HEALTH_TRIES=1.5",
	"TWILIGHT_HEALTH_TRIES= 1",
	"TWILIGHT_HEALTH_TRIES=1 ",
	"TWILIGHT_HEALTH_TRIES=0x1f",
	"TWILIGHT_HEALTH_TRIES=1e3",
	"TWILIGHT_HEALTH_TRIES=thirty",
	"TWILIGHT_HEALTH_TRIES=1K",
	"TWILIGHT_HEALTH_TRIES=4294967297",
	"TWILIGHT_HEALTH_TRIES=18446744073709551617",
	"TWILIGHT_HEALTH_TRIES=99999999999999999999999999999999",
	"TWILIGHT_HEALTH_TRIES=\x1b[2J",
	"TWILIGHT_HEALTH_SLEEP=-1",
	"TWILIGHT_HEALTH_SLEEP=.5",
	"TWILIGHT_HEALTH_SLEEP=1.",
	"TWILIGHT_HEALTH_SLEEP=1.x",
	"TWILIGHT_HEALTH_SLEEP=1.2.3",
	"TWILIGHT_HEALTH_SLEEP=1,5",
	"TWILIGHT_HEALTH_SLEEP=0.0001",
	"TWILIGHT_HEALTH_SLEEP=1.0000",
	"TWILIGHT_HEALTH_SLEEP=2s",
	"TWILIGHT_HEALTH_SLEEP=3600.001",
	"TWILIGHT_HEALTH_SLEEP=3601",
	"TWILIGHT_HEALTH_SLEEP=9223372036854775807",
	"TWILIGHT_HEALTH_SLEEP=9223372036854776",
	"TWILIGHT_HEALTH_SLEEP=inf",
	"TWILIGHT_HEALTH_SETTLE=nan",
	"TWILIGHT_HEALTH_SETTLE=3600.5",
	"TWILIGHT_KEEP=0",
	"TWILIGHT_KEEP=101",
	"TWILIGHT_KEEP=three",
	"TWILIGHT_DISK_MIN=-1",
	"TWILIGHT_DISK_MIN=1T",
	"TWILIGHT_DISK_MIN=1GB",
	"TWILIGHT_DISK_MIN=1g",
	"TWILIGHT_DISK_MIN=G",
	"TWILIGHT_DISK_MIN=1.5G",
	"TWILIGHT_DISK_MIN=1 G",
	"TWILIGHT_DISK_MIN=8589934592G",
	"TWILIGHT_DISK_MIN=17179869185G",
	"TWILIGHT_DISK_MIN=9223372036854775808",
	"TWILIGHT_DISK_MIN=99999999999999999999",
	"TWILIGHT_DISK_MIN=9007199254740992K",
	"TWILIGHT_PULL_LIMIT=0",
	"TWILIGHT_PULL_LIMIT=0.999",
	"TWILIGHT_PULL_LIMIT=86400.001",
	"TWILIGHT_PULL_LIMIT=86401",
	"TWILIGHT_UP_LIMIT=0",
	"TWILIGHT_UP_LIMIT=2m",
	"TWILIGHT_CALL_LIMIT=0",
	"TWILIGHT_CALL_LIMIT=none",
};

START_TEST(refuses)
{
	refused(bad[_i]);
	ck_assert_str_ne(f.next, "");
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
	refused("TWILIGHT_PRUNE=everything");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_PRUNE=everything: must be all or own");
	refused("TWILIGHT_TAG_PATTERN=(v1");
	ck_assert_str_eq(f.what,
	    "bad setting TWILIGHT_TAG_PATTERN=(v1: must be an expression of regex(7): "
	    "Unmatched ( or \\(");
}
END_TEST

/* A setting of `len` bytes: its name, and what is put after the '='. */
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
	{ "TWILIGHT_HEALTH_URL", 'h', 1279 },
	{ "TWILIGHT_TAG_PATTERN", 'v', 511 },
	{ "TWILIGHT_KEEP_ENV", 'A', 1023 },
	{ "TWILIGHT_ENV_FILE", '/', PATH_MAX - 1 },
	{ "TWILIGHT_COMPOSE_DIR", '/', PATH_MAX - 1 },
	{ "TWILIGHT_LOCK", '/', PATH_MAX - 1 },
	/* what lies below must fit too */
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
	int i, c;

	for (c = 1; c < 256; c++)
		for (i = 0; i < N(names); i++) {
			strcpy(s, names[i]);
			*strchr(s, '?') = (char)c;
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

/* What `help settings` says is what is so. */
START_TEST(describes_itself)
{
	static const char *const said[] = { "TWILIGHT_HOME=/home/deploy/twilight\n",
		"TWILIGHT_ENV_FILE=$TWILIGHT_HOME/.env\n",
		"TWILIGHT_COMPOSE_DIR=$TWILIGHT_HOME/source/deploy\n",
		"TWILIGHT_STATE=$TWILIGHT_HOME/.twilight-deploy\n", "TWILIGHT_LOCK=\n",
		"TWILIGHT_SERVICE=data\n", "TWILIGHT_HEALTH_TRIES=30\n",
		"TWILIGHT_HEALTH_SLEEP=2\n", "TWILIGHT_DISK_MIN=1G\n" };
	static struct lines l;
	char *line, *rest = l.text, *name;
	int i, n = 0;

	target_describe(collect, &l);
	for (i = 0; i < N(said); i++)
		ck_assert_msg(strstr(l.text, said[i]) != NULL, "no %s", said[i]);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "TWILIGHT_", 9) != 0)
			continue;
		n++;
		/* each name is one that is read, and its default is good */
		if (strstr(line, "=$TWILIGHT_HOME") == NULL)
			loads(line);
		ck_assert_ptr_nonnull(name = strchr(line, '='));
		if (strstr(line, "TRIES") != NULL || strstr(line, "LIMIT") != NULL) {
			strcpy(name + 1, "x");
			refused(line);
		}
	}
	ck_assert_int_eq(2 * n, l.n);
	ck_assert_int_ge(n, 19);
}
END_TEST

/* A slip in a name; what docker is to get, and the version, are none. */
START_TEST(tells_of_strays)
{
	char home[] = "TWILIGHT_HOME=/srv", slip[] = "TWILIGHT_HEALTH_TRYS=5",
	     odd[] = "TWILIGHT_\x1b[2J", longer[] = "TWILIGHT_KEEP_ENVS=x",
	     keep[] = "TWILIGHT_KEEP_ENV=A TWILIGHT_PORT", port[] = "TWILIGHT_PORT=1",
	     version[] = "TWILIGHT_VERSION=v1", other[] = "TWILIGHT=1",
	     path[] = "PATH=/bin";
	char *env[] = { home, slip, odd, longer, keep, port, version, other, path, NULL };
	static struct lines l;

	ck_assert_int_eq(target_load(&t, env, &f), 0);
	target_strays(&t, env, collect, &l);
	ck_assert_str_eq(l.text,
	    "TWILIGHT_HEALTH_TRYS is no setting and has no effect; `help settings` lists them\n"
	    "TWILIGHT_\\033[2J is no setting and has no effect; `help settings` lists them\n"
	    "TWILIGHT_KEEP_ENVS is no setting and has no effect; `help settings` lists them\n");
}
END_TEST

Suite *
target_suite(void)
{
	Suite *s = suite_create("target");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, NULL);
	tcase_add_test(core, has_the_documented_defaults);
	tcase_add_loop_test(core, takes_text, 0, N(texts));
	tcase_add_loop_test(core, takes_numbers, 0, N(numbers));
	tcase_add_test(core, takes_them_together);
	tcase_add_test(core, describes_itself);
	tcase_add_test(core, tells_of_strays);
	suite_add_tcase(s, core);
	tcase_add_checked_fixture(limits, setup, NULL);
	tcase_add_loop_test(limits, bounds_the_length, 0, N(lengths));
	suite_add_tcase(s, limits);
	tcase_add_checked_fixture(hostile, setup, NULL);
	tcase_add_loop_test(hostile, refuses, 0, N(bad));
	tcase_add_test(hostile, shows_the_value_escaped);
	tcase_add_test(hostile, survives_every_byte);
	suite_add_tcase(s, hostile);
	return s;
}
