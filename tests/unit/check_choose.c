/*
 * check_choose.c: which target a tag is for.
 */
#include "request/choose.h"

#include <check.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *choose_suite(void);

static struct target targets[] = {
	{ .name = "default", .tag_pattern = "v[0-9]+" },
	{ .name = "back",
	    .tag_pattern = "v[0-9]+",
	    .tag_prefix = "back-",
	    .strip_prefix = 1 },
	{ .name = "front", .tag_pattern = "front-v[0-9]+", .tag_prefix = "front-" },
	{ .name = "wide", .tag_pattern = ".*-v9" },
};
static const struct config config = { .target = targets, .n = N(targets) };
static struct choice choice;
static struct fault f;

static void
setup(void)
{
	memset(&choice, 0xa5, sizeof(choice));
	memset(&f, 0, sizeof(f));
}

static const struct {
	const char *tag, *name, *allowed;
	const char *target, *used; /* what is chosen, */
	const char *what, *next;   /* or the fault */
} rows[] = {
	{ "v1", NULL, NULL, "default", "v1", NULL, NULL },
	{ "v1", "", "all", "default", "v1", NULL, NULL },
	{ "v1", NULL, "default", "default", "v1", NULL, NULL },
	{ "back-v1", NULL, NULL, "back", "v1", NULL, NULL },
	{ "back-v1", NULL, "front,back", "back", "v1", NULL, NULL },
	{ "back-v1", "back", "back", "back", "v1", NULL, NULL },
	{ "v1", "back", NULL, "back", "v1", NULL, NULL },
	{ "front-v1", NULL, NULL, "front", "front-v1", NULL, NULL },
	{ "front-v9", "front", NULL, "front", "front-v9", NULL, NULL },
	{ "front-v9", NULL, "front", "front", "front-v9", NULL, NULL },
	{ "front-v9", NULL, NULL, NULL, NULL,
	    "invalid tag: front-v9: targets front and wide accept it",
	    "add target=front or target=wide" },
	{ "v9", NULL, "wide", NULL, NULL, "invalid tag: v9", ".*-v9" },
	{ "v1", NULL, "back", NULL, NULL, "invalid tag: v1",
	    "tags of target back start with back-" },
	{ "v1", "front", NULL, NULL, NULL, "invalid tag: v1",
	    "tags of target front start with front-" },
	{ "back-x", NULL, "back", NULL, NULL, "invalid tag: back-x", "v[0-9]+" },
	{ "back-", NULL, "back", NULL, NULL, "invalid tag: back-", "docker tag" },
	{ "back-back-v1", NULL, NULL, NULL, NULL, "invalid tag: back-back-v1",
	    "after back-: " },
	{ "ba-v1", NULL, NULL, NULL, NULL, "invalid tag: ba-v1: no target accepts it",
	    "targets are default, back, front, wide" },
	{ "x", NULL, "back,front", NULL, NULL, "invalid tag: x: no target accepts it",
	    "targets are back, front" },
	{ "v1", "none", NULL, NULL, NULL, "invalid request: no such target: none",
	    "targets are default, back, front, wide" },
	{ "v1", "default", "back", NULL, NULL, "invalid request: no such target: default",
	    "targets are back" },
	{ "v1", "all", NULL, NULL, NULL, "invalid request: no such target: all", "" },
	{ "v1", "\x1b", NULL, NULL, NULL, "invalid request: no such target: \\033", "" },
	{ "v1", NULL, "none", NULL, NULL, "invalid tag: v1: no target for this key",
	    "--target" },
	{ "v1", NULL, "", NULL, NULL, "invalid tag: v1: no target for this key", "" },
	{ "v1", NULL, "def,defaults,ault", NULL, NULL, "no target for this key", "" },
	{ "a/b", NULL, NULL, NULL, NULL, "invalid tag: a/b", "docker tag" },
	{ "", NULL, NULL, NULL, NULL, "invalid tag: ", "docker tag" },
};

