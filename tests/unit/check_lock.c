/*
 * check_lock.c: the two locks, and the reports about their holders.
 */
#include "suite.h"
#include "room.h"
#include "state/lock.h"
#include "state/uplock.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *lock_suite(void);

static char folder[64], path[80];
static int dir;
static struct fault f;

static void
setup(void)
{
	dir = room_enter(folder);
	snprintf(path, sizeof(path), "%s/lock", folder);
	memset(&f, 0, sizeof(f));
}

static int
take_as(const char *holder)
{
	int fd = lock_take(path, holder, &f);

	ck_assert_msg(fd >= 0, "%s", f.what);
	return fd;
}

static void
is_busy(const char *what)
{
	fault_clear(&f);
	ck_assert_int_eq(lock_take(path, "second", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_BUSY);
	ck_assert_str_eq(f.what, what);
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
}

/*
 * The lock is free.  Another file of another file system may have the same inode number,
 * and be locked for some time.
 */
static void
is_free(void)
{
	char holder[64];

	while (lock_held(path, holder, sizeof(holder)))
		usleep(1000);
	ck_assert_str_eq(holder, "");
}

/* Writes into the locked file. */
static void
put_lock(int fd, const char *bytes, size_t len)
{
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, bytes, len, 0), (int)len);
}

START_TEST(is_busy_while_held)
{
	int fd = take_as("ci: deploy v1.2.3\n");

	is_busy("deploy already running (ci: deploy v1.2.3)");
	is_busy("deploy already running (ci: deploy v1.2.3)");
	lock_release(fd);
	fd = take_as("next");
	is_busy("deploy already running (next)");
	lock_release(fd);
}
END_TEST

/* A file of another file system may have the same inode: the PID decides. */
START_TEST(is_held_by_the_one_it_names)
{
	char holder[64], words[64];
	int fd;

	snprintf(words, sizeof(words), "deploy v1 by ci, pid %ld, since now",
	    (long)getpid());
	fd = take_as(words);
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_str_eq(holder, words);
	lock_release(fd);
	fd = take_as("deploy v1 by ci, pid 1, since now");
	ck_assert(!lock_held(path, holder, sizeof(holder)));
	ck_assert_str_eq(holder, "");
	lock_release(fd);
	/* another program, which writes no PID */
	fd = take_as("deploy.sh");
	ck_assert(lock_held(path, holder, sizeof(holder)));
	lock_release(fd);
}
END_TEST

/* After any name, however long it is when it is escaped. */
START_TEST(finds_the_pid_behind_any_name)
{
	static const char *const names[] = { "x, pid 1", "x, pid ", "a\\b",
		"J\\303\\274rgen M\\303\\274ller (op)" };
	char holder[256], words[256];
	int fd;

	snprintf(words, sizeof(words), "deploy sha-abc1234 by %s, pid %ld, since now",
	    names[_i], (long)getpid());
	fd = take_as(words);
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_int_eq(strncmp(holder, "deploy sha-abc1234 by ", 22), 0);
	/* also if the caller has less room */
	ck_assert(lock_held(path, holder, 20));
	lock_release(fd);
}
END_TEST

/* A deploy was killed, and now a script holds the lock by flock(1). */
START_TEST(ignores_the_line_of_a_killed_holder)
{
	char holder[256], words[64];
	pid_t pid = fork();
	int fd;

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	snprintf(words, sizeof(words), "deploy v1 by ci, pid %ld, since now", (long)pid);
	fd = take_as(words);
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_str_eq(holder, "");
	is_busy("deploy already running");
	lock_release(fd);
}
END_TEST

START_TEST(forgets_the_holder_before)
{
	int fd = take_as("a holder with a very long name\n");

	lock_release(fd);
	fd = take_as("b");
	is_busy("deploy already running (b)");
	lock_release(fd);
	/* a free lock has no holder */
	is_free();
	fd = take_as("");
	is_busy("deploy already running");
	lock_release(fd);
}
END_TEST

START_TEST(is_a_file_that_stays)
{
	struct stat st, again;

	lock_release(take_as("a"));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(st.st_size, 0);
	lock_release(take_as("b"));
	ck_assert_int_eq(stat(path, &again), 0);
	ck_assert_uint_eq(st.st_ino, again.st_ino);
	lock_release(-1);
}
END_TEST

