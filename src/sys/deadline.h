/*
 * deadline.h: limits of time.
 *
 * All times are milliseconds on CLOCK_MONOTONIC: setting the wall clock during a deploy
 * changes no limit.
 */
#ifndef SYS_DEADLINE_H
#define SYS_DEADLINE_H

#include <stdint.h>

int64_t clock_ms(void);

/* The point in time `ms` from now. */
int64_t deadline_in(int64_t ms);

/* Milliseconds left; 0: it has passed. */
int64_t deadline_left(int64_t deadline);

/* Milliseconds left for poll(2), at most `most` and INT_MAX. */
int deadline_poll(int64_t deadline, int64_t most);

#endif
