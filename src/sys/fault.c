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
fault_memory(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
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

enum fault_kind
fault_worse(enum fault_kind a, enum fault_kind b)
{
	static const enum fault_kind order[] = { FAULT_BUG, FAULT_UNVERIFIED, FAULT_HOST,
		FAULT_FAILED, FAULT_BUSY, FAULT_SUPERSEDED, FAULT_REFUSED };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return FAULT_NONE;
}
