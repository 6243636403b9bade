#include "state/trigger.h"

#include <string.h>

static const struct {
	const char *name;
	bool automatic;
} triggers[TRIGGER__MAX] = {
	[TRIGGER_UNKNOWN] = { "", false },
	[TRIGGER_SSH] = { "ssh", false },
	[TRIGGER_PROMPT] = { "prompt", false },
	[TRIGGER_WEBHOOK] = { "webhook", false },
	[TRIGGER_POLL] = { "poll", true },
	[TRIGGER_BOOT] = { "boot", true },
};

const char *
trigger_name(enum trigger t)
{
	return t < TRIGGER__MAX ? triggers[t].name : "";
}

enum trigger
trigger_find(const char *name)
{
	int t;

	for (t = TRIGGER_UNKNOWN + 1; t < TRIGGER__MAX; t++)
		if (strcmp(triggers[t].name, name) == 0)
			break;
	return (enum trigger)t;
}

bool
trigger_is_automatic(enum trigger t)
{
	return t < TRIGGER__MAX && triggers[t].automatic;
}
