/*
 * check_childenv.c: the environment of child processes, built from nothing.
 */
#include "suite.h"
#include "room.h"
#include "skip.h"
#include "sys/childenv.h"

#include <sys/stat.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *childenv_suite(void);

static struct childenv c;
static struct fault f;

static void
setup(void)
{
	memset(&c, 0xa5, sizeof(c));
	memset(&f, 0, sizeof(f));
}

static void
teardown(void)
{
	childenv_free(&c);
}

static void
init(char *const *env, const char *keep)
{
	ck_assert_msg(childenv_init(&c, env, &f) == 0, "%s", f.what);
	ck_assert_int_eq(childenv_keep(&c, env, keep, &f), 0);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}

/* The list as "A=1|B=2|". */
static const char *
all(void)
{
	static char text[8192];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < c.n; i++)
		strcat(strcat(text, c.list[i]), "|");
	ck_assert_ptr_null(c.list[c.n]);
	return text;
}

static char *known[] = { "PATH=/bin", "HOME=/h", "USER=u", "LOGNAME=l", NULL };
#define KNOWN "PATH=/bin|HOME=/h|USER=u|LOGNAME=l|SHELL=/bin/sh|LANG=C.UTF-8|"

START_TEST(gets_by_name)
{
	char *env[] = { "A=1", "AB=2", "B", "C=", "=x", "A=3", "D==", NULL };

	init(known, "");
	ck_assert_str_eq(env_get(env, "A"), "1");
	ck_assert_str_eq(env_get(env, "AB"), "2");
	ck_assert_ptr_null(env_get(env, "B"));
	ck_assert_str_eq(env_get(env, "C"), "");
	ck_assert_str_eq(env_get(env, "D"), "=");
	ck_assert_ptr_null(env_get(env, "a"));
	ck_assert_ptr_null(env_get(env, "ABC"));
	ck_assert_ptr_null(env_get(env, "1"));
	ck_assert_ptr_null(env_get(NULL, "A"));
	ck_assert_ptr_null(env_get(env + 7, "A"));
}
END_TEST

START_TEST(is_built_from_nothing)
{
	char *env[] = { "PATH=/bin", "LD_PRELOAD=/evil.so", "HOME=/h", "SHELL=/bin/evil",
		"USER=u", "LANG=de_DE", "LOGNAME=l", "SSH_ORIGINAL_COMMAND=deploy x",
		"TWILIGHT_HOME=/x", "COMPOSE_FILE=/evil", "IFS=x", "BASH_ENV=/x",
		"ENV=/x", "DOCKER_HOSTS=/x", "XDOCKER_HOST=/x", "TMPDIR=/x", NULL };

	init(env, "");
	ck_assert_str_eq(all(), KNOWN);
}
END_TEST

START_TEST(finds_out_who_we_are)
{
	char *env[] = { NULL };
	const struct passwd *pw = getpwuid(geteuid());

	init(env, "");
	ck_assert_ptr_nonnull(strstr(env_get(c.list, "PATH"), "/usr/bin:/sbin:/bin"));
	ck_assert_str_eq(env_get(c.list, "HOME"), pw == NULL ? "/" : pw->pw_dir);
	if (pw != NULL) {
		ck_assert_str_eq(env_get(c.list, "USER"), pw->pw_name);
		ck_assert_str_eq(env_get(c.list, "LOGNAME"), pw->pw_name);
	}
	ck_assert_str_eq(env_get(c.list, "SHELL"), "/bin/sh");
	ck_assert_str_eq(env_get(c.list, "LANG"), "C.UTF-8");
}
END_TEST

START_TEST(finds_out_each_alone)
{
	static const char *const names[] = { "HOME", "USER", "LOGNAME" };
	char *env[4] = { NULL };
	int i, k;

	if (getpwuid(geteuid()) == NULL)
		SKIP("this user is not in passwd");
	for (i = 0, k = 0; i < 3; i++)
		if (i != _i)
			env[k++] = known[i + 1];
	init(env, "");
	ck_assert_msg(env_get(c.list, names[_i]) != NULL, "no %s", names[_i]);
}
END_TEST

#define X32 "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"

