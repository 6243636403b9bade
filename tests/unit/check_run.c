/*
 * check_run.c: child processes.  They run sh(1) and standard tools; none outlives its
 * test.
 */
#include "suite.h"
#include "child.h"
#include "room.h"
#include "sys/run.h"

#include "state/uplock.h"
#include "sys/signals.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *run_suite(void);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;
static struct run_result res;
static char *env[] = { "PATH=/usr/bin:/bin", NULL };
static const char *sh_argv[] = { "sh", "-c", NULL, NULL };

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
	memset(&res, 0, sizeof(res));
	ck_assert_int_eq(signals_init(&f), 0);
}

static void
teardown(void)
{
	run_free(&res);
	room_leave();
}

static struct run
look(const char *script)
{
	sh_argv[2] = script;
	return (struct run){ .kind = RUN_LOOK,
		.path = "/bin/sh",
		.argv = sh_argv,
		.env = env,
		.limit_ms = 30000,
		.out_fd = -1,
		.hold_fd = -1 };
}

static void
start(const struct run *r)
{
	run_free(&res);
	ck_assert_msg(run_child(r, &res, &f) == 0, "%s", f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}

static const char *
output(const char *script)
{
	struct run r = look(script);

	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert_msg(res.status == 0, "%s: exit %d: %s", script, res.status, res.err);
	return res.out == NULL ? "" : res.out;
}

static struct run
move(const char *script)
{
	struct run r = look(script);

	r.kind = RUN_MOVE;
	r.hold_word = "up";
	r.out_fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(r.out_fd, 0);
	ck_assert_int_ge(r.hold_fd = uplock_take(dir), 0);
	return r;
}

static const struct {
	const char *script;
	enum run_end end;
	int status;
} ends[] = {
	{ ":", RUN_EXITED, 0 },
	{ "exit 1", RUN_EXITED, 1 },
	{ "exit 42", RUN_EXITED, 42 },
	{ "exit 127", RUN_EXITED, 127 },
	{ "exit 137", RUN_EXITED, 137 },
	{ "exit 255", RUN_EXITED, 255 },
	{ "kill -KILL $$", RUN_SIGNALLED, SIGKILL },
	{ "kill -TERM $$", RUN_SIGNALLED, SIGTERM },
	{ "kill -INT $$", RUN_SIGNALLED, SIGINT },
	{ "kill -HUP $$", RUN_SIGNALLED, SIGHUP },
	{ "kill -PIPE $$", RUN_SIGNALLED, SIGPIPE },
};

START_TEST(tells_the_end)
{
	struct run r = look(ends[_i].script);

	start(&r);
	ck_assert_int_eq(res.end, ends[_i].end);
	ck_assert_int_eq(res.status, ends[_i].status);
	ck_assert_uint_eq(res.out_len, 0);
	ck_assert_uint_eq(res.err_len, 0);
}
END_TEST

START_TEST(keeps_the_streams_apart)
{
	ck_assert_str_eq(output("echo a; echo b >&2; echo c"), "a\nc\n");
	ck_assert_str_eq(res.err, "b\n");
	ck_assert_uint_eq(res.err_len, 2);
	ck_assert_uint_eq(res.out_len, 4);
	ck_assert(!res.out_cut);
}
END_TEST

START_TEST(merges_the_streams)
{
	struct run r = look("echo a; echo b >&2; echo c");

	r.merge = true;
	start(&r);
	ck_assert_str_eq(res.out, "a\nb\nc\n");
	ck_assert_uint_eq(res.err_len, 0);
}
END_TEST

START_TEST(keeps_every_byte)
{
	output("printf 'a\\0b\\377\\n'");
	ck_assert_uint_eq(res.out_len, 5);
	ck_assert_mem_eq(res.out, "a\0b\377\n\0", 6);
}
END_TEST

/* What is in the pipe after the exit is output of the child. */
START_TEST(keeps_the_last_words)
{
	int i;

	for (i = 0; i < 50; i++) {
		ck_assert_str_eq(output("echo last; echo words >&2"), "last\n");
		ck_assert_str_eq(res.err, "words\n");
	}
}
END_TEST

/* Each one waits for the other one. */
START_TEST(runs_two_at_the_same_time)
{
	struct run r = look("mkfifo a b; echo a >a; cat b");
	struct run_result second;
	struct running c;

	ck_assert_msg(run_start(&c, &r, &f) == 0, "%s", f.what);
	r = look("until [ -p b ]; do :; done; cat a; echo b >b");
	ck_assert_msg(run_child(&r, &second, &f) == 0, "%s", f.what);
	run_wait(&c, &r, &res);
	ck_assert_str_eq(res.out, "b\n");
	ck_assert_str_eq(second.out, "a\n");
	run_free(&second);
}
END_TEST

START_TEST(gives_the_environment_as_it_is)
{
	static const char *const argv[] = { "env", NULL };
	char *given[] = { "B=2 3", "A=", "PATH=/nowhere", "A=again", NULL };
	struct run r = look("");

	ck_assert_int_eq(setenv("TWILIGHT_LEAK", "1", 1), 0);
	r.path = "/usr/bin/env";
	r.argv = argv;
	r.env = given;
	start(&r);
	ck_assert_str_eq(res.out, "B=2 3\nA=\nPATH=/nowhere\nA=again\n");
}
END_TEST

START_TEST(gives_the_arguments_as_they_are)
{
	static const char *const argv[] = { "sh", "-c", "printf '<%s>' \"$@\"", "sh", "a",
		"b c", "", "$(id)", "x\ny", "-n", NULL };
	struct run r = look("");

	r.argv = argv;
	start(&r);
	ck_assert_str_eq(res.out, "<a><b c><><$(id)><x\ny><-n>");
}
END_TEST

START_TEST(goes_where_it_is_told)
{
	struct run r = look("pwd -P");

	start(&r);
	ck_assert_str_eq(res.out + strlen(res.out) - strlen(folder) - 1,
	    strcat(strcpy((char[80]){ 0 }, folder), "\n"));
	r.cwd = "/";
	start(&r);
	ck_assert_str_eq(res.out, "/\n");
}
END_TEST

START_TEST(waits_for_the_exit_and_not_for_the_end_of_output)
{
	struct run r = look("cat gate & echo done");
	int fd;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	r.limit_ms = 10000;
	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert_int_eq(res.status, 0);
	ck_assert_str_eq(res.out, "done\n");
	/* now the process that kept the pipe open ends too */
	ck_assert_int_ge(fd = open("gate", O_WRONLY | O_CLOEXEC), 0);
	close(fd);
}
END_TEST

START_TEST(gives_what_is_to_be_read_or_nothing)
{
	struct run r;
	int fd[2];

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	ck_assert_int_eq(write(fd[1], "mine\n", 5), 5);
	ck_assert_int_eq(dup2(fd[0], 0), 0);
	ck_assert_str_eq(output("readlink /proc/$$/fd/0; cat"), "/dev/null\n");
	close(fd[1]);
	r = look("cat");
	r.in_fd = fd[0];
	start(&r);
	ck_assert_str_eq(res.out, "mine\n");
	close(fd[0]);
}
END_TEST

START_TEST(gives_a_group_of_its_own)
{
	long pid, group;

	ck_assert_int_eq(sscanf(output("cat /proc/$$/stat"), "%ld (sh) %*c %*d %ld", &pid,
			     &group),
	    2);
	ck_assert_int_eq(pid, group);
	ck_assert_int_ne(group, getpgrp());
}
END_TEST

static const char list_descriptors[] =
    "i=0; while [ $i -lt 80 ]; do "
    "[ -e /proc/$$/fd/$i ] && printf '%s ' $i; i=$((i + 1)); done; exit 0";

static void
open_many(void)
{
	int i, fd = open("/dev/null", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	for (i = 20; i < 70; i++)
		ck_assert_int_eq(dup2(fd, i), i);
}

START_TEST(gives_no_descriptor_of_ours)
{
	open_many();
	ck_assert_str_eq(output(list_descriptors), "0 1 2 ");
}
END_TEST

START_TEST(gives_a_detached_child_the_lock_alone)
{
	struct run r = move(list_descriptors);

	open_many();
	start(&r);
	ck_assert_str_eq(child_wrote("log"), "0 1 2 4 ");
}
END_TEST

START_TEST(gives_default_signals)
{
	static const int ours[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM,
		SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2 };
	static const char *const argv[] = { "grep", "^Sig[BI]", "/proc/self/status",
		NULL };
	unsigned long long blocked, ignored;
	struct run r = look("");
	sigset_t all;
	int i;

	for (i = 0; i < N(ours); i++)
		if (ours[i] != SIGCHLD)
			ck_assert(signal(ours[i], SIG_IGN) != SIG_ERR);
	sigfillset(&all);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, &all, NULL), 0);
	r.path = "/bin/grep";
	r.argv = argv;
	start(&r);
	ck_assert_int_eq(sscanf(res.out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored),
	    2);
	ck_assert_uint_eq(blocked, 0);
	for (i = 0; i < N(ours); i++)
		ck_assert_msg((ignored >> (ours[i] - 1) & 1) == 0, "signal %d", ours[i]);
}
END_TEST

