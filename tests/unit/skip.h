/*
 * skip.h: for a test that cannot run here; .ci/run counts these lines.
 */
#ifndef UNIT_SKIP_H
#define UNIT_SKIP_H

#include <stdio.h>

#define SKIP(why)                                       \
	do {                                            \
		printf("SKIP %s: %s\n", __func__, why); \
		fflush(stdout);                         \
		return;                                 \
	} while (0)

#endif
