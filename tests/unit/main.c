/*
 * Runs the suites, one a module.  CK_RUN_SUITE=name runs one of them.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>

Suite *deadline_suite(void);
Suite *envfile_suite(void);
Suite *fault_suite(void);
Suite *http_suite(void);
Suite *probe_suite(void);
Suite *text_suite(void);
Suite *url_suite(void);

int
main(void)
{
	static Suite *(*const suites[])(void) = {
		text_suite,
		fault_suite,
		deadline_suite,
		envfile_suite,
		url_suite,
		http_suite,
		probe_suite,
	};
	SRunner *runner = srunner_create(NULL);
	size_t i;
	int failed;

	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
