#include "room.h"
#include "state/freeze.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

Suite *freeze_suite(void);

extern int (*unit_on_fsync)(int fd);

#define NOW "2026-11-24T12:00:00Z"

static char folder[ROOM_MAX];
static int dir;
static struct fault f;
static struct freeze z;

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
	z = (struct freeze){ .reason = "moving \"the\" database",
		.who = { .actor = "alice" },
		.time = NOW };
}

static void
teardown(void)
{
	room_leave();
}

static bool
frozen_at(const char *now)
{
	struct freeze got;
	bool there;

	ck_assert_int_eq(freeze_read(dir, now, &got, &there, &f), 0);
	if (there) {
		ck_assert_str_eq(got.reason, z.reason);
		ck_assert_str_eq(got.who.actor, z.who.actor);
		ck_assert_str_eq(got.time, z.time);
		ck_assert_str_eq(got.until, z.until);
	}
	return there;
}

START_TEST(freeze_comes_and_goes)
{
	ck_assert(!frozen_at(NOW));
	ck_assert_int_eq(freeze_write(dir, &z, &f), 0);
	ck_assert(frozen_at("9999-12-31T23:59:59Z"));
	ck_assert_int_eq(freeze_clear(dir, &f), 0);
	ck_assert(!frozen_at(NOW));
	ck_assert_int_eq(freeze_clear(dir, &f), 0);
}
END_TEST

START_TEST(freeze_ends)
{
	strcpy(z.until, "2026-11-24T14:00:00Z");
	ck_assert_int_eq(freeze_write(dir, &z, &f), 0);
	ck_assert(frozen_at(NOW));
	ck_assert(frozen_at("2026-11-24T13:59:59Z"));
	ck_assert(!frozen_at("2026-11-24T14:00:00Z"));
	ck_assert_int_eq(freeze_check(-1, NOW, "web", &f), 0);
	ck_assert_int_eq(freeze_check(dir, z.until, "web", &f), 0);
	ck_assert_int_eq(freeze_check(dir, NOW, "web", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_REFUSED);
	ck_assert_str_eq(f.what,
	    "target web is frozen: moving \"the\" database (by alice, "
	    "until 2026-11-24 14:00 UTC)");
}
END_TEST

static int
fail_folder(int fd)
{
	errno = EIO;
	return fd == dir ? -1 : 0;
}

START_TEST(freeze_not_durable)
{
	unit_on_fsync = fail_folder;
	ck_assert_int_eq(freeze_write(dir, &z, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_UNVERIFIED);
	ck_assert(frozen_at(NOW));
	fault_clear(&f);
	ck_assert_int_eq(freeze_clear(dir, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_UNVERIFIED);
	ck_assert(!frozen_at(NOW));
	unit_on_fsync = NULL;
}
END_TEST

static const char *const damaged[] = {
	"",
	"{}",
	"[]",
	"{\"v\": 1}",
	"{\"v\": 2, \"reason\": \"x\", \"time\": \"" NOW "\", \"until\": \"\", \"who\": "
	"{\"actor\": \"\", \"key\": \"\", \"client\": \"\"}}",
	"{\"v\": 1, \"reason\": \"x\", \"time\": \"" NOW "\", \"until\": \"tomorrow\", "
	"\"who\": {\"actor\": \"\", \"key\": \"\", \"client\": \"\"}}",
	"{\"v\": 1, \"reason\": \"x\", \"time\": \"" NOW "\", \"until\": 7, \"who\": "
	"{\"actor\": \"\", \"key\": \"\", \"client\": \"\"}}",
};

/* A file that says nothing must not be taken for none. */
START_TEST(freeze_damaged)
{
	struct freeze got;
	bool there;

	room_put("freeze", damaged[_i], strlen(damaged[_i]));
	ck_assert_int_eq(freeze_read(dir, NOW, &got, &there, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert(!there);
	fault_clear(&f);
	ck_assert_int_eq(freeze_check(dir, NOW, "web", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
}
END_TEST

Suite *
freeze_suite(void)
{
	Suite *s = suite_create("freeze");
	TCase *t = tcase_create("Core");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, freeze_comes_and_goes);
	tcase_add_test(t, freeze_ends);
	tcase_add_test(t, freeze_not_durable);
	tcase_add_loop_test(t, freeze_damaged, 0, sizeof(damaged) / sizeof(damaged[0]));
	suite_add_tcase(s, t);
	return s;
}
