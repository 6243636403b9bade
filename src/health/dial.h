/*
 * dial.h: connections to a TCP or Unix stream socket, bounded in time.
 *
 * The addresses of a name are tried in turn, each with an equal share of the time that
 * is left.  Numeric hosts and "localhost" (127.0.0.1, then ::1) need no resolver.  Another
 * name does, and getaddrinfo(3) has no deadline: if the lookup takes longer than ours, the
 * answer is HTTP_TIMEOUT.
 */
#ifndef HEALTH_DIAL_H
#define HEALTH_DIAL_H

#include "health/answer.h"
#include "health/url.h"

/*
 * Returns a descriptor that the caller closes, close-on-exec and non-blocking; or -1 with
 * the answer set: HTTP_REFUSED, _TIMEOUT, _NONAME or _ERROR, and the errno.  `deadline` is
 * a point in time (sys/deadline.h), `allowed` its milliseconds for the message.
 */
int dial_url(const struct url *, int64_t deadline, int64_t allowed, struct http_answer *);
int dial_unix(const char *path, int64_t deadline, int64_t allowed, struct http_answer *);

/* Waits for `events`.  0, or an errno; ETIMEDOUT: `until` has passed. */
int dial_await(int fd, short events, int64_t until);

/* Is the errno a lack of resources on this side?  It says nothing about the peer. */
bool dial_is_ours(int error);

#endif
