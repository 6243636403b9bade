#include "engine/detached.h"

#include "state/uplock.h"
#include "sys/deadline.h"
#include "sys/signals.h"
#include "sys/text.h"

#include <sys/statvfs.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG "up.log"
#define FIRST_REPORT_MS 1000
#define NEXT_REPORT_MS 15000
#define LINE_MAX_BYTES 4096
#define POLL_US (20 * 1000)

void
detached_init(struct detached *m, int dirfd, const struct progress *progress,
    struct mask *mask, int64_t up_limit_ms)
{
	memset(m, 0, sizeof(*m));
	m->dirfd = dirfd;
	m->progress = progress;
	m->mask = mask;
	m->up_limit_ms = up_limit_ms;
	m->grace_ms = RUN_GRACE_MS;
	m->log_fd = -1;
}

void
detached_close(struct detached *m)
{
	if (m->log_fd != -1)
		close(m->log_fd);
	m->log_fd = -1;
}

bool
detached_line_is_secret(const char *line, size_t len)
{
	static const char *const marks[] = { "unexpected character",
		"unterminated quoted value", "variable name near" };
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (memmem(line, len, marks[i], strlen(marks[i])) != NULL)
			return true;
	return false;
}

/*
 * How important is the line?  docker prints hundreds about each layer, like
 * "  4f55086f7dd0 Extracting [=>  ]", and `docker rm` and `docker compose run -d` print an id.
 */
static enum say
line_kind(const struct detached *m, const char *line, size_t len)
{
	size_t i;

	if (strcmp(m->word, "rm") == 0)
		return SAY_DETAIL;
	for (i = 0; i < len && strchr("0123456789abcdef", line[i]) != NULL; i++)
		continue;
	if (len == 64 && i == len)
		return SAY_DETAIL;
	return i == 12 && i < len && line[i] == ' ' ? SAY_DETAIL : SAY_CHILD;
}

/* `cut`: the line has more bytes than these. */
static void
report_line(struct detached *m, const char *line, size_t len, bool cut)
{
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	while (len > 0 && *line == ' ') {
		line++;
		len--;
	}
	if (len == 0)
		return;
	if (detached_line_is_secret(line, len))
		(void)strlcpy(m->last, "(a line that may quote an env file is not shown)",
		    sizeof(m->last));
	else
		mask_show(m->mask, m->last, 480, line, len, cut);
	progress_say(m->progress, line_kind(m, line, len), "%s", m->last);
}

/* Reports the whole lines of buf, and returns the length of the rest. */
static size_t
report_lines(struct detached *m, const char *buf, size_t n)
{
	const char *at = buf, *newline;

	while ((newline = memchr(at, '\n', n - (size_t)(at - buf))) != NULL) {
		if (!m->skip_line)
			report_line(m, at, (size_t)(newline - at), false);
		m->skip_line = false;
		at = newline + 1;
	}
	return n - (size_t)(at - buf);
}

/*
 * Reports the new lines of the log; `end`: also a last one without a newline.  Of a line
 * longer than the buffer only the first part is reported: a value of .env across two
 * parts would not be masked.
 */
static void
report_output(struct detached *m, bool end)
{
	char buf[LINE_MAX_BYTES];
	size_t rest;
	bool full;
	ssize_t n;

	while ((n = pread(m->log_fd, buf, sizeof(buf), m->log_read)) > 0) {
		rest = report_lines(m, buf, (size_t)n);
		full = rest == sizeof(buf);
		if (full || (end && n < (ssize_t)sizeof(buf))) {
			if (!m->skip_line)
				report_line(m, buf + n - rest, rest, full);
			m->skip_line = full;
			rest = 0;
		}
		m->log_read += n - (ssize_t)rest;
		if ((size_t)n == rest)
			return;
	}
}

static void
report_running(struct detached *m)
{
	int64_t now = clock_ms();

	if (now < m->next_report)
		return;
	m->next_report = now + NEXT_REPORT_MS;
	progress_say(m->progress, SAY_NOTE, "still running: %s (%lld of %lld s)", m->word,
	    (long long)((now - m->began) / 1000), (long long)(m->limit_ms / 1000));
}

static void
detached_tick(void *arg)
{
	report_output(arg, false);
	report_running(arg);
}

