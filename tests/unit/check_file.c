/*
 * check_file.c: files are read whole or not at all, and replaced so that a reader sees
 * the old bytes or the new ones.
 */
#include "suite.h"
#include "room.h"
#include "sys/file.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534

Suite *file_suite(void);

static char folder[ROOM_MAX];
static int dir;

static void
setup(void)
{
	dir = room_enter(folder);
}

static void
holds(const char *name, const char *bytes, size_t len)
{
	size_t got = 77;
	char *read_bytes;

	ck_assert_msg(file_read(dir, name, 1 << 20, &read_bytes, &got) == 0, "%s: %s",
	    name, strerror(errno));
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(read_bytes, bytes, len);
	ck_assert_int_eq(read_bytes[len], '\0');
	free(read_bytes);
}

static const struct {
	const char *bytes;
	size_t len;
} contents[] = { { "", 0 }, { "a", 1 }, { "a\n", 2 }, { "a\0b\0", 4 }, { "\0", 1 },
	{ "\xff\xfe", 2 }, { "no newline", 10 } };

START_TEST(reads_and_replaces)
{
	room_put("a", contents[_i].bytes, contents[_i].len);
	holds("a", contents[_i].bytes, contents[_i].len);
	ck_assert_int_eq(file_replace(dir, "b", contents[_i].bytes, contents[_i].len), 0);
	holds("b", contents[_i].bytes, contents[_i].len);
	ck_assert_int_eq(file_replace(dir, "b", "other", 5), 0);
	holds("b", "other", 5);
	ck_assert_int_eq(file_replace(dir, "b", contents[_i].bytes, contents[_i].len), 0);
	holds("b", contents[_i].bytes, contents[_i].len);
	ck_assert_int_eq(room_count(folder), 2);
}
END_TEST

START_TEST(reads_below_its_folder)
{
	char path[128], *bytes;
	size_t len;

	room_put("a", "x", 1);
	ck_assert_int_eq(chdir("/"), 0);
	holds("a", "x", 1);
	snprintf(path, sizeof(path), "%s/a", folder);
	ck_assert_int_eq(file_read(AT_FDCWD, path, 10, &bytes, &len), 0);
	free(bytes);
}
END_TEST

START_TEST(replaces_with_its_own_mode)
{
	static const mode_t before[] = { 0644, 0666, 0400, 0 };
	struct stat st;
	int i;

	umask(0);
	for (i = 0; i < N(before); i++) {
		room_put("a", "old", 3);
		ck_assert_int_eq(chmod("a", before[i]), 0);
		ck_assert_int_eq(file_replace(dir, "a", "new", 3), 0);
		ck_assert_int_eq(stat("a", &st), 0);
		ck_assert_int_eq(st.st_mode & 07777, 0600);
	}
}
END_TEST

/* A process that has the old file open keeps it. */
START_TEST(replaces_and_never_rewrites)
{
	struct stat old, new;
	char buf[8];
	int fd;

	room_put("a", "old", 3);
	ck_assert_int_eq(link("a", "second"), 0);
	ck_assert_int_ge(fd = open("a", O_RDONLY | O_CLOEXEC), 0);
	ck_assert_int_eq(fstat(fd, &old), 0);
	ck_assert_int_eq(file_replace(dir, "a", "brand new", 9), 0);
	ck_assert_int_eq(stat("a", &new), 0);
	ck_assert_uint_ne(old.st_ino, new.st_ino);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 3);
	ck_assert_mem_eq(buf, "old", 3);
	holds("second", "old", 3);
	close(fd);
}
END_TEST

START_TEST(removes)
{
	room_put("a", "x", 1);
	ck_assert_int_eq(file_remove(dir, "a"), 0);
	ck_assert_int_eq(access("a", F_OK), -1);
	ck_assert_int_eq(file_remove(dir, "a"), 0);
	ck_assert_int_eq(mkdir("a", 0700), 0);
	ck_assert_int_eq(file_remove(dir, "a"), -1);
	ck_assert_int_eq(access("a", F_OK), 0);
}
END_TEST

