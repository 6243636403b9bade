/*
 * What is wrong with an instance, in words.
 */
#include "deploy/internal.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static const char *
short_id(const char *id, char out[13])
{
	const char *colon = strchr(id, ':');

	(void)strlcpy(out, colon == NULL ? id : colon + 1, 13);
	return out;
}

const char *
instance_trouble(const struct instance *first, int64_t restarts,
    const struct instance *now, char *out, size_t size)
{
	switch (now->state) {
	case INSTANCE_GONE:
		return "the container is gone";
	case INSTANCE_RUNNING:
		break;
	case INSTANCE_RESTARTING:
		snprintf(out, size, "the container restarts (exit %lld)",
		    (long long)now->exit_code);
		return out;
	case INSTANCE_EXITED:
	case INSTANCE_DEAD:
		snprintf(out, size, "the container has ended (exit %lld%s)",
		    (long long)now->exit_code, now->oom_killed ? ", out of memory" : "");
		return out;
	default:
		return "the container is not running";
	}
	if (now->restarts > restarts || strcmp(now->started, first->started) != 0)
		return "the container was restarted";
	return NULL;
}

const char *
instance_mismatch(const struct part *p, const struct observed *o, char *out, size_t size)
{
	char want[13], got[13];

	if (o->n != 1)
		snprintf(out, size, "%s container of service %s is there",
		    o->n == 0 ? "no" : "more than one", p->service);
	else if (p->revision[0] != '\0' && strcmp(o->instance.revision, p->revision) != 0)
		snprintf(out, size, "the container runs image %s, not %s",
		    short_id(o->instance.revision, got), short_id(p->revision, want));
	else
		return NULL;
	return out;
}
