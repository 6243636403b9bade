/*
 * check_folder.c: the state folder and free space.
 */
#include "suite.h"
#include "room.h"
#include "skip.h"
#include "state/folder.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534

Suite *folder_suite(void);

extern int (*unit_on_fsync)(int fd);

static char folder[64], path[128];
static struct fault f;

static void
setup(void)
{
	(void)room_enter(folder);
	snprintf(path, sizeof(path), "%s/state", folder);
	memset(&f, 0, sizeof(f));
}

static void
refused(const char *name, bool make, const char *word)
{
	const char *p;

	fault_clear(&f);
	ck_assert_int_eq(folder_open(name, make, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, word) != NULL, "%s", f.what);
	for (p = f.what; *p != '\0'; p++)
		ck_assert(*p >= ' ' && *p <= '~');
}

/* Those of targets/NAME, and no others: another path may be wrong. */
START_TEST(makes_the_folders_above_a_target)
{
	char name[192];

	snprintf(name, sizeof(name), "%s/targets/web", path);
	close(folder_open(name, true, &f));
	ck_assert_msg(f.kind == FAULT_NONE, "%s", f.what);
	snprintf(name, sizeof(name), "%s/other/web", path);
	refused(name, true, "cannot create");
	snprintf(name, sizeof(name), "%s/none/none/targets/web", path);
	refused(name, true, "cannot create");
}
END_TEST

START_TEST(makes_it)
{
	struct stat st, byfd;
	int fd;

	umask(_i == 0 ? 0 : 077);
	fd = folder_open(path, true, &f);
	ck_assert_msg(fd >= 0, "%s", f.what);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fstat(fd, &byfd), 0);
	ck_assert_uint_eq(st.st_ino, byfd.st_ino);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	/* it is opened again */
	ck_assert_int_ge(fd = folder_open(path, true, &f), 0);
	close(fd);
	ck_assert_int_ge(fd = folder_open(path, false, &f), 0);
	close(fd);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}
END_TEST

static bool fail;
static int synced;

/* Of the folder above the state folder. */
static int
count_sync(int fd)
{
	struct stat st, above;

	if (fstat(fd, &st) == 0 && stat(folder, &above) == 0 && st.st_ino == above.st_ino)
		synced++;
	errno = EIO;
	return fail ? -1 : 0;
}

START_TEST(makes_it_durable)
{
	int fd;

	synced = 0;
	fail = _i == 1;
	unit_on_fsync = count_sync;
	fd = folder_open(path, true, &f);
	ck_assert_int_eq(fd == -1, fail);
	ck_assert_int_eq(synced, 1);
	if (fail)
		ck_assert_ptr_nonnull(strstr(f.what, "Input/output error"));
	close(fd);
	/* it is there already */
	close(folder_open(path, true, &f));
	unit_on_fsync = NULL;
	ck_assert_int_eq(synced, 1);
}
END_TEST

