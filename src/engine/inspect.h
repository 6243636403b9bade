/*
 * inspect.h: docker's and compose's JSON, to structs.  No I/O.
 */
#ifndef ENGINE_INSPECT_H
#define ENGINE_INSPECT_H

#include "engine/engine.h"

/*
 * `docker inspect --type container …`: an array, of which `max` are
 * taken.  FAULT_HOST when it is not that.
 */
int inspect_containers(const char *json, size_t len, struct container *, size_t max,
    size_t *n, struct fault *) MUST_CHECK;

/* `docker compose config --format json`: project, image, depends_on. */
int inspect_service(const char *json, size_t len, const char *name, struct service *,
    struct fault *) MUST_CHECK;

/* RFC 3339 with a fraction, UTC, to milliseconds since 1970; 0 if it is not. */
int64_t inspect_time(const char *);

/* "Docker Compose version v2.26.1": is it at least major.minor? */
bool inspect_compose_is(const char *text, long major, long minor);

#endif
