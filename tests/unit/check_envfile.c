/*
 * check_envfile.c: the .env file, read as compose reads it and replaced
 * byte for byte.  What the rows of envrows.h say about the grammar is compared
 * with the real one by tests/e2e/dotenv.c.
 */
#include "room.h"
#include "envrows.h"
#include "skip.h"
#include "state/envfile.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEW "sha-0123abc"
#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define NOBODY 65534
#define OTHER 4242

Suite *envfile_suite(void);

static char folder[ROOM_MAX];
static struct fault f;
static struct envfile e;

/*
 * fsync(2) is where another process may come in between, or the disk fail;
 * fake.c stands in for it and asks this first.
 */
extern int (*unit_on_fsync)(int fd);

static void
setup(void)
{
	(void)room_enter(folder);
	memset(&f, 0, sizeof(f));
	memset(&e, 0, sizeof(e));
	unit_on_fsync = NULL;
}

static void
teardown(void)
{
	envfile_free(&e);
	room_leave();
}

static void
put(const char *name, const char *bytes, size_t len)
{
	FILE *fp = fopen(name, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_uint_eq(fwrite(bytes, 1, len, fp), len);
	ck_assert_int_eq(fclose(fp), 0);
}

static void
puts_env(const char *text)
{
	put(".env", text, strlen(text));
}

static void
assert_bytes(const char *name, const char *bytes, size_t len)
{
	static char buf[ENVFILE_MAX + 2];
	FILE *fp = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(fp);
	n = fread(buf, 1, sizeof(buf), fp);
	fclose(fp);
	ck_assert_uint_eq(n, len);
	ck_assert_int_eq(memcmp(buf, bytes, len), 0);
}

static void
assert_env(const char *text)
{
	assert_bytes(".env", text, strlen(text));
}

static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
must_read(const char *path)
{
	ck_assert_msg(envfile_read(&e, path, K, &f) == 0, "%s", f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}

static void
must_replace(void)
{
	ck_assert_msg(envfile_replace(&e, NEW, "7", &f) == 0, "%s", f.what);
	ck_assert_str_eq(e.value, NEW);
}

static void
assert_refused(const char *says)
{
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, says) != NULL, "%s", f.what);
	ck_assert_str_ne(f.next, "");
}

static void
assert_unread(const char *says)
{
	ck_assert_int_eq(envfile_read(&e, ".env", K, &f), -1);
	ck_assert_ptr_null(e.path);
	ck_assert_ptr_null(e.bytes);
	assert_refused(says);
}

static void
assert_unreplaced(const char *says)
{
	ck_assert_int_eq(envfile_replace(&e, NEW, "7", &f), -1);
	assert_refused(says);
}

START_TEST(accepts)
{
	char old[512], new[512];
	int a, b;

	a = snprintf(old, sizeof(old), "%s%s%s", good[_i].before, good[_i].value,
	    good[_i].after);
	b = snprintf(new, sizeof(new), "%s" NEW "%s", good[_i].before, good[_i].after);
	puts_env(old);
	must_read(".env");
	ck_assert_str_eq(e.value, good[_i].value);
	ck_assert_uint_eq(e.value_len, strlen(good[_i].value));
	ck_assert_uint_eq(e.at, strlen(good[_i].before));
	ck_assert_uint_eq(e.line, good[_i].line);
	ck_assert_uint_eq(e.len, (size_t)a);
	must_replace();
	assert_bytes(".env", new, (size_t)b);
	/* and the struct is as if it had been read again, twice */
	ck_assert_uint_eq(e.len, (size_t)b);
	ck_assert_int_eq(envfile_replace(&e, good[_i].value, "8", &f), 0);
	assert_bytes(".env", old, (size_t)a);
	ck_assert_int_eq(entries("."), 1);
}
END_TEST