static void
count(void *arg)
{
	++*(int *)arg;
}

START_TEST(ticks)
{
	struct run r = look("sleep 1");
	int n = 0;

	r.tick = count;
	r.arg = &n;
	start(&r);
	ck_assert_int_ge(n, 1);
}
END_TEST

START_TEST(frees_twice)
{
	output("echo a");
	run_free(&res);
	ck_assert_ptr_null(res.out);
	run_free(&res);
}
END_TEST

/* RUN_MOVE: both streams go to the file. */
START_TEST(detached_child_writes_to_the_file)
{
	struct run r = move("echo out; echo err >&2; exit 3");
	int held = r.hold_fd;

	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert_int_eq(res.status, 3);
	ck_assert_ptr_null(res.out);
	ck_assert_uint_eq(res.err_len, 0);
	ck_assert_str_eq(child_wrote("log"), "out\nerr\n");
	/* the child alone held the lock, and it ended */
	ck_assert_int_eq(fcntl(held, F_GETFD), -1);
	ck_assert(child_none_detached(dir));
	/* the log file stays open here */
	ck_assert_int_ne(fcntl(r.out_fd, F_GETFD), -1);
}
END_TEST

/* It overwrites the longer line of an earlier holder. */
START_TEST(detached_child_names_itself)
{
	struct run r = move("echo $$; cat gate");
	struct detached_holder m;
	pid_t deployer;
	int fd;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	ck_assert_int_eq(pwrite(r.hold_fd, "123456789 a much longer holder\n", 31, 0),
	    31);
	deployer = fork();
	ck_assert_int_ne(deployer, -1);
	if (deployer == 0) {
		(void)!run_child(&r, &res, &f);
		_exit(0);
	}
	close(r.hold_fd);
	close(r.out_fd);
	child_pid_in("log");
	uplock_holder(dir, &m);
	ck_assert_int_eq(m.group, child_pid_in("log"));
	ck_assert_str_eq(m.word, "up");
	ck_assert_int_ge(fd = open("gate", O_WRONLY | O_CLOEXEC), 0);
	close(fd);
	ck_assert_int_eq(waitpid(deployer, NULL, 0), deployer);
	ck_assert(child_none_detached_soon(dir));
}
END_TEST

