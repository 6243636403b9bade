/*
 * status.h: one look at a target, and what it means.  It takes no lock and changes
 * nothing.
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/output.h"
#include "config/target.h"
#include "engine/engine.h"
#include "health/answer.h"
#include "state/history.h"
#include "state/journal.h"

#include <jansson.h>

enum flight {
	FLIGHT_NONE,
	FLIGHT_RUNNING,     /* somebody has the lock */
	FLIGHT_INTERRUPTED, /* a journal, and nobody has the lock */
	FLIGHT_UNKNOWN
};

struct status {
	const struct target *target;
	int64_t now;   /* seconds since 1970 */
	bool observes; /* the engine can; else it is taken at its word */
	bool observed; /* it answered */
	struct observation seen;
	bool asked[SERVICES_MAX]; /* it has a health URL */
	struct http_answer answer[SERVICES_MAX];
	enum flight flight;
	char holder[256]; /* of the lock; "" not known */
	bool has_journal; /* of what is in flight */
	struct journal journal;
	bool recorded;      /* the history could be read */
	struct record last; /* the newest, adoptions aside; no id: none */
	struct record good; /* the newest that is known-good; no id: none */
	char back[TAG_MAX]; /* where `rollback` would go; "" nowhere */
	struct fault why;   /* why something above could not be told */
};

/* Never fails: what cannot be told is in `why`, the first of it. */
void status_look(struct status *, const struct target *, char *const *env,
    const struct who *);

/* The tag that a service runs, "" where that cannot be told. */
const char *status_tag(const struct status *, size_t i, char tag[TAG_MAX]);

/* Does what runs differ from what is desired or was deployed?  In words. */
bool status_drift(const struct status *, char *out, size_t size);

/*
 * For monitors: 5 something does not serve; 4 that cannot be told; 1 all serves, but
 * something drifts or is unfinished; 0 healthy and in step.  Of several the first of
 * these; `out` says which.
 */
int status_judge(const struct status *, char *out, size_t size);

/* What is in flight, read anew; also the journal.  dirfd -1: no state folder. */
enum flight status_flight(const struct target *, int dirfd, char *holder, size_t size,
    struct journal *, bool *has_journal, struct fault *);

/* In words: "deploy v1.2.0 by ci, phase verify, for 5 s". */
const char *status_flight_text(const struct status *, char *out, size_t size);

/* ---- report.c ---- */

/* In rows; `named`: with the target's name above them. */
void report_status(struct output *, const struct status *, bool named);

/*
 * An object, the caller's: v, target, code and why (as status_judge() has them), engine,
 * desired, drift, services [{service, healthy, health, tag, revision, instance, state,
 * started, restarts, instances}], in_flight {state, verb, tag, phase, time, by}, last,
 * deployed (records, as in state/history.h), rollback.  null: there is none, or it
 * cannot be told.
 */
json_t *report_object(const struct status *);

#endif