static int
open_log(struct detached *m, struct fault *f)
{
	if (m->log_fd != -1)
		return 0;
	/* O_APPEND: a command of an earlier run may still write to it */
	m->log_fd = openat(m->dirfd, LOG,
	    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (m->log_fd == -1)
		return fault_set(f, FAULT_HOST, "check the disk of the state folder",
		    "cannot write %s in the state folder: %s", LOG, strerror(errno));
	m->log_read = 0;
	return 0;
}

static void
start_clock(struct detached *m, const char *word, int64_t limit_ms)
{
	m->word = word;
	m->began = clock_ms();
	m->next_report = m->began + FIRST_REPORT_MS;
	m->limit_ms = limit_ms;
	m->last[0] = '\0';
	m->skip_line = false;
}

/* docker does not say why it failed when its output has no space. */
static bool
log_is_full(const struct detached *m)
{
	struct statvfs vfs;

	return fstatvfs(m->log_fd, &vfs) == 0 && vfs.f_bavail * vfs.f_frsize < 64 * 1024;
}

static int
detached_result(const struct detached *m, const struct run *r,
    const struct run_result *res, struct fault *f)
{
	const char *colon = m->last[0] == '\0' ? "" : ": ";
	const char *left = res->left ? ", and this user may not end it" : "";
	const char *full = log_is_full(m)
	    ? " (no space left on the file system of the state folder)"
	    : "";

	switch (res->end) {
	case RUN_EXITED:
		if (res->status == 0)
			return 0;
		return fault_set(f, FAULT_FAILED, NULL,
		    "docker %s failed (exit %d)%s%s%s", m->word, res->status, full, colon,
		    m->last);
	case RUN_SIGNALLED:
		return fault_set(f, FAULT_FAILED, NULL,
		    "docker %s was killed by signal %d (%s)", m->word, res->status,
		    strsignal(res->status));
	case RUN_STOPPED:
		return fault_set(f, FAULT_FAILED, NULL,
		    "interrupted (SIG%s) during docker %s%s",
		    sigabbrev_np(signals_stop()), m->word, left);
	case RUN_TIMEOUT:
		break;
	}
	return fault_set(f, FAULT_FAILED, NULL,
	    "docker %s did not end within %lld s%s%s%s", m->word,
	    (long long)(r->limit_ms / 1000), left, colon, m->last);
}

static int
lock_fault(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "check up.lock in the state folder",
	    "cannot take up.lock: %s", strerror(errno));
}

int
detached_run(struct detached *m, struct run *r, const char *word, struct fault *f)
{
	struct fault late = { 0 };
	struct run_result res;
	int rc;

	if (detached_reap(m, f) == -1 || open_log(m, f) == -1)
		return -1;
	r->kind = RUN_MOVE;
	r->grace_ms = m->grace_ms;
	r->out_fd = m->log_fd;
	r->hold_word = word;
	r->tick = detached_tick;
	r->arg = m;
	r->hold_fd = uplock_take(m->dirfd);
	if (r->hold_fd == -1)
		return lock_fault(f);
	start_clock(m, word, r->limit_ms);
	if (run_child(r, &res, f) == -1)
		return -1;
	report_output(m, true);
	run_free(&res);
	rc = detached_result(m, r, &res, f);
	/* children of a command that was ended may still run */
	if (res.end != RUN_EXITED && detached_reap(m, &late) == -1)
		progress_say(m->progress, SAY_WARN, "%s", late.what);
	return rc;
}

size_t
detached_log_end(const struct detached *m, char *buf, size_t size)
{
	off_t end = lseek(m->log_fd, 0, SEEK_END);
	off_t from = end > (off_t)size ? end - (off_t)size : 0;
	ssize_t n = pread(m->log_fd, buf, size, from);
	char *newline;
	size_t len;

	if (n <= 0 || from == 0)
		return n <= 0 ? 0 : (size_t)n;
	/* in a line without its beginning the mask might miss a value */
	newline = memchr(buf, '\n', (size_t)n);
	if (newline == NULL)
		return 0;
	len = (size_t)(buf + n - newline) - 1;
	memmove(buf, newline + 1, len);
	return len;
}

/* The detached command of an earlier run, as up.lock shows it. */
struct earlier {
	bool ended; /* nobody holds the lock */
	struct detached_holder holder;
};

/* Waits until it has ended, for at most `ms`. */
static int
wait_for_earlier(struct detached *m, struct earlier *e, int64_t ms, struct fault *f)
{
	int64_t deadline = deadline_in(ms);
	int fd;

	while ((fd = uplock_take(m->dirfd)) == -1) {
		if (errno != EWOULDBLOCK)
			return lock_fault(f);
		uplock_holder(m->dirfd, &e->holder);
		if (deadline_left(deadline) == 0)
			return 0;
		report_running(m);
		usleep(POLL_US);
	}
	close(fd);
	e->ended = true;
	return 0;
}

/*
 * Ends its process group.  A signal is sent only while the lock is seen to be held:
 * otherwise the group's number may have been reused.
 */
static int
end_earlier(struct detached *m, struct earlier *e, int *error, struct fault *f)
{
	*error = kill(e->holder.group, SIGTERM) == -1 ? errno : 0;
	if (*error != EPERM && wait_for_earlier(m, e, m->grace_ms, f) == -1)
		return -1;
	if (e->ended || e->holder.group <= 1)
		return 0;
	*error = kill(-e->holder.group, SIGKILL) == -1 ? errno : 0;
	return wait_for_earlier(m, e, *error == EPERM ? 0 : m->grace_ms, f);
}

int
detached_reap(struct detached *m, struct fault *f)
{
	struct earlier e = { 0 };
	int error = 0;

	start_clock(m, "an earlier docker call", m->up_limit_ms);
	/* the holder writes its name right after it was started */
	if (wait_for_earlier(m, &e, 500, f) == -1)
		return -1;
	if (!e.ended && strcmp(e.holder.word, "pull") != 0 &&
	    wait_for_earlier(m, &e, m->up_limit_ms, f) == -1)
		return -1;
	if (!e.ended && e.holder.group > 1 && end_earlier(m, &e, &error, f) == -1)
		return -1;
	if (e.ended)
		return 0;
	return fault_set(f, FAULT_HOST, "see who holds it: fuser -v up.lock",
	    "an earlier docker call still holds up.lock and cannot be ended%s",
	    error == EPERM ? ": it is another user's" : "");
}
