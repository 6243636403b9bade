/*
 * check_output.c: lines on stdout and stderr, read through pipes: whole, escaped, and
 * without waiting for a slow reader while a lock is held.
 */
#include "cli/output.h"
#include "sys/deadline.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define LONGEST 300000

Suite *output_suite(void);

static struct output o;
static int out[2], err[2]; /* our ends are out[0] and err[0] */
static char text[LONGEST + 1], got[2 * LONGEST];

/* The test loses its stdout and stderr: it is a process of its own. */
static void
setup(void)
{
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	close(out[1]);
	close(err[1]);
	signal(SIGPIPE, SIG_IGN);
	output_init(&o);
}

/* The unread bytes of a pipe, as a string. */
static const char *
came(int fd)
{
	ssize_t n;

	ck_assert_int_ne(fcntl(fd, F_SETFL, O_NONBLOCK), -1);
	n = read(fd, got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	return got;
}

static void
fill(size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		text[i] = (char)('a' + i % 26);
	text[len] = '\0';
}

static const size_t sizes[] = { 0, 1, PIPE_BUF - 2, PIPE_BUF - 1, PIPE_BUF, PIPE_BUF + 1,
	2 * PIPE_BUF - 1, 2 * PIPE_BUF, 60000 };

START_TEST(writes_a_line_whole)
{
	fill(sizes[_i]);
	o.droppable = _i % 2 == 1;
	output_json(&o, text);
	came(out[0]);
	ck_assert_uint_eq(strlen(got), sizes[_i] + 1);
	ck_assert_int_eq(got[sizes[_i]], '\n');
	ck_assert_mem_eq(got, text, sizes[_i]);
	output_say(&o, SAY_NOTE, text);
	came(err[0]);
	ck_assert_uint_eq(strlen(got), sizes[_i] + 5);
	ck_assert_mem_eq(got + 4, text, sizes[_i]);
}
END_TEST

/* A child that reads everything in small pieces; it exits with 0 if that was as wanted. */
static pid_t
reader(void)
{
	pid_t pid = fork();
	size_t n = 0;
	ssize_t part;

	if (pid != 0)
		return pid;
	close(STDOUT_FILENO);
	while ((part = read(out[0], got + n, 1000)) > 0)
		n += (size_t)part;
	_exit(n == LONGEST + 1 && memcmp(got, text, LONGEST) == 0 ? 0 : 1);
}

/* More than a pipe holds, also with a pipe that our parent has made non-blocking. */
START_TEST(writes_more_than_a_pipe_holds)
{
	int status;
	pid_t pid;

	fill(LONGEST);
	o.droppable = (_i & 1) != 0;
	o.patience_ms = 60000;
	if ((_i & 2) != 0)
		ck_assert_int_ne(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), -1);
	pid = reader();
	ck_assert_int_ne(pid, -1);
	output_json(&o, text);
	close(STDOUT_FILENO);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(o.gone[STDOUT_FILENO], 0);
}
END_TEST

/* After half a line nothing may follow that looks like its end. */
START_TEST(a_stalled_reader_gets_no_mixed_line)
{
	fill(LONGEST);
	o.droppable = true;
	o.patience_ms = 1;
	output_json(&o, text);
	ck_assert_int_eq(o.gone[STDOUT_FILENO], ETIMEDOUT);
	came(out[0]);
	output_json(&o, "{}");
	ck_assert_str_eq(came(out[0]), "");
}
END_TEST

/* A line of which no byte is written is lost; later lines are not. */
START_TEST(a_stalled_reader_loses_lines)
{
	fill(PIPE_BUF - 1);
	o.droppable = true;
	o.patience_ms = 1;
	while (o.patience_ms > 0)
		output_json(&o, text);
	ck_assert_int_eq(o.gone[STDOUT_FILENO], 0);
	came(out[0]);
	output_json(&o, "{}");
	ck_assert_str_eq(came(out[0]), "{}\n");
}
END_TEST

START_TEST(a_reader_that_left_ends_it)
{
	close(out[0]);
	o.droppable = _i == 1;
	output_json(&o, "{}");
	ck_assert_int_eq(o.gone[STDOUT_FILENO], EPIPE);
}
END_TEST

static const struct {
	const char *line, *want;
} rows[] = {
	{ "plain \\033", "plain \\033\n" },
	{ "\033[2J\r", "\\033[2J\\015\n" },
	{ "a\n::set-output name=x::y", "a\\012::set-output name=x::y\n" },
	{ "\302\233 \177\377", "\\302\\233 \\177\\377\n" },
	{ "##[error]x ###[ #[", "# [error]x ## [ #[\n" },
};

START_TEST(escapes_every_line)
{
	output_line(&o, "%s", rows[_i].line);
	ck_assert_str_eq(came(out[0]), rows[_i].want);
	output_say(&o, SAY_SHOUT, rows[_i].line);
	ck_assert_str_eq(came(err[0]), rows[_i].want);
}
END_TEST