START_TEST(chooses_by_tag)
{
	int rc = choose_by_tag(&config, rows[_i].tag, rows[_i].name, rows[_i].allowed,
	    &choice, &f);

	if (rows[_i].target != NULL) {
		ck_assert_msg(rc == 0, "%s", f.what);
		ck_assert_str_eq(choice.target->name, rows[_i].target);
		ck_assert_str_eq(choice.tag, rows[_i].used);
		ck_assert_int_eq(f.kind, FAULT_NONE);
		return;
	}
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	ck_assert_msg(strstr(f.what, rows[_i].what) != NULL, "%s", f.what);
	ck_assert_msg(strstr(f.next, rows[_i].next) != NULL, "%s", f.next);
}
END_TEST

START_TEST(chooses_by_name)
{
	const struct target *t;

	ck_assert_int_eq(choose_named(&config, "front", "front,back", &t, &f), 0);
	ck_assert_ptr_eq(t, &targets[2]);
	ck_assert_int_eq(choose_named(&config, NULL, "wide", &t, &f), 0);
	ck_assert_ptr_eq(t, &targets[3]);
	ck_assert_int_eq(choose_named(&config, "", NULL, &t, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	ck_assert_str_eq(f.what, "invalid request: name the target: target=NAME");
	ck_assert_str_eq(f.next, "targets are default, back, front, wide");
	fault_clear(&f);
	ck_assert_int_eq(choose_named(&config, "front", "back", &t, &f), -1);
	ck_assert_str_eq(f.what, "invalid request: no such target: front");
	fault_clear(&f);
	ck_assert_int_eq(choose_named(&config, NULL, "none", &t, &f), -1);
	ck_assert_str_eq(f.what, "invalid request: no target for this key");
}
END_TEST

/* The tag of a rollback: the pattern does not matter, the prefix may be missing. */
START_TEST(strips_a_tag)
{
	char tag[TAG_MAX];

	ck_assert_int_eq(choose_tag(&targets[1], "back-old", tag, &f), 0);
	ck_assert_str_eq(tag, "old");
	ck_assert_int_eq(choose_tag(&targets[1], "old", tag, &f), 0);
	ck_assert_str_eq(tag, "old");
	ck_assert_int_eq(choose_tag(&targets[2], "front-old", tag, &f), 0);
	ck_assert_str_eq(tag, "front-old");
	ck_assert_int_eq(choose_tag(&targets[1], "back-", tag, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	fault_clear(&f);
	ck_assert_int_eq(choose_tag(&targets[0], "a/b", tag, &f), -1);
	ck_assert_str_eq(f.what, "invalid tag: a/b");
}
END_TEST

/* The names of all that fit; never more than the fault holds. */
START_TEST(bounds_the_names)
{
	static struct target many[TARGETS_MAX];
	const struct config c = { .target = many, .n = TARGETS_MAX };
	int i;

	for (i = 0; i < TARGETS_MAX; i++) {
		memset(many[i].name, 'a', TARGET_NAME_MAX - 1);
		many[i].name[0] = (char)('0' + i);
		many[i].tag_pattern[0] = 'x';
	}
	ck_assert_int_eq(choose_by_tag(&c, "v1", NULL, NULL, &choice, &f), -1);
	ck_assert_str_eq(f.what, "invalid tag: v1: no target accepts it");
	ck_assert_uint_eq(strlen(f.next), sizeof(f.next) - 1);
}
END_TEST

Suite *
choose_suite(void)
{
	Suite *s = suite_create("choose");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");

	tcase_add_checked_fixture(core, setup, NULL);
	tcase_add_loop_test(core, chooses_by_tag, 0, N(rows));
	tcase_add_test(core, chooses_by_name);
	tcase_add_test(core, strips_a_tag);
	suite_add_tcase(s, core);
	tcase_add_checked_fixture(limits, setup, NULL);
	tcase_add_test(limits, bounds_the_names);
	suite_add_tcase(s, limits);
	return s;
}
