/*
 * signals.h: signals as data.
 *
 * After signals_init() INT, TERM and CHLD are blocked and arrive through one
 * signalfd(2), so no system call of ours is ever interrupted by them; HUP is
 * ignored: a client that left is no reason to stop.
 */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * For main(), whatever we were started with: a write that fails is an error and not
 * our death (PIPE, XFSZ), and our children leave their exit codes to us (CHLD).
 */
void signals_tame(void);

/* FAULT_HOST where no descriptor can be had. */
int signals_init(struct fault *) MUST_CHECK;

/* Becomes readable when a signal is there; for poll(2).  -1 before init. */
int signals_fd(void);

/* Takes what has arrived; the INT or TERM that came first ever, else 0. */
int signals_stop(void);

/*
 * Waits for `ms`, shorter when `fd` (-1 for none) becomes readable, or when a
 * stop came and `stoppable` is set; signals_stop()'s answer then, else 0.
 */
int signals_wait(int64_t ms, int fd, bool stoppable);

/* For a child before exec: default dispositions, nothing blocked. */
void signals_default(void);

#endif
