/*
 * deadline.h: time that only moves forward.
 *
 * All times are milliseconds on CLOCK_MONOTONIC; a wall clock that is set
 * during a deploy changes no limit.
 */
#ifndef SYS_DEADLINE_H
#define SYS_DEADLINE_H

#include <stdint.h>

int64_t clock_ms(void);

/* A deadline is a point in time; `ms` from now. */
int64_t deadline_in(int64_t ms);

/* Milliseconds left, 0 when it has passed. */
int64_t deadline_left(int64_t deadline);

/* For poll(2): what is left, cut to `most` and to what an int holds. */
int deadline_poll(int64_t deadline, int64_t most);

#endif