START_TEST(detached_child_without_a_lock)
{
	struct run r = move("echo $(true) >/proc/$$/fd/1; [ ! -e /proc/$$/fd/4 ]");

	close(r.hold_fd);
	r.hold_fd = -1;
	start(&r);
	ck_assert_int_eq(res.status, 0);
	ck_assert_str_eq(child_wrote("up.lock"), "");
}
END_TEST

/* A grandchild holds the lock too. */
START_TEST(lock_is_held_by_what_is_left)
{
	struct run r = move("cat gate >/dev/null & exit 0");
	int fd;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert(!child_none_detached(dir));
	ck_assert_int_ge(fd = open("gate", O_WRONLY | O_CLOEXEC), 0);
	close(fd);
	ck_assert(child_none_detached_soon(dir));
}
END_TEST

/* Runs `r` in another process, and kills that when the file `ready` exists. */
static void
run_and_be_killed(const struct run *r, const char *ready)
{
	pid_t deployer = fork();

	ck_assert_int_ne(deployer, -1);
	if (deployer == 0) {
		(void)!run_child(r, &res, &f);
		_exit(0);
	}
	child_pid_in(ready);
	ck_assert_int_eq(kill(deployer, SIGKILL), 0);
	ck_assert_int_eq(waitpid(deployer, NULL, 0), deployer);
}

