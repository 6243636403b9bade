/*
 * status.h: looks at a target, judges it and shows it.  No lock is taken, nothing is
 * changed.
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/output.h"
#include "config/target.h"
#include "deploy/survey.h"
#include "health/answer.h"
#include "state/freeze.h"
#include "state/history.h"
#include "state/journal.h"

#include <jansson.h>

enum flight_state {
	FLIGHT_NONE,
	FLIGHT_RUNNING,     /* the lock is held */
	FLIGHT_INTERRUPTED, /* there is a journal, and the lock is free */
	FLIGHT_UNKNOWN
};

/* The deploy in progress. */
struct flight {
	enum flight_state state;
	char holder[256];       /* of the lock, as lock_held() has it */
	bool has_journal;       /* `journal` is set */
	struct journal journal; /* of the deploy in progress, or interrupted */
};

struct status {
	const struct target *target;
	int64_t now; /* seconds since 1970 */
	struct survey survey;
	bool asked[SERVICES_MAX]; /* answer[i] is set: the service has a health URL */
	struct http_answer answer[SERVICES_MAX];
	struct flight flight;
	bool recorded;      /* the history could be read */
	struct record last; /* the newest but for adoptions; no id: none */
	struct record good; /* the newest known-good one; no id: none */
	bool frozen;        /* `freeze` is set */
	struct freeze freeze;
	struct fault why; /* the first fault of a look */
};

/* Never fails: the first fault is in `why`. */
void status_look(struct status *, const struct target *, char *const *env,
    const struct who *);

/*
 * The exit code for monitors.  5: a service is down or not healthy; 4: unknown; 1: all
 * services are healthy, but there is drift or an unfinished deploy; 0: healthy, and as
 * deployed.  The first of these that applies; `out` says why.
 */
int status_judge(const struct status *, char *out, size_t size);

/*
 * Reads the lock and the journal.  dirfd is the state folder, or -1 for none.  -1 with
 * FAULT_HOST if the journal or the history cannot be read; `state` is set then, too.
 */
int status_flight(const struct target *, int dirfd, struct flight *,
    struct fault *) MUST_CHECK;

/* "deploy v1.2.0 by ci, phase verify, for 5 s".  Returns `out`. */
const char *status_flight_text(const struct flight *, int64_t now, char *out,
    size_t size);

/* ---- report.c ---- */

/* Prints rows; `named`: the name of the target, too. */
void report_status(struct output *, const struct status *, bool named);

/* The JSON object of docs/schema/, owned by the caller. */
json_t *report_object(const struct status *);

/* `plan`: what a deploy does beside pull and `up`, as rows. */
void report_plan(struct output *, const struct target *);

/* The same as JSON, the member `plan` of docs/schema/, owned by the caller. */
json_t *report_plan_object(const struct target *);

/* ---- wait.c ---- */

/*
 * `status --wait`: follows the deploy in progress to its end and reports its phases.
 * Then shows its record, or the newest one if there was nothing to follow or it left no
 * record; the fault has the code of that record.  No id: there is no record.
 * FAULT_UNVERIFIED if the deploy was killed and waits to be recovered.  Ends early when
 * stdout is closed.
 */
int wait_for_end(struct output *, const struct target *, struct record *,
    struct fault *) MUST_CHECK;

#endif
