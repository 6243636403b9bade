/*
 * check_cli.c: cli_main() with requests that are refused or only read: the exit status
 * and the line in syslog.  Each test has a mount namespace and a /dev/log of its own;
 * without the permission for that it is skipped.
 */
#include "skip.h"
#include "cli/cli.h"
#include "sys/log.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

Suite *cli_suite(void);

static int
listen_for_log(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* A /dev/log of our own; -1 without the permission for it. */
static int
own_syslog(void)
{
	if (unshare(CLONE_NEWNS) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1)
		return -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", "/dev", "tmpfs", 0, NULL) == -1)
		return -1;
	return listen_for_log();
}

static void
silence(void)
{
	char path[] = "/tmp/check_cli.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

struct request {
	const char *sent;    /* SSH_ORIGINAL_COMMAND, NULL for none */
	const char *argv[4]; /* after the program's name */
	int code;
	const char *logged; /* part of the last line */
};

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct request requests[] = {
	{ "deploy nope", { NULL }, 2,
	    "refused: \"deploy nope\" by tester: exit 2: invalid tag: nope" },
	{ "deploy v1.2.3\nroot: su ok", { NULL }, 2, "\"deploy v1.2.3\\nroot: su ok\"" },
	{ "deploy \033]0;x\007", { NULL }, 2, "\\033]0;x\\a" },
	{ "rollback", { "--actor", "ci" }, 2,
	    "by ci: exit 2: invalid request: rollback is not allowed" },
	{ "freeze it moves", { "--actor", "ci" }, 2, "freeze is not allowed" },
	{ "unfreeze", { "--allow", "deploy,freeze" }, 2, "unfreeze is not allowed" },
	{ "freeze it moves", { "--allow", "freeze" }, 4,
	    "done: \"freeze it moves\" by tester: exit 4: missing env file" },
	{ "rollback", { "--allow", "deploy" }, 2, "rollback is not allowed" },
	{ "version", { "--allow", "deploy" }, 0, "done: \"version\" by tester: exit 0" },
	{ "help exit-codes", { NULL }, 0, "done: \"help exit-codes\"" },
	{ "status", { "status" }, 2, "refused: \"status\"" },
	{ "nonsense", { "--local", "version" }, 0, "done: \"version\"" },
	{ NULL, { NULL }, 2, "invalid tag: none was given" },
	{ NULL, { "version" }, 0, "done: \"version\"" },
	{ NULL, { "--allow", "nosuch" }, 2, "--allow has an unknown verb: nosuch" },
	{ NULL, { "--trigger", "poll", "version" }, 0,
	    "done: \"version\" by tester (poll)" },
	{ NULL, { "--trigger=boot", "version" }, 0, "by tester (boot)" },
	{ NULL, { "--trigger", "moon", "version" }, 2,
	    "--trigger has an unknown name: moon" },
	{ NULL, { "--trigger=", "version" }, 2, "--trigger has an unknown name: " },
	{ NULL, { "--nosuch" }, 2, "unknown option: --nosuch" },
	{ NULL, { "--verbos", "version" }, 2, "unknown option: --verbos" },
	{ NULL, { "--act=x", "version" }, 2, "unknown option: --act=x" },
	{ NULL, { "--actor" }, 2, "missing argument: --actor" },
	{ NULL, { "--verbose=x", "version" }, 2, "unknown option: --verbose=x" },
	{ NULL, { "-vh", "version" }, 2, "unknown option: -vh" },
	{ NULL, { "--actor=ci", "--", "version" }, 0, "done: \"version\" by ci" },
	{ NULL, { "--allow=deploy,status", "--help" }, 0, "done: \"help\"" },
	{ NULL, { "-v", "-", "x" }, 2, "unknown command: -" },
	{ "status", { "--allow", "deploy,history" }, 2, "status is not allowed" },
	{ "status", { "--allow", "help" }, 2, "status is not allowed" },
	{ "history", { "--allow", "deploy,history" }, 4, "does not exist" },
	{ NULL, { "--config", "/nonexistent", "status" }, 4, "cannot read /nonexistent" },
	{ "--help", { NULL }, 0, "done: \"--help\"" },
	{ "stat", { NULL }, 2, "unknown command: stat" },
	{ "recover --start", { NULL }, 2, "recover is not allowed" },
	/* by default a key may use the target `default` only */
	{ "status target=web", { NULL }, 2, "no such target: web" },
	{ "status target=default", { "--target", "web" }, 2, "no such target: default" },
	{ "status", { "--target", "web,api" }, 2, "no target for this key" },
	{ "deploy v1.0.0", { "--target", "web" }, 2, "no target for this key" },
	{ "history", { "--target", "web,default" }, 4, "does not exist" },
	/* the escapes of a long request must not push its sender off the line */
	{ "deploy \001" FIFTY FIFTY FIFTY FIFTY FIFTY, { "--actor", "ci" }, 2,
	    "\" by ci: exit 2: invalid request: " },
	{ "deploy v1.0.0", { "--actor", "a\nb" }, 4, "by a\\\\nb" },
	{ "deploy v1.0.0", { NULL }, 4, "missing env file" },
	{ "status", { NULL }, 4, "the home of the target, /nonexistent, does not exist" },
	{ "status --wait", { NULL }, 4, "/nonexistent, does not exist" },
	{ "verify", { NULL }, 4, "" },
};

static int
ask_over_ssh(const struct request *r)
{
	char sent[512], home[] = "TWILIGHT_HOME=/nonexistent", who[] = "LOGNAME=tester";
	char *env[] = { home, who, NULL, NULL };
	char *argv[6] = { (char *)"twilight-deploy" };
	int argc;

	if (r->sent != NULL) {
		snprintf(sent, sizeof(sent), "SSH_ORIGINAL_COMMAND=%s", r->sent);
		env[2] = sent;
	}
	for (argc = 1; argc <= 4 && r->argv[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)r->argv[argc - 1];
	return cli_main(argc, argv, env);
}

START_TEST(every_request_is_logged_escaped)
{
	const struct request *r = &requests[_i];
	char line[2048] = "", last[2048] = "";
	int log = own_syslog();
	ssize_t n;

	if (log == -1)
		SKIP("no syslog of our own here");
	silence();
	log_open("twilight-deploy");
	ck_assert_int_eq(ask_over_ssh(r), r->code);
	while ((n = recv(log, line, sizeof(line) - 1, 0)) > 0) {
		line[n] = '\0';
		memcpy(last, line, sizeof(last));
		ck_assert_msg(strpbrk(line, "\n\033\007") == NULL, "%s", line);
	}
	ck_assert_msg(strstr(last, r->logged) != NULL, "want %s\ngot %s", r->logged,
	    last);
	ck_assert_ptr_nonnull(strstr(last, "twilight-deploy["));
}
END_TEST

START_TEST(a_long_event_is_cut)
{
	char big[4000], line[4096];
	int log = own_syslog();
	ssize_t n;

	if (log == -1)
		SKIP("no syslog of our own here");
	memset(big, '\001', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_open("twilight-deploy");
	log_event(LOG_INFO, "%s", big);
	n = recv(log, line, sizeof(line), 0);
	ck_assert_int_gt(n, 100);
	ck_assert_int_lt(n, 3800);
}
END_TEST

/* A syslogd that does not read must not block us; a restarted one is found. */
START_TEST(a_syslogd_that_stalls)
{
	char line[64];
	int log = own_syslog(), i;

	if (log == -1)
		SKIP("no syslog of our own here");
	log_open("twilight-deploy");
	for (i = 0; i < 5000; i++)
		log_event(LOG_INFO, "line %d", i);
	ck_assert_int_gt(recv(log, line, sizeof(line), 0), 0);
	close(log);
	ck_assert_int_eq(unlink("/dev/log"), 0);
	log = listen_for_log();
	log_open("twilight-deploy");
	log_event(LOG_INFO, "again");
	close(log);
	ck_assert_int_eq(unlink("/dev/log"), 0);
	log = listen_for_log();
	log_event(LOG_INFO, "and again");
	ck_assert_int_gt(recv(log, line, sizeof(line), 0), 0);
	ck_assert_ptr_nonnull(strstr(line, "]: and again"));
}
END_TEST

Suite *
cli_suite(void)
{
	Suite *s = suite_create("cli");
	TCase *core = tcase_create("Core"), *hostile = tcase_create("Hostile");

	tcase_add_loop_test(core, every_request_is_logged_escaped, 0,
	    (int)(sizeof(requests) / sizeof(requests[0])));
	tcase_add_test(hostile, a_long_event_is_cut);
	tcase_add_test(hostile, a_syslogd_that_stalls);
	suite_add_tcase(s, core);
	suite_add_tcase(s, hostile);
	return s;
}