/* A runner's command is also found across two chunks. */
START_TEST(defuses_across_chunks)
{
	fill(PIPE_BUF + 10);
	memcpy(text + PIPE_BUF - 4 + _i, "##[", 3);
	output_json(&o, text);
	ck_assert_ptr_null(strstr(came(out[0]), "##["));
	ck_assert_ptr_nonnull(strstr(got, "# ["));
}
END_TEST

START_TEST(leaves_json_alone)
{
	output_json(&o, "{\"a\":\"\\u00e4\177\"}");
	ck_assert_str_eq(came(out[0]), "{\"a\":\"\\u00e4\177\"}\n");
}
END_TEST

START_TEST(tells_a_fault_whole)
{
	struct fault f;

	memset(&f, 0, sizeof(f));
	memset(f.what, 1, sizeof(f.what) - 1);
	memset(f.next, 'n', sizeof(f.next) - 1);
	output_fault(&o, NULL, &f);
	came(err[0]);
	ck_assert_uint_eq(strlen(got),
	    strlen("twilight-deploy: \n  \n") + 4 * (sizeof(f.what) - 1) +
		sizeof(f.next) - 1);
	ck_assert_ptr_nonnull(strstr(got, "\\001\n  nnn"));
	strcpy(f.what, "what");
	strcpy(f.next, "next");
	fault_now(&f, "now");
	output_fault(&o, "web", &f);
	ck_assert_str_eq(came(err[0]),
	    "twilight-deploy: web: what\n  now:  now\n  next: next\n");
	f.next[0] = f.now[0] = '\0';
	output_fault(&o, NULL, &f);
	ck_assert_str_eq(came(err[0]), "twilight-deploy: what\n");
}
END_TEST

/* A row has at most 80 columns; a label has at most 16. */
START_TEST(cuts_a_row)
{
	fill(200);
	output_row(&o, "data", "%s", text);
	ck_assert_uint_eq(strlen(came(out[0])), 81);
	ck_assert_int_eq(strncmp(got, "data:             abcde", 23), 0);
	ck_assert_str_eq(got + 78, "..\n");
	output_row(&o, text, "x");
	ck_assert_str_eq(came(out[0]), "abcdefghijklmn..: x\n");
	output_row(&o, NULL, "x");
	ck_assert_str_eq(came(out[0]), "                  x\n");
	/* it is wrapped where it can be */
	output_row(&o, "data", "healthy, %.40s, up 3 h, deployed 3 h ago by ci", text);
	ck_assert_str_eq(came(out[0]),
	    "data:             healthy, abcdefghijklmnopqrstuvwxyzabcdefghijklmn, up 3 h\n"
	    "                  deployed 3 h ago by ci\n");
	/* stdout is for JSON */
	o.json = true;
	output_row(&o, "a", "b");
	output_line(&o, "c");
	ck_assert_str_eq(came(out[0]), "");
	ck_assert_str_eq(came(err[0]), "a:                b\nc\n");
}
END_TEST

/* Only notes show the time since the lock was taken. */
START_TEST(shows_the_time_of_a_step)
{
	int a, b;

	o.began = clock_ms() - 61234;
	output_say(&o, SAY_NOTE, "step");
	ck_assert_int_eq(sscanf(came(err[0]), "  - %d.%d s  step\n", &a, &b), 2);
	ck_assert(strstr(got, " s  step\n") != NULL && a >= 61);
	output_say(&o, SAY_WARN, "odd");
	ck_assert_str_eq(came(err[0]), "  ! odd\n");
}
END_TEST

Suite *
output_suite(void)
{
	Suite *s = suite_create("output");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, NULL);
	tcase_add_loop_test(core, writes_a_line_whole, 0, N(sizes));
	tcase_add_test(core, leaves_json_alone);
	tcase_add_test(core, tells_a_fault_whole);
	tcase_add_test(core, cuts_a_row);
	tcase_add_test(core, shows_the_time_of_a_step);
	suite_add_tcase(s, core);
	tcase_add_checked_fixture(limits, setup, NULL);
	tcase_add_loop_test(limits, writes_more_than_a_pipe_holds, 0, 4);
	tcase_add_test(limits, a_stalled_reader_gets_no_mixed_line);
	tcase_add_test(limits, a_stalled_reader_loses_lines);
	tcase_add_loop_test(limits, a_reader_that_left_ends_it, 0, 2);
	suite_add_tcase(s, limits);
	tcase_add_checked_fixture(hostile, setup, NULL);
	tcase_add_loop_test(hostile, escapes_every_line, 0, N(rows));
	tcase_add_loop_test(hostile, defuses_across_chunks, 0, 6);
	suite_add_tcase(s, hostile);
	return s;
}
