/*
 * A release that failed here, or that somebody rolled back from, is not started again by
 * what runs by itself: a poller would take the service down once a minute.
 */
#include "deploy/internal.h"

#include "state/ledger.h"
#include "sys/text.h"

#include <stdio.h>
#include <string.h>

int
quarantine_check(struct deploy *d, struct fault *f)
{
	static const char head[] = "not deployed: ";
	struct judgement j;
	const char *why = j.why;
	char safe[200], when[64];

	/* a new image under the tag is a new release */
	if (d->s->dirfd == -1 || !release_is_resolved(&d->j.to))
		return 0;
	if (ledger_knows(d->s->dirfd, &d->j.to, &j, f) == -1)
		return -1;
	if (j.verdict != VERDICT_BAD)
		return 0;
	if (strncmp(why, head, strlen(head)) == 0)
		why += strlen(head);
	text_escape(safe, sizeof(safe), why, strlen(why));
	snprintf(when, sizeof(when), "%.10s %.5s UTC", j.time, j.time + 11);
	d->quarantined = trigger_is_automatic(d->j.who.trigger);
	if (d->quarantined)
		return fault_set(f, FAULT_REFUSED,
		    "push a new image; a person can deploy this one again",
		    "this image of %s is bad since %s: %s", d->j.to.tag, when, safe);
	progress_say(d->s->progress, SAY_WARN, "this image of %s is bad since %s: %s",
	    d->j.to.tag, when, safe);
	return 0;
}