START_TEST(detached_child_outlives_us)
{
	struct run r = move("echo $$ >ready; read word <gate; echo talks; echo $word; "
			    "echo $$ >finished");
	pid_t detached;
	int fd;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	run_and_be_killed(&r, "ready");
	close(r.hold_fd);
	close(r.out_fd);
	detached = child_pid_in("ready");
	ck_assert(!child_gone(detached));
	ck_assert(!child_none_detached(dir));
	ck_assert_int_ge(fd = open("gate", O_WRONLY | O_CLOEXEC), 0);
	ck_assert_int_eq(write(fd, "on\n", 3), 3);
	close(fd);
	ck_assert(child_none_detached_soon(dir));
	ck_assert_int_eq(child_pid_in("finished"), detached);
	ck_assert_str_eq(child_wrote("log"), "talks\non\n");
}
END_TEST

START_TEST(looker_dies_with_us)
{
	struct run r = look("echo $$ >ready; while :; do sleep 0.1; done");

	run_and_be_killed(&r, "ready");
	ck_assert(child_gone_soon(child_pid_in("ready")));
}
END_TEST

START_TEST(limit_ends_it)
{
	struct run r = look("echo before; echo $$ >pid; exec sleep 60");

	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert_int_eq(res.status, SIGTERM);
	ck_assert_str_eq(res.out, "before\n");
	ck_assert(child_gone(child_pid_in("pid")));
}
END_TEST

/* After TERM the child may clean up; its exit code is returned. */
START_TEST(limit_lets_it_clean_up)
{
	struct run r = look("trap 'echo cleaned; exit 7' TERM; echo $$ >pid; "
			    "while :; do sleep 0.05; done");

	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert_int_eq(res.status, 7);
	ck_assert_str_eq(res.out, "cleaned\n");
}
END_TEST

/* Descendants of a look are killed; those of a move hold the lock. */
START_TEST(limit_ends_the_group_of_a_looker)
{
	struct run r = look("sleep 600 & echo $! >left; wait");

	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert(child_gone_soon(child_pid_in("left")));
}
END_TEST

START_TEST(limit_spares_the_group_of_a_detached_child)
{
	struct run r = move("(read word <gate; echo $word >alive) & echo $! >left; wait");
	int fd;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert(!child_none_detached(dir));
	/* it runs on; O_RDWR, because open(2) would wait for a dead reader */
	ck_assert_int_ge(fd = open("gate", O_RDWR | O_CLOEXEC), 0);
	ck_assert_int_eq(write(fd, "still\n", 6), 6);
	ck_assert(child_none_detached_soon(dir));
	close(fd);
	ck_assert_str_eq(child_wrote("alive"), "still\n");
}
END_TEST

START_TEST(limit_kills_what_ignores_it)
{
	struct run r = look("trap '' TERM; sleep 600 & echo $! >left; echo $$ >pid; "
			    "while :; do sleep 1; done");

	r.limit_ms = 500;
	r.grace_ms = 100;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert_int_eq(res.status, SIGKILL);
	ck_assert(child_gone(child_pid_in("pid")));
	ck_assert(child_gone_soon(child_pid_in("left")));
}
END_TEST

/* Another user's process: it is reported, and not waited for. */
START_TEST(limit_leaves_what_it_may_not_end)
{
	struct run r = look("echo $$ >pid; read line <gate");
	pid_t pid;

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	child_forbid_kill();
	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert(res.left);
	pid = child_pid_in("pid");
	ck_assert(!child_gone(pid));
	child_release("gate");
	ck_assert(child_gone_soon(pid));
}
END_TEST

/* Endless output must not hide the limit. */
START_TEST(limit_holds_against_endless_output)
{
	struct run r = look(_i == 0 ? "exec cat /dev/zero" : "exec cat /dev/zero >&2");

	r.limit_ms = 500;
	start(&r);
	ck_assert_int_eq(res.end, RUN_TIMEOUT);
	ck_assert_int_eq(res.status, SIGTERM);
}
END_TEST

/* The exit is noticed while a grandchild writes on. */
START_TEST(exit_holds_against_endless_output)
{
	struct run r = look("cat /dev/zero & echo $! >left; exit 5");

	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert_int_eq(res.status, 5);
	(void)kill(child_pid_in("left"), SIGKILL);
}
END_TEST