START_TEST(is_seen_without_being_taken)
{
	char holder[64] = "x";
	int fd;

	is_free();
	/* no file is created */
	ck_assert_int_eq(access(path, F_OK), -1);
	fd = take_as("ci: deploy v1\n");
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_str_eq(holder, "ci: deploy v1");
	is_busy("deploy already running (ci: deploy v1)");
	lock_release(fd);
	is_free();
}
END_TEST

/* The kernel releases the lock of a process that is killed. */
START_TEST(frees_itself_when_its_holder_dies)
{
	int ready[2], fd;
	char byte, holder[64];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		fd = lock_take(path, "the other", &f);
		(void)!write(ready[1], fd == -1 ? "n" : "y", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	is_busy("deploy already running (the other)");
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_str_eq(holder, "the other");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	is_free();
	/* its line is overwritten */
	fd = take_as("mine");
	is_busy("deploy already running (mine)");
	lock_release(fd);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(is_not_inherited)
{
	int fd = take_as("a"), up = uplock_take(dir);

	ck_assert_int_ge(up, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(up, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(up);
	lock_release(fd);
}
END_TEST

/* flock(1) of a script excludes us, and we exclude it. */
START_TEST(goes_with_flock)
{
	char holder[64];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), mine;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	is_busy("deploy already running");
	ck_assert(lock_held(path, holder, sizeof(holder)));
	ck_assert_int_eq(flock(fd, LOCK_UN), 0);
	mine = take_as("mine");
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	lock_release(mine);
	close(fd);
}
END_TEST

/* /proc/locks has locks of other files and kinds too. */
START_TEST(takes_no_waiter_for_a_holder)
{
	int fd, other;

	lock_release(take_as("a"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	other = open("other", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(flock(other, LOCK_EX), 0);
	ck_assert_int_eq(lockf(fd, F_TLOCK, 0), 0);
	is_free();
	close(fd);
	close(other);
}
END_TEST

/* /proc/locks is longer than a page, and changes while it is read. */
START_TEST(is_seen_among_many)
{
	int fd[200], mine, i;
	char name[16], holder[64];
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < N(fd); i++) {
			snprintf(name, sizeof(name), "%d", i);
			fd[i] = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
			flock(fd[i], LOCK_EX);
		}
		close(creat("ready", 0600));
		for (i = 0;; i++)
			flock(fd[i % N(fd)], i / N(fd) % 2 == 0 ? LOCK_UN : LOCK_EX);
	}
	while (access("ready", F_OK) == -1)
		usleep(1000);
	mine = take_as("mine");
	for (i = 0; i < 300; i++)
		ck_assert(lock_held(path, holder, sizeof(holder)));
	lock_release(mine);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(uplock_is_exclusive)
{
	int fd = uplock_take(dir);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uplock_take(dir), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	close(fd);
	fd = uplock_take(dir);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(access("up.lock", F_OK), 0);
}
END_TEST

/* The lock is held while any process has the descriptor. */
START_TEST(uplock_is_held_by_who_inherits_it)
{
	int fd = uplock_take(dir), heir;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(heir = fcntl(fd, F_DUPFD_CLOEXEC, 10), 0);
	close(fd);
	ck_assert_int_eq(uplock_take(dir), -1);
	close(heir);
	ck_assert_int_ge(fd = uplock_take(dir), 0);
	close(fd);
}
END_TEST

static const struct {
	const char *bytes;
	long group;
	const char *word;
} holders[] = {
	{ "12345 pull\n", 12345, "pull" },
	{ "2 up\n", 2, "up" },
	{ "99999 tag\n", 99999, "tag" },
	{ "99999 rm", 99999, "rm" },
	{ "4194304 up\n", 4194304, "up" },
	{ "               12345 pull            \n", 12345, "pull" },
	{ "77 \n", 77, "" },
	{ "77 up\nmore\n", 77, "up" },
	/* not written yet, a part of it, or not ours */
	{ "", 0, "" },
	{ "\n", 0, "" },
	{ "123", 0, "" },
	{ "123\n", 0, "" },
	{ "123\nup", 0, "" },
	{ "up\n", 0, "" },
	{ "up 123\n", 0, "" },
	{ "123up\n", 0, "" },
	{ "123,up\n", 0, "" },
	/* never 0, 1 or a negative number: kill(2) takes them for other processes */
	{ "0 up\n", 0, "" },
	{ "1 up\n", 0, "" },
	{ "-1 up\n", 0, "" },
	{ "-12345 up\n", 0, "" },
	{ "0x10 up\n", 0, "" },
	/* larger than a pid_t: must not become another number */
	{ "4294967298 up\n", 0, "" },
	{ "99999999999999999999 up\n", 0, "" },
	{ "-4294967000 up\n", 0, "" },
	{ "12345 \x1b[\n", 12345, "\\033[" },
	{ "12345 \x1b[2J\n", 12345, "\\033[2..." },
	{ "12345 abcdefghijklmnopqrstuvwxyz\n", 12345, "abcdefghijkl..." },
};

START_TEST(reads_the_holder)
{
	struct detached_holder m = { .group = 5, .word = "old" };
	int fd = uplock_take(dir);

	ck_assert_int_ge(fd, 0);
	put_lock(fd, holders[_i].bytes, strlen(holders[_i].bytes));
	uplock_holder(dir, &m);
	ck_assert_msg(m.group == holders[_i].group &&
		strcmp(m.word, holders[_i].word) == 0,
	    "%s: %ld %s", holders[_i].bytes, (long)m.group, m.word);
	close(fd);
}
END_TEST

START_TEST(never_takes_itself_for_the_detached_command)
{
	struct detached_holder m;
	int fd = uplock_take(dir);
	char line[64];

	ck_assert_int_ge(fd, 0);
	snprintf(line, sizeof(line), "%ld up\n", (long)getpgrp());
	put_lock(fd, line, strlen(line));
	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, 0);
	/* nor by a number that overflows */
	snprintf(line, sizeof(line), "%lld up\n", (1LL << 32) + getpgrp());
	put_lock(fd, line, strlen(line));
	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, 0);
	close(fd);
}
END_TEST

/* Before the child has written its line there is no holder. */
START_TEST(uplock_names_no_earlier_holder)
{
	struct detached_holder m;
	int fd = uplock_take(dir);

	ck_assert_int_ge(fd, 0);
	put_lock(fd, "12345 pull\n", 11);
	close(fd);
	ck_assert_int_ge(fd = uplock_take(dir), 0);
	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, 0);
	ck_assert_str_eq(m.word, "");
	close(fd);
}
END_TEST

START_TEST(no_holder_is_no_group)
{
	struct detached_holder m = { .group = 5 };

	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, 0);
	ck_assert_str_eq(m.word, "");
	ck_assert_int_eq(mkfifo("up.lock", 0600), 0);
	m.group = 5;
	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, 0);
}
END_TEST

