/*
 * check_dotenv.c: one variable of a .env file is read as compose reads it, and replaced
 * byte for byte.  tests/e2e/dotenv.c compares the rows of envrows.h with compose itself.
 */
#include "suite.h"
#include "room.h"
#include "envrows.h"
#include "skip.h"
#include "dotenv/edit.h"

#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEW "sha-0123abc"
#define REFERENCE "registry.example:5000/a/b_c:v1.2-rc@sha256:0123abc"
#define NOBODY 65534
#define OTHER 4242

Suite *dotenv_suite(void);

static char folder[ROOM_MAX];
static struct fault f;
static char value[DOTENV_VALUE_MAX];

/* Hooks of main.c: another process interferes, or the disk fails. */
extern int (*unit_on_fsync)(int fd);
extern void (*unit_on_sleep)(void);

static void
setup(void)
{
	(void)room_enter(folder);
	memset(&f, 0, sizeof(f));
	unit_on_fsync = NULL;
	unit_on_sleep = NULL;
}

static void
put_text(const char *name, const char *text)
{
	room_put(name, text, strlen(text));
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int
replace(const char *path, const char *old, const char *new)
{
	return dotenv_replace(path, K, old, new, "7", &f);
}

static void
must_replace(const char *path, const char *old, const char *new)
{
	ck_assert_msg(replace(path, old, new) == 0, "%s", f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	ck_assert_int_eq(dotenv_read(path, K, value, &f), 0);
	ck_assert_str_eq(value, new);
}

static void
refused(int result, const char *says)
{
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, says) != NULL, "%s", f.what);
	ck_assert_str_ne(f.next, "");
	memset(&f, 0, sizeof(f));
}

static void
unread(const char *says)
{
	refused(dotenv_read(".env", K, value, &f), says);
}

static void
unreplaced(const char *path, const char *says)
{
	refused(replace(path, "v", NEW), says);
}

START_TEST(accepts)
{
	static const char *const news[] = { NEW, REFERENCE };
	const char *const was = good[_i].value;
	char old[512], new[512];
	struct dotenv_place place;
	int a, b, i;

	a = snprintf(old, sizeof(old), "%s%s%s", good[_i].before, was, good[_i].after);
	put_text(".env", old);
	ck_assert_int_eq(dotenv_find(&place, old, (size_t)a, K, "F", &f), 0);
	ck_assert_uint_eq(place.at, strlen(good[_i].before));
	ck_assert_uint_eq(place.len, strlen(was));
	ck_assert_uint_eq(place.line, good[_i].line);
	ck_assert_msg(dotenv_read(".env", K, value, &f) == 0, "%s", f.what);
	ck_assert_str_eq(value, was);
	for (i = 0; i < N(news); i++) {
		b = snprintf(new, sizeof(new), "%s%s%s", good[_i].before, news[i],
		    good[_i].after);
		must_replace(".env", was, news[i]);
		room_holds(".env", new, (size_t)b);
		must_replace(".env", news[i], was);
		room_holds(".env", old, (size_t)a);
	}
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

START_TEST(refuses)
{
	put_text(".env", bad[_i].text);
	ck_assert_int_eq(dotenv_read(".env", K, value, &f), -1);
	/* callers and people match the whole text of "missing" */
	if (strncmp(bad[_i].says, "missing", 7) == 0)
		ck_assert_str_eq(f.what, bad[_i].says);
	ck_assert_ptr_null(strstr(f.what, "s3cret"));
	ck_assert_ptr_null(strstr(f.next, "s3cret"));
	refused(-1, bad[_i].says);
	unreplaced(".env", bad[_i].says);
	room_holds(".env", bad[_i].text, strlen(bad[_i].text));
}
END_TEST

START_TEST(names_variable_and_path_as_given)
{
	put_text(".env", "A=1\n");
	ck_assert_int_eq(symlink(".env", "link"), 0);
	ck_assert_int_eq(dotenv_read("./link", "B", value, &f), -1);
	ck_assert_str_eq(f.what, "missing B in ./link");
	memset(&f, 0, sizeof(f));
	ck_assert_int_eq(dotenv_read("a\033[2J\nb", K, value, &f), -1);
	ck_assert_str_eq(f.what, "missing env file: a\\033[2J\\nb");
}
END_TEST

/* The value is compared under the lock. */
START_TEST(keeps_anothers_change)
{
	put_text(".env", "A=1\n" K "=other\n");
	unreplaced(".env", "somebody else changed " K " in .env: it is other now");
	room_holds(".env", "A=1\n" K "=other\n", strlen("A=1\n" K "=other\n"));
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

START_TEST(leaves_the_value_that_is_there)
{
	struct stat was, is;

	put_text(".env", K "=" NEW "\n");
	ck_assert_int_eq(stat(".env", &was), 0);
	must_replace(".env", "v", NEW);
	ck_assert_int_eq(stat(".env", &is), 0);
	ck_assert_uint_eq(is.st_ino, was.st_ino);
}
END_TEST

START_TEST(keeps_mode)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0400, 0664, 0666, 0200, 0604 };
	struct stat was, is;

	if (modes[_i] == 0200 && geteuid() != 0)
		SKIP("not run as root");
	put_text(".env", K "=v\n");
	ck_assert_int_eq(chmod(".env", modes[_i]), 0);
	ck_assert_int_eq(stat(".env", &was), 0);
	umask(0077);
	must_replace(".env", "v", NEW);
	ck_assert_int_eq(stat(".env", &is), 0);
	ck_assert_uint_eq(is.st_mode & 07777, modes[_i]);
	ck_assert_uint_ne(is.st_ino, was.st_ino);
}
END_TEST

