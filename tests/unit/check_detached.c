/*
 * check_detached.c: detached commands, with sh(1) in place of docker.
 */
#include "child.h"
#include "room.h"
#include "engine/detached.h"

#include "state/uplock.h"
#include "sys/signals.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *detached_suite(void);

static char folder[64], said[65536];
static int dir;
static struct fault f;
static struct detached m;
static char *env[] = { "PATH=/usr/bin:/bin", NULL };
static const char *sh_argv[] = { "sh", "-c", NULL, NULL };

/* Collects reports as "C:line\n"; the line "open the gate" opens the fifo `gate`. */
static void
say(void *arg, enum say kind, const char *line)
{
	static const char letters[SAY__MAX] = { [SAY_RESULT] = 'R',
		[SAY_NOTE] = 'N',
		[SAY_DETAIL] = 'D',
		[SAY_WARN] = 'W',
		[SAY_SHOUT] = 'S',
		[SAY_CHILD] = 'C' };
	char head[] = { letters[kind], ':', '\0' };
	int fd;

	(void)arg;
	strcat(strcat(strcat(said, head), line), "\n");
	if (strcmp(line, "open the gate") == 0 &&
	    (fd = open("gate", O_WRONLY | O_CLOEXEC)) != -1)
		close(fd);
}

static const struct progress progress = { .say = say };

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
	said[0] = '\0';
	ck_assert_int_eq(signals_init(&f), 0);
	memset(&m, 0xa5, sizeof(m));
	detached_init(&m, dir, &progress, NULL, 30000);
}

static void
teardown(void)
{
	detached_close(&m);
	room_leave();
}

static struct run
run(const char *script)
{
	sh_argv[2] = script;
	return (struct run){ .path = "/bin/sh",
		.argv = sh_argv,
		.env = env,
		.limit_ms = 30000 };
}

static int
moves(const char *word, const char *script)
{
	struct run r = run(script);

	said[0] = '\0';
	fault_clear(&f);
	return detached_run(&m, &r, word, &f);
}

static void
fails(const char *word, const char *script, const char *what)
{
	ck_assert_int_eq(moves(word, script), -1);
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	ck_assert_str_eq(f.what, what);
}

/* A deployer starts it and is killed once the script has written `ready`. */
static pid_t
orphan(const char *word, const char *script)
{
	pid_t deployer = fork();

	ck_assert_int_ne(deployer, -1);
	if (deployer == 0) {
		(void)moves(word, script);
		_exit(0);
	}
	child_pid_in("ready");
	ck_assert_int_eq(kill(deployer, SIGKILL), 0);
	ck_assert_int_eq(waitpid(deployer, NULL, 0), deployer);
	ck_assert(!child_none_detached(dir));
	return child_pid_in("ready");
}