static const struct {
	const char *keep, *want;
} keeps[] = {
	{ "", "" },
	{ "A", "A=1|" },
	{ "A,B", "A=1|B=2 3|" },
	{ "A B", "A=1|B=2 3|" },
	{ " ,A , , B,", "A=1|B=2 3|" },
	{ "B,A", "B=2 3|A=1|" },
	{ "A,A", "A=1|" },
	{ "LONG_" X32 X32 X32 X32, "LONG_" X32 X32 X32 X32 "=5|" },
	{ "EMPTY", "EMPTY=|" },
	{ "NONE", "" },
	{ "NONE,A", "A=1|" },
	{ "AA", "" },
	{ "a", "" },
	{ "*", "" },
	{ "A=1", "" },
	{ "A\tB", "" },
	{ ",", "" },
	{ " ", "" },
};

START_TEST(keeps_names)
{
	char *env[] = { "PATH=/bin", "HOME=/h", "USER=u", "LOGNAME=l", "A=1", "B=2 3",
		"EMPTY=", "C=4", "LONG_" X32 X32 X32 X32 "=5", NULL };
	char want[512];

	init(env, keeps[_i].keep);
	snprintf(want, sizeof(want), "%s%s", KNOWN, keeps[_i].want);
	ck_assert_str_eq(all(), want);
}
END_TEST

/* A name that is kept wins over the fixed values. */
START_TEST(keeps_what_it_would_set)
{
	char *env[] = { "PATH=/bin", "HOME=/h", "USER=u", "LOGNAME=l", "LANG=de_DE",
		NULL };

	init(env, "LANG");
	ck_assert_str_eq(env_get(c.list, "LANG"), "de_DE");
	ck_assert_uint_eq(c.n, 6);
}
END_TEST

START_TEST(adds_and_replaces)
{
	init(known, "");
	ck_assert_int_eq(childenv_set(&c, "NEW", "1", &f), 0);
	ck_assert_int_eq(childenv_set(&c, "HOME", "/other", &f), 0);
	ck_assert_int_eq(childenv_set(&c, "NEW", "", &f), 0);
	ck_assert_int_eq(childenv_set(&c, "NE", "a=b", &f), 0);
	ck_assert_str_eq(all(),
	    "PATH=/bin|HOME=/other|USER=u|LOGNAME=l|SHELL=/bin/sh|"
	    "LANG=C.UTF-8|NEW=|NE=a=b|");
}
END_TEST

/* The strings are copies. */
START_TEST(owns_its_strings)
{
	char path[] = "PATH=/bin",
	     *env[] = { path, "HOME=/h", "USER=u", "LOGNAME=l", NULL };

	init(env, "");
	memset(path, 'x', sizeof(path) - 1);
	ck_assert_str_eq(all(), KNOWN);
}
END_TEST

START_TEST(frees_twice)
{
	init(known, "");
	childenv_free(&c);
	ck_assert_uint_eq(c.n, 0);
	childenv_free(&c);
}
END_TEST

START_TEST(holds_many)
{
	char name[16], want[16];
	int i;

	init(known, "");
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		ck_assert_int_eq(childenv_set(&c, name, name, &f), 0);
	}
	ck_assert_uint_eq(c.n, 1006);
	for (i = 0; i < 1000; i += 111) {
		snprintf(want, sizeof(want), "N%d", i);
		ck_assert_str_eq(env_get(c.list, want), want);
	}
	ck_assert_ptr_null(c.list[c.n]);
}
END_TEST

START_TEST(holds_a_long_value)
{
	size_t len = 200000;
	char *value = malloc(len + 1);

	ck_assert_ptr_nonnull(value);
	memset(value, 'x', len);
	value[len] = '\0';
	init(known, "");
	ck_assert_int_eq(childenv_set(&c, "LONG", value, &f), 0);
	ck_assert_uint_eq(strlen(env_get(c.list, "LONG")), len);
	free(value);
}
END_TEST

/* Bytes of a value are not changed. */
START_TEST(passes_every_byte)
{
	char value[256];
	int i;

	for (i = 0; i < 255; i++)
		value[i] = (char)(i + 1);
	value[255] = '\0';
	init(known, "");
	ck_assert_int_eq(childenv_set(&c, "ALL", value, &f), 0);
	ck_assert_str_eq(env_get(c.list, "ALL"), value);
}
END_TEST

START_TEST(passes_over_no_assignments)
{
	char *env[] = { "", "=", "PATH", "HOME", "=PATH=/evil", "PATH =/evil",
		"PATH=/bin", "HOME=/h", "USER=u", "LOGNAME=l", "PATH=/evil", NULL };

	init(env, "");
	ck_assert_str_eq(all(), KNOWN);
}
END_TEST

static char folder[ROOM_MAX];

static void
put_tool(const char *name, mode_t mode)
{
	room_put(name, "#!/bin/sh\n", 10);
	ck_assert_int_eq(chmod(name, mode), 0);
}

