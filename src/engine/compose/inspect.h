/*
 * inspect.h: the engine's and compose's JSON, to structs.  No I/O.
 */
#ifndef ENGINE_COMPOSE_INSPECT_H
#define ENGINE_COMPOSE_INSPECT_H

#include "engine/engine.h"

#include <jansson.h>

#define DEPENDS_MAX 16

struct depend {
	char service[SERVICE_MAX];
	bool completes; /* it has done its work when it exited with 0 */
};

/* A service as compose resolves it. */
struct resolved {
	char reference[REFERENCE_MAX];
	struct depend depends[DEPENDS_MAX]; /* services it depends on */
	size_t n_depends;
};

/* GET /containers/ID/json.  FAULT_HOST when it is not that. */
int inspect_container(const json_t *, struct instance *, struct fault *) MUST_CHECK;

/* `docker compose config --format json`: the project, and one of its services. */
int inspect_project(const json_t *, char *out, size_t size, struct fault *) MUST_CHECK;
int inspect_service(const json_t *, const char *name, struct resolved *,
    struct fault *) MUST_CHECK;

/*
 * The JSON of the engine or of compose, the caller's; NULL where it is none.  A string in
 * it may have a NUL (a label may): member_value() reads none of those.
 */
json_t *inspect_load(const char *bytes, size_t len);

/* Always -1, FAULT_HOST: `what` of the engine cannot be understood. */
int inspect_fault(const char *what, struct fault *);

/* RFC 3339 with a fraction, UTC, to milliseconds since 1970; 0 if it is not. */
int64_t inspect_time(const char *);

/* "Docker Compose version v2.26.1": is it at least major.minor? */
bool inspect_compose_is(const char *text, long major, long minor);

#endif
