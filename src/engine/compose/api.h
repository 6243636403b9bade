/*
 * api.h: questions to the Docker Engine API over its Unix socket.  GET only:
 * what changes something is docker's own command line (engine/detached.h).
 *
 * An HTTP status is an answer, a transport failure is not.  A read that gets
 * none (the socket is refused, closed or silent, the status is 5xx, the body is
 * not what it should be) is repeated until api->limit_ms have passed: an engine
 * that restarts costs time, and never decides anything.
 * https://docs.docker.com/reference/api/engine/
 */
#ifndef ENGINE_COMPOSE_API_H
#define ENGINE_COMPOSE_API_H

#include "health/http.h"
#include "dotenv/mask.h"
#include "sys/progress.h"

#include <jansson.h>

#define API_TARGET_MAX 3072

struct api {
	char path[108];   /* of the socket; sockaddr_un has no more */
	char version[16]; /* "1.41", as negotiated; "" before the first contact */
	int64_t limit_ms; /* for one question, with its repetitions */
	struct mask *mask;
	const struct progress *progress;
	struct http http;
};

void api_init(struct api *, int64_t limit_ms, struct mask *, const struct progress *);
void api_close(struct api *);

/*
 * Asks for the engine's versions and settles on the newest that both sides
 * know.  FAULT_HOST where nothing listens, which is not waited for.
 */
int api_connect(struct api *, struct fault *) MUST_CHECK;

/*
 * GET `target` (without the version's prefix).  *doc is the answer, the
 * caller's: an object with a string `key`, or, where that is NULL, a list.  It is
 * NULL when the engine has no such object (404).  FAULT_HOST when it
 * did not answer in time, or refused the question.
 */
int api_get(struct api *, const char *target, const char *key, json_t **doc,
    struct fault *) MUST_CHECK;

/* The same within `limit_ms`, for an answer that is not JSON; NULL for 404. */
int api_get_bytes(struct api *, const char *target, int64_t limit_ms, char **body,
    size_t *len, struct fault *) MUST_CHECK;

/*
 * Opens a stream of `target` over `http`, a connection of its own.  False when
 * the engine does not give it now.
 */
bool api_stream(struct api *, struct http *, const char *target);

/* Appends `text` to `out`, percent-encoded but for RFC 3986's unreserved and '/', ':'. */
void api_append(char *out, size_t size, const char *text);

#endif
