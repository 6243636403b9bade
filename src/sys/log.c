/*
 * syslog(3) waits for ever for a syslogd that has stopped reading, and reads
 * the time zone for each line.  So the datagram is our own (RFC 3164, as far
 * as a local socket uses it: the receiver adds time and host).
 *
 * MUST NOT: hold up a request because of a log.
 */
#include "sys/log.h"

#include "sys/text.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PATIENCE_US 300000

static int log_fd = -1;

void
log_open(void)
{
	static const struct sockaddr_un at = { AF_UNIX, "/dev/log" };
	static const struct timeval patience = { 0, PATIENCE_US };

	if (log_fd != -1)
		close(log_fd);
	log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (log_fd != -1 &&
	    (setsockopt(log_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ==
		    -1 ||
		connect(log_fd, (const struct sockaddr *)&at, sizeof(at)) == -1)) {
		close(log_fd);
		log_fd = -1;
	}
}

static void
put(const char *line, size_t len)
{
	if (log_fd == -1 || send(log_fd, line, len, MSG_NOSIGNAL) != -1)
		return;
	/* it may have been started anew since; one that stalls is left alone */
	if (errno != EAGAIN) {
		log_open();
		if (log_fd == -1 || send(log_fd, line, len, MSG_NOSIGNAL) != -1)
			return;
	}
	close(log_fd);
	log_fd = -1;
}

void
log_event(int priority, const char *fmt, ...)
{
	/* escaping may make four of each byte: who asked stands behind what was */
	char line[900], safe[4 * sizeof(line) + 4], whole[sizeof(safe) + 64];
	int saved = errno, len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	len = snprintf(whole, sizeof(whole), "<%d>twilight-deploy[%ld]: %s",
	    LOG_AUTHPRIV | priority, (long)getpid(),
	    text_escape(safe, sizeof(safe), line, strlen(line)));
	put(whole, (size_t)len);
	errno = saved;
}
