/*
 * log.h: syslog.  Every request leaves a line there, accepted or not.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include "sys/fault.h"

/* Facility AUTHPRIV; `ident` (kept, not copied) and the PID begin each line. */
void log_open(const char *ident);

/*
 * One line, escaped (sys/text.h), its text cut at 900 bytes.  `priority` is one of
 * syslog(3)'s.  It cannot fail and waits 0.3 s at most: there may be no syslog, or one
 * that does not read.  errno is kept.
 */
void log_event(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