START_TEST(stops_when_told)
{
	struct run r = look("kill -TERM $PPID; sleep 60");

	r.stoppable = true;
	start(&r);
	ck_assert_int_eq(res.end, RUN_STOPPED);
	ck_assert_int_eq(signals_stop(), SIGTERM);
	/* the signal counts for the next child too */
	r = look("sleep 60");
	r.stoppable = true;
	start(&r);
	ck_assert_int_eq(res.end, RUN_STOPPED);
}
END_TEST

START_TEST(does_not_stop_what_must_end)
{
	struct run r = look("kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID; "
			    "sleep 0.5; exit 3");

	start(&r);
	ck_assert_int_eq(res.end, RUN_EXITED);
	ck_assert_int_eq(res.status, 3);
	ck_assert_int_ne(signals_stop(), 0);
}
END_TEST

static const struct {
	const char *script;
	size_t len;
	bool cut;
} amounts[] = {
	{ "head -c 16384 /dev/zero", 16384, false },
	{ "head -c 65537 /dev/zero", 65537, false },
	{ "head -c 8388607 /dev/zero", RUN_OUTPUT_MAX - 1, false },
	{ "head -c 8388608 /dev/zero", RUN_OUTPUT_MAX, false },
	{ "head -c 8388609 /dev/zero", RUN_OUTPUT_MAX, true },
	{ "head -c 20000000 /dev/zero", RUN_OUTPUT_MAX, true },
};

START_TEST(bounds_the_output)
{
	output(amounts[_i].script);
	ck_assert_int_eq(res.out_cut, amounts[_i].cut);
	if (amounts[_i].cut)
		ck_assert_uint_le(res.out_len, amounts[_i].len);
	else
		ck_assert_uint_eq(res.out_len, amounts[_i].len);
	ck_assert_int_eq(res.out[res.out_len], '\0');
}
END_TEST

/* The first bytes are kept, without a gap. */
START_TEST(keeps_the_begin_of_too_much)
{
	output("head -c 8388600 /dev/zero; sleep 0.3; echo 0123456789abcdef; sleep 0.3; "
	       "echo x");
	ck_assert(res.out_cut);
	ck_assert_ptr_null(memchr(res.out, 'x', res.out_len));
}
END_TEST

START_TEST(bounds_the_errors)
{
	output("printf '%02047d' 0 >&2");
	ck_assert_uint_eq(res.err_len, RUN_ERRORS_MAX - 1);
	output("printf 'first%05000d' 0 >&2; printf last >&2");
	ck_assert_uint_eq(res.err_len, RUN_ERRORS_MAX - 1);
	ck_assert_uint_eq(strlen(res.err), RUN_ERRORS_MAX - 1);
	ck_assert_int_eq(strncmp(res.err, "first0000", 9), 0);
	/* what is not kept is read all the same */
	output("head -c 5000000 /dev/zero >&2; echo through");
	ck_assert_str_eq(res.out, "through\n");
}
END_TEST

/* Each failure for lack of descriptors is reported, and closes the lock alone. */
START_TEST(is_short_of_descriptors)
{
	struct rlimit before, few;
	int extra, n, failed = 0;
	struct run r;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (extra = 0; extra < 16; extra++) {
		r = move("exit 9");
		n = room_count("/proc/self/fd") - 1;
		few = before;
		few.rlim_cur = (rlim_t)(r.hold_fd + 1 + extra);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		fault_clear(&f);
		if (run_child(&r, &res, &f) == 0)
			ck_assert_int_eq(res.status, 9);
		else {
			failed++;
			ck_assert_int_eq(f.kind, FAULT_HOST);
			ck_assert_ptr_nonnull(strstr(f.what, "/bin/sh"));
			ck_assert_str_ne(f.next, "");
		}
		run_free(&res);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		ck_assert_int_eq(room_count("/proc/self/fd") - 1, n - 1);
		ck_assert(child_none_detached(dir));
		close(r.out_fd);
	}
	ck_assert_int_gt(failed, 0);
	ck_assert_int_lt(failed, 16);
}
END_TEST

START_TEST(loses_no_descriptor)
{
	int i, n = room_count("/proc/self/fd");

	for (i = 0; i < 20; i++) {
		struct run r = look("echo a; echo b >&2");

		start(&r);
		run_free(&res);
		r.path = "/no/such";
		ck_assert_int_eq(run_child(&r, &res, &f), -1);
		run_free(&res);
		fault_clear(&f);
	}
	ck_assert_int_eq(room_count("/proc/self/fd"), n);
}
END_TEST

