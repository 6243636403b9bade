/*
 * proxy: a proxy of the Docker Engine API, between two Unix sockets, that fails one
 * request, or all requests for a time.
 *
 *   proxy SOCKET ENGINE [--log FILE] [--match PATTERN]
 *       [--at N --act 500|close|hang|hold [--until FILE]]
 *
 * It counts the requests of all connections.  It answers the N-th with 500 and a message,
 * closes its connection, or never answers it.  With --until it does so for each request
 * from the N-th on until FILE exists, like an engine that restarts.  `hold` delays the
 * N-th until FILE exists, and drops it if its client has closed.  --match counts only
 * requests whose "METHOD TARGET" matches PATTERN (fnmatch(3)).  The log has a line for
 * each counted request: its number, "pass" or the act, method, target, and the client's
 * name or "-".
 *
 * Each connection has a process.  It parses heads, lengths and chunks of the client
 * (RFC 9112) and passes on everything else unchanged: answers, and both directions after
 * a request to upgrade (attach, exec, build).  It is ready when SOCKET exists.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum act { PASS, FAIL, CLOSE, HANG, HOLD };

static const char *const acts[] = { "pass", "500", "close", "hang", "hold" };

static struct {
	const char *engine, *match, *until;
	unsigned long at;
	enum act act;
	int log;
	atomic_ulong *count; /* shared by all processes */
} proxy = { .log = -1 };

/* What a byte of the client's belongs to. */
enum part { HEAD, BODY, CHUNK, DATA, TRAILER, RAW };

struct conn {
	int client, engine;
	enum part part;
	unsigned long long left; /* of BODY, or of DATA with its line end */
	size_t len;
	char text[65536]; /* the head, or a line of the chunks, so far */
};

static int
socket_at(const char *path, struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (fd == -1 || strlen(path) >= sizeof(sun->sun_path))
		err(1, "%s", path);
	strcpy(sun->sun_path, path);
	return fd;
}

static void
send_all(int fd, const char *p, size_t n)
{
	ssize_t sent;

	for (; n > 0; p += sent, n -= (size_t)sent) {
		sent = write(fd, p, n);
		if (sent == -1)
			exit(0); /* the peer left */
	}
}

/* The value of a field of the head, or NULL. */
static const char *
field(const char *head, const char *name)
{
	size_t n = strlen(name);
	const char *line;

	for (line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

/* Counts the request and says what becomes of it. */
static enum act
judge(const char *head)
{
	const char *agent = field(head, "User-Agent");
	char method[16], target[512], line[700], asked[540];
	enum act act = PASS;
	unsigned long n;
	int len;

	if (sscanf(head, "%15s %511s", method, target) != 2)
		return PASS;
	snprintf(asked, sizeof(asked), "%s %s", method, target);
	if (proxy.match != NULL && fnmatch(proxy.match, asked, 0) != 0)
		return PASS;
	n = atomic_fetch_add(proxy.count, 1) + 1;
	if (proxy.until == NULL || proxy.act == HOLD
		? n == proxy.at
		: n >= proxy.at && access(proxy.until, F_OK) == -1)
		act = proxy.act;
	if (agent == NULL)
		agent = "-";
	len = snprintf(line, sizeof(line), "%lu %s %s %.*s\n", n, acts[act], asked,
	    (int)strcspn(agent, " \r"), agent);
	if (proxy.log != -1 && write(proxy.log, line, (size_t)len) != len)
		warn("log");
	return act;
}

static void
refuse(struct conn *c, enum act act)
{
	static const char answer[] = "HTTP/1.1 500 Internal Server Error\r\n"
				     "Content-Type: application/json\r\n"
				     "Content-Length: 37\r\n"
				     "Connection: close\r\n\r\n"
				     "{\"message\":\"the proxy was told so\"}\r\n";

	if (act == FAIL) {
		send_all(c->client, answer, sizeof(answer) - 1);
		shutdown(c->client, SHUT_WR);
	}
	/* a close with bytes unread would reset the connection before it is read */
	if (act != CLOSE)
		while (read(c->client, c->text, sizeof(c->text)) > 0)
			;
	exit(0);
}

static void
hold(struct conn *c)
{
	struct pollfd p = { .fd = c->client };

	while (access(proxy.until, F_OK) == -1)
		(void)poll(NULL, 0, 10);
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0)
		exit(0);
}

/* A whole head: passed on, or its end. */
static void
head_done(struct conn *c)
{
	const char *length, *coding;
	enum act act;

	c->text[c->len] = '\0';
	act = judge(c->text);
	if (act == HOLD)
		hold(c);
	else if (act != PASS)
		refuse(c, act);
	send_all(c->engine, c->text, c->len);
	length = field(c->text, "Content-Length");
	coding = field(c->text, "Transfer-Encoding");
	c->left = length == NULL ? 0 : strtoull(length, NULL, 10);
	c->part = HEAD;
	if (field(c->text, "Upgrade") != NULL)
		c->part = RAW;
	else if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0)
		c->part = CHUNK;
	else if (c->left > 0)
		c->part = BODY;
	c->len = 0;
}

