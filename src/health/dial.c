#include "health/dial.h"

#include "sys/deadline.h"

#include <bsd/string.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ADDRESSES_MAX 16

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct addresses {
	size_t n;
	struct address at[ADDRESSES_MAX];
};

bool
dial_is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

int
dial_await(int fd, short events, int64_t until)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, deadline_poll(until, INT32_MAX));
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return errno;
	return n == 0 ? ETIMEDOUT : 0;
}

static int
resolve(struct addresses *all, const char *host, const char *port, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list, *ai;
	struct address *to;
	int rc;

	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0)
		return rc;
	for (ai = list; ai != NULL && all->n < ADDRESSES_MAX; ai = ai->ai_next) {
		to = &all->at[all->n++];
		memcpy(&to->sa, ai->ai_addr, ai->ai_addrlen);
		to->len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
	return 0;
}

/* Avoids the resolver if possible: it may hang, or name another address localhost. */
static int
lookup(struct addresses *all, const struct url *u)
{
	int rc;

	all->n = 0;
	if (strcasecmp(u->host, "localhost") == 0) {
		rc = resolve(all, "127.0.0.1", u->port, AI_NUMERICHOST);
		if (rc == 0)
			rc = resolve(all, "::1", u->port, AI_NUMERICHOST);
		return all->n > 0 ? 0 : rc;
	}
	rc = resolve(all, u->host, u->port, AI_NUMERICHOST);
	if (rc == EAI_NONAME)
		rc = resolve(all, u->host, u->port, 0);
	return rc;
}

/*
 * If the kernel picks the requested port as the local one, TCP connects the socket to
 * itself (RFC 9293 3.5, simultaneous open).  Then nobody listens, and the socket would
 * keep the service from binding the port.
 */
static bool
is_self_connected(int fd)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct address here = { .len = sizeof(here.sa) };
	struct address there = { .len = sizeof(there.sa) };

	if (getsockname(fd, (struct sockaddr *)&here.sa, &here.len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&there.sa, &there.len) < 0)
		return false;
	if (here.len != there.len || memcmp(&here.sa, &there.sa, here.len) != 0)
		return false;
	/* close(2) with a reset leaves no TIME-WAIT on the port */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return true;
}

/* 0 or an errno.  After EINPROGRESS, SO_ERROR has the result (connect(2)). */
static int
connect_by(int fd, const struct address *to, int64_t until)
{
	socklen_t len = sizeof(int);
	int error;

	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) < 0) {
		if (errno != EINPROGRESS && errno != EINTR)
			return errno;
		error = dial_await(fd, POLLOUT, until);
		if (error != 0)
			return error;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			return errno;
		if (error != 0)
			return error;
	}
	return to->sa.ss_family != AF_UNIX && is_self_connected(fd) ? ECONNREFUSED : 0;
}

/* The descriptor, or -1 with errno set. */
static int
dial(const struct address *to, int64_t until)
{
	int fd, error;

	fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	error = connect_by(fd, to, until);
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static int
failed(struct http_answer *a, int error, int64_t allowed)
{
	a->error = error;
	if (dial_is_ours(error))
		answer_say(a, HTTP_ERROR, "cannot connect: %s", strerror(error));
	else if (error == ETIMEDOUT)
		answer_say(a, HTTP_TIMEOUT, "no connection within %lld ms",
		    (long long)allowed);
	else if (error == ECONNREFUSED)
		answer_say(a, HTTP_REFUSED, "connection refused");
	else
		answer_say(a, HTTP_REFUSED, "cannot connect: %s", strerror(error));
	return -1;
}

static int
dial_all(const struct addresses *all, int64_t deadline, int64_t allowed,
    struct http_answer *a)
{
	int64_t share;
	int fd, error = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		share = deadline_left(deadline) / (int64_t)(all->n - i);
		fd = dial(&all->at[i], deadline_in(share));
		if (fd != -1)
			return fd;
		/* "refused" says more than, for example, an IPv6 that is not set up */
		if (error != ECONNREFUSED || dial_is_ours(errno))
			error = errno;
		if (dial_is_ours(error))
			break;
	}
	return failed(a, error, allowed);
}

int
dial_url(const struct url *u, int64_t deadline, int64_t allowed, struct http_answer *a)
{
	struct addresses all;
	int rc = lookup(&all, u);

	if (rc == EAI_SYSTEM)
		answer_say(a, HTTP_ERROR, "name lookup failed: %s", strerror(errno));
	else if (rc == EAI_MEMORY)
		answer_say(a, HTTP_ERROR, "name lookup failed: no memory");
	else if (rc != 0 || all.n == 0)
		answer_say(a, HTTP_NONAME, "the host name has no address: %s",
		    rc == 0 ? "none given" : gai_strerror(rc));
	else if (deadline_left(deadline) == 0)
		answer_say(a, HTTP_TIMEOUT, "no address within %lld ms",
		    (long long)allowed);
	else
		return dial_all(&all, deadline, allowed, a);
	return -1;
}

int
dial_unix(const char *path, int64_t deadline, int64_t allowed, struct http_answer *a)
{
	struct address to = { .len = sizeof(struct sockaddr_un) };
	struct sockaddr_un *sun = (struct sockaddr_un *)&to.sa;
	int fd;

	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >= sizeof(sun->sun_path))
		return failed(a, ENAMETOOLONG, allowed);
	fd = dial(&to, deadline);
	return fd == -1 ? failed(a, errno, allowed) : fd;
}
