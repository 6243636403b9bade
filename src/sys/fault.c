#include "sys/fault.h"

#include <bsd/string.h>
#include <stdio.h>

int
fault_set(struct fault *f, enum fault_kind kind, const char *next, const char *fmt, ...)
{
	va_list ap;

	if (f->kind != FAULT_NONE)
		return -1;
	f->kind = kind;
	va_start(ap, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
	f->now[0] = '\0';
	(void)strlcpy(f->next, next == NULL ? "" : next, sizeof(f->next));
	return -1;
}

int
fault_now(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->now, sizeof(f->now), fmt, ap);
	va_end(ap);
	return -1;
}

void
fault_clear(struct fault *f)
{
	f->kind = FAULT_NONE;
	f->what[0] = '\0';
	f->now[0] = '\0';
	f->next[0] = '\0';
}
