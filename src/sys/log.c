/*
 * syslog(3) waits without a limit for a daemon that does not read, and reads the time
 * zone for each line.  So the datagram is our own (RFC 3164, as far as a local socket
 * uses it: the receiver adds time and host).
 *
 * MUST NOT: delay a request because of a log.
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

#define SEND_LIMIT_US 300000

static int log_fd = -1;
static const char *log_ident = "";

void
log_open(const char *ident)
{
	static const struct sockaddr_un at = { AF_UNIX, "/dev/log" };
	static const struct timeval limit = { 0, SEND_LIMIT_US };

	log_ident = ident;
	if (log_fd != -1)
		close(log_fd);
	log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (log_fd != -1 &&
	    (setsockopt(log_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == -1 ||
		connect(log_fd, (const struct sockaddr *)&at, sizeof(at)) == -1)) {
		close(log_fd);
		log_fd = -1;
	}
}

static void
send_line(const char *line, size_t len)
{
	if (log_fd == -1 || send(log_fd, line, len, MSG_NOSIGNAL) != -1)
		return;
	/* the daemon may have been restarted; one that does not read is given up */
	if (errno != EAGAIN) {
		log_open(log_ident);
		if (log_fd == -1 || send(log_fd, line, len, MSG_NOSIGNAL) != -1)
			return;
	}
	close(log_fd);
	log_fd = -1;
}

void
log_event(int priority, const char *fmt, ...)
{
	/* cut before it is escaped, which makes up to four bytes of each */
	char line[900], safe[4 * sizeof(line) + 4], whole[sizeof(safe) + 64];
	int saved = errno, len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	len = snprintf(whole, sizeof(whole), "<%d>%.32s[%ld]: %s",
	    LOG_AUTHPRIV | priority, log_ident, (long)getpid(),
	    text_escape(safe, sizeof(safe), line, strlen(line)));
	send_line(whole, (size_t)len);
	errno = saved;
}
