/*
 * check_prune.c: which images stay, and how much room there must be.
 */
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *prune_suite(void);

static char keep_1[] = "TWILIGHT_KEEP=1", keep_2[] = "TWILIGHT_KEEP=2",
	    own[] = "TWILIGHT_PRUNE=own", much[] = "TWILIGHT_DISK_MIN=8000000G";
static char *const keeping_1[] = { keep_1, NULL };
static char *const keeping_2[] = { keep_2, NULL };
static char *const only_own[] = { own, NULL };

static const char *const tags[] = { "v1", "v2", "v3", "v4", "v5", "v6" };
static const char letters[] = "abc456";

static bool
is_here(struct rig *r, char letter)
{
	return fake_image_of(r->fake, fake_id(letter))[0] != '\0';
}

static const char *
second(char letter)
{
	static char ref[80];

	snprintf(ref, sizeof(ref), SECOND ":%.12s", fake_id(letter) + 7);
	return ref;
}

/* v1 to v6, one after the other. */
static void
deploy_all(struct rig *r, char *const *settings, size_t n)
{
	size_t i;

	rig_open(r, settings);
	for (i = 3; i < 6; i++)
		fake_push(r->fake, tags[i], letters[i], FAKE_GOOD);
	for (i = 1; i < n; i++) {
		fake_calm(r->fake);
		rig_kind_is(r, rig_deploy(r, tags[i]), FAULT_NONE);
	}
}

/* The newest `keep` of the first `n` are there by both their names. */
static void
check_kept(struct rig *r, size_t n, size_t keep)
{
	char ref[64];
	size_t i;

	for (i = 0; i < n; i++) {
		const char *want = i + keep >= n ? fake_id(letters[i]) : "";

		snprintf(ref, sizeof(ref), REPO ":%s", tags[i]);
		rig_name_is(r, ref, want);
		rig_name_is(r, second(letters[i]), want);
		ck_assert_int_eq(is_here(r, letters[i]), want[0] != '\0');
	}
}

START_TEST(newest_proven_stay)
{
	struct rig r;

	deploy_all(&r, NULL, 6);
	check_kept(&r, 6, 3);
	rig_close(&r);
}
END_TEST

START_TEST(as_many_as_told)
{
	struct rig r;

	deploy_all(&r, keeping_2, 5);
	check_kept(&r, 5, 2);
	rig_close(&r);
}
END_TEST

/* Keep one: yet what ran before stays, to go back to. */
START_TEST(previous_stays)
{
	struct rig r;

	deploy_all(&r, keeping_1, 4);
	check_kept(&r, 4, 2);
	rig_kind_is(&r, rig_run(&r, "rollback", ""), FAULT_NONE);
	rig_runs(&r, fake_id('c'));
	rig_close(&r);
}
END_TEST

/* The previous one was sick, so that nothing but having run speaks for it. */
START_TEST(previous_stays_unproven)
{
	struct rig r;

	rig_open(&r, keeping_1);
	fake_push(r.fake, "v1", 'a', FAKE_SICK);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_name_is(&r, REPO ":v1", fake_id('a'));
	rig_name_is(&r, second('a'), fake_id('a'));
	rig_close(&r);
}
END_TEST

START_TEST(failed_ones_are_not_kept)
{
	struct rig r;

	rig_open(&r, NULL);
	rig_kind_is(&r, rig_deploy(&r, "bad"), FAULT_FAILED);
	/* a deploy that failed prunes nothing */
	ck_assert_uint_eq(r.fake->count[FAKE_PRUNE] + r.fake->count[FAKE_UNNAME], 0);
	rig_name_is(&r, REPO ":bad", fake_id('d'));
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	rig_name_is(&r, REPO ":bad", "");
	ck_assert(!is_here(&r, 'd'));
	rig_close(&r);
}
END_TEST

/* Never a name of another repository, however much it looks like ours. */
START_TEST(others_stay)
{
	static const char *const refs[] = { "127.0.0.1:5000/demo2:v1",
		"127.0.0.1:5000/dem:v1", "127.0.0.1:5000/demo/part:v1", "demo:v1",
		"example.org/demo:v1", "twilight-deploy/other-data:ffffffffffff",
		"twilight-deploy/deploy-data2:ffffffffffff" };
	const size_t n = sizeof(refs) / sizeof(refs[0]);
	struct rig r;
	size_t i;

	rig_open(&r, NULL);
	for (i = 0; i < n; i++)
		fake_have(r.fake, refs[i], 'f');
	fake_have(r.fake, REPO ":gone", 'f');
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	for (i = 0; i < n; i++)
		rig_name_is(&r, refs[i], fake_id('f'));
	rig_name_is(&r, REPO ":gone", "");
	ck_assert(is_here(&r, 'f'));
	rig_close(&r);
}
END_TEST

START_TEST(one_that_is_used_stops_nobody)
{
	struct rig r;

	rig_open(&r, NULL);
	fake_have(r.fake, REPO ":x1", '1');
	fake_have(r.fake, REPO ":x2", '2');
	fake_have(r.fake, REPO ":x3", '3');
	fake_on(r.fake, FAKE_UNNAME, (unsigned)_i + 1, FAKE_HOST);
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_int_eq(is_here(&r, '1') + is_here(&r, '2') + is_here(&r, '3'), 1);
	rig_close(&r);
}
END_TEST

