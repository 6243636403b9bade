#include "suite.h"

#define TIMEOUT_S 120

Suite *
unit_suite(const char *name, void (*setup)(void), void (*teardown)(void),
    const struct unit_test *t, int n)
{
	Suite *s = suite_create(name);
	TCase *c = NULL;

	for (; n > 0; n--, t++)
		if (t->begins != NULL) {
			c = tcase_create(t->begins);
			tcase_add_checked_fixture(c, setup, teardown);
			tcase_set_timeout(c, TIMEOUT_S);
			suite_add_tcase(s, c);
		} else if (t->rows > 0)
			tcase_add_loop_test(c, *t->test, 0, t->rows);
		else
			tcase_add_test(c, *t->test);
	return s;
}
