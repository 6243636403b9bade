#include "sys/log.h"

#include "sys/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

void
log_open(void)
{
	openlog("twilight-deploy", LOG_PID, LOG_AUTHPRIV);
}

void
log_event(int priority, const char *fmt, ...)
{
	char line[900], safe[912];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	syslog(priority, "%s", text_escape(safe, sizeof(safe), line, strlen(line)));
	errno = saved;
}