START_TEST(sweeps)
{
	char name[80];

	room_put("a", "x", 1);
	room_put("a.new", "half", 4);
	room_put("b.new", "another's", 9);
	file_sweep(dir, "a");
	ck_assert_int_eq(access("a.new", F_OK), -1);
	ck_assert_int_eq(room_count(folder), 2);
	file_sweep(dir, "a");
	file_sweep(dir, "none");
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	file_sweep(dir, name);
	ck_assert_int_eq(room_count(folder), 2);
	holds("a", "x", 1);
}
END_TEST

START_TEST(removes_a_link_and_not_its_target)
{
	room_put("target", "x", 1);
	ck_assert_int_eq(symlink("target", "a"), 0);
	ck_assert_int_eq(file_remove(dir, "a"), 0);
	holds("target", "x", 1);
}
END_TEST

START_TEST(bounds_what_it_reads)
{
	static const size_t max[] = { 0, 1, 10, 4096, 65536 };
	char *content = calloc(1, 65538), *bytes = NULL;
	size_t m = max[_i], len = 7;

	ck_assert_ptr_nonnull(content);
	room_put("a", content, m);
	ck_assert_int_eq(file_read(dir, "a", m, &bytes, &len), 0);
	ck_assert_uint_eq(len, m);
	ck_assert_int_eq(bytes[len], '\0');
	free(bytes);
	room_put("a", content, m + 1);
	errno = 0;
	ck_assert_int_eq(file_read(dir, "a", m, &bytes, &len), -1);
	ck_assert_int_eq(errno, EFBIG);
	room_put("a", content, m + 2);
	ck_assert_int_eq(file_read(dir, "a", m, &bytes, &len), -1);
	ck_assert_int_eq(errno, EFBIG);
	free(content);
}
END_TEST

/* No memory is allocated for it. */
START_TEST(refuses_a_huge_file)
{
	char *bytes;
	size_t len;

	room_put("a", "x", 1);
	ck_assert_int_eq(truncate("a", (off_t)1 << 32), 0);
	ck_assert_int_eq(file_read(dir, "a", 1000, &bytes, &len), -1);
	ck_assert_int_eq(errno, EFBIG);
}
END_TEST

START_TEST(bounds_the_name)
{
	char name[80], *bytes;
	size_t len;

	memset(name, 'a', sizeof(name));
	name[59] = '\0'; /* and ".new": 63 */
	ck_assert_int_eq(file_replace(dir, name, "x", 1), 0);
	holds(name, "x", 1);
	name[59] = 'a';
	name[60] = '\0';
	ck_assert_int_eq(file_replace(dir, name, "x", 1), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(file_read(dir, name, 10, &bytes, &len), -1);
	ck_assert_int_eq(room_count(folder), 1);
}
END_TEST

START_TEST(writes_all)
{
	size_t len = 1 << 20, i;
	char *bytes = malloc(len);

	ck_assert_ptr_nonnull(bytes);
	for (i = 0; i < len; i++)
		bytes[i] = (char)(i * 31);
	ck_assert_int_eq(file_replace(dir, "a", bytes, len), 0);
	holds("a", bytes, len);
	free(bytes);
}
END_TEST

START_TEST(leaves_nothing_on_a_full_disk)
{
	static char bytes[8192];
	struct rlimit before, little;
	int rc, error;

	room_put("a", "old", 3);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	/* Check writes files too: nothing is asserted in between */
	setrlimit(RLIMIT_FSIZE, &little);
	rc = file_replace(dir, "a", bytes, sizeof(bytes));
	error = errno;
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(error, EFBIG);
	holds("a", "old", 3);
	ck_assert_int_eq(room_count(folder), 1);
}
END_TEST

START_TEST(loses_no_descriptor)
{
	int n = room_count("/proc/self/fd"), i;
	char *bytes;
	size_t len;

	room_put("a", "abc", 3);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(file_read(dir, "a", 1, &bytes, &len), -1);
		ck_assert_int_eq(file_read(dir, "folder", 1, &bytes, &len), -1);
		ck_assert_int_eq(file_read(dir, "none", 1, &bytes, &len), -1);
		ck_assert_int_eq(file_replace(dir, "folder", "x", 1), -1);
		ck_assert_int_eq(file_replace(dir, "b", "x", 1), 0);
		ck_assert_int_eq(file_remove(dir, "b"), 0);
	}
	ck_assert_int_eq(room_count("/proc/self/fd"), n);
}
END_TEST