START_TEST(dangling_ones)
{
	struct rig r;

	rig_open(&r, _i == 0 ? NULL : only_own);
	fake_have(r.fake, "", 'f');
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	ck_assert_uint_eq(r.fake->count[FAKE_PRUNE], _i == 0 ? 1 : 0);
	ck_assert_int_eq(is_here(&r, 'f'), _i == 1);
	rig_close(&r);
}
END_TEST

/* latest, again and again: the second names hold what lost its first one. */
START_TEST(mutable_tag_keeps_its_past)
{
	struct rig r;
	size_t i;

	rig_open(&r, NULL);
	for (i = 0; i < 6; i++) {
		fake_push(r.fake, "latest", letters[i], FAKE_GOOD);
		rig_kind_is(&r, rig_deploy(&r, "latest"), FAULT_NONE);
		fake_calm(r.fake);
	}
	for (i = 0; i < 6; i++) {
		ck_assert_msg(is_here(&r, letters[i]) == (i >= 3), "%c", letters[i]);
		rig_name_is(&r, second(letters[i]), i >= 3 ? fake_id(letters[i]) : "");
	}
	rig_name_is(&r, REPO ":latest", fake_id(letters[5]));
	rig_close(&r);
}
END_TEST

/* ---- room ---- */

static char *const roomy[] = { much, NULL };
static char *const roomy_1[] = { much, keep_1, NULL };

START_TEST(no_room)
{
	struct rig r;

	rig_open(&r, roomy);
	if (_i == 1)
		strcpy(r.fake->root, "/");
	fake_have(r.fake, "", 'f');
	fake_have(r.fake, REPO ":x1", '1');
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(r.f.what, "MiB are free"));
	ck_assert_str_ne(r.f.next, "");
	/* nothing changed but unused images */
	rig_env_is(&r, "v1");
	rig_runs(&r, fake_id('a'));
	rig_name_is(&r, REPO ":v1", fake_id('a'));
	ck_assert_uint_eq(r.fake->count[FAKE_PULL] + r.fake->count[FAKE_UP] +
		r.fake->count[FAKE_REMOVE],
	    0);
	ck_assert(!rig_journal(&r, NULL));
	ck_assert_uint_eq(r.fake->count[FAKE_PRUNE], 1);
	ck_assert(!is_here(&r, 'f'));
	ck_assert(!is_here(&r, '1'));
	rig_close(&r);
}
END_TEST

/* Not even then a name of what runs, proven or not. */
START_TEST(no_room_and_the_running_one_stays)
{
	struct rig r;

	rig_open(&r, roomy);
	fake_have(r.fake, REPO ":stable", 'a');
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	rig_name_is(&r, REPO ":v1", fake_id('a'));
	rig_name_is(&r, REPO ":stable", fake_id('a'));
	rig_close(&r);
}
END_TEST

/* Nor the previous one: the way back is not what makes room. */
START_TEST(no_room_and_the_previous_one_stays)
{
	struct rig r;

	rig_open(&r, roomy_1);
	r.target.disk_min = 0;
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	r.target.disk_min = INT64_MAX;
	rig_kind_is(&r, rig_deploy(&r, "v3"), FAULT_HOST);
	ck_assert(is_here(&r, 'a'));
	rig_name_is(&r, second('a'), fake_id('a'));
	rig_close(&r);
}
END_TEST

START_TEST(no_room_on_a_silent_engine)
{
	struct rig r;

	rig_open(&r, roomy);
	r.fake->quiet = true;
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_HOST);
	ck_assert_uint_eq(r.fake->count[FAKE_PULL], 0);
	rig_env_is(&r, "v1");
	rig_close(&r);
}
END_TEST

/* To go back needs no room: nothing is pulled. */
START_TEST(no_room_to_go_back)
{
	struct rig r;

	rig_open(&r, roomy);
	r.target.disk_min = 0;
	rig_kind_is(&r, rig_deploy(&r, "v2"), FAULT_NONE);
	r.target.disk_min = INT64_MAX;
	rig_kind_is(&r, rig_run(&r, "rollback", ""), FAULT_NONE);
	rig_runs(&r, fake_id('a'));
	rig_close(&r);
}
END_TEST

Suite *
prune_suite(void)
{
	Suite *s = suite_create("prune");
	TCase *c = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *h = tcase_create("Hostile");

	tcase_add_test(c, newest_proven_stay);
	tcase_add_test(c, as_many_as_told);
	tcase_add_test(c, previous_stays);
	tcase_add_test(c, previous_stays_unproven);
	tcase_add_test(c, failed_ones_are_not_kept);
	tcase_add_loop_test(c, dangling_ones, 0, 2);
	tcase_add_test(c, mutable_tag_keeps_its_past);
	tcase_add_loop_test(limits, no_room, 0, 2);
	tcase_add_test(limits, no_room_and_the_running_one_stays);
	tcase_add_test(limits, no_room_and_the_previous_one_stays);
	tcase_add_test(limits, no_room_on_a_silent_engine);
	tcase_add_test(limits, no_room_to_go_back);
	tcase_add_test(h, others_stay);
	tcase_add_loop_test(h, one_that_is_used_stops_nobody, 0, 3);
	tcase_set_timeout(c, 60);
	tcase_set_timeout(limits, 60);
	tcase_set_timeout(h, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, h);
	return s;
}
