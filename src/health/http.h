/*
 * http.h: GET requests, bounded in time and in bytes.  RFC 9112.
 *
 * The peer is not trusted: it may refuse, hang, be slow, send too much or nonsense.  One
 * deadline (a point in time, sys/deadline.h) covers connect, send and answer; bytes that
 * have arrived by then are still read.  Redirects are not followed.  An interim 1xx
 * answer is skipped, but counts for HTTP_HEAD_MAX.
 */
#ifndef HEALTH_HTTP_H
#define HEALTH_HTTP_H

#include "health/answer.h"
#include "health/url.h"

#include <sys/types.h>

/*
 * One request over a new connection.  The answer is always set.  Its body is read up to
 * its end, HTTP_BODY_KEPT bytes, 100 ms, or the deadline, whichever comes first, and does
 * not change the verdict.
 */
void http_get(const struct url *, int64_t deadline, struct http_answer *);

/*
 * The same with `method`, GET or POST without a body.  The whole body of the answer,
 * at most `max` bytes, is read into *body (malloc'd, a NUL after its `*len` bytes, the
 * caller's; NULL when the answer is not HTTP_ANSWER).
 */
void http_ask(const char *method, const struct url *, int64_t deadline, size_t max,
    struct http_answer *, char **body, size_t *len);

/* A connection to a Unix socket, kept open from one request to the next. */
struct http {
	const char *path; /* of the socket; the caller's */
	/* private: */
	int fd;    /* -1 while not connected */
	bool used; /* for an earlier request: the peer may have closed it since */
	int64_t deadline, allowed;
	struct head head;
};

void http_init(struct http *, const char *path);
void http_close(struct http *);

/*
 * Asks for `target` and reads the whole body, at most `max` bytes, into *body
 * (malloc'd, a NUL after its `*len` bytes, the caller's; NULL when the answer
 * is not HTTP_ANSWER).  With HTTP_ANSWER all of it came; a connection or a body
 * that breaks off is HTTP_CLOSED, wrong framing or too many bytes HTTP_GARBAGE.
 */
void http_fetch(struct http *, const char *target, int64_t deadline, size_t max,
    struct http_answer *, char **body, size_t *len);

/*
 * Asks for `target`, whose body is a stream without an end.  With HTTP_ANSWER
 * http->fd becomes readable when something comes; http_stream_read() takes it.
 */
void http_stream(struct http *, const char *target, int64_t deadline,
    struct http_answer *);

/* Bytes of the body that came, 0 when none did yet, -1 when the stream ended. */
ssize_t http_stream_read(struct http *, char *buf, size_t size);

#endif