static const struct {
	const char *name, *text;
	mode_t mode;
	int error;
} unfit[] = {
	{ "none", NULL, 0, ENOENT },
	{ "plain", "#!/bin/sh\n", 0600, EACCES },
	{ "words", "these are only words\n", 0700, ENOEXEC },
	{ "orphan", "#!/no/such/interpreter\n", 0700, ENOENT },
	{ ".", NULL, 0, EACCES },
};

START_TEST(tells_why_it_cannot_run)
{
	char path[128], want[256];
	struct run r = look("");

	snprintf(path, sizeof(path), "%s/%s", folder, unfit[_i].name);
	if (unfit[_i].text != NULL) {
		room_put(path, unfit[_i].text, strlen(unfit[_i].text));
		ck_assert_int_eq(chmod(path, unfit[_i].mode), 0);
	}
	r.path = path;
	ck_assert_int_eq(run_child(&r, &res, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	snprintf(want, sizeof(want), "cannot run %s: exec: %s", path,
	    strerror(unfit[_i].error));
	ck_assert_str_eq(f.what, want);
	ck_assert_str_eq(f.next, "check that this user may run it");
}
END_TEST

static const struct {
	const char *cwd;
	int error;
} nowhere[] = {
	{ "/no/such/folder", ENOENT },
	{ "/dev/null", ENOTDIR },
	{ "", ENOENT },
};

START_TEST(tells_where_it_cannot_go)
{
	struct run r = look("touch ran");
	char want[256];

	r.cwd = nowhere[_i].cwd;
	ck_assert_int_eq(run_child(&r, &res, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	snprintf(want, sizeof(want), "cannot enter %s: %s", nowhere[_i].cwd,
	    strerror(nowhere[_i].error));
	ck_assert_str_eq(f.what, want);
	ck_assert_int_eq(access("ran", F_OK), -1);
}
END_TEST

START_TEST(frees_the_lock_of_what_never_ran)
{
	struct run r = move(":");
	int held = r.hold_fd;

	r.path = "/no/such";
	ck_assert_int_eq(run_child(&r, &res, &f), -1);
	ck_assert_int_eq(fcntl(held, F_GETFD), -1);
	ck_assert(child_none_detached(dir));
}
END_TEST

Suite *
run_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		EACH(tells_the_end, N(ends)), ONCE(keeps_the_streams_apart),
		ONCE(merges_the_streams), ONCE(keeps_every_byte),
		ONCE(keeps_the_last_words), ONCE(runs_two_at_the_same_time),
		ONCE(gives_the_environment_as_it_is),
		ONCE(gives_the_arguments_as_they_are), ONCE(goes_where_it_is_told),
		ONCE(waits_for_the_exit_and_not_for_the_end_of_output),
		ONCE(gives_what_is_to_be_read_or_nothing), ONCE(gives_a_group_of_its_own),
		ONCE(gives_no_descriptor_of_ours),
		ONCE(gives_a_detached_child_the_lock_alone), ONCE(gives_default_signals),
		ONCE(ticks), ONCE(frees_twice), ONCE(detached_child_writes_to_the_file),
		ONCE(detached_child_names_itself), ONCE(detached_child_without_a_lock),
		ONCE(lock_is_held_by_what_is_left), ONCE(detached_child_outlives_us),
		ONCE(looker_dies_with_us), ONCE(stops_when_told),
		ONCE(does_not_stop_what_must_end), CASE("Limits"), ONCE(limit_ends_it),
		ONCE(limit_lets_it_clean_up), ONCE(limit_ends_the_group_of_a_looker),
		ONCE(limit_spares_the_group_of_a_detached_child),
		ONCE(limit_kills_what_ignores_it), ONCE(limit_leaves_what_it_may_not_end),
		EACH(bounds_the_output, N(amounts)), ONCE(bounds_the_errors),
		ONCE(is_short_of_descriptors), ONCE(loses_no_descriptor),
		ONCE(keeps_the_begin_of_too_much), CASE("Hostile"),
		EACH(limit_holds_against_endless_output, 2),
		ONCE(exit_holds_against_endless_output),
		EACH(tells_why_it_cannot_run, N(unfit)),
		EACH(tells_where_it_cannot_go, N(nowhere)),
		ONCE(frees_the_lock_of_what_never_ran) };

	return unit_suite("run", setup, teardown, tests, N(tests));
}
