/*
 * ask.h: what one service answers: is it healthy, and is it the version that was
 * deployed?
 */
#ifndef DEPLOY_ASK_H
#define DEPLOY_ASK_H

#include "deploy/session.h"
#include "health/probe.h"
#include "health/version.h"

struct ask {
	struct probe probe;
	struct http_answer answer; /* the last one; why is "" before the first */
	/* private; the probe points into it, so it must not be moved */
	const struct service *service;
	struct url health, version_url; /* no host: is not asked */
	struct version version;         /* its text is "": is not asked */
	const char *asked;              /* the URL of the last answer */
};

/*
 * For service `i` of the target, and the release's part of it.  With `version` it is
 * asked for its version too, if the target has a URL for that; a version that cannot be
 * known is reported.  FAULT_HOST if the engine did not answer.
 */
int ask_init(struct ask *, const struct session *, const struct release *, size_t i,
    bool version, struct fault *) MUST_CHECK;

/* Is the service asked at all? */
bool ask_has_url(const struct ask *);

/* Asks at this address, not "", and port from now on; the Host field stays. */
void ask_at(struct ask *, const char *address, const char *port);

/* One attempt.  Good without a request where the service has no URL. */
enum probe_verdict ask_service(struct ask *);

/* Is the last answer one of version_url, not of health_url? */
bool ask_is_version(const struct ask *);

/* The URL of the last answer without its query, which may have a token.  Returns `out`. */
const char *ask_url(const struct ask *, char *out, size_t size);

#endif
