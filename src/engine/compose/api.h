/*
 * api.h: reads from the Docker Engine API over its Unix socket.  Only GET is used:
 * docker's command line makes the changes.  https://docs.docker.com/reference/api/engine/
 *
 * An HTTP status is an answer, a transport failure is not.  A read without an answer
 * (the socket is refused, closed or silent, the status is 5xx, or the body is not what
 * the API describes) is repeated until api->limit_ms have passed.  So an engine that
 * restarts costs time, and says nothing about a release.
 */
#ifndef ENGINE_COMPOSE_API_H
#define ENGINE_COMPOSE_API_H

#include "health/http.h"
#include "dotenv/mask.h"
#include "sys/progress.h"

#include <jansson.h>

#define API_TARGET_MAX 3072

struct api {
	char path[108];   /* of the socket; the size is that of sockaddr_un */
	char version[16]; /* negotiated, "1.41"; "" before api_connect() */
	int64_t limit_ms; /* for one read with its repetitions */
	struct mask *mask;
	const struct progress *progress;
	struct http http;
};

void api_init(struct api *, int64_t limit_ms, struct mask *, const struct progress *);
void api_close(struct api *);

/*
 * Negotiates the newest version that the engine and we have.  FAULT_HOST; at once if
 * nothing listens.
 */
int api_connect(struct api *, struct fault *) MUST_CHECK;

/*
 * GET `target`, a path without the version.  *doc is owned by the caller: an object with
 * a string `key`, or a list if `key` is NULL.  It is NULL if the engine has no such object
 * (404).  FAULT_HOST if the engine did not answer in time, or refused the request.
 */
int api_get(struct api *, const char *target, const char *key, json_t **doc,
    struct fault *) MUST_CHECK;

/* The same within `limit_ms`, for an answer that is not JSON; NULL for 404. */
int api_get_bytes(struct api *, const char *target, int64_t limit_ms, char **body,
    size_t *len, struct fault *) MUST_CHECK;

/* Opens a stream of `target` over `http`, a separate connection; false: not possible now. */
bool api_stream(struct api *, struct http *, const char *target);

/*
 * Appends `text` to `out`, percent-encoded (RFC 3986) except unreserved bytes, '/' and
 * ':'.  What does not fit is cut.
 */
void api_append(char *out, size_t size, const char *text);

#endif
