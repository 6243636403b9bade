/*
 * trigger.h: what sends requests.
 */
#ifndef STATE_TRIGGER_H
#define STATE_TRIGGER_H

#include <stdbool.h>

enum trigger {
	TRIGGER_UNKNOWN, /* in a record of an earlier program */
	TRIGGER_SSH,
	TRIGGER_PROMPT,
	TRIGGER_WEBHOOK,
	TRIGGER_POLL,
	TRIGGER_BOOT,
	TRIGGER__MAX
};

/* "ssh", "poll"; "" for TRIGGER_UNKNOWN.  By name: TRIGGER__MAX for another one. */
const char *trigger_name(enum trigger);
enum trigger trigger_find(const char *name);

/* Does it run by itself, without a person or a pipeline that waits for the result? */
bool trigger_is_automatic(enum trigger);

#endif