static void
settles(void)
{
	said[0] = '\0';
	ck_assert_msg(detached_reap(&m, &f) == 0, "%s", f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	ck_assert(child_none_detached(dir));
}

static const struct {
	const char *script, *said;
} passed[] = {
	{ ":", "" },
	{ "echo one", "C:one\n" },
	{ "echo one; echo two >&2; echo three", "C:one\nC:two\nC:three\n" },
	{ "printf half", "C:half\n" },
	{ "printf 'one\\nhalf'", "C:one\nC:half\n" },
	{ "printf '\\n\\n \\n\\r\\none\\n\\n'", "C:one\n" },
	{ "printf 'one\\r\\ntwo\\r\\n'", "C:one\nC:two\n" },
	{ "printf '  one  \\n two \\r\\n'", "C:one\nC:two\n" },
	{ "printf '\\033[2Jx\\n'", "C:\\033[2Jx\n" },
	{ "printf 'a\\tb\\n'", "C:a\\tb\n" },
	{ "printf 'a\\rb\\n'", "C:a\\rb\n" },
	{ "printf '\\303\\244\\377\\n'", "C:\\303\\244\\377\n" },
	{ "printf '::error::x\\n%%s%%n\\n'", "C:::error::x\nC:%s%n\n" },
	/* a line about a layer is a detail */
	{ "echo ' 4f55086f7dd0 Extracting [==>  ]  1MB/2MB'",
	    "D:4f55086f7dd0 Extracting [==>  ]  1MB/2MB\n" },
	{ "echo '4f55086f7dd Extracting'; echo '4f55086f7dd00 x'; echo 4f55086f7dd0",
	    "C:4f55086f7dd Extracting\nC:4f55086f7dd00 x\nC:4f55086f7dd0\n" },
	{ "echo ' data Pulling '; echo ' data Pulled '",
	    "C:data Pulling\nC:data Pulled\n" },
};

START_TEST(passes_lines_on)
{
	ck_assert_msg(moves("up", passed[_i].script) == 0, "%s", f.what);
	ck_assert_str_eq(said, passed[_i].said);
}
END_TEST

/* While it runs, not after: it goes on only after its line was reported. */
START_TEST(passes_lines_on_at_once)
{
	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	ck_assert_msg(moves("up",
			  "echo open the gate; printf 'not a whole '; cat gate; "
			  "echo line") == 0,
	    "%s", f.what);
	ck_assert_str_eq(said, "C:open the gate\nC:not a whole line\n");
}
END_TEST

START_TEST(keeps_the_log)
{
	struct stat st;

	ck_assert_int_eq(moves("pull", "echo one"), 0);
	ck_assert_str_eq(said, "C:one\n");
	ck_assert_int_eq(moves("up", "echo two"), 0);
	/* no line is reported twice */
	ck_assert_str_eq(said, "C:two\n");
	ck_assert_str_eq(child_wrote("up.log"), "one\ntwo\n");
	ck_assert_int_eq(stat("up.log", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	/* another deploy truncates the log */
	detached_close(&m);
	detached_close(&m);
	ck_assert_int_eq(moves("up", "echo three"), 0);
	ck_assert_str_eq(said, "C:three\n");
	ck_assert_str_eq(child_wrote("up.log"), "three\n");
}
END_TEST

START_TEST(reads_the_end_of_the_log)
{
	char end[8];

	ck_assert_uint_eq(detached_log_end(&m, end, sizeof(end)), 0);
	ck_assert_int_eq(moves("pull", "printf 'one\ntwo'"), 0);
	ck_assert_uint_eq(detached_log_end(&m, end, sizeof(end)), 7);
	ck_assert_mem_eq(end, "one\ntwo", 7);
	/* a line whose beginning does not fit is left out */
	ck_assert_int_eq(moves("pull", "printf '\nthree\n4\n'"), 0);
	ck_assert_uint_eq(detached_log_end(&m, end, sizeof(end)), 2);
	ck_assert_mem_eq(end, "4\n", 2);
	ck_assert_int_eq(moves("pull", "echo 123456789"), 0);
	ck_assert_uint_eq(detached_log_end(&m, end, sizeof(end)), 0);
}
END_TEST

static const struct {
	const char *script, *what;
} ends[] = {
	{ "exit 1", "docker pull failed (exit 1)" },
	{ "exit 18", "docker pull failed (exit 18)" },
	{ "echo first; echo manifest unknown >&2; exit 18",
	    "docker pull failed (exit 18): manifest unknown" },
	{ "printf 'no newline'; exit 1", "docker pull failed (exit 1): no newline" },
	{ "printf '\\033[2J\\n'; exit 1", "docker pull failed (exit 1): \\033[2J" },
	{ "echo last; echo; echo '  '; exit 1", "docker pull failed (exit 1): last" },
	{ "kill -KILL $$", "docker pull was killed by signal 9 (Killed)" },
	{ "echo x; kill -TERM $$", "docker pull was killed by signal 15 (Terminated)" },
};

START_TEST(tells_how_it_failed)
{
	fails("pull", ends[_i].script, ends[_i].what);
	ck_assert(child_none_detached(dir));
	/* the next fault does not contain it */
	fails("up", "exit 2", "docker up failed (exit 2)");
	ck_assert_int_eq(moves("up", "exit 0"), 0);
}
END_TEST

START_TEST(tells_that_it_took_too_long)
{
	struct run r = run("echo pulling; exec sleep 60");

	r.limit_ms = 1000;
	ck_assert_int_eq(detached_run(&m, &r, "pull", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	ck_assert_str_eq(f.what, "docker pull did not end within 1 s: pulling");
	ck_assert(child_none_detached(dir));
}
END_TEST

/* Children that the timed-out command left are waited for; the fault stays the same. */
START_TEST(tells_that_it_took_too_long_when_something_is_left)
{
	struct run r = run("echo working; (sleep 2; echo ended) & wait");

	r.limit_ms = 1000;
	ck_assert_int_eq(detached_run(&m, &r, "up", &f), -1);
	ck_assert(child_none_detached(dir));
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	ck_assert_str_eq(f.what, "docker up did not end within 1 s: working");
}
END_TEST

START_TEST(stops_when_told)
{
	struct run r = run("kill -TERM $PPID; exec sleep 60");

	r.stoppable = true;
	ck_assert_int_eq(detached_run(&m, &r, "pull", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	ck_assert_str_eq(f.what, "interrupted (SIGTERM) during docker pull");
	ck_assert(child_none_detached(dir));
	/* a signal does not end an `up` */
	ck_assert_int_eq(moves("up", "sleep 0.3; echo up"), 0);
	ck_assert_str_eq(said, "C:up\n");
}
END_TEST

/* `docker rm` prints the id of what it removed. */
START_TEST(takes_an_id_for_a_detail)
{
	ck_assert_int_eq(moves("rm", "echo 4f55086f7dd0"), 0);
	ck_assert_str_eq(said, "D:4f55086f7dd0\n");
	ck_assert_int_eq(moves("tag", "echo 4f55086f7dd0"), 0);
	ck_assert_str_eq(said, "C:4f55086f7dd0\n");
}
END_TEST

START_TEST(tells_what_cannot_run)
{
	struct run r = run(":");

	r.path = "/no/such/docker";
	ck_assert_int_eq(detached_run(&m, &r, "up", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "/no/such/docker"));
	ck_assert(child_none_detached(dir));
}
END_TEST

START_TEST(holds_the_lock_meanwhile)
{
	long pid, holder;
	char word[32];

	ck_assert_int_eq(moves("pull", "echo $$; cat up.lock"), 0);
	ck_assert_int_eq(sscanf(said, "C:%ld\nC:%ld %31s", &pid, &holder, word), 3);
	ck_assert_int_eq(holder, pid);
	ck_assert_str_eq(word, "pull");
	ck_assert(child_none_detached(dir));
}
END_TEST

START_TEST(settles_at_once_when_nothing_moves)
{
	settles();
	ck_assert_str_eq(said, "");
	settles();
}
END_TEST

/* A pull of an earlier run is ended. */
START_TEST(ends_an_orphaned_pull)
{
	pid_t pid = orphan("pull", "echo $$ >ready; exec sleep 600");

	settles();
	ck_assert(child_gone_soon(pid));
}
END_TEST

/* An up of an earlier run is waited for. */
START_TEST(waits_for_an_orphaned_up)
{
	static const char *const words[] = { "up", "tag", "rm" };

	orphan(words[_i], "echo $$ >ready; sleep 1; echo finished >finished");
	settles();
	ck_assert_str_eq(child_wrote("finished"), "finished\n");
}
END_TEST

START_TEST(ends_an_up_beyond_its_limit)
{
	pid_t pid = orphan("up", "echo $$ >ready; exec sleep 600");

	m.up_limit_ms = 300;
	settles();
	ck_assert(child_gone_soon(pid));
}
END_TEST

/* TERM comes first: a pull that handles it leaves nothing half-done. */
START_TEST(asks_before_it_kills)
{
	orphan("pull",
	    "trap 'echo asked >asked; exit 0' TERM; echo $$ >ready; "
	    "while :; do sleep 0.05; done");
	settles();
	ck_assert_str_eq(child_wrote("asked"), "asked\n");
}
END_TEST

/* A process that released the lock is not killed: its number may have been reused. */
START_TEST(ends_nobody_who_let_go)
{
	pid_t pid = orphan("up", "echo $$ >ready; sleep 1; exec 4>&-; exec sleep 600");

	settles();
	ck_assert(!child_gone(pid));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}
END_TEST

/* After an ignored TERM, KILL goes to the whole group. */
START_TEST(kills_the_group_that_ignores_it)
{
	pid_t pid = orphan("pull",
	    "trap '' TERM; sleep 600 & echo $! >left; echo $$ >ready; "
	    "while :; do sleep 1; done");

	m.grace_ms = 100;
	settles();
	ck_assert(child_gone_soon(pid));
	ck_assert(child_gone_soon(child_pid_in("left")));
}
END_TEST

/* Another user's process is reported, and not waited for after EPERM. */
START_TEST(tells_whom_it_may_not_end)
{
	struct run r = run("echo working; read line <gate");

	ck_assert_int_eq(mkfifo("gate", 0600), 0);
	child_forbid_kill();
	r.limit_ms = 500;
	ck_assert_int_eq(detached_run(&m, &r, "pull", &f), -1);
	/* it was started: so it is not FAULT_HOST */
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	ck_assert_ptr_nonnull(strstr(said,
	    "an earlier docker call still holds up.lock and cannot be ended: "
	    "it is another user's"));
	ck_assert(!child_none_detached(dir));
	child_release("gate");
	ck_assert(child_none_detached_soon(dir));
}
END_TEST

START_TEST(settles_before_it_runs)
{
	pid_t pid = orphan("pull", "echo $$ >ready; exec sleep 600");

	ck_assert_msg(moves("up", "echo next") == 0, "%s", f.what);
	ck_assert(child_gone_soon(pid));
	ck_assert_str_eq(said, "C:next\n");
}
END_TEST

/* A holder without a valid process group: nothing is killed. */
static const char *const nameless[] = { "", "pull\n", "0 pull\n", "-1 pull\n" };

START_TEST(ends_nobody_it_does_not_know)
{
	int ready[2], fd;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		fd = uplock_take(dir);
		(void)!ftruncate(fd, 0);
		(void)!pwrite(fd, nameless[_i], strlen(nameless[_i]), 0);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	m.up_limit_ms = 50;
	ck_assert_int_eq(detached_reap(&m, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "still holds up.lock"));
	ck_assert_str_ne(f.next, "");
	ck_assert(!child_gone(pid));
	/* group 0 would be our own */
	ck_assert_int_eq(signals_stop(), 0);
	fault_clear(&f);
	ck_assert_int_eq(moves("up", "echo ran >ran"), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_int_eq(access("ran", F_OK), -1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

static const struct {
	const char *line;
	bool secret;
} lines[] = {
	{ "failed to read /home/deploy/.env: line 3: unexpected character \"-\" in variable "
	  "name \"PASS-WORD=sesame\"",
	    true },
	{ "unexpected character \"\\n\" in variable name near \"sesame\"", true },
	{ "failed to read .env: unterminated quoted value \"sesame", true },
	{ "invalid: variable name near \"sesame\"", true },
	{ "unexpected characte", false },
	{ "manifest unknown", false },
	{ "Error response from daemon: no such image", false },
	{ "", false },
};

START_TEST(marks_secret_lines)
{
	const char *line = lines[_i].line;
	size_t len = strlen(line);
	char *exact = malloc(len + 1);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, line, len);
	ck_assert_int_eq(detached_line_is_secret(exact, len), lines[_i].secret);
	if (lines[_i].secret)
		ck_assert(!detached_line_is_secret(exact, 10));
	free(exact);
}
END_TEST

START_TEST(shows_no_secret_line)
{
	char script[512];

	snprintf(script, sizeof(script), "cat <<'EOF'\nbefore\n%s\nEOF\nexit 15\n",
	    lines[_i].line);
	ck_assert_int_eq(moves("pull", script), -1);
	ck_assert_str_eq(said,
	    "C:before\nC:(a line that may quote an env file is not shown)\n");
	ck_assert_str_eq(f.what,
	    "docker pull failed (exit 15): "
	    "(a line that may quote an env file is not shown)");
}
END_TEST

/* A line is secret to its end, however long it is. */
START_TEST(shows_no_piece_of_a_secret_line)
{
	ck_assert_int_eq(
	    moves("pull",
		"printf 'unexpected character \"-\" in variable name "
		"near \"'; printf '%05000d' 0; printf '%05000d' 0; echo '\"'; exit 1"),
	    -1);
	ck_assert_ptr_null(strstr(said, "0000"));
	ck_assert_ptr_null(strstr(f.what, "0000"));
}
END_TEST

/* A value across the end of what is read at once is shown in neither part. */
START_TEST(masks_across_a_long_line)
{
	struct mask mask;

	ck_assert_int_eq(moves("tag", "echo A=hunter2 >.env"), 0);
	ck_assert_int_eq(mask_load(&mask, ".env", "V", "", &f), 0);
	detached_init(&m, dir, &progress, &mask, 30000);
	ck_assert_int_eq(moves("pull",
			     "printf '%04092d' 0; echo 'hunter2 was it'; echo hunter2"),
	    0);
	ck_assert_ptr_null(strstr(said, "er2"));
	ck_assert_str_eq(strrchr(said, ':'), ":*******\n");
	mask_free(&mask);
}
END_TEST

static const struct {
	const char *script;
	int least, most; /* lines */
} longs[] = {
	{ "printf '%0479d\\n' 0", 1, 1 },
	{ "printf '%04095d\\n' 0", 1, 1 },
	{ "printf '%04096d\\n' 0", 1, 1 },
	{ "printf '%04097d\\n' 0", 1, 1 },
	{ "printf '%010000d\\n' 0", 1, 1 },
	{ "printf '%010000d' 0", 1, 1 },
	{ "printf '%04096d' 0", 1, 1 },
	{ "head -c 20000 /dev/zero", 1, 1 },
	{ "i=0; while [ $i -lt 500 ]; do echo \"line $i of some words\"; i=$((i+1)); done",
	    500, 500 },
};

START_TEST(cuts_long_lines)
{
	char *line, *rest = said;
	int n = 0;

	ck_assert_int_eq(moves("up", longs[_i].script), 0);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		n++;
		ck_assert_uint_lt(strlen(line), 490);
		ck_assert_int_eq(strncmp(line, "C:", 2), 0);
	}
	ck_assert_int_ge(n, longs[_i].least);
	ck_assert_int_le(n, longs[_i].most);
	/* what comes after is whole */
	ck_assert_int_eq(moves("up", "echo next"), 0);
	ck_assert_str_eq(said, "C:next\n");
}
END_TEST

START_TEST(follows_no_link)
{
	ck_assert_int_eq(symlink("elsewhere", _i == 0 ? "up.log" : "up.lock"), 0);
	ck_assert_int_eq(moves("up", "echo ran >ran"), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, _i == 0 ? "up.log" : "up.lock"));
	ck_assert_str_ne(f.next, "");
	ck_assert_int_eq(access("ran", F_OK), -1);
	ck_assert_int_eq(access("elsewhere", F_OK), -1);
}
END_TEST

Suite *
detached_suite(void)
{
	Suite *s = suite_create("detached");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_set_timeout(core, 60);
	tcase_add_loop_test(core, passes_lines_on, 0, N(passed));
	tcase_add_test(core, passes_lines_on_at_once);
	tcase_add_test(core, keeps_the_log);
	tcase_add_test(core, reads_the_end_of_the_log);
	tcase_add_loop_test(core, tells_how_it_failed, 0, N(ends));
	tcase_add_test(core, stops_when_told);
	tcase_add_test(core, takes_an_id_for_a_detail);
	tcase_add_test(core, tells_what_cannot_run);
	tcase_add_test(core, holds_the_lock_meanwhile);
	tcase_add_test(core, settles_at_once_when_nothing_moves);
	tcase_add_test(core, ends_an_orphaned_pull);
	tcase_add_loop_test(core, waits_for_an_orphaned_up, 0, 3);
	tcase_add_test(core, settles_before_it_runs);
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, tells_that_it_took_too_long);
	tcase_add_test(limits, ends_an_up_beyond_its_limit);
	tcase_add_test(limits, asks_before_it_kills);
	tcase_add_test(limits, kills_the_group_that_ignores_it);
	tcase_add_test(limits, ends_nobody_who_let_go);
	tcase_add_test(limits, tells_whom_it_may_not_end);
	tcase_add_loop_test(limits, cuts_long_lines, 0, N(longs));
	tcase_add_test(limits, masks_across_a_long_line);
	tcase_add_test(limits, tells_that_it_took_too_long_when_something_is_left);
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_timeout(hostile, 60);
	tcase_add_loop_test(hostile, ends_nobody_it_does_not_know, 0, N(nameless));
	tcase_add_loop_test(hostile, marks_secret_lines, 0, N(lines));
	tcase_add_loop_test(hostile, shows_no_secret_line, 0, 4);
	tcase_add_loop_test(hostile, follows_no_link, 0, 2);
	tcase_add_test(hostile, shows_no_piece_of_a_secret_line);
	suite_add_tcase(s, hostile);
	return s;
}
