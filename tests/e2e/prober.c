/*
 * prober PORT [PATH]: asks http://127.0.0.1:PORT/PATH (healthz) every 2 ms until TERM, in
 * turn on a connection of its own and on one that is kept.  A request fails that gets no
 * answer of 200 to 399 within two seconds; nothing is tried twice.
 *
 * Prints "probing" after the first good answer, and at the end
 *
 *   REQUESTS FAILED OUTAGE LONGEST
 *
 * in ms; an outage is the time between two good answers with a failed request between them.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 2
#define LIMIT_S 2

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
prober_dial(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval limit = { .tv_sec = LIMIT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(1, "socket");
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Reads an answer with a Content-Length.  Its status, 0 for none; `kept`: may follow more? */
static int
read_answer(int fd, bool *kept)
{
	char in[4096];
	size_t n = 0, length;
	char *body, *field;
	ssize_t got;
	int status;

	for (;;) {
		got = recv(fd, in + n, sizeof(in) - 1 - n, 0);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		in[n] = '\0';
		if ((body = strstr(in, "\r\n\r\n")) == NULL)
			continue;
		field = strcasestr(in, "\r\nContent-Length:");
		length = field == NULL ? 0 : strtoul(field + 17, NULL, 10);
		if (n >= (size_t)(body + 4 - in) + length)
			break;
	}
	*kept = strcasestr(in, "\r\nConnection: close") == NULL;
	return sscanf(in, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* On *kept, which is opened if it is -1; on a new connection if `kept` is NULL. */
static bool
prober_ask(in_port_t port, const char *request, int *kept)
{
	int fd = kept != NULL && *kept != -1 ? *kept : prober_dial(port), status = 0;
	bool more = false;

	if (fd == -1)
		return false;
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != -1)
		status = read_answer(fd, &more);
	if (kept == NULL || !more || status == 0) {
		close(fd);
		fd = -1;
	}
	if (kept != NULL)
		*kept = fd;
	return status >= 200 && status <= 399;
}

static const char *
request_text(const char *path, const char *connection)
{
	static char text[2][512];
	char *out = text[*connection == 'c'];

	snprintf(out, sizeof(text[0]),
	    "GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n", path,
	    connection);
	return out;
}

int
main(int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = on_term };
	long requests = 0, failed = 0, since = 0;
	int64_t good = 0, now, outage = 0, longest = 0, next;
	const char *path = argc > 2 ? argv[2] : "healthz";
	const char *closed = request_text(path, "close");
	const char *keeping = request_text(path, "keep-alive");
	int kept = -1, port = argc > 1 ? atoi(argv[1]) : 0;
	bool keep = false, fine;

	if (port < 1 || port > 65535)
		errx(2, "usage: prober PORT [PATH]");
	sigaction(SIGTERM, &act, NULL);
	for (next = clock_us(); !ended; next += EVERY_MS * 1000) {
		fine = prober_ask((in_port_t)port, keep ? keeping : closed,
		    keep ? &kept : NULL);
		now = clock_us();
		/* TERM interrupted it: nothing is known */
		if (!fine && ended)
			break;
		keep = !keep;
		requests += good != 0 || fine;
		if (!fine && good != 0) {
			failed++;
			since++;
		}
		if (fine && good == 0 &&
		    (puts("probing") == EOF || fflush(stdout) == EOF))
			err(1, "stdout");
		if (fine && since > 0) {
			outage += now - good;
			longest = now - good > longest ? now - good : longest;
			since = 0;
		}
		if (fine)
			good = now;
		/* requests that take longer than the interval are not made up for */
		if (next + EVERY_MS * 1000 < now)
			next = now - EVERY_MS * 1000;
		else
			usleep((useconds_t)(next + EVERY_MS * 1000 - now));
	}
	if (since > 0)
		outage += clock_us() - good;
	printf("%ld %ld %lld %lld\n", requests, failed, (long long)outage / 1000,
	    (long long)longest / 1000);
	return 0;
}