START_TEST(refuses)
{
	puts_env(bad[_i].text);
	assert_unread(bad[_i].says);
	/* "missing" is said exactly so, callers and people match it */
	if (strncmp(bad[_i].says, "missing", 7) == 0)
		ck_assert_str_eq(f.what, bad[_i].says);
	ck_assert_ptr_null(strstr(f.what, "s3cret"));
	ck_assert_ptr_null(strstr(f.next, "s3cret"));
	assert_env(bad[_i].text);
}
END_TEST

START_TEST(names_the_missing_file)
{
	assert_unread("missing env file: .env");
	ck_assert_str_eq(f.what, "missing env file: .env");
	fault_clear(&f);
	ck_assert_int_eq(envfile_read(&e, "no/such", K, &f), -1);
	ck_assert_str_eq(f.what, "missing env file: no/such");
}
END_TEST

START_TEST(names_key_and_path_as_given)
{
	puts_env("A=1\n");
	ck_assert_int_eq(symlink(".env", "link"), 0);
	ck_assert_int_eq(envfile_read(&e, "./link", "B", &f), -1);
	ck_assert_str_eq(f.what, "missing B in ./link");
}
END_TEST

START_TEST(replaces_by_absolute_path)
{
	char path[128];

	puts_env("A=1\n" K "=v\n");
	snprintf(path, sizeof(path), "%s/.env", folder);
	ck_assert_int_eq(chdir("/"), 0);
	must_read(path);
	ck_assert_int_eq(envfile_writable(&e, &f), 0);
	must_replace();
	ck_assert_int_eq(chdir(folder), 0);
	assert_env("A=1\n" K "=" NEW "\n");
	ck_assert_int_eq(entries("."), 1);
}
END_TEST

START_TEST(keeps_mode)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0400, 0664, 0666, 0200, 0604 };
	struct stat st;

	puts_env(K "=v\n");
	must_read(".env");
	ck_assert_int_eq(chmod(".env", modes[_i]), 0);
	ck_assert_int_eq(stat(".env", &e.st), 0);
	umask(0077);
	if (modes[_i] == 0200 && geteuid() != 0)
		SKIP("not run as root");
	must_replace();
	ck_assert_int_eq(stat(".env", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, modes[_i]);
	ck_assert_uint_eq(st.st_ino, e.st.st_ino);
}
END_TEST