/* Both differ from those of a new file, or one of them. */
START_TEST(keeps_owner_and_group)
{
	const uid_t owner = _i == 1 ? geteuid() : OTHER;
	const gid_t group = _i == 2 ? getegid() : OTHER + 1;
	struct stat st;

	if (geteuid() != 0)
		SKIP("not run as root");
	put_text(".env", K "=v\n");
	ck_assert_int_eq(chown(".env", owner, group), 0);
	ck_assert_int_eq(chmod(".env", 0640), 0);
	must_replace(".env", "v", NEW);
	ck_assert_int_eq(stat(".env", &st), 0);
	ck_assert_uint_eq(st.st_uid, owner);
	ck_assert_uint_eq(st.st_gid, group);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(keeps_attributes)
{
	char buf[32];

	put_text(".env", K "=v\n");
	if (setxattr(".env", "user.note", "a\0b", 3, 0) == -1 && errno == ENOTSUP)
		SKIP("no user attributes on this file system");
	ck_assert_int_eq(setxattr(".env", "user.empty", "", 0, 0), 0);
	must_replace(".env", "v", NEW);
	ck_assert_int_eq(getxattr(".env", "user.note", buf, sizeof(buf)), 3);
	ck_assert_int_eq(memcmp(buf, "a\0b", 3), 0);
	ck_assert_int_eq(getxattr(".env", "user.empty", buf, sizeof(buf)), 0);
}
END_TEST

/* POSIX ACL, as acl(5) lays it out: owner rw-, user 4242 r--, group r--, mask r--. */
#define ACL                                                 \
	"\2\0\0\0"                                          \
	"\1\0\6\0\377\377\377\377\2\0\4\0\222\20\0\0"       \
	"\4\0\0\0\377\377\377\377\20\0\4\0\377\377\377\377" \
	"\40\0\0\0\377\377\377\377"

/* The ACL of the file is kept; the folder's default ACL is not applied. */
START_TEST(keeps_acl)
{
	const bool own = _i == 0;
	char buf[128];
	struct stat st;

	put_text(".env", K "=v\n");
	ck_assert_int_eq(chmod(".env", 0640), 0);
	if (setxattr(own ? ".env" : ".",
		own ? "system.posix_acl_access" : "system.posix_acl_default", ACL,
		sizeof(ACL) - 1, 0) == -1)
		SKIP("no ACL on this file system");
	must_replace(".env", "v", NEW);
	ck_assert_int_eq(getxattr(".env", "system.posix_acl_access", buf, sizeof(buf)),
	    own ? (int)sizeof(ACL) - 1 : -1);
	if (own)
		ck_assert_mem_eq(buf, ACL, sizeof(ACL) - 1);
	ck_assert_int_eq(stat(".env", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

/* One link in the last component of the path; any number above it. */
START_TEST(follows_one_link)
{
	static const struct {
		const char *link, *target, *path;
	} rows[] = {
		{ ".env", "real/e", "./.env" },
		{ ".env", "./real/../real/e", ".env" },
		{ ".env", "/proc/self/cwd/real/e", ".env" },
		{ "real/l", "e", "alias/l" },
	};
	char path[PATH_MAX];

	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "alias"), 0);
	put_text("real/e", "A=1\n" K "=v\n");
	ck_assert_int_eq(symlink(rows[_i].target, rows[_i].link), 0);
	ck_assert_int_eq(dotenv_writable(rows[_i].path, &f), 0);
	must_replace(rows[_i].path, "v", NEW);
	/* by an absolute path, from another folder */
	snprintf(path, sizeof(path), "%s/%s", folder, rows[_i].path);
	if (_i != 2)
		ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(dotenv_writable(path, &f), 0);
	must_replace(path, NEW, "w");
	ck_assert_int_eq(chdir(folder), 0);
	room_holds("real/e", "A=1\n" K "=w\n", strlen("A=1\n" K "=w\n"));
	ck_assert_int_ge(readlink(rows[_i].link, path, sizeof(path)), 1);
	ck_assert_int_eq(room_count("real"), _i == 3 ? 2 : 1);
}
END_TEST

START_TEST(sweeps_its_own)
{
	ck_assert_int_eq(mkdir("real", 0700), 0);
	put_text("real/e", K "=v\n");
	put_text("real/e.twilight-deploy.1", "x");
	put_text("real/e.twilight-deploy.", "x");
	put_text("real/e.twilight-deployed", "x");
	put_text("real/ee.twilight-deploy.1", "x");
	put_text("e.twilight-deploy.1", "x");
	ck_assert_int_eq(mkdir("real/e.twilight-deploy.d", 0700), 0);
	ck_assert_int_eq(symlink("e", "real/e.twilight-deploy.l"), 0);
	ck_assert_int_eq(symlink("real/e", ".env"), 0);
	dotenv_sweep(".env");
	ck_assert(!exists("real/e.twilight-deploy.1"));
	ck_assert(!exists("real/e.twilight-deploy."));
	ck_assert_int_eq(room_count("real"), 5);
	ck_assert(exists("e.twilight-deploy.1"));
	dotenv_sweep("no/such");
	dotenv_sweep("");
	/* also if the file itself is missing */
	dotenv_sweep("e");
	ck_assert(!exists("e.twilight-deploy.1"));
}
END_TEST

START_TEST(sweeps_no_one_elses)
{
	if (geteuid() != 0)
		SKIP("not run as root");
	put_text(".env", K "=v\n");
	put_text(".env.twilight-deploy.1", "x");
	ck_assert_int_eq(chown(".env.twilight-deploy.1", OTHER, OTHER), 0);
	dotenv_sweep(".env");
	ck_assert(exists(".env.twilight-deploy.1"));
}
END_TEST

/* ---- two processes, one file ---- */

static int held;

static void
hold(void)
{
	held = open(".env", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(held, -1);
	ck_assert_int_eq(flock(held, LOCK_EX | LOCK_NB), 0);
}

static void
not_yet(void)
{
}

/* Another process sweeps while the temporary file exists. */
static int
sweep_meanwhile(int fd)
{
	const int other = open(".env", O_RDONLY | O_CLOEXEC);

	unit_on_fsync = NULL;
	unit_on_sleep = not_yet;
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	close(other);
	dotenv_sweep(".env");
	ck_assert(exists(".env.twilight-deploy.7"));
	return fd == -1;
}

START_TEST(holds_the_lock_while_it_edits)
{
	put_text(".env", K "=v\n");
	unit_on_fsync = sweep_meanwhile;
	must_replace(".env", "v", NEW);
	ck_assert_ptr_null(unit_on_fsync);
	/* now the lock is free */
	hold();
	close(held);
}
END_TEST

/* The holder of the lock replaces the file: the name is another inode. */
static void
replace_and_release(void)
{
	ck_assert_int_eq(rename("other", ".env"), 0);
	close(held);
	unit_on_sleep = NULL;
}

START_TEST(locks_the_file_that_has_the_name)
{
	put_text(".env", "A=1\n" K "=v\n");
	put_text("other", "A=2\n" K "=v\n");
	hold();
	unit_on_sleep = replace_and_release;
	unit_on_fsync = sweep_meanwhile;
	must_replace(".env", "v", NEW);
	ck_assert_ptr_null(unit_on_fsync);
	room_holds(".env", "A=2\n" K "=" NEW "\n", strlen("A=2\n" K "=" NEW "\n"));
}
END_TEST

START_TEST(gives_up_on_a_lock_that_stays)
{
	put_text(".env", K "=v\n");
	put_text(".env.twilight-deploy.1", "x");
	hold();
	unit_on_sleep = not_yet;
	unreplaced(".env", "another process keeps .env locked");
	dotenv_sweep(".env");
	ck_assert(exists(".env.twilight-deploy.1"));
	/* reading does not wait */
	ck_assert_int_eq(dotenv_read(".env", K, value, &f), 0);
	close(held);
	dotenv_sweep(".env");
	ck_assert(!exists(".env.twilight-deploy.1"));
}
END_TEST

#define ROUNDS 150

static int
count_up(const char *variable)
{
	char old[16], new[16];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(old, sizeof(old), "%d", i);
		snprintf(new, sizeof(new), "%d", i + 1);
		dotenv_sweep(".env");
		if (dotenv_replace(".env", variable, old, new, variable, &f) == -1) {
			printf("%s\n", f.what);
			return 1;
		}
	}
	return 0;
}

START_TEST(loses_no_edit_of_two_processes)
{
	static const char *const variables[] = { "A", "B" };
	int i, status;

	put_text(".env", "A=0\n# it's\nB='0'\n");
	fflush(stdout);
	for (i = 0; i < 2; i++)
		if (fork() == 0)
			exit(count_up(variables[i]));
	for (i = 0; i < 2; i++) {
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	room_holds(".env", "A=150\n# it's\nB='150'\n",
	    strlen("A=150\n# it's\nB='150'\n"));
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

/* ---- limits ---- */

START_TEST(takes_the_largest_file)
{
	static char buf[DOTENV_MAX + 1];
	const size_t n = sizeof(K "=v\n") - 1;

	memset(buf, 'x', sizeof(buf));
	memcpy(buf, K "=v\n#", n + 1);
	room_put(".env", buf, DOTENV_MAX);
	must_replace(".env", "v", "w");
	refused(replace(".env", "w", NEW), "would become larger");
	buf[n - 2] = 'w';
	room_holds(".env", buf, DOTENV_MAX);
	ck_assert_int_eq(room_count("."), 1);
	room_put(".env", buf, DOTENV_MAX + 1);
	unread("is larger than 1048576 bytes");
}
END_TEST

START_TEST(takes_the_longest_value)
{
	char text[2 * DOTENV_VALUE_MAX] = K "=", longest[DOTENV_VALUE_MAX + 1];

	memset(longest, 'v', sizeof(longest));
	longest[DOTENV_VALUE_MAX - 1] = '\0';
	strcat(text, longest);
	put_text(".env", text);
	must_replace(".env", longest, "w");
	must_replace(".env", "w", longest);
	room_holds(".env", text, strlen(text));
	strcat(text, "v");
	put_text(".env", text);
	unread(".env:1: the value is too long");
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
	put_text(".env", old);
	must_replace(".env", "v", NEW);
	room_holds(".env", new, strlen(new));
	strcat(new, "\n" K "=v\n");
	put_text(".env", new);
	unread(".env:20002: the variable is assigned a second time");
}
END_TEST

START_TEST(refuses_a_name_with_no_room)
{
	char name[3000];

	memset(name, 'e', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	refused(dotenv_read(name, K, value, &f), "File name too long");
	name[250] = '\0';
	put_text(name, K "=v\n");
	unreplaced(name, "File name too long");
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

START_TEST(leaves_nothing_on_a_full_disk)
{
	struct rlimit was, small = { 4, RLIM_INFINITY };

	put_text(".env", K "=v\n");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	unreplaced(".env", "cannot replace .env: write: File too large");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	room_holds(".env", K "=v\n", strlen(K "=v\n"));
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

static mode_t failing;

static int
fail_on_kind(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == failing ? -1 : 0;
}

START_TEST(leaves_nothing_on_a_bad_disk)
{
	put_text(".env", K "=v\n");
	failing = S_IFREG;
	unit_on_fsync = fail_on_kind;
	unreplaced(".env", "cannot replace .env: fsync: Input/output error");
	room_holds(".env", K "=v\n", strlen(K "=v\n"));
	ck_assert_int_eq(room_count("."), 1);
}
END_TEST

START_TEST(reports_an_unsynced_folder)
{
	put_text(".env", K "=v\n");
	failing = S_IFDIR;
	unit_on_fsync = fail_on_kind;
	unreplaced(".env", "its folder could not be synced");
	room_holds(".env", K "=" NEW "\n", strlen(K "=" NEW "\n"));
	ck_assert_int_eq(room_count("."), 1);
	/* a later call must sync it again */
	unreplaced(".env", "its folder could not be synced");
	unit_on_fsync = NULL;
	must_replace(".env", "v", NEW);
	must_replace(".env", NEW, "v");
}
END_TEST

/* ---- hostile ---- */

START_TEST(refuses_nul)
{
	room_put(".env", "A=1\n" K "=v\0\n", sizeof("A=1\n" K "=v\0\n") - 1);
	unread(".env:2: a NUL byte");
	room_put(".env", K "=v\n# \n\n\0", sizeof(K "=v\n# \n\n\0") - 1);
	unread(".env:4: a NUL byte");
}
END_TEST

static void
make_kind(int kind)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = ".env" };
	int fd;

	switch (kind) {
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
}

START_TEST(refuses_other_kinds)
{
	make_kind(_i);
	unread(".env is not a regular file");
	unreplaced(".env", ".env is not a regular file");
	refused(dotenv_writable(".env", &f), ".env is not a regular file");
	dotenv_sweep(".env");
}
END_TEST

START_TEST(refuses_a_second_link)
{
	put_text("real", K "=v\n");
	ck_assert_int_eq(symlink("real", "second"), 0);
	ck_assert_int_eq(symlink("second", ".env"), 0);
	unread(".env is a symbolic link to a symbolic link");
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	refused(dotenv_read("loop", K, value, &f), "loop is a symbolic link to a sym");
	ck_assert_int_eq(unlink("real"), 0);
	refused(dotenv_read("second", K, value, &f), "missing env file: second");
}
END_TEST

static int how_meanwhile;

/* By an editor that takes no lock. */
static int
change_meanwhile(int fd)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	unit_on_fsync = NULL;
	if (how_meanwhile == 0)
		put_text(".env", K "=edited\n");
	if (how_meanwhile == 1) {
		put_text("other", K "=v\n");
		ck_assert_int_eq(rename("other", ".env"), 0);
	}
	if (how_meanwhile == 2)
		ck_assert_int_eq(utimensat(AT_FDCWD, ".env", times, 0), 0);
	if (how_meanwhile == 3 || how_meanwhile == 4)
		ck_assert_int_eq(unlink(".env"), 0);
	if (how_meanwhile == 4)
		ck_assert_int_eq(mkfifo(".env", 0600), 0);
	if (how_meanwhile == 5) {
		ck_assert_int_eq(rename(".env", "real"), 0);
		ck_assert_int_eq(symlink("real", ".env"), 0);
	}
	return fd == -1;
}

START_TEST(keeps_an_edit_made_meanwhile)
{
	static const int left[] = { 1, 1, 1, 0, 1, 2 };

	put_text(".env", K "=v\n");
	how_meanwhile = _i;
	unit_on_fsync = change_meanwhile;
	unreplaced(".env", ".env was changed meanwhile");
	ck_assert_int_eq(room_count("."), left[_i]);
	if (_i == 0)
		room_holds(".env", K "=edited\n", strlen(K "=edited\n"));
}
END_TEST

START_TEST(takes_no_temporary_file_of_another)
{
	put_text(".env", K "=v\n");
	put_text(".env.twilight-deploy.7", "theirs");
	unreplaced(".env", "temporary file: File exists");
	room_holds(".env.twilight-deploy.7", "theirs", strlen("theirs"));
	ck_assert_int_eq(unlink(".env.twilight-deploy.7"), 0);
	put_text("victim", "mine");
	ck_assert_int_eq(symlink("victim", ".env.twilight-deploy.7"), 0);
	unreplaced(".env", "temporary file: File exists");
	room_holds("victim", "mine", strlen("mine"));
}
END_TEST

START_TEST(refuses_our_own_bugs)
{
	static const char *const values[] = { "", "a b", "a\n", "a$b", "\"", "a#", "a\\",
		"\xc3\xa4", NULL, NEW };
	char longer[DOTENV_VALUE_MAX + 1];
	int i;

	memset(longer, 'v', sizeof(longer));
	longer[DOTENV_VALUE_MAX] = '\0';
	put_text(".env", K "=v\n");
	for (i = 0; i < N(values); i++, memset(&f, 0, sizeof(f))) {
		ck_assert_int_eq(dotenv_replace(".env", K, "v",
				     values[i] == NULL ? longer : values[i],
				     i == N(values) - 1 ? "../x" : "1", &f),
		    -1);
		ck_assert_int_eq(f.kind, FAULT_BUG);
	}
	room_holds(".env", K "=v\n", strlen(K "=v\n"));
}
END_TEST

START_TEST(refuses_hard_links)
{
	put_text(".env", K "=v\n");
	ck_assert_int_eq(link(".env", "other"), 0);
	refused(dotenv_writable(".env", &f), ".env has 2 hard links");
}
END_TEST

/* As `docker run -v .env:/app/.env` makes it.  Noticed before anything is changed. */
START_TEST(refuses_a_bind_mount)
{
	put_text(".env", K "=v\n");
	put_text("elsewhere", K "=v\n");
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("elsewhere", ".env", NULL, MS_BIND, NULL) == -1)
		SKIP("no mount namespace here");
	refused(dotenv_writable(".env", &f), ".env is a mount of its own");
	unreplaced(".env", "cannot replace .env: rename: Device or resource busy");
	ck_assert_int_eq(umount(".env"), 0);
	room_holds(".env", K "=v\n", strlen(K "=v\n"));
	ck_assert_int_eq(room_count("."), 2);
}
END_TEST

START_TEST(refuses_anothers_file)
{
	if (geteuid() != 0)
		SKIP("not run as root");
	put_text(".env", K "=v\n");
	ck_assert_int_eq(chown(".env", OTHER, OTHER), 0);
	ck_assert_int_eq(dotenv_writable(".env", &f), -1);
	ck_assert_ptr_nonnull(strstr(f.next, "sudo -u '#4242' twilight-deploy"));
	refused(-1, ".env belongs to '#4242', this runs as root");
	ck_assert_int_eq(chown(".env", NOBODY, OTHER), 0);
	ck_assert_int_eq(dotenv_writable(".env", &f), -1);
	ck_assert_ptr_nonnull(strstr(f.next, "sudo -u nobody twilight-deploy"));
}
END_TEST

START_TEST(checks_the_owner_first)
{
	refused(dotenv_check_owner(".env", "lock", &f), "missing env file: .env");
	put_text(".env", K "=v\n");
	ck_assert_int_eq(dotenv_check_owner(".env", "lock", &f), 0);
	ck_assert_int_eq(link(".env", "lock"), 0);
	refused(dotenv_check_owner(".env", "lock", &f), "the lock file is the env file");
	if (geteuid() != 0)
		SKIP("not run as root");
	ck_assert_int_eq(unlink("lock"), 0);
	ck_assert_int_eq(chown(".env", OTHER, OTHER), 0);
	refused(dotenv_check_owner(".env", "lock", &f), ".env belongs to '#4242'");
}
END_TEST

/* As nobody: the owner and mode of the folder, the mode and group of the file. */
static const struct {
	uid_t owner;
	mode_t mode, file;
	gid_t group;
	bool member; /* of OTHER */
	const char *unwritable, *unreplaced;
} nobodys[] = {
	{ 0, 01777, 0600, NOBODY, false, NULL, NULL },
	{ NOBODY, 0755, 0600, OTHER, true, NULL, NULL },
	{ NOBODY, 02755, 0600, OTHER, false, NULL, NULL },
	{ NOBODY, 0755, 0600, 0, false, "d/.env belongs to the group 0, of which",
	    "owner and group: Operation not permitted" },
	{ 0, 0755, 0600, NOBODY, false,
	    "cannot write the folder of d/.env: Permission denied",
	    "cannot replace d/.env: temporary file: Permission denied" },
	{ 0, 0755, 0, NOBODY, false, "cannot read d/.env: Permission denied",
	    "cannot read d/.env: Permission denied" },
};

static void
become_nobody(int i)
{
	static const gid_t groups[] = { OTHER + 1, OTHER };

	ck_assert_int_eq(mkdir("d", 0700), 0);
	put_text("d/.env", K "=v\n");
	ck_assert_int_eq(chown("d/.env", NOBODY, nobodys[i].group), 0);
	ck_assert_int_eq(chmod("d/.env", nobodys[i].file), 0);
	ck_assert_int_eq(chown("d", nobodys[i].owner, OTHER), 0);
	ck_assert_int_eq(chmod("d", nobodys[i].mode), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(setgroups(nobodys[i].member ? 2 : 0, groups), 0);
	ck_assert_int_eq(setegid(NOBODY), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
}

START_TEST(asks_what_another_user_may)
{
	struct stat st;

	if (geteuid() != 0)
		SKIP("not run as root");
	become_nobody(_i);
	if (nobodys[_i].unwritable == NULL) {
		ck_assert_msg(dotenv_writable("d/.env", &f) == 0, "%s", f.what);
		must_replace("d/.env", "v", NEW);
	} else {
		refused(dotenv_writable("d/.env", &f), nobodys[_i].unwritable);
		unreplaced("d/.env", nobodys[_i].unreplaced);
	}
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(stat("d/.env", &st), 0);
	ck_assert_uint_eq(st.st_uid, NOBODY);
	ck_assert_uint_eq(st.st_gid, nobodys[_i].group);
	ck_assert_int_eq(room_count("d"), 1);
}
END_TEST

Suite *
dotenv_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), EACH(accepts, N(good)),
		EACH(refuses, N(bad)), ONCE(names_variable_and_path_as_given),
		ONCE(keeps_anothers_change), ONCE(leaves_the_value_that_is_there),
		EACH(keeps_mode, 8), EACH(keeps_owner_and_group, 3),
		ONCE(keeps_attributes), EACH(keeps_acl, 2), EACH(follows_one_link, 4),
		ONCE(sweeps_its_own), ONCE(sweeps_no_one_elses),
		ONCE(holds_the_lock_while_it_edits),
		ONCE(locks_the_file_that_has_the_name),
		ONCE(loses_no_edit_of_two_processes), CASE("Limits"),
		ONCE(takes_the_largest_file), ONCE(takes_the_longest_value),
		ONCE(keeps_many_lines), ONCE(refuses_a_name_with_no_room),
		ONCE(gives_up_on_a_lock_that_stays), ONCE(leaves_nothing_on_a_full_disk),
		ONCE(leaves_nothing_on_a_bad_disk), ONCE(reports_an_unsynced_folder),
		CASE("Hostile"), ONCE(refuses_nul), EACH(refuses_other_kinds, 5),
		ONCE(refuses_a_second_link), EACH(keeps_an_edit_made_meanwhile, 6),
		ONCE(takes_no_temporary_file_of_another), ONCE(refuses_our_own_bugs),
		ONCE(refuses_hard_links), ONCE(refuses_a_bind_mount),
		ONCE(refuses_anothers_file), ONCE(checks_the_owner_first),
		EACH(asks_what_another_user_may, N(nobodys)) };

	return unit_suite("dotenv", setup, room_leave, tests, N(tests));
}
