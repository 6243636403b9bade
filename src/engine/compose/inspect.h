/*
 * inspect.h: reads the JSON of the engine and of compose into structs.  No I/O.
 */
#ifndef ENGINE_COMPOSE_INSPECT_H
#define ENGINE_COMPOSE_INSPECT_H

#include "engine/engine.h"

#include <jansson.h>

#define DEPENDS_MAX 16
#define PORTS_MAX 16

struct depend {
	char service[SERVICE_MAX];
	bool completes; /* it has to exit with 0, not to run */
};

/* A port of a container, and that of the host; both decimal, or a range. */
struct port {
	char target[12], published[12];
};

/* A service as compose resolves it. */
struct resolved {
	char reference[REFERENCE_MAX];
	bool pulls;            /* pull_policy: always; `run` pulls again then */
	char network_mode[80]; /* "": networks of its own */
	char address[48];      /* that the compose file gives it; "": none */
	char shared[320];      /* volumes and folders that each container of it has */
	struct port ports[PORTS_MAX];
	size_t n_ports;
	struct depend depends[DEPENDS_MAX]; /* services it depends on */
	size_t n_depends;
};

/* The answer of GET /containers/ID/json.  FAULT_HOST if it is something else. */
int inspect_container(const json_t *, struct instance *, struct fault *) MUST_CHECK;

/*
 * The answer of GET /images/ID/json, with the digests of this repository.  A revision
 * label that is no commit counts as none.
 */
void inspect_identity(const json_t *, const char *repository, struct identity *);

/*
 * The project, and one service, of `docker compose config --format json`.  FAULT_HOST
 * also for a service that is missing, has no image, or is scaled.
 */
int inspect_project(const json_t *, char *out, size_t size, struct fault *) MUST_CHECK;
int inspect_service(const json_t *, const char *name, struct resolved *,
    struct fault *) MUST_CHECK;

/*
 * Image and pull policy of a service in the same document, which is not of the target;
 * "": unknown, or it is built.
 */
void inspect_job(const json_t *, const char *name, struct resolved *);

/*
 * Parses the JSON of the engine or of compose.  The caller owns it; NULL: it is not
 * JSON.  A string may contain a NUL, as labels can: member_value() does not read those.
 */
json_t *inspect_load(const char *bytes, size_t len);

/* Always -1: FAULT_HOST, an answer about `what` cannot be understood. */
int inspect_fault(const char *what, struct fault *);

/* RFC 3339 in UTC to milliseconds since 1970; 0: it is something else, or never. */
int64_t inspect_time(const char *);

/* "Docker Compose version v2.26.1": is it at least major.minor? */
bool inspect_compose_is(const char *text, long major, long minor);

#endif
