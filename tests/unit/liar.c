#include "liar.h"

#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_S 60 /* a server ends after that, also if its test hangs */

int
liar_bind(const char *host, char port[6])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct addrinfo *ai;
	int fd, on = 1;

	ck_assert_int_eq(getaddrinfo(host, port, &hints, &ai), 0);
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* a port in TIME-WAIT from another test can be used */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&sa, len, NULL, 0, port, 6, NI_NUMERICSERV) !=
		0) {
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

int
liar_listen(const char *host, char port[6], int backlog)
{
	int fd = liar_bind(host, port);

	if (fd < 0 || listen(fd, backlog) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
nap(unsigned ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Reads the request's head; what does not fit is ignored. */
static size_t
hear(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = recv(fd, buf + len, size - 1 - len, 0)) > 0) {
		len += (size_t)n;
		buf[len] = '\0';
		if (strstr(buf, "\r\n\r\n") != NULL)
			break;
	}
	buf[len] = '\0';
	return len;
}

static bool
say(int fd, const struct liar_script *s, const char *p, size_t len)
{
	size_t part;
	ssize_t n;

	while (len > 0) {
		part = s->chunk > 0 && s->chunk < len ? s->chunk : len;
		n = send(fd, p, part, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
		if (s->pause_ms > 0)
			nap(s->pause_ms);
	}
	return true;
}

static void
recite(int fd, const struct liar_script *s)
{
	size_t len = s->len;
	size_t i;

	if (s->text != NULL && len == 0)
		len = strlen(s->text);
	if (s->text != NULL && !say(fd, s, s->text, len))
		return;
	for (i = 0; s->more != NULL && i < s->times; i += s->times != LIAR_ENDLESS)
		if (!say(fd, s, s->more, strlen(s->more)))
			return;
	if (s->last != NULL)
		say(fd, s, s->last, strlen(s->last));
}

static void
serve(int fd, const struct liar_script *s)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	char request[8192];
	int on = 1;

	/* as far as possible, each chunk is a packet */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	request[0] = '\0';
	/* sooner, and connect(2) itself may see the reset */
	if (s->end == LIAR_DROP)
		recv(fd, request, 1, MSG_PEEK);
	else {
		if (!s->deaf)
			hear(fd, request, sizeof(request));
		recite(fd, s);
		if (s->echo)
			say(fd, s, request, strlen(request));
	}
	if (s->end == LIAR_HALF)
		shutdown(fd, SHUT_WR);
	if (s->end == LIAR_HALF || s->end == LIAR_HANG)
		while (recv(fd, request, sizeof(request), 0) > 0)
			continue;
	if (s->end == LIAR_RESET || s->end == LIAR_DROP)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static _Noreturn void
live(int listener, const struct liar_script *s)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	alarm(LIFE_S);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			serve(fd, s);
		else if (errno != EINTR && errno != ECONNABORTED)
			_exit(1);
	}
}

bool
liar_start(struct liar *l, const char *host, const struct liar_script *s)
{
	int fd, held;

	/* "localhost" is 127.0.0.1 first: on this port no other test must listen there */
	do {
		memcpy(l->port, "0", 2);
		held = strchr(host, ':') == NULL ? -1 : liar_bind("127.0.0.1", l->port);
		fd = liar_listen(host, l->port, 16);
		if (fd < 0 && held >= 0)
			close(held);
	} while (fd < 0 && errno == EADDRINUSE);
	if (fd < 0)
		return false;
	fflush(NULL);
	l->pid = fork();
	ck_assert_int_ge(l->pid, 0);
	if (l->pid == 0)
		live(fd, s);
	close(fd);
	if (held >= 0)
		close(held);
	return true;
}

void
liar_stop(struct liar *l)
{
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
}