/* The content of the lock file is escaped and cut. */
static void
is_printable(const char *p)
{
	for (; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "byte %d", *p);
}

START_TEST(shows_the_holder_escaped)
{
	char bytes[] = "a?b", holder[64];
	int fd = take_as("x"), c;

	for (c = 0; c < 256; c++) {
		bytes[1] = (char)c;
		put_lock(fd, bytes, 3);
		fault_clear(&f);
		ck_assert_int_eq(lock_take(path, "y", &f), -1);
		ck_assert_int_eq(f.kind, FAULT_BUSY);
		is_printable(f.what);
		ck_assert_int_eq(strncmp(f.what, "deploy already running (a", 25), 0);
		ck_assert(lock_held(path, holder, sizeof(holder)));
		is_printable(holder);
		/* only the first line */
		if (c == '\n')
			ck_assert_str_eq(holder, "a");
	}
	lock_release(fd);
}
END_TEST

START_TEST(bounds_the_holder)
{
	char bytes[4096], holder[16], wide[1200];
	int fd = take_as("x");
	size_t len;

	for (len = 0; len < sizeof(bytes); len += len < 300 ? 1 : 500) {
		memset(bytes, len % 2 == 0 ? 'a' : '\x1b', sizeof(bytes));
		put_lock(fd, bytes, len);
		fault_clear(&f);
		ck_assert_int_eq(lock_take(path, "y", &f), -1);
		ck_assert_int_eq(f.kind, FAULT_BUSY);
		ck_assert(lock_held(path, holder, sizeof(holder)));
		ck_assert_uint_lt(strlen(holder), sizeof(holder));
		ck_assert(lock_held(path, wide, sizeof(wide)));
		if (len <= 256)
			ck_assert_uint_eq(strlen(wide), len % 2 == 0 ? len : 4 * len);
	}
	lock_release(fd);
}
END_TEST

