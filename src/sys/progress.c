#include "sys/progress.h"

#include <stdio.h>

void
progress_say(const struct progress *p, enum say kind, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (p == NULL || p->say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p->say(p->arg, kind, line);
}
