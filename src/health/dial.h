/*
 * dial.h: connections to a TCP or Unix stream socket, bounded in time.
 *
 * Every address of a name is tried in turn: a refused one costs nothing, one
 * that hangs its equal share of the time.  Numeric hosts and "localhost"
 * (127.0.0.1, then ::1) need no resolver.  Any other name does, and
 * getaddrinfo(3) has no deadline: a lookup may outlast ours, and the answer is
 * then HTTP_TIMEOUT.
 */
#ifndef HEALTH_DIAL_H
#define HEALTH_DIAL_H

#include "health/answer.h"
#include "health/url.h"

/*
 * The descriptor, close-on-exec and non-blocking, the caller's; or -1 with the
 * answer set (HTTP_REFUSED, _TIMEOUT, _NONAME, _ERROR; `error` is the errno).
 * `deadline` is a point in time (sys/deadline.h), `allowed` the milliseconds
 * that led to it, for the words.
 */
int dial_url(const struct url *, int64_t deadline, int64_t allowed, struct http_answer *);
int dial_unix(const char *path, int64_t deadline, int64_t allowed, struct http_answer *);

/* 0, or an errno: ETIMEDOUT when `until` has passed and `events` did not come. */
int dial_await(int fd, short events, int64_t until);

/* Is the errno a shortage on this side, which says nothing about the peer? */
bool dial_is_ours(int error);

#endif
