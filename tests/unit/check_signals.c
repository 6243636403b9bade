/*
 * check_signals.c: signals as data.  Each test runs in its own process.
 */
#include "sys/signals.h"

#include "sys/deadline.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *signals_suite(void);

static struct fault f;

static void
setup(void)
{
	memset(&f, 0, sizeof(f));
	signals_tame();
	ck_assert_int_eq(signals_init(&f), 0);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}

static bool
readable(void)
{
	struct pollfd pfd = { .fd = signals_fd(), .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

START_TEST(says_nothing_at_first)
{
	ck_assert_int_eq(signals_stop(), 0);
	ck_assert(!readable());
	ck_assert_int_ge(signals_fd(), 0);
	ck_assert_int_eq(fcntl(signals_fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(signals_fd(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}
END_TEST

static const int stops[] = { SIGINT, SIGTERM };

START_TEST(tells_a_stop)
{
	ck_assert_int_eq(raise(stops[_i]), 0);
	ck_assert(readable());
	ck_assert_int_eq(signals_stop(), stops[_i]);
	/* and from then on */
	ck_assert(!readable());
	ck_assert_int_eq(signals_stop(), stops[_i]);
}
END_TEST

START_TEST(remembers_the_first)
{
	raise(stops[_i]);
	ck_assert_int_eq(signals_stop(), stops[_i]);
	raise(stops[1 - _i]);
	ck_assert_int_eq(signals_stop(), stops[_i]);
	raise(stops[_i]);
	ck_assert_int_eq(signals_stop(), stops[_i]);
}
END_TEST

START_TEST(outlives_a_disconnect)
{
	int fd[2];

	raise(SIGHUP);
	raise(SIGPIPE);
	raise(SIGXFSZ);
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	close(fd[0]);
	ck_assert_int_eq(write(fd[1], "x", 1), -1);
	close(fd[1]);
	ck_assert_int_eq(signals_stop(), 0);
	ck_assert(!readable());
}
END_TEST

START_TEST(hears_of_a_child)
{
	struct pollfd pfd = { .fd = signals_fd(), .events = POLLIN };
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(3);
	ck_assert_int_eq(poll(&pfd, 1, 30000), 1);
	ck_assert_int_eq(signals_stop(), 0);
	ck_assert(!readable());
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* The parent may have ignored CHLD, which discards exit codes. */
START_TEST(keeps_the_childs_exit_code)
{
	int status = 0;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	signals_tame();
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(3);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
}
END_TEST

START_TEST(waits)
{
	int64_t began = clock_ms();

	ck_assert_int_eq(signals_wait(300, -1, true), 0);
	ck_assert_int_ge(clock_ms() - began, 300);
	ck_assert_int_eq(signals_wait(0, -1, true), 0);
	ck_assert_int_eq(signals_wait(-5, -1, true), 0);
}
END_TEST

/* An hour, which ends at once, or by the limit of the test. */
START_TEST(waits_no_longer_than_until_a_stop)
{
	pid_t pid;

	if (_i == 0)
		raise(SIGTERM);
	else if ((pid = fork()) == 0) {
		usleep(200 * 1000);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	ck_assert_int_eq(signals_wait(3600 * 1000, -1, true), SIGTERM);
	ck_assert_int_eq(signals_wait(3600 * 1000, -1, true), SIGTERM);
}
END_TEST

START_TEST(waits_on_when_a_child_ends)
{
	int64_t began = clock_ms();

	if (fork() == 0)
		_exit(0);
	ck_assert_int_eq(signals_wait(300, -1, true), 0);
	ck_assert_int_ge(clock_ms() - began, 300);
}
END_TEST

START_TEST(works_before_init)
{
	int64_t began = clock_ms();

	ck_assert_int_eq(signals_fd(), -1);
	ck_assert_int_eq(signals_stop(), 0);
	ck_assert_int_eq(signals_wait(100, -1, true), 0);
	ck_assert_int_ge(clock_ms() - began, 100);
}
END_TEST

START_TEST(is_short_of_descriptors)
{
	struct rlimit before, none;
	int rc;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = signals_init(&f);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot watch signals"));
	ck_assert_str_ne(f.next, "");
}
END_TEST

START_TEST(survives_a_storm)
{
	int i;

	for (i = 0; i < 10000; i++) {
		raise(SIGHUP);
		raise(SIGPIPE);
		kill(getpid(), SIGCHLD);
		kill(getpid(), SIGINT);
	}
	ck_assert_int_eq(signals_stop(), SIGINT);
	ck_assert(!readable());
}
END_TEST

/* In a child before exec each signal has its default action again. */
static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGXFSZ,
	SIGUSR1, SIGUSR2 };

START_TEST(gives_the_defaults_back)
{
	const struct rlimit no_core = { 0, 0 };
	int status = 0;
	sigset_t set;
	pid_t pid;

	sigfillset(&set);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, &set, NULL), 0);
	signal(all[_i], SIG_IGN);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signals_default();
		raise(all[_i]);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "signal %d", all[_i]);
	ck_assert_int_eq(WTERMSIG(status), all[_i]);
}
END_TEST

Suite *
signals_suite(void)
{
	Suite *s = suite_create("signals");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, NULL);
	tcase_set_timeout(core, 30);
	tcase_add_test(core, says_nothing_at_first);
	tcase_add_loop_test(core, tells_a_stop, 0, N(stops));
	tcase_add_loop_test(core, remembers_the_first, 0, N(stops));
	tcase_add_test(core, outlives_a_disconnect);
	tcase_add_test(core, hears_of_a_child);
	tcase_add_test(core, waits);
	tcase_add_loop_test(core, waits_no_longer_than_until_a_stop, 0, 2);
	tcase_add_test(core, waits_on_when_a_child_ends);
	tcase_add_loop_test(core, gives_the_defaults_back, 0, N(all));
	suite_add_tcase(s, core);
	tcase_set_timeout(limits, 30);
	tcase_add_test(limits, works_before_init);
	tcase_add_test(limits, is_short_of_descriptors);
	suite_add_tcase(s, limits);
	tcase_add_checked_fixture(hostile, setup, NULL);
	tcase_set_timeout(hostile, 30);
	tcase_add_test(hostile, keeps_the_childs_exit_code);
	tcase_add_test(hostile, survives_a_storm);
	suite_add_tcase(s, hostile);
	return s;
}
