#include "cli/output.h"

#include "sys/deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 1000

void
output_init(struct output *o)
{
	memset(o, 0, sizeof(*o));
	o->patience_ms = PATIENCE_MS;
}

/* May it be written now without waiting for ever?  POLLOUT on a pipe means
 * room for PIPE_BUF bytes, and no line is longer. */
static bool
ready(struct output *o, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int64_t began = clock_ms();
	int n;

	if (!o->droppable)
		return true;
	do
		n = poll(&pfd, 1, (int)o->patience_ms);
	while (n == -1 && errno == EINTR);
	o->patience_ms -= clock_ms() - began;
	if (o->patience_ms < 0)
		o->patience_ms = 0;
	return n == 1 && (pfd.revents & POLLOUT) != 0;
}

/*
 * A CI runner takes `::` at the begin of a line, blanks aside, and `##[`
 * anywhere in one for a command to itself (actions/runner, ActionCommand.cs).
 * No line of ours begins so; a container's words may have the other.
 */
static void
defuse(char *line)
{
	while ((line = strstr(line, "##[")) != NULL)
		line[1] = ' ';
}

static void
put(struct output *o, int fd, const char *prefix, const char *line)
{
	char buf[PIPE_BUF];
	ssize_t done = 0, n;
	int len;

	if (o->gone[fd] != 0 || !ready(o, fd))
		return;
	len = snprintf(buf, sizeof(buf), "%s%s\n", prefix, line);
	if (len >= (int)sizeof(buf)) {
		len = (int)sizeof(buf);
		buf[len - 1] = '\n';
	}
	defuse(buf);
	while (done < len) {
		n = write(fd, buf + done, (size_t)(len - done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			o->gone[fd] = errno == EAGAIN ? 0 : errno;
			return;
		}
		done += n;
	}
}

void
output_say(void *arg, enum say kind, const char *line)
{
	static const struct {
		int fd;
		const char *prefix;
	} how[SAY__MAX] = {
		[SAY_RESULT] = { STDOUT_FILENO, "" },
		[SAY_NOTE] = { STDERR_FILENO, "  - " },
		[SAY_DETAIL] = { STDERR_FILENO, "    " },
		[SAY_WARN] = { STDERR_FILENO, "  ! " },
		[SAY_CHILD] = { STDERR_FILENO, "  | " },
		[SAY_SHOUT] = { STDERR_FILENO, "" },
	};
	struct output *o = arg;

	if (kind != SAY_DETAIL || o->verbose)
		put(o, o->json ? STDERR_FILENO : how[kind].fd, how[kind].prefix, line);
}

void
output_fault(struct output *o, const struct fault *f)
{
	char line[900];

	snprintf(line, sizeof(line), "%s%s%s", f->what, f->next[0] == '\0' ? "" : "; ",
	    f->next);
	put(o, STDERR_FILENO, "twilight-deploy: ", line);
}

void
output_json(struct output *o, const char *text)
{
	put(o, STDOUT_FILENO, "", text);
}

void
output_line(struct output *o, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put(o, STDOUT_FILENO, "", line);
}