/* A line of a chunked body: a size, or after the last chunk a trailer. */
static void
line_done(struct conn *c)
{
	c->text[c->len] = '\0';
	send_all(c->engine, c->text, c->len);
	if (c->part == TRAILER) {
		if (c->len == 2)
			c->part = HEAD;
	} else {
		c->left = strtoull(c->text, NULL, 16);
		c->part = c->left == 0 ? TRAILER : DATA;
		c->left += 2;
	}
	c->len = 0;
}

static void
take_byte(struct conn *c, char byte)
{
	if (c->len + 1 >= sizeof(c->text))
		errx(1, "too long a head");
	c->text[c->len++] = byte;
	if (byte != '\n')
		return;
	if (c->part != HEAD)
		line_done(c);
	else if (c->len >= 4 && memcmp(c->text + c->len - 4, "\r\n\r\n", 4) == 0)
		head_done(c);
}

/* What the client sent. */
static void
take_bytes(struct conn *c, const char *p, size_t n)
{
	size_t some;

	while (n > 0) {
		some = 1;
		if (c->part == RAW || c->part == BODY || c->part == DATA) {
			some = c->part == RAW || c->left > n ? n : (size_t)c->left;
			send_all(c->engine, p, some);
			c->left -= c->part == RAW ? 0 : some;
			if (c->part != RAW && c->left == 0)
				c->part = c->part == BODY ? HEAD : CHUNK;
		} else {
			take_byte(c, *p);
		}
		p += some;
		n -= some;
	}
}

/* Ends when the engine closes: a client that shut down its half still reads. */
static void
carry(struct conn *c)
{
	struct pollfd p[] = { { .fd = c->client, .events = POLLIN },
		{ .fd = c->engine, .events = POLLIN } };
	static char bytes[65536];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) == -1)
			err(1, "poll");
		if (p[1].revents != 0) {
			if ((n = read(c->engine, bytes, sizeof(bytes))) <= 0)
				exit(0);
			send_all(c->client, bytes, (size_t)n);
		}
		if (p[0].revents != 0) {
			if ((n = read(c->client, bytes, sizeof(bytes))) > 0) {
				take_bytes(c, bytes, (size_t)n);
			} else {
				shutdown(c->engine, SHUT_WR);
				p[0].fd = -1;
			}
		}
	}
}

static void
serve(int client)
{
	static struct conn c;
	struct sockaddr_un sun;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	c.client = client;
	c.engine = socket_at(proxy.engine, &sun);
	if (connect(c.engine, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		exit(0);
	carry(&c);
}

/* The socket is renamed into place when it can be connected to. */
static int
listen_at(const char *path)
{
	char fresh[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un sun;
	int fd;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
		errx(1, "%s: too long a path", path);
	fd = socket_at(fresh, &sun);
	unlink(fresh);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 128) == -1 || rename(fresh, path) == -1)
		err(1, "%s", path);
	return fd;
}

static enum act
act_of(const char *name)
{
	enum act act;

	for (act = FAIL; act <= HOLD; act++)
		if (strcmp(acts[act], name) == 0)
			return act;
	errx(2, "no such act: %s", name);
}

static void
option(const char *name, const char *value)
{
	if (strcmp(name, "--match") == 0)
		proxy.match = value;
	else if (strcmp(name, "--at") == 0)
		proxy.at = strtoul(value, NULL, 10);
	else if (strcmp(name, "--act") == 0)
		proxy.act = act_of(value);
	else if (strcmp(name, "--until") == 0)
		proxy.until = value;
	else if (strcmp(name, "--log") == 0)
		proxy.log = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	else
		errx(2, "%s: see the top of proxy.c", name);
}

int
main(int argc, char **argv)
{
	int fd, client, i;

	if (argc < 3 || argc % 2 == 0)
		errx(2, "usage: see the top of proxy.c");
	proxy.engine = argv[2];
	for (i = 3; i < argc; i += 2)
		option(argv[i], argv[i + 1]);
	if (proxy.act == HOLD && proxy.until == NULL)
		errx(2, "hold needs --until");
	/* no process stays behind: we end with our parent, the others end with us */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	proxy.count = mmap(NULL, sizeof(*proxy.count), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (proxy.count == MAP_FAILED)
		err(1, "mmap");
	fd = listen_at(argv[1]);
	for (;;) {
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client == -1)
			continue;
		if (fork() == 0) {
			close(fd);
			serve(client);
		}
		close(client);
	}
}
