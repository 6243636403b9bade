/*
 * unit [I N]: runs the suites, one a module; or each N-th of them, from the I-th,
 * for run.sh.  CK_RUN_SUITE=name runs one of them.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>

Suite *answer_suite(void);
Suite *cli_suite(void);
Suite *output_suite(void);
Suite *deadline_suite(void);
Suite *envfile_suite(void);
Suite *fault_suite(void);
Suite *http_suite(void);
Suite *probe_suite(void);
Suite *text_suite(void);
Suite *url_suite(void);
Suite *childenv_suite(void);
Suite *file_suite(void);
Suite *folder_suite(void);
Suite *history_suite(void);
Suite *inspect_suite(void);
Suite *journal_suite(void);
Suite *ledger_suite(void);
Suite *lock_suite(void);
Suite *mask_suite(void);
Suite *mover_suite(void);
Suite *request_suite(void);
Suite *run_suite(void);
Suite *signals_suite(void);
Suite *tag_suite(void);
Suite *target_suite(void);
Suite *who_suite(void);
Suite *deploy_suite(void);
Suite *gate_suite(void);
Suite *prune_suite(void);
Suite *recover_suite(void);
Suite *restore_suite(void);
Suite *rollback_suite(void);

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
		run_suite,
		who_suite,
		envfile_suite,
		journal_suite,
		history_suite,
		ledger_suite,
		lock_suite,
		mask_suite,
		folder_suite,
		target_suite,
		request_suite,
		tag_suite,
		url_suite,
		answer_suite,
		http_suite,
		probe_suite,
		inspect_suite,
		mover_suite,
		cli_suite,
		output_suite,
		deploy_suite,
		gate_suite,
		prune_suite,
		recover_suite,
		restore_suite,
		rollback_suite,
	};
	SRunner *runner = srunner_create(NULL);
	size_t i = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	size_t step = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;
	int failed;

	if (step == 0 || i >= step)
		return 2;
	for (; i < sizeof(suites) / sizeof(suites[0]); i += step)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