/* Links are not followed, and nothing blocks. */
static const struct {
	const char *name;
	int error;
} others[] = { { "none", ENOENT }, { "", ENOENT }, { "folder", EINVAL }, { ".", EINVAL },
	{ "fifo", EINVAL }, { "socket", ENXIO }, { "link", ELOOP }, { "dangling", ELOOP },
	{ "/dev/null", EINVAL }, { "/dev/zero", EINVAL }, { "file/x", ENOTDIR } };

static void
make_others(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	room_put("file", "x", 1);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
}

START_TEST(refuses_other_kinds)
{
	char *bytes = NULL;
	size_t len;

	make_others();
	errno = 0;
	ck_assert_int_eq(file_read(dir, others[_i].name, 10, &bytes, &len), -1);
	ck_assert_int_eq(errno, others[_i].error);
}
END_TEST

/* A link in the place of the file is replaced, never followed. */
START_TEST(replaces_a_link_and_not_its_target)
{
	struct stat st;

	make_others();
	ck_assert_int_eq(file_replace(dir, "link", "new", 3), 0);
	ck_assert_int_eq(lstat("link", &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	holds("file", "x", 1);
	ck_assert_int_eq(file_replace(dir, "fifo", "new", 3), 0);
	holds("fifo", "new", 3);
	ck_assert_int_eq(file_replace(dir, "dangling", "new", 3), 0);
	ck_assert_int_eq(access("nowhere", F_OK), -1);
}
END_TEST

START_TEST(uses_no_temp_file_of_another)
{
	struct stat st;

	room_put("victim", "precious", 8);
	switch (_i) {
	case 0:
		room_put("a.new", "left by a killed run, and longer", 32);
		break;
	case 1:
		ck_assert_int_eq(symlink("victim", "a.new"), 0);
		break;
	case 2:
		ck_assert_int_eq(link("victim", "a.new"), 0);
		break;
	default:
		ck_assert_int_eq(mkfifo("a.new", 0600), 0);
		break;
	}
	ck_assert_int_eq(file_replace(dir, "a", "new", 3), 0);
	holds("a", "new", 3);
	holds("victim", "precious", 8);
	ck_assert_int_eq(lstat("a", &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(room_count(folder), 2);
}
END_TEST

START_TEST(replaces_no_folder)
{
	ck_assert_int_eq(mkdir("a", 0700), 0);
	ck_assert_int_eq(file_replace(dir, "a", "x", 1), -1);
	ck_assert_int_eq(room_count(folder), 1);
	ck_assert_int_eq(mkdir("b.new", 0700), 0);
	ck_assert_int_eq(file_replace(dir, "b", "x", 1), -1);
	ck_assert_int_eq(access("b", F_OK), -1);
}
END_TEST

/* Not as root, who may write to every folder. */
START_TEST(leaves_a_read_only_folder)
{
	char *bytes;
	size_t len;
	int rc[3], error;

	room_put("a", "old", 3);
	room_put("secret", "x", 1);
	ck_assert_int_eq(chmod("a", 0644) | chmod("secret", 0) | chmod(folder, 0555), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
	rc[0] = file_replace(dir, "a", "new", 3);
	error = errno;
	rc[1] = file_remove(dir, "a");
	rc[2] = file_read(dir, "secret", 10, &bytes, &len);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	ck_assert_int_eq(rc[0], -1);
	ck_assert_int_eq(error, EACCES);
	ck_assert_int_eq(rc[1], -1);
	ck_assert_int_eq(rc[2], -1);
	holds("a", "old", 3);
	ck_assert_int_eq(room_count(folder), 2);
}
END_TEST

START_TEST(reads_a_file_that_grows)
{
	char *bytes;
	size_t len;
	pid_t pid;
	int i;

	room_put("a", "begin", 5);
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		int fd = open("a", O_WRONLY | O_APPEND);

		for (i = 0; i < 100000; i++)
			(void)!write(fd, "x", 1);
		_exit(0);
	}
	do {
		i = waitpid(pid, NULL, WNOHANG);
		ck_assert_msg(file_read(dir, "a", 1 << 20, &bytes, &len) == 0, "%s",
		    strerror(errno));
		ck_assert_uint_eq(strlen(bytes), len);
		free(bytes);
	} while (i == 0);
}
END_TEST

static const struct {
	const char *path, *want; /* "@": the room */
} real_paths[] = {
	{ "/", "/" },
	{ "//", "/" },
	{ "/..", "/" },
	{ "/none", "/none" },
	{ "/none/", "/none" },
	{ "//none/./a//b/", "/none/a/b" },
	{ "/none/a/../../../b", "/b" },
	{ "@/real/x", "@/real/x" },
	{ "@/link/x", "@/real/x" },
	{ "@/link/x/../y/", "@/real/y" },
	{ "@/link/..", "@" },
	{ "@/link/../real/", "@/real" },
	{ "@/dangling/x", "@/dangling/x" },
	{ "@/loop/..", "@" },
};

static void
put_room(char *out, const char *path)
{
	snprintf(out, PATH_MAX, "%s%s", *path == '@' ? folder : "",
	    path + (*path == '@'));
}

START_TEST(tells_the_real_path)
{
	char path[PATH_MAX], want[PATH_MAX], got[PATH_MAX];

	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	put_room(path, real_paths[_i].path);
	put_room(want, real_paths[_i].want);
	file_real_path(path, got);
	ck_assert_str_eq(got, want);
}
END_TEST

START_TEST(bounds_the_real_path)
{
	char path[2 * PATH_MAX] = "/none", got[PATH_MAX];

	while (strlen(path) < sizeof(path) - 10)
		strcat(path, "/abc/../d");
	file_real_path(path, got);
	ck_assert_uint_lt(strlen(got), PATH_MAX);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	file_real_path(path, got);
	ck_assert_uint_eq(strlen(got), PATH_MAX - 1);
}
END_TEST

START_TEST(tells_a_broken_descriptor)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(file_write(-1, "x", 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(file_write(-1, "", 0), 0);
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	close(fd[0]);
	ck_assert_int_eq(file_write(fd[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fd[1]);
}
END_TEST

Suite *
file_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		EACH(reads_and_replaces, N(contents)), ONCE(reads_below_its_folder),
		ONCE(replaces_with_its_own_mode), ONCE(replaces_and_never_rewrites),
		ONCE(removes), ONCE(sweeps), ONCE(removes_a_link_and_not_its_target),
		ONCE(reads_a_file_that_grows), EACH(tells_the_real_path, N(real_paths)),
		CASE("Limits"), ONCE(bounds_the_real_path), EACH(bounds_what_it_reads, 5),
		ONCE(refuses_a_huge_file), ONCE(bounds_the_name), ONCE(writes_all),
		ONCE(leaves_nothing_on_a_full_disk), ONCE(loses_no_descriptor),
		CASE("Hostile"), EACH(refuses_other_kinds, N(others)),
		ONCE(replaces_a_link_and_not_its_target),
		EACH(uses_no_temp_file_of_another, 4), ONCE(replaces_no_folder),
		ONCE(leaves_a_read_only_folder), ONCE(tells_a_broken_descriptor) };

	return unit_suite("file", setup, room_leave, tests, N(tests));
}
