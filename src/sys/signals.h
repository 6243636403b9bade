/*
 * signals.h: signals as data.
 *
 * After signals_init() INT, TERM and CHLD are blocked and are read from a signalfd(2),
 * so they interrupt no system call.  HUP is ignored: a deploy goes on when the client
 * disconnects.
 */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * For main().  PIPE and XFSZ are ignored: the write fails with EPIPE or EFBIG.  CHLD
 * gets its default, because ignored it discards the exit codes of child processes.
 */
void signals_tame(void);

/* FAULT_HOST: no descriptor is left. */
int signals_init(struct fault *) MUST_CHECK;

/* For poll(2): readable when a signal has arrived.  -1 before signals_init(). */
int signals_fd(void);

/* Reads what has arrived.  The first INT or TERM of this process, else 0. */
int signals_stop(void);

/*
 * Waits `ms` milliseconds, or until `fd` (-1: none) is readable, or with `stoppable`
 * until signals_stop() is not 0.  Returns that value, 0 without `stoppable`.
 */
int signals_wait(int64_t ms, int fd, bool stoppable);

/* For a child process before exec: default actions, nothing blocked. */
void signals_default(void);

#endif
