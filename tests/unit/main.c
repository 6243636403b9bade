/*
 * unit [I [CASE]]: runs the suites, one a module; or the I-th, or one case of it.
 * `unit count` says how many there are.  `unit curl` shows where the curl that is
 * installed takes an answer otherwise than we do; that depends on its version.
 */
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

Suite *answer_suite(void);
Suite *api_suite(void);
Suite *body_suite(void);
Suite *choose_suite(void);
Suite *cli_suite(void);
Suite *people_suite(void);
Suite *status_suite(void);
Suite *config_suite(void);
Suite *output_suite(void);
Suite *deadline_suite(void);
Suite *dotenv_suite(void);
Suite *fault_suite(void);
Suite *http_suite(void);
Suite *probe_suite(void);
Suite *pull_suite(void);
Suite *text_suite(void);
Suite *url_suite(void);
Suite *version_suite(void);
Suite *childenv_suite(void);
Suite *file_suite(void);
Suite *folder_suite(void);
Suite *freeze_suite(void);
Suite *history_suite(void);
Suite *inspect_suite(void);
Suite *journal_suite(void);
Suite *ledger_suite(void);
Suite *lock_suite(void);
Suite *mask_suite(void);
Suite *detached_suite(void);
Suite *release_suite(void);
Suite *request_suite(void);
Suite *run_suite(void);
Suite *signals_suite(void);
Suite *signature_suite(void);
Suite *tag_suite(void);
Suite *who_suite(void);
Suite *curl_suite(void);

/* libc's fsync(2), with a hook for the tests of durable files: -1 makes it fail. */
int (*unit_on_fsync)(int fd);

int
fsync(int fd)
{
	if (unit_on_fsync != NULL && unit_on_fsync(fd) == -1)
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

/* nanosleep(2), with a hook for what waits: it is called instead. */
void (*unit_on_sleep)(void);

int
nanosleep(const struct timespec *time, struct timespec *left)
{
	if (unit_on_sleep != NULL) {
		unit_on_sleep();
		return 0;
	}
	return (int)syscall(SYS_nanosleep, time, left);
}

int
main(int argc, char **argv)
{
	static Suite *(*const suites[])(void) = {
		text_suite,
		fault_suite,
		deadline_suite,
		file_suite,
		childenv_suite,
		signals_suite,
		signature_suite,
		run_suite,
		who_suite,
		dotenv_suite,
		release_suite,
		journal_suite,
		history_suite,
		ledger_suite,
		lock_suite,
		mask_suite,
		folder_suite,
		freeze_suite,
		config_suite,
		request_suite,
		tag_suite,
		choose_suite,
		url_suite,
		version_suite,
		answer_suite,
		api_suite,
		body_suite,
		http_suite,
		probe_suite,
		inspect_suite,
		detached_suite,
		pull_suite,
		cli_suite,
		people_suite,
		status_suite,
		output_suite,
	};
	const size_t n = sizeof(suites) / sizeof(suites[0]);
	const char *which = argc > 1 ? argv[1] : "all";
	SRunner *runner;
	size_t i;
	int failed;

	if (strcmp(which, "count") == 0) {
		printf("%zu\n", n);
		return EXIT_SUCCESS;
	}
	runner = srunner_create(NULL);
	if (strcmp(which, "curl") == 0)
		srunner_add_suite(runner, curl_suite());
	else
		for (i = 0; i < n; i++)
			if (argc == 1 || strtoul(which, NULL, 10) == i)
				srunner_add_suite(runner, suites[i]());
	srunner_run(runner, NULL, argc > 2 ? argv[2] : NULL, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
