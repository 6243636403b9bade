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
	int dirfd;              /* the state folder; -1: there is none */
	char holder[256];       /* of the lock that is followed */
	char id[RECORD_ID_MAX]; /* of its deploy; "": not known */
	bool theirs;            /* another request has the lock now */
	enum phase shown;       /* PHASE__MAX: none yet */
	int64_t beat;           /* deadline of the next report */
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
 * Another deploy may take the lock between two looks.  Then the deploy that we follow
 * has ended when its record is in the history; if it was killed, the new one recovers
 * it first.
 */
static bool
still_runs(struct follow *w)
{
	char now[sizeof(w->holder)];
	struct fault f = { 0 };
	bool over = false;

	if (!lock_held(w->target->lock, now, sizeof(now)))
		return false;
	/* the holder writes its line just after it has the lock */
	if (w->holder[0] == '\0')
		(void)strlcpy(w->holder, now, sizeof(w->holder));
	w->theirs = strcmp(now, w->holder) != 0;
	return !w->theirs || w->id[0] == '\0' ||
	    history_has(w->dirfd, w->id, &over, &f) == -1 || !over;
}

/* Waits for LOOK_MS.  False if stdout is closed: nobody reads us any more. */
static bool
pause_while_read(void)
{
	/* poll(2) reports POLLERR and POLLHUP although no event is requested */
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	return poll(&pfd, 1, LOOK_MS) != 1;
}

static void
follow_holder(struct follow *w)
{
	struct fault f = { 0 };
	struct flight fl;
	char text[600];

	w->shown = PHASE__MAX;
	(void)!status_flight(w->target, w->dirfd, &fl, &f);
	if (fl.state != FLIGHT_RUNNING)
		return;
	(void)strlcpy(w->holder, fl.holder, sizeof(w->holder));
	output_row(w->o, "in flight", "%s",
	    status_flight_text(&fl, time(NULL), text, sizeof(text)));
	do
		report_phase(w);
	while (pause_while_read() && still_runs(w));
}

struct ending {
	const char *id; /* "": the newest record but for adoptions */
	struct record *r;
};

static bool
take_ending(void *arg, const struct record *r)
{
	struct ending *e = arg;

	if (e->id[0] == '\0' ? r->outcome == OUTCOME_ADOPTED : strcmp(r->id, e->id) != 0)
		return true;
	*e->r = *r;
	return false;
}

/* The record of the deploy that was followed, else the newest one. */
static int
find_ending(const struct follow *w, struct record *r, struct fault *f)
{
	struct ending e = { .id = w->id, .r = r };
	struct flight fl;

	r->id[0] = '\0';
	if (w->dirfd == -1)
		return 0;
	if (e.id[0] != '\0' && history_walk(w->dirfd, take_ending, &e, f) == -1)
		return -1;
	if (r->id[0] != '\0')
		return 0;
	if (status_flight(w->target, w->dirfd, &fl, f) == -1)
		return -1;
	if (fl.state == FLIGHT_INTERRUPTED)
		return fault_set(f, FAULT_UNVERIFIED, "run `recover`, or deploy again",
		    "the %s of %s was interrupted (phase %s)",
		    record_verb_name(fl.journal.verb), fl.journal.to.tag,
		    phase_name(fl.journal.phase));
	e.id = "";
	return history_walk(w->dirfd, take_ending, &e, f);
}

static int
show_ending(const struct follow *w, struct record *r, struct fault *f)
{
	if (find_ending(w, r, f) == -1)
		return -1;
	if (r->id[0] == '\0') {
		records_none(w->o, w->target);
		return records_home(w->target, f);
	}
	records_last(w->o, r, time(NULL));
	return r->code == 0 ? 0
			    : fault_set(f, (enum fault_kind)r->code, NULL, "%s", r->why);
}

int
wait_for_end(struct output *o, const struct target *t, struct record *r, struct fault *f)
{
	struct follow w = { .o = o, .target = t };
	int rc = -1;

	r->id[0] = '\0';
	w.dirfd = folder_open(t->state, false, f);
	if (f->kind == FAULT_NONE)
		follow_holder(&w);
	/* the request that was followed may have made the folder */
	if (w.dirfd == -1 && f->kind == FAULT_NONE)
		w.dirfd = folder_open(t->state, false, f);
	if (f->kind == FAULT_NONE)
		rc = show_ending(&w, r, f);
	if (w.dirfd != -1)
		close(w.dirfd);
	return rc;
}
