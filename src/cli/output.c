#include "cli/output.h"

#include "cli/people.h"
#include "sys/deadline.h"

#include <bsd/string.h>
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

/* A line that is being written, in chunks that a pipe takes in one write. */
struct line {
	struct output *o;
	int fd;
	bool begun; /* a part of it is written */
	size_t n;
	char bytes[PIPE_BUF];
};

/*
 * Waits until fd can be written, or has an error.  POLLOUT on a pipe means room for
 * PIPE_BUF bytes.
 */
static bool
wait_writable(struct output *o, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int64_t began = clock_ms();
	int n;

	do
		n = poll(&pfd, 1, o->droppable ? (int)o->patience_ms : -1);
	while (n == -1 && errno == EINTR);
	if (o->droppable)
		o->patience_ms -= clock_ms() - began;
	if (o->patience_ms < 0)
		o->patience_ms = 0;
	return n == 1;
}

/* False if the rest of the line is lost.  After half a line nothing more is written. */
static bool
flush_line(struct line *l)
{
	int *gone = &l->o->gone[l->fd];
	bool wait = l->o->droppable;
	size_t done = 0;
	ssize_t n;

	while (done < l->n) {
		if (wait && !wait_writable(l->o, l->fd)) {
			*gone = l->begun ? ETIMEDOUT : 0;
			return false;
		}
		n = write(l->fd, l->bytes + done, l->n - done);
		if (n > 0) {
			done += (size_t)n;
			l->begun = true;
		} else if (errno == EAGAIN)
			wait = true;
		else if (errno != EINTR) {
			*gone = errno;
			return false;
		}
	}
	l->n = 0;
	return true;
}

static bool
add_byte(struct line *l, char c)
{
	l->bytes[l->n++] = c;
	return l->n < sizeof(l->bytes) || flush_line(l);
}

/* No byte of a line may move the cursor or start another line. */
static bool
add_escaped(struct line *l, unsigned char c)
{
	if (c >= ' ' && c <= '~')
		return add_byte(l, (char)c);
	return add_byte(l, '\\') && add_byte(l, (char)('0' + (c >> 6))) &&
	    add_byte(l, (char)('0' + (c >> 3 & 7))) && add_byte(l, (char)('0' + (c & 7)));
}

/*
 * A GitHub runner executes a line that starts with `::` (after blanks), and `##[`
 * anywhere in a line (actions/runner, ActionCommand.cs).  No line of ours starts with
 * `::`; text from a container may contain `##[`.
 */
static bool
is_command(const char *line, const char *at)
{
	return *at == '#' && at > line && at[-1] == '#' && at[1] == '[';
}

/* `escape` is false for JSON, which has its own escapes. */
static void
put_line(struct output *o, int fd, const char *prefix, const char *line, bool escape)
{
	struct line l = { .o = o, .fd = fd };
	const char *at;
	char c;

	if (o->gone[fd] != 0)
		return;
	for (at = prefix; *at != '\0'; at++)
		if (!add_byte(&l, *at))
			return;
	for (at = line; *at != '\0'; at++) {
		c = *at;
		if (is_command(line, at))
			c = ' ';
		if (escape ? !add_escaped(&l, (unsigned char)c) : !add_byte(&l, c))
			return;
	}
	if (add_byte(&l, '\n'))
		(void)flush_line(&l);
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
	char prefix[32];
	int64_t ms;

	if (kind == SAY_DETAIL && !o->verbose)
		return;
	(void)strlcpy(prefix, how[kind].prefix, sizeof(prefix));
	if (kind == SAY_NOTE && o->began != 0) {
		ms = clock_ms() - o->began;
		snprintf(prefix, sizeof(prefix), "  - %4lld.%lld s  ",
		    (long long)(ms / 1000), (long long)(ms % 1000 / 100));
	}
	put_line(o, o->json ? STDERR_FILENO : how[kind].fd, prefix, line, true);
}

void
output_fault(struct output *o, const char *about, const struct fault *f)
{
	char line[FAULT_WHAT_MAX + 96];

	snprintf(line, sizeof(line), "twilight-deploy: %s%s%s",
	    about == NULL ? "" : about, about == NULL ? "" : ": ", f->what);
	output_say(o, SAY_SHOUT, line);
	snprintf(line, sizeof(line), "  now:  %s", f->now);
	if (f->now[0] != '\0')
		output_say(o, SAY_SHOUT, line);
	snprintf(line, sizeof(line), "  %s%s",
	    f->now[0] == '\0' ? "" : "next: ", f->next);
	if (f->next[0] != '\0')
		output_say(o, SAY_SHOUT, line);
}

void
output_json(struct output *o, const char *text)
{
	put_line(o, STDOUT_FILENO, "", text, false);
}

void
output_line(struct output *o, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	output_say(o, SAY_RESULT, line);
}

/* Up to the last ", " that fits into a row; all of it if there is none. */
static size_t
row_length(const char *text)
{
	size_t n = strlen(text), i = PEOPLE_COLUMNS - OUTPUT_LABEL;

	if (n <= i)
		return n;
	while (i > 0 && strncmp(text + i, ", ", 2) != 0)
		i--;
	return i == 0 ? n : i;
}

void
output_row(struct output *o, const char *label, const char *fmt, ...)
{
	char line[1100], text[1024], name[24] = "", row[PEOPLE_COLUMNS + 1], cut[24];
	const char *at = text;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (label != NULL)
		snprintf(name, sizeof(name),
		    "%s:", people_cut(label, 16, cut, sizeof(cut)));
	for (;; at += n + 2, name[0] = '\0') {
		n = row_length(at);
		snprintf(line, sizeof(line), "%-17s %.*s", name, (int)n, at);
		output_say(o, SAY_RESULT,
		    people_cut(line, PEOPLE_COLUMNS, row, sizeof(row)));
		if (at[n] == '\0')
			return;
	}
}
