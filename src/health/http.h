/*
 * http.h: one GET, bounded in time and in bytes.  RFC 9112.
 *
 * The peer is not trusted: it may refuse, hang, trickle, flood or lie.
 * One deadline covers connect, send and answer.  Every address of the name is
 * tried in turn: a refused one costs nothing, one that hangs its equal share
 * of the time.  Redirects are not followed.
 *
 * Numeric hosts and "localhost" (127.0.0.1, then ::1) need no resolver.  Any
 * other name does, and getaddrinfo(3) has no deadline: a lookup may outlast
 * ours, and the answer is then HTTP_TIMEOUT.
 */
#ifndef HEALTH_HTTP_H
#define HEALTH_HTTP_H

#include "health/url.h"

#include <stddef.h>
#include <stdint.h>

enum http_end {
	HTTP_ANSWER,  /* a whole head of HTTP/1.0 or 1.1; see status */
	HTTP_REFUSED, /* no address took the connection */
	HTTP_CLOSED,  /* connected, ended without a whole answer head */
	HTTP_TIMEOUT, /* the deadline passed */
	HTTP_GARBAGE, /* what came is not HTTP, or too much of it */
	HTTP_NONAME,  /* the name has no address */
	HTTP_ERROR,   /* something of our own: no descriptors, no memory */
	HTTP__MAX
};

#define HTTP_HEAD_MAX (16 * 1024) /* status lines and fields */
#define HTTP_BODY_KEPT 512        /* the first bytes of a body, as evidence */

struct http_answer {
	enum http_end end;
	int status;                /* 200..599 with HTTP_ANSWER, else 0 */
	char body[HTTP_BODY_KEPT]; /* raw bytes as they came; of what is not HTTP, too */
	size_t body_len;
	char why[160]; /* in words, printable, one line */
};

/*
 * Asks once.  Never fails: whatever happens is an answer.  `deadline` is a
 * point in time (sys/deadline.h); bytes that are there when it passes are still
 * read.  An interim 1xx answer is passed over, but counts for HTTP_HEAD_MAX.
 * A body is awaited up to its Content-Length, its end, HTTP_BODY_KEPT bytes,
 * 100 ms, or the deadline, whichever is first: it never changes the verdict.
 * It is kept as it came, chunk sizes included.
 */
void http_get(const struct url *, int64_t deadline, struct http_answer *);

#endif
