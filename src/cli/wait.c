#include "cli/wait.h"

#include "cli/records.h"
#include "cli/status.h"
#include "state/folder.h"
#include "state/lock.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 200 /* between two looks at the lock */
#define BEAT_MS 15000

struct follow {
	struct output *o;
	const struct target *target;
	int dirfd;
	char holder[256];       /* of the lock, when it was first seen */
	char id[RECORD_ID_MAX]; /* the last that this holder began; "" not known */
	bool theirs;            /* another one has the lock by now */
	enum phase shown;       /* PHASE__MAX: none yet */
	int64_t beat;           /* when to report again that it lasts */
};

static void
report_phase(struct follow *w)
{
	struct fault f = { 0 };
	struct journal j;
	char line[200];
	bool found;

	if (w->dirfd == -1 || journal_read(w->dirfd, &j, &found, &f) == -1 || !found)
		return;
	if (!w->theirs)
		(void)strlcpy(w->id, j.id, sizeof(w->id));
	if (j.phase == w->shown && clock_ms() < w->beat)
		return;
	snprintf(line, sizeof(line), "%s of %s, phase %s", record_verb_name(j.verb),
	    j.to.tag, phase_name(j.phase));
	output_say(w->o, SAY_NOTE, line);
	w->shown = j.phase;
	w->beat = clock_ms() + BEAT_MS;
}

/*
 * The next deploy may begin before we look again: then it is over when the
 * history has it.  (If it was killed the next one recovers it first.)
 */
static bool
still_runs(struct follow *w)
{
	char now[sizeof(w->holder)];
	struct fault f = { 0 };
	bool over = false;

	if (!lock_held(w->target->lock, now, sizeof(now)))
		return false;
	/* it writes its line a moment after it has the lock */
	if (w->holder[0] == '\0')
		(void)strlcpy(w->holder, now, sizeof(w->holder));
	w->theirs = strcmp(now, w->holder) != 0;
	return !w->theirs || w->id[0] == '\0' ||
	    history_has(w->dirfd, w->id, &over, &f) == -1 || !over;
}

/* Waits a little; false once nobody reads us: the lock may be held for ever. */
static bool
is_read(void)
{
	/* nothing is asked for: a reader that left is reported all the same */
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	return poll(&pfd, 1, LOOK_MS) != 1;
}

static void
follow_holder(struct follow *w)
{
	w->shown = PHASE__MAX;
	if (!lock_held(w->target->lock, w->holder, sizeof(w->holder)))
		return;
	output_row(w->o, "in flight", "%s",
	    w->holder[0] == '\0' ? "a request that just began" : w->holder);
	do
		report_phase(w);
	while (is_read() && still_runs(w));
}

struct ending {
	const char *id;
	struct record r;
};

static bool
is_ending(void *arg, const struct record *r)
{
	struct ending *e = arg;

	if (strcmp(r->id, e->id) != 0)
		return true;
	e->r = *r;
	return false;
}

/* The record of what was followed; without one, unless it was interrupted, the newest. */
static int
find_ending(const struct follow *w, struct record *r, struct fault *f)
{
	struct ending e = { .id = w->id };
	struct journal j;
	char holder[256];
	bool found;

	r->id[0] = '\0';
	if (w->dirfd != -1 && w->id[0] != '\0' &&
	    history_walk(w->dirfd, is_ending, &e, f) == -1)
		return -1;
	if (e.r.id[0] != '\0') {
		*r = e.r;
		return 0;
	}
	switch (
	    status_flight(w->target, w->dirfd, holder, sizeof(holder), &j, &found, f)) {
	case FLIGHT_INTERRUPTED:
		return fault_set(f, FAULT_UNVERIFIED, "run `recover`, or deploy again",
		    "the %s of %s was interrupted (phase %s)", record_verb_name(j.verb),
		    j.to.tag, phase_name(j.phase));
	case FLIGHT_UNKNOWN:
		return -1;
	default:
		return records_newest(w->dirfd, r, f);
	}
}

static int
show_ending(const struct follow *w, bool json, struct fault *f)
{
	struct record r;

	if (find_ending(w, &r, f) == -1)
		return -1;
	if (r.id[0] == '\0') {
		records_none(w->o, w->target);
		return records_home(w->target, f);
	}
	records_last(w->o, &r, time(NULL));
	if (json)
		records_json(w->o, records_object(&r, w->target->name));
	return r.code == 0 ? 0 : fault_set(f, (enum fault_kind)r.code, NULL, "%s", r.why);
}

int
wait_for_end(struct output *o, const struct target *t, bool json, struct fault *f)
{
	struct follow w = { .o = o, .target = t };
	int rc;

	w.dirfd = folder_open(t->state, false, f);
	if (w.dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	follow_holder(&w);
	/* it may have been made by what was followed */
	if (w.dirfd == -1)
		w.dirfd = folder_open(t->state, false, f);
	if (w.dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	rc = show_ending(&w, json, f);
	if (w.dirfd != -1)
		close(w.dirfd);
	return rc;
}
