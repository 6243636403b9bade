/*
 * suite.h: a suite of Check as a table of tests.
 */
#ifndef UNIT_SUITE_H
#define UNIT_SUITE_H

#include <check.h>
#include <stddef.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct unit_test {
	const char *begins; /* a test case of run.sh: Core, Limits, Hostile; or NULL */
	const TTest **test;
	int rows; /* 0: run once; else with _i from 0 to rows - 1 */
};

#define CASE(name)            \
	{                     \
		name, NULL, 0 \
	}
#define ONCE(t)             \
	{                   \
		NULL, &t, 0 \
	}
#define EACH(t, rows)          \
	{                      \
		NULL, &t, rows \
	}

/* `setup` and `teardown` (may be NULL) run before and after each test. */
Suite *unit_suite(const char *name, void (*setup)(void), void (*teardown)(void),
    const struct unit_test *, int n);

#endif
