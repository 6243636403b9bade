#include "cli/wait.h"

#include "cli/report.h"
#include "state/folder.h"
#include "state/lock.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 200 /* between two looks at the lock */
#define BEAT_MS 15000

struct follow {
	char holder[256];        /* of the lock, when it was first seen */
	char id[JOURNAL_ID_MAX]; /* the last that this holder began; "" not known */
	bool theirs;             /* another one has the lock by now */
	enum journal_step told;  /* JOURNAL__MAX: none yet */
	int64_t beat;            /* when to say again that it lasts */
};

static void
tell_step(struct follow *w, struct output *o, int dirfd)
{
	struct fault f = { 0 };
	struct journal j;
	char line[200];

	if (dirfd == -1 || journal_read(dirfd, &j, &f) != 1)
		return;
	if (!w->theirs)
		(void)strlcpy(w->id, j.id, sizeof(w->id));
	if (j.step == w->told && clock_ms() < w->beat)
		return;
	snprintf(line, sizeof(line), "%s of %s, at: %s", j.verb, j.to.tag,
	    journal_step_name(j.step));
	output_say(o, SAY_NOTE, line);
	w->told = j.step;
	w->beat = clock_ms() + BEAT_MS;
}

/*
 * The next deploy may begin before we look again: then it is over when the
 * history has it.  (If it was killed the next one mends it first.)
 */
static bool
lasts(struct follow *w, const struct target *t, int dirfd)
{
	char now[sizeof(w->holder)];
	struct fault f = { 0 };

	if (!lock_held(t->lock, now, sizeof(now)))
		return false;
	/* it writes its words a moment after it has the lock */
	if (w->holder[0] == '\0')
		(void)strlcpy(w->holder, now, sizeof(w->holder));
	w->theirs = strcmp(now, w->holder) != 0;
	return !w->theirs || w->id[0] == '\0' || history_has(dirfd, w->id, &f) != 1;
}

/* Waits a little; false once nobody reads us: the lock may be held for ever. */
static bool
is_read(void)
{
	/* nothing is asked for: a reader that left is told all the same */
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	return poll(&pfd, 1, LOOK_MS) != 1;
}

static void
follow(struct follow *w, struct output *o, const struct target *t, int dirfd)
{
	char line[300];

	w->told = JOURNAL__MAX;
	if (!lock_held(t->lock, w->holder, sizeof(w->holder)))
		return;
	snprintf(line, sizeof(line), REPORT_ROW "%s",
	    "deploy:", w->holder[0] == '\0' ? "running" : w->holder);
	output_say(o, SAY_RESULT, line);
	do
		tell_step(w, o, dirfd);
	while (is_read() && lasts(w, t, dirfd));
}

struct ending {
	const char *id; /* "" for the newest */
	struct record r;
};

/* What was adopted was found running: nobody deployed it then. */
static bool
is_ending(void *arg, const struct record *r)
{
	struct ending *e = arg;

	if (r->outcome == OUTCOME_ADOPTED ||
	    (e->id[0] != '\0' && strcmp(r->id, e->id) != 0))
		return true;
	e->r = *r;
	return false;
}

static int
tell_ending(struct output *o, const struct record *r, struct fault *f)
{
	if (o->json)
		report_record(o, r);
	else
		report_last(o, r);
	return r->code == 0 ? 0
			    : fault_set(f, (enum fault_kind)r->code, NULL, "%s", r->why);
}

/* The one with this id; where there is none, or "" was said, the newest. */
static int
how_it_ended(struct output *o, const struct target *t, int dirfd, const char *id,
    struct fault *f)
{
	char none[300], line[400];
	struct ending e = { .id = id };
	struct journal j;
	int rc;

	if (dirfd != -1 && *id != '\0' && history_walk(dirfd, is_ending, &e, f) == -1)
		return -1;
	if (e.r.id[0] != '\0')
		return tell_ending(o, &e.r, f);
	rc = report_unfinished(dirfd, &j, f);
	if (rc == 1)
		return fault_set(f, FAULT_UNVERIFIED, "say `recover`, or deploy again",
		    "the %s of %s was interrupted (at: %s)", j.verb, j.to.tag,
		    journal_step_name(j.step));
	e.id = "";
	if (rc == -1 || (dirfd != -1 && history_walk(dirfd, is_ending, &e, f) == -1))
		return -1;
	if (e.r.id[0] != '\0')
		return tell_ending(o, &e.r, f);
	snprintf(line, sizeof(line), REPORT_ROW "%s",
	    "last:", report_nothing(t, none, sizeof(none)));
	output_say(o, SAY_RESULT, line);
	return 0;
}

int
wait_for_end(struct output *o, const struct target *t, struct fault *f)
{
	int dirfd = folder_open(t->state, false, f), rc;
	struct follow w = { .id = "" };

	if (dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	follow(&w, o, t, dirfd);
	/* it may have been made by what was followed */
	if (dirfd == -1)
		dirfd = folder_open(t->state, false, f);
	if (dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	rc = how_it_ended(o, t, dirfd, w.id, f);
	if (dirfd != -1)
		close(dirfd);
	return rc;
}
