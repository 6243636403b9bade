/*
 * The setting `restart`: services that are restarted once a release runs, as they keep
 * connections to it, or what they read from it.
 */
#include "deploy/internal.h"

#include "sys/text.h"

#include <bsd/string.h>

int
restart_others(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	const char *services[SERVICES_MAX + 1] = { NULL };
	char text[sizeof(d->s->target->restart)];

	(void)strlcpy(text, d->s->target->restart, sizeof(text));
	if (text_words(text, " ,\t", services, SERVICES_MAX) == 0 ||
	    e->restart(e, services, f) == 0)
		return 0;
	/* `up` was started: not even FAULT_HOST says that nothing was changed */
	f->kind = FAULT_FAILED;
	return -1;
}