/* Both, and each where the other is what the new file is born with. */
START_TEST(keeps_owner_and_group)
{
	const uid_t owner = _i == 1 ? geteuid() : OTHER;
	const gid_t group = _i == 2 ? getegid() : OTHER + 1;
	struct stat st;

	if (geteuid() != 0)
		SKIP("not run as root");
	puts_env(K "=v\n");
	ck_assert_int_eq(chown(".env", owner, group), 0);
	ck_assert_int_eq(chmod(".env", 0640), 0);
	must_read(".env");
	must_replace();
	ck_assert_int_eq(stat(".env", &st), 0);
	ck_assert_uint_eq(st.st_uid, owner);
	ck_assert_uint_eq(st.st_gid, group);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(keeps_attributes)
{
	char buf[32];

	puts_env(K "=v\n");
	if (setxattr(".env", "user.note", "a\0b", 3, 0) == -1 && errno == ENOTSUP)
		SKIP("no user attributes on this file system");
	ck_assert_int_eq(setxattr(".env", "user.empty", "", 0, 0), 0);
	must_read(".env");
	must_replace();
	ck_assert_int_eq(getxattr(".env", "user.note", buf, sizeof(buf)), 3);
	ck_assert_int_eq(memcmp(buf, "a\0b", 3), 0);
	ck_assert_int_eq(getxattr(".env", "user.empty", buf, sizeof(buf)), 0);
}
END_TEST

/* POSIX ACL, as acl(5) lays it out: owner rw-, user OTHER r--, mask r--. */
static const unsigned char acl[] = {
	2,
	0,
	0,
	0,
	0x01,
	0,
	6,
	0,
	0xff,
	0xff,
	0xff,
	0xff,
	0x02,
	0,
	4,
	0,
	OTHER & 0xff,
	OTHER >> 8,
	0,
	0,
	0x04,
	0,
	0,
	0,
	0xff,
	0xff,
	0xff,
	0xff,
	0x10,
	0,
	4,
	0,
	0xff,
	0xff,
	0xff,
	0xff,
	0x20,
	0,
	0,
	0,
	0xff,
	0xff,
	0xff,
	0xff,
};

START_TEST(keeps_acl)
{
	unsigned char buf[128];

	puts_env(K "=v\n");
	if (setxattr(".env", "system.posix_acl_access", acl, sizeof(acl), 0) == -1)
		SKIP("no ACL on this file system");
	must_read(".env");
	must_replace();
	ck_assert_int_eq(getxattr(".env", "system.posix_acl_access", buf, sizeof(buf)),
	    sizeof(acl));
	ck_assert_mem_eq(buf, acl, sizeof(acl));
}
END_TEST

START_TEST(takes_no_acl_from_the_folder)
{
	unsigned char buf[128];
	struct stat st;

	puts_env(K "=v\n");
	ck_assert_int_eq(chmod(".env", 0640), 0);
	if (setxattr(".", "system.posix_acl_default", acl, sizeof(acl), 0) == -1)
		SKIP("no ACL on this file system");
	must_read(".env");
	must_replace();
	ck_assert_int_eq(getxattr(".env", "system.posix_acl_access", buf, sizeof(buf)),
	    -1);
	ck_assert_int_eq(stat(".env", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(follows_one_link)
{
	static const char *const targets[] = { "real/e", "./real/../real/e", NULL };
	char path[128];
	struct stat st;

	ck_assert_int_eq(mkdir("real", 0700), 0);
	put("real/e", K "=v\n", sizeof(K "=v\n") - 1);
	snprintf(path, sizeof(path), "%s/real/e", folder);
	ck_assert_int_eq(symlink(targets[_i] == NULL ? path : targets[_i], ".env"), 0);
	must_read(_i == 0 ? "./.env" : ".env");
	ck_assert_int_eq(envfile_writable(&e, &f), 0);
	must_replace();
	assert_bytes("real/e", K "=" NEW "\n", sizeof(K "=" NEW "\n") - 1);
	ck_assert_int_eq(lstat(".env", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(entries("real"), 1);
}
END_TEST

START_TEST(follows_a_linked_folder)
{
	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "alias"), 0);
	put("real/e", K "=v\n", sizeof(K "=v\n") - 1);
	ck_assert_int_eq(symlink("e", "real/l"), 0);
	must_read("alias/l");
	must_replace();
	assert_bytes("real/e", K "=" NEW "\n", sizeof(K "=" NEW "\n") - 1);
}
END_TEST

START_TEST(sweeps_its_own)
{
	struct stat st;

	ck_assert_int_eq(mkdir("real", 0700), 0);
	put("real/e", K "=v\n", sizeof(K "=v\n") - 1);
	put("real/e.twilight-deploy.1", "x", 1);
	put("real/e.twilight-deploy.", "x", 1);
	put("real/e.twilight-deployed", "x", 1);
	put("real/ee.twilight-deploy.1", "x", 1);
	put("e.twilight-deploy.1", "x", 1);
	ck_assert_int_eq(mkdir("real/e.twilight-deploy.d", 0700), 0);
	ck_assert_int_eq(symlink("e", "real/e.twilight-deploy.l"), 0);
	ck_assert_int_eq(symlink("real/e", ".env"), 0);
	envfile_sweep(".env");
	ck_assert_int_eq(stat("real/e.twilight-deploy.1", &st), -1);
	ck_assert_int_eq(stat("real/e.twilight-deploy.", &st), -1);
	ck_assert_int_eq(entries("real"), 5);
	ck_assert_int_eq(stat("e.twilight-deploy.1", &st), 0);
	envfile_sweep("no/such");
	envfile_sweep("");
	/* also when the file itself is gone */
	envfile_sweep("e");
	ck_assert_int_eq(stat("e.twilight-deploy.1", &st), -1);
}
END_TEST

START_TEST(sweeps_no_one_elses)
{
	struct stat st;

	if (geteuid() != 0)
		SKIP("not run as root");
	puts_env(K "=v\n");
	put(".env.twilight-deploy.1", "x", 1);
	ck_assert_int_eq(chown(".env.twilight-deploy.1", OTHER, OTHER), 0);
	envfile_sweep(".env");
	ck_assert_int_eq(stat(".env.twilight-deploy.1", &st), 0);
}
END_TEST

START_TEST(frees_twice)
{
	puts_env(K "=v\n");
	must_read(".env");
	envfile_free(&e);
	envfile_free(&e);
	ck_assert_ptr_null(e.bytes);
	ck_assert_str_eq(e.value, "");
}
END_TEST

/* Limits */

START_TEST(takes_the_largest_file)
{
	static char buf[ENVFILE_MAX + 1];
	const size_t n = sizeof(K "=v\n") - 1;

	memset(buf, 'x', sizeof(buf));
	memcpy(buf, K "=v\n#", n + 1);
	put(".env", buf, ENVFILE_MAX);
	must_read(".env");
	ck_assert_uint_eq(e.len, ENVFILE_MAX);
	ck_assert_int_eq(envfile_replace(&e, "w", "7", &f), 0);
	assert_unreplaced("would become larger");
	ck_assert_str_eq(e.value, "w");
	buf[n - 2] = 'w';
	assert_bytes(".env", buf, ENVFILE_MAX);
	ck_assert_int_eq(entries("."), 1);
	envfile_free(&e);
	fault_clear(&f);
	put(".env", buf, ENVFILE_MAX + 1);
	assert_unread("is larger than 1048576 bytes");
}
END_TEST

START_TEST(takes_the_longest_value)
{
	char text[2 * ENVFILE_VALUE_MAX] = K "=", value[ENVFILE_VALUE_MAX + 1];

	memset(value, 'v', sizeof(value));
	value[ENVFILE_VALUE_MAX - 1] = '\0';
	strcat(text, value);
	puts_env(text);
	must_read(".env");
	ck_assert_str_eq(e.value, value);
	ck_assert_int_eq(envfile_replace(&e, "w", "1", &f), 0);
	ck_assert_int_eq(envfile_replace(&e, value, "1", &f), 0);
	assert_env(text);
	envfile_free(&e);
	strcat(text, "v");
	puts_env(text);
	assert_unread(".env:1: the value is too long");
}
END_TEST

START_TEST(keeps_many_lines)
{
	static char old[400000], new[sizeof(old) + 32];
	char *p = old;
	int i;

	for (i = 0; i < 10000; i++)
		p += sprintf(p, "NAME_%d='s\n3' # c\r\n", i);
	strcpy(new, old);
	strcat(old, K "=v");
	strcat(new, K "=" NEW);
	puts_env(old);
	must_read(".env");
	ck_assert_uint_eq(e.line, 20001);
	must_replace();
	assert_env(new);
}
END_TEST

START_TEST(shows_a_long_path_cut)
{
	char path[3000];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(envfile_read(&e, path, K, &f), -1);
	assert_refused("File name too long");
}
END_TEST

START_TEST(refuses_a_name_with_no_room)
{
	char name[250];

	memset(name, 'e', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	put(name, K "=v\n", sizeof(K "=v\n") - 1);
	must_read(name);
	assert_unreplaced("File name too long");
	ck_assert_int_eq(entries("."), 1);
}
END_TEST

START_TEST(leaves_nothing_on_a_full_disk)
{
	struct rlimit was, small = { 4, RLIM_INFINITY };

	puts_env(K "=v\n");
	must_read(".env");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(envfile_replace(&e, NEW, "7", &f), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_refused("cannot replace .env: write: File too large");
	assert_env(K "=v\n");
	ck_assert_int_eq(entries("."), 1);
	ck_assert_str_eq(e.value, "v");
}
END_TEST

static int
fail_on_file(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? -1 : 0;
}

static int
fail_on_folder(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? -1 : 0;
}

START_TEST(leaves_nothing_on_a_bad_disk)
{
	puts_env(K "=v\n");
	must_read(".env");
	unit_on_fsync = fail_on_file;
	assert_unreplaced("cannot replace .env: fsync: Input/output error");
	assert_env(K "=v\n");
	ck_assert_int_eq(entries("."), 1);
	ck_assert_str_eq(e.value, "v");
}
END_TEST

START_TEST(tells_an_unsynced_folder)
{
	puts_env(K "=v\n");
	must_read(".env");
	unit_on_fsync = fail_on_folder;
	assert_unreplaced("its folder could not be synced");
	/* in place, and it can be put back */
	assert_env(K "=" NEW "\n");
	ck_assert_str_eq(e.value, NEW);
	ck_assert_int_eq(entries("."), 1);
	unit_on_fsync = NULL;
	fault_clear(&f);
	ck_assert_int_eq(envfile_replace(&e, "v", "8", &f), 0);
	assert_env(K "=v\n");
}
END_TEST

/* Hostile */

START_TEST(refuses_nul)
{
	put(".env", "A=1\n" K "=v\0\n", sizeof("A=1\n" K "=v\0\n") - 1);
	assert_unread(".env:2: a NUL byte");
	fault_clear(&f);
	put(".env", K "=v\n# \n\n\0", sizeof(K "=v\n# \n\n\0") - 1);
	assert_unread(".env:4: a NUL byte");
}
END_TEST

START_TEST(refuses_other_kinds)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = ".env" };
	int fd;

	switch (_i) {
	case 0:
		ck_assert_int_eq(mkdir(".env", 0700), 0);
		break;
	case 1:
		ck_assert_int_eq(mkfifo(".env", 0600), 0);
		break;
	case 2:
		ck_assert_int_ne(fd = socket(AF_UNIX, SOCK_STREAM, 0), -1);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		close(fd);
		break;
	case 3:
		ck_assert_int_eq(symlink("/dev/zero", ".env"), 0);
		break;
	default:
		ck_assert_int_eq(symlink(".", ".env"), 0);
	}
	assert_unread(".env is not a regular file");
}
END_TEST

START_TEST(refuses_a_second_link)
{
	put("real", K "=v\n", sizeof(K "=v\n") - 1);
	ck_assert_int_eq(symlink("real", "second"), 0);
	ck_assert_int_eq(symlink("second", ".env"), 0);
	assert_unread(".env is a symbolic link to a symbolic link");
}
END_TEST

START_TEST(refuses_a_loop_and_a_dangling_link)
{
	ck_assert_int_eq(symlink(".env", ".env"), 0);
	assert_unread(".env is a symbolic link to a symbolic link");
	fault_clear(&f);
	ck_assert_int_eq(unlink(".env"), 0);
	ck_assert_int_eq(symlink("nothing", ".env"), 0);
	assert_unread("missing env file: .env");
}
END_TEST

START_TEST(escapes_the_path)
{
	ck_assert_int_eq(envfile_read(&e, "a\033[2J\nb", K, &f), -1);
	ck_assert_str_eq(f.what, "missing env file: a\\033[2J\\nb");
}
END_TEST

static void
change_meanwhile(int how)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	switch (how) {
	case 0:
		puts_env(K "=edited\n");
		break;
	case 1:
		put("other", K "=v\n", sizeof(K "=v\n") - 1);
		ck_assert_int_eq(rename("other", ".env"), 0);
		break;
	case 2:
		ck_assert_int_eq(utimensat(AT_FDCWD, ".env", times, 0), 0);
		break;
	case 3:
		ck_assert_int_eq(unlink(".env"), 0);
		break;
	case 4:
		ck_assert_int_eq(unlink(".env"), 0);
		ck_assert_int_eq(mkfifo(".env", 0600), 0);
		break;
	default:
		ck_assert_int_eq(rename(".env", "real"), 0);
		ck_assert_int_eq(symlink("real", ".env"), 0);
	}
}

static int how_meanwhile;

static int
change_on_fsync(int fd)
{
	(void)fd;
	unit_on_fsync = NULL;
	change_meanwhile(how_meanwhile);
	return 0;
}

/* Nothing of ours is in the folder, and the struct is as it was. */
static void
assert_left_alone(int before)
{
	ck_assert_int_eq(entries("."), before);
	ck_assert_str_eq(e.value, "v");
}

START_TEST(keeps_an_edit_made_before)
{
	int before;

	puts_env(K "=v\n");
	must_read(".env");
	change_meanwhile(_i);
	before = entries(".");
	assert_unreplaced(".env was changed meanwhile");
	assert_left_alone(before);
}
END_TEST

START_TEST(keeps_an_edit_made_while_writing)
{
	static const int left[] = { 1, 1, 1, 0, 1, 2 };

	puts_env(K "=v\n");
	must_read(".env");
	how_meanwhile = _i;
	unit_on_fsync = change_on_fsync;
	assert_unreplaced(".env was changed meanwhile");
	assert_left_alone(left[_i]);
	if (_i == 0)
		assert_env(K "=edited\n");
}
END_TEST

START_TEST(keeps_an_edit_made_after)
{
	puts_env(K "=v\n");
	must_read(".env");
	must_replace();
	puts_env(K "=" NEW "\nA=1\n");
	ck_assert_int_eq(envfile_replace(&e, "v", "8", &f), -1);
	assert_refused("was changed meanwhile");
	assert_env(K "=" NEW "\nA=1\n");
}
END_TEST

START_TEST(takes_no_temp_file_of_another)
{
	puts_env(K "=v\n");
	put(".env.twilight-deploy.7", "theirs", 6);
	must_read(".env");
	assert_unreplaced("temp file: File exists");
	assert_bytes(".env.twilight-deploy.7", "theirs", 6);
	ck_assert_int_eq(unlink(".env.twilight-deploy.7"), 0);
	put("victim", "mine", 4);
	ck_assert_int_eq(symlink("victim", ".env.twilight-deploy.7"), 0);
	fault_clear(&f);
	assert_unreplaced("temp file: File exists");
	assert_bytes("victim", "mine", 4);
}
END_TEST

START_TEST(refuses_our_own_bugs)
{
	static const char *const values[] = { "", "a b", "a\n", "a$b", "\"", "a#", "a\\",
		"\xc3\xa4" };
	char value[ENVFILE_VALUE_MAX + 1];
	int i;

	puts_env(K "=v\n");
	must_read(".env");
	for (i = 0; i < N(values); i++, fault_clear(&f)) {
		ck_assert_int_eq(envfile_replace(&e, values[i], "1", &f), -1);
		ck_assert_int_eq(f.kind, FAULT_BUG);
	}
	memset(value, 'v', sizeof(value));
	value[ENVFILE_VALUE_MAX] = '\0';
	ck_assert_int_eq(envfile_replace(&e, value, "1", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_BUG);
	fault_clear(&f);
	ck_assert_int_eq(envfile_replace(&e, NEW, "../x", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_BUG);
	assert_env(K "=v\n");
}
END_TEST

START_TEST(refuses_hard_links)
{
	puts_env(K "=v\n");
	ck_assert_int_eq(link(".env", "other"), 0);
	must_read(".env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	assert_refused(".env has 2 hard links");
}
END_TEST

/* As `-v .env:/app/.env` does: seen before anything is changed. */
START_TEST(refuses_a_bind_mount)
{
	puts_env(K "=v\n");
	put("elsewhere", K "=v\n", sizeof(K "=v\n") - 1);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("elsewhere", ".env", NULL, MS_BIND, NULL) == -1)
		SKIP("no mount namespace here");
	must_read(".env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	assert_refused(".env is a mount of its own");
	fault_clear(&f);
	assert_unreplaced("cannot replace .env: rename: Device or resource busy");
	ck_assert_int_eq(umount(".env"), 0);
	assert_env(K "=v\n");
	ck_assert_int_eq(entries("."), 2);
}
END_TEST

START_TEST(refuses_anothers_file)
{
	if (geteuid() != 0)
		SKIP("not run as root");
	puts_env(K "=v\n");
	ck_assert_int_eq(chown(".env", OTHER, OTHER), 0);
	must_read(".env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	assert_refused(".env belongs to '#4242', this runs as root");
	ck_assert_ptr_nonnull(strstr(f.next, "sudo -u '#4242' twilight-deploy"));
	envfile_free(&e);
	fault_clear(&f);
	ck_assert_int_eq(chown(".env", NOBODY, OTHER), 0);
	must_read(".env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.next, "sudo -u nobody twilight-deploy"));
}
END_TEST

/* As nobody, in a folder of this mode and owner; true if it could be tried. */
static bool
as_nobody(uid_t owner, mode_t mode, gid_t group)
{
	if (geteuid() != 0)
		return false;
	ck_assert_int_eq(mkdir("d", 0700), 0);
	put("d/.env", K "=v\n", sizeof(K "=v\n") - 1);
	ck_assert_int_eq(chown("d/.env", NOBODY, group), 0);
	ck_assert_int_eq(chown("d", owner, OTHER), 0);
	ck_assert_int_eq(chmod("d", mode), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setegid(NOBODY), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
	return true;
}

static void
as_root(void)
{
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setegid(0), 0);
}

START_TEST(refuses_a_read_only_folder)
{
	if (!as_nobody(0, 0755, NOBODY))
		SKIP("not run as root");
	must_read("d/.env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	assert_refused("cannot write the folder of d/.env: Permission denied");
	fault_clear(&f);
	assert_unreplaced("cannot replace d/.env: temp file: Permission denied");
	as_root();
	ck_assert_int_eq(entries("d"), 1);
}
END_TEST

START_TEST(refuses_an_unreadable_file)
{
	if (!as_nobody(0, 0755, NOBODY))
		SKIP("not run as root");
	ck_assert_int_eq(chmod("d/.env", 0), 0);
	ck_assert_int_eq(envfile_read(&e, "d/.env", K, &f), -1);
	assert_refused("cannot read d/.env: Permission denied");
	as_root();
}
END_TEST

START_TEST(accepts_a_sticky_folder)
{
	struct stat st;

	if (!as_nobody(0, 01777, NOBODY))
		SKIP("not run as root");
	must_read("d/.env");
	ck_assert_msg(envfile_writable(&e, &f) == 0, "%s", f.what);
	must_replace();
	as_root();
	ck_assert_int_eq(stat("d/.env", &st), 0);
	ck_assert_uint_eq(st.st_uid, NOBODY);
}
END_TEST

START_TEST(refuses_a_group_that_it_cannot_keep)
{
	if (!as_nobody(NOBODY, 0755, 0))
		SKIP("not run as root");
	must_read("d/.env");
	ck_assert_int_eq(envfile_writable(&e, &f), -1);
	assert_refused("d/.env belongs to the group 0, of which");
	ck_assert_str_eq(f.next, "sudo chgrp 65534 d/.env");
	fault_clear(&f);
	assert_unreplaced("owner and group: Operation not permitted");
	as_root();
	ck_assert_int_eq(entries("d"), 1);
}
END_TEST

/* Of one of the groups that it is in beside its own it is a member as well. */
START_TEST(keeps_a_group_that_it_is_in)
{
	static const gid_t groups[] = { OTHER + 1, OTHER };
	struct stat st;

	if (!as_nobody(NOBODY, 0755, OTHER))
		SKIP("not run as root");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setgroups(2, groups), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
	must_read("d/.env");
	ck_assert_msg(envfile_writable(&e, &f) == 0, "%s", f.what);
	must_replace();
	as_root();
	ck_assert_int_eq(stat("d/.env", &st), 0);
	ck_assert_uint_eq(st.st_gid, OTHER);
}
END_TEST

START_TEST(keeps_the_group_of_a_setgid_folder)
{
	struct stat st;

	if (!as_nobody(NOBODY, 02755, OTHER))
		SKIP("not run as root");
	must_read("d/.env");
	ck_assert_msg(envfile_writable(&e, &f) == 0, "%s", f.what);
	must_replace();
	as_root();
	ck_assert_int_eq(stat("d/.env", &st), 0);
	ck_assert_uint_eq(st.st_gid, OTHER);
}
END_TEST

Suite *
envfile_suite(void)
{
	Suite *s = suite_create("envfile");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_add_loop_test(core, accepts, 0, N(good));
	tcase_add_loop_test(core, refuses, 0, N(bad));
	tcase_add_test(core, names_the_missing_file);
	tcase_add_test(core, names_key_and_path_as_given);
	tcase_add_test(core, replaces_by_absolute_path);
	tcase_add_loop_test(core, keeps_mode, 0, 8);
	tcase_add_loop_test(core, keeps_owner_and_group, 0, 3);
	tcase_add_test(core, keeps_attributes);
	tcase_add_test(core, keeps_acl);
	tcase_add_test(core, takes_no_acl_from_the_folder);
	tcase_add_loop_test(core, follows_one_link, 0, 3);
	tcase_add_test(core, follows_a_linked_folder);
	tcase_add_test(core, sweeps_its_own);
	tcase_add_test(core, sweeps_no_one_elses);
	tcase_add_test(core, frees_twice);
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_add_test(limits, takes_the_largest_file);
	tcase_add_test(limits, takes_the_longest_value);
	tcase_add_test(limits, keeps_many_lines);
	tcase_add_test(limits, shows_a_long_path_cut);
	tcase_add_test(limits, refuses_a_name_with_no_room);
	tcase_add_test(limits, leaves_nothing_on_a_full_disk);
	tcase_add_test(limits, leaves_nothing_on_a_bad_disk);
	tcase_add_test(limits, tells_an_unsynced_folder);
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_add_test(hostile, refuses_nul);
	tcase_add_loop_test(hostile, refuses_other_kinds, 0, 5);
	tcase_add_test(hostile, refuses_a_second_link);
	tcase_add_test(hostile, refuses_a_loop_and_a_dangling_link);
	tcase_add_test(hostile, escapes_the_path);
	tcase_add_loop_test(hostile, keeps_an_edit_made_before, 0, 6);
	tcase_add_loop_test(hostile, keeps_an_edit_made_while_writing, 0, 6);
	tcase_add_test(hostile, keeps_an_edit_made_after);
	tcase_add_test(hostile, takes_no_temp_file_of_another);
	tcase_add_test(hostile, refuses_our_own_bugs);
	tcase_add_test(hostile, refuses_hard_links);
	tcase_add_test(hostile, refuses_a_bind_mount);
	tcase_add_test(hostile, refuses_anothers_file);
	tcase_add_test(hostile, refuses_a_read_only_folder);
	tcase_add_test(hostile, refuses_an_unreadable_file);
	tcase_add_test(hostile, accepts_a_sticky_folder);
	tcase_add_test(hostile, refuses_a_group_that_it_cannot_keep);
	tcase_add_test(hostile, keeps_a_group_that_it_is_in);
	tcase_add_test(hostile, keeps_the_group_of_a_setgid_folder);
	suite_add_tcase(s, hostile);
	return s;
}