START_TEST(makes_none_unasked)
{
	ck_assert_int_eq(folder_open(path, false, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(makes_no_parents)
{
	char deep[160];

	snprintf(deep, sizeof(deep), "%s/below", path);
	refused(deep, true, "cannot create state folder");
	ck_assert_ptr_nonnull(strstr(f.next, "`state`"));
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(judges_the_mode)
{
	static const struct {
		mode_t mode;
		bool good;
	} modes[] = { { 0700, true }, { 01700, true }, { 02700, true }, { 0500, true },
		{ 0720, false }, { 0702, false }, { 0770, false }, { 0777, false },
		{ 01777, false }, { 0722, false } };
	int fd;

	ck_assert_int_lt(_i, N(modes));
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, modes[_i].mode), 0);
	if (modes[_i].good) {
		ck_assert_int_ge(fd = folder_open(path, true, &f), 0);
		close(fd);
	} else {
		refused(path, true, "can be written by others");
		refused(path, false, "can be written by others");
		ck_assert_str_ne(f.next, "");
	}
	ck_assert_int_eq(chmod(path, 0700), 0);
}
END_TEST

START_TEST(judges_the_owner)
{
	int fd, other;

	if (geteuid() != 0)
		SKIP("not run as root");
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
	other = folder_open(path, false, &f);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(other, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "belongs to another user"));
	fault_clear(&f);
	/* root may open any */
	ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
	ck_assert_int_ge(fd = folder_open(path, false, &f), 0);
	close(fd);
}
END_TEST

START_TEST(refuses_other_kinds)
{
	ck_assert_int_eq(close(creat("file", 0600)), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	refused("file", false, "cannot open state folder");
	refused("file", true, "cannot open state folder");
	refused("fifo", true, "cannot open state folder");
	refused("link", true, "cannot open state folder");
	refused("link", false, "cannot open state folder");
	refused("dangling", true, "cannot open state folder");
	ck_assert_int_eq(access("nowhere", F_OK), -1);
	refused("file/below", false, "cannot open state folder");
	refused("file/below", true, "cannot create state folder");
	refused("", true, "cannot create state folder");
}
END_TEST

START_TEST(escapes_the_path)
{
	refused("a\x1b[2J\n/b", true, "a\\033[2J\\n/b");
}
END_TEST

START_TEST(shows_a_long_path_cut)
{
	char name[PATH_MAX + 100];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	refused(name, true, "aaa...: File name too long");
	refused(name, false, "aaa...: File name too long");
}
END_TEST

START_TEST(tells_free_space)
{
	struct statvfs vfs;

	ck_assert_int_eq(statvfs("/", &vfs), 0);
	ck_assert_int_gt(folder_free_space(folder), 0);
	ck_assert_int_le(folder_free_space("/"),
	    (int64_t)vfs.f_blocks * (int64_t)vfs.f_frsize);
	/* /proc has none */
	if (statvfs("/proc", &vfs) == 0 && vfs.f_blocks == 0)
		ck_assert_int_eq(folder_free_space("/proc"), 0);
}
END_TEST

/* If a path does not exist, the nearest folder above counts. */
START_TEST(asks_the_folder_above)
{
	struct statvfs vfs;

	ck_assert_int_ge(folder_free_space("/no-such-folder"), 0);
	ck_assert_int_ge(folder_free_space("/no-such-folder/a/b/c"), 0);
	ck_assert_int_gt(folder_free_space(path), 0);
	if (statvfs("/proc", &vfs) == 0 && vfs.f_blocks == 0) {
		ck_assert_int_eq(folder_free_space("/proc/none"), 0);
		ck_assert_int_eq(folder_free_space("/proc/none/of/these"), 0);
	}
}
END_TEST

START_TEST(tells_no_space_of_nothing)
{
	char name[PATH_MAX + 10];

	ck_assert_int_eq(folder_free_space(""), -1);
	ck_assert_int_eq(folder_free_space("relative"), -1);
	ck_assert_int_eq(folder_free_space("./a"), -1);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(folder_free_space(name), -1);
	name[PATH_MAX - 1] = '\0';
	ck_assert_int_ge(folder_free_space(name), 0);
}
END_TEST

START_TEST(survives_every_byte)
{
	char name[] = "/tmp/?/?";
	int i;

	for (i = 1; i < 256; i++) {
		name[5] = name[7] = (char)i;
		ck_assert_int_ge(folder_free_space(name), 0);
	}
}
END_TEST

Suite *
folder_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		ONCE(makes_the_folders_above_a_target), EACH(makes_it, 2),
		EACH(makes_it_durable, 2), ONCE(makes_none_unasked),
		ONCE(makes_no_parents), ONCE(tells_free_space),
		ONCE(asks_the_folder_above), CASE("Limits"), EACH(judges_the_mode, 10),
		ONCE(shows_a_long_path_cut), ONCE(tells_no_space_of_nothing),
		CASE("Hostile"), ONCE(judges_the_owner), ONCE(refuses_other_kinds),
		ONCE(escapes_the_path), ONCE(survives_every_byte) };

	return unit_suite("folder", setup, room_leave, tests, N(tests));
}