static const struct {
	const char *path; /* @: the room */
	const char *want; /* below the room, or NULL */
	const char *word;
} finds[] = {
	{ "@/a", "/a/tool", NULL },
	{ "@/none:@/a", "/a/tool", NULL },
	{ "@/b:@/a", "/b/tool", NULL },
	{ "@/plain:@/a", "/a/tool", NULL },
	{ "@/a:", "/a/tool", NULL },
	{ "a:@/b", "/b/tool", NULL },
	{ "./a:@/b", "/b/tool", NULL },
	{ ":@/b", "/b/tool", NULL },
	{ "::@/b", "/b/tool", NULL },
	{ "@/with space", "/with space/tool", NULL },
	{ NULL, NULL, "tool is not on PATH" },
	{ "", NULL, "tool is not on PATH" },
	{ ":", NULL, "tool is not on PATH" },
	{ "a", NULL, "tool is not on PATH" },
	{ ".", NULL, "tool is not on PATH" },
	{ "a:b:..", NULL, "tool is not on PATH" },
	{ "@/none", NULL, "tool is not on PATH" },
	{ "@/plain", NULL, "tool on PATH is not executable" },
	{ "@/plain:@/none", NULL, "tool on PATH is not executable" },
	{ "@/folder:@/a", "/a/tool", NULL },
};

static void
make_tools(void)
{
	memset(&c, 0, sizeof(c));
	(void)room_enter(folder);
	/* that of the current folder must never be found */
	put_tool("tool", 0700);
	ck_assert_int_eq(mkdir("a", 0700) | mkdir("b", 0700) | mkdir("plain", 0700) |
		mkdir("with space", 0700) | mkdir("folder", 0700) |
		mkdir("folder/tool", 0700),
	    0);
	put_tool("a/tool", 0700);
	put_tool("b/tool", 0700);
	put_tool("with space/tool", 0700);
	put_tool("plain/tool", 0600);
}

START_TEST(finds_on_the_path)
{
	char var[512] = "PATH=", want[128], out[256];
	char *given[] = { "PATHX=/bin", var, NULL };
	const char *p;
	int rc;

	make_tools();
	for (p = finds[_i].path; p != NULL && *p != '\0'; p++)
		if (*p == '@')
			strcat(var, folder);
		else
			strncat(var, p, 1);
	if (finds[_i].path == NULL)
		given[1] = NULL;
	rc = env_find("tool", given, out, sizeof(out), &f);
	if (finds[_i].want != NULL) {
		ck_assert_msg(rc == 0, "%s: %s", var, f.what);
		snprintf(want, sizeof(want), "%s%s", folder, finds[_i].want);
		ck_assert_str_eq(out, want);
	} else {
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(f.kind, FAULT_HOST);
		ck_assert_str_eq(f.what, finds[_i].word);
		ck_assert_str_ne(f.next, "");
	}
	room_leave();
}
END_TEST

/* A path that does not fit is skipped, never cut. */
START_TEST(finds_nothing_cut)
{
	char var[512], out[64];
	char *given[] = { var, NULL };

	make_tools();
	snprintf(var, sizeof(var), "PATH=%s/a", folder);
	ck_assert_int_eq(env_find("tool", given, out, strlen(folder) + 8, &f), 0);
	ck_assert_int_eq(env_find("tool", given, out, strlen(folder) + 7, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	snprintf(var, sizeof(var), "PATH=%s/aXXXXXXXXXXXXXXXXXXXXXXXXX:%s/b", folder,
	    folder);
	fault_clear(&f);
	ck_assert_int_eq(env_find("tool", given, out, strlen(folder) + 8, &f), 0);
	ck_assert_str_eq(out + strlen(folder), "/b/tool");
	room_leave();
}
END_TEST

Suite *
childenv_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), ONCE(gets_by_name),
		ONCE(is_built_from_nothing), ONCE(finds_out_who_we_are),
		EACH(keeps_names, N(keeps)), ONCE(keeps_what_it_would_set),
		ONCE(adds_and_replaces), ONCE(owns_its_strings), ONCE(frees_twice),
		EACH(finds_out_each_alone, 3), CASE("Limits"), ONCE(holds_many),
		ONCE(holds_a_long_value), CASE("Hostile"), ONCE(passes_every_byte),
		ONCE(passes_over_no_assignments), EACH(finds_on_the_path, N(finds)),
		ONCE(finds_nothing_cut) };

	return unit_suite("childenv", setup, teardown, tests, N(tests));
}
