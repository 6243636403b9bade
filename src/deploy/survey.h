/*
 * survey.h: one look at what a target runs, for those who only read.  Needs no lock
 * (session_look()), changes nothing.
 */
#ifndef DEPLOY_SURVEY_H
#define DEPLOY_SURVEY_H

#include "deploy/session.h"

/* Zero it first. */
struct survey {
	const struct target *target;
	const struct record *good; /* the newest known-good one; no id: none */
	bool observes;             /* the engine can observe: not blind */
	bool observed;             /* `seen` is set */
	struct observation seen;
	char rollback[TAG_MAX]; /* the tag that rollback_run() would choose; "": none */
};

/*
 * `good` must outlive the survey.  FAULT_HOST if the engine or the history could not be
 * read; what was seen until then is set.
 */
int survey_run(struct session *, const struct record *good, struct survey *,
    struct fault *) MUST_CHECK;

/* The tag that service `i` runs; "" if it is not known.  Returns `tag`. */
const char *survey_tag(const struct survey *, size_t i, char tag[TAG_MAX]);

/* Does what runs differ from what is desired or was deployed?  `out` says how. */
bool survey_drift(const struct survey *, char *out, size_t size);

#endif