static const struct {
	const char *path; /* relative to the room */
	const char *why;
} wrong[] = {
	{ "none/lock", "No such file or directory" },
	{ "folder", "Is a directory" },
	{ "link", "Too many levels of symbolic links" },
	{ "dangling", "Too many levels of symbolic links" },
	{ "file/lock", "Not a directory" },
	{ "", "No such file or directory" },
};

START_TEST(refuses_a_wrong_path)
{
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(close(creat("file", 0600)), 0);
	ck_assert_int_eq(lock_take(wrong[_i].path, "a", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, wrong[_i].why) != NULL, "%s", f.what);
	ck_assert_ptr_nonnull(strstr(f.next, "`lock`"));
	is_printable(f.what);
	ck_assert_int_eq(access("nowhere", F_OK), -1);
}
END_TEST

/* A setting that names compose.yml must not destroy it. */
START_TEST(refuses_another_file)
{
	static const char *const texts[] = { "services:\n  data:\n", "\n\n", "a\nb" };
	FILE *fp = fopen(path, "w");

	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs(texts[_i], fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
	ck_assert_int_eq(lock_take(path, "a", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "is not a lock file of this user"));
	ck_assert_int_eq(truncate(path, (off_t)strlen(texts[_i]) + 300), 0);
	ck_assert_int_eq(lock_take(path, "a", &f), -1);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(truncate(path, 300), 0);
	ck_assert_int_eq(lock_take(path, "a", &f), -1);
	/* the line of a killed holder or of a script is overwritten */
	ck_assert_int_eq(truncate(path, 0), 0);
	fp = fopen(path, "w");
	ck_assert_ptr_nonnull(fp);
	ck_assert_int_ge(fputs("4711\n", fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
	lock_release(take_as("a"));
}
END_TEST

START_TEST(escapes_the_path)
{
	ck_assert_int_eq(lock_take("no\x1b[2J/lock", "a", &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "no\\033[2J/lock"));
}
END_TEST

START_TEST(uplock_follows_no_link)
{
	ck_assert_int_eq(symlink("elsewhere", "up.lock"), 0);
	ck_assert_int_eq(uplock_take(dir), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(access("elsewhere", F_OK), -1);
}
END_TEST

Suite *
lock_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), ONCE(is_busy_while_held),
		ONCE(is_held_by_the_one_it_names), EACH(finds_the_pid_behind_any_name, 4),
		ONCE(ignores_the_line_of_a_killed_holder),
		ONCE(forgets_the_holder_before), ONCE(is_a_file_that_stays),
		ONCE(is_seen_without_being_taken),
		ONCE(frees_itself_when_its_holder_dies), ONCE(is_not_inherited),
		ONCE(goes_with_flock), ONCE(takes_no_waiter_for_a_holder),
		ONCE(is_seen_among_many), ONCE(uplock_is_exclusive),
		ONCE(uplock_is_held_by_who_inherits_it),
		EACH(reads_the_holder, N(holders)), CASE("Limits"),
		ONCE(bounds_the_holder), ONCE(no_holder_is_no_group),
		ONCE(never_takes_itself_for_the_detached_command),
		ONCE(uplock_names_no_earlier_holder), CASE("Hostile"),
		ONCE(shows_the_holder_escaped), EACH(refuses_a_wrong_path, N(wrong)),
		EACH(refuses_another_file, 3), ONCE(escapes_the_path),
		ONCE(uplock_follows_no_link) };

	return unit_suite("lock", setup, room_leave, tests, N(tests));
}
