/*
 * log.h: syslog.  Every request leaves a line there, accepted or not.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include "sys/fault.h"

/* Facility AUTHPRIV, ident "twilight-deploy", with the pid. */
void log_open(void);

/*
 * One line, escaped (sys/text.h) and cut at 900 bytes.  `priority` is one of
 * syslog(3)'s.  Never fails, never waits long: there may be no syslog here, or
 * one that has stopped reading.
 */
void log_event(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
