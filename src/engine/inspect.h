/*
 * inspect.h: the engine's and compose's JSON, to structs.  No I/O.
 */
#ifndef ENGINE_INSPECT_H
#define ENGINE_INSPECT_H

#include "engine/engine.h"

#include <jansson.h>

/* GET /containers/ID/json.  FAULT_HOST when it is not that. */
int inspect_container(const json_t *, struct container *, struct fault *) MUST_CHECK;

/*
 * `docker compose config --format json`: project, image, depends_on.  `len`
 * bytes.  FAULT_HOST when it is not that, or has no such service.
 */
int inspect_service(const char *json, size_t len, const char *name, struct service *,
    struct fault *) MUST_CHECK;

/* A string member; "" when there is none. */
const char *inspect_text(const json_t *, const char *key);

/* Always -1, FAULT_HOST: `what` of the engine cannot be understood. */
int inspect_fault(const char *what, struct fault *);

/* RFC 3339 with a fraction, UTC, to milliseconds since 1970; 0 if it is not. */
int64_t inspect_time(const char *);

/* "Docker Compose version v2.26.1": is it at least major.minor? */
bool inspect_compose_is(const char *text, long major, long minor);

#endif
