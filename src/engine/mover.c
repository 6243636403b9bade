#include "engine/mover.h"

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
#define FIRST_BEAT_MS 1000
#define BEAT_MS 15000
#define TAIL_LINES 4096

void
mover_init(struct mover *m, int dirfd, const struct progress *progress, struct mask *mask,
    int64_t up_limit_ms)
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
mover_close(struct mover *m)
{
	if (m->log_fd != -1)
		close(m->log_fd);
	m->log_fd = -1;
}

bool
mover_line_is_secret(const char *line, size_t len)
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
 * "  4f55086f7dd0 Extracting [=>  ]": one of hundreds about a layer.  Of
 * these only those who asked for more see any.
 */
static enum say
weight(const struct mover *m, const char *line, size_t len)
{
	size_t i;

	/* what `docker rm` says is an id */
	if (strcmp(m->word, "rm") == 0)
		return SAY_DETAIL;
	for (i = 0; i < len && strchr("0123456789abcdef", line[i]) != NULL; i++)
		continue;
	return i == 12 && i < len && line[i] == ' ' ? SAY_DETAIL : SAY_CHILD;
}

/* `cut`: the line goes on behind what was read of it. */
static void
pass_on(struct mover *m, const char *line, size_t len, bool cut)
{
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	while (len > 0 && *line == ' ') {
		line++;
		len--;
	}
	if (len == 0)
		return;
	if (mover_line_is_secret(line, len))
		(void)strlcpy(m->last, "(a line that may quote an env file is not shown)",
		    sizeof(m->last));
	else
		mask_show(m->mask, m->last, 480, line, len, cut);
	progress_say(m->progress, weight(m, line, len), "%s", m->last);
}

/*
 * Passes on the whole lines that came since; at the end also half a one.  Of a line
 * longer than the buffer only the beginning is passed on: a value of .env that
 * lies across two pieces would be masked in neither.
 */
static void
tail(struct mover *m, bool end)
{
	char buf[TAIL_LINES], *at, *newline;
	bool full, last;
	ssize_t n;

	while ((n = pread(m->log_fd, buf, sizeof(buf), m->log_read)) > 0) {
		for (at = buf;
		     (newline = memchr(at, '\n', (size_t)(n - (at - buf)))) != NULL;
		     at = newline + 1) {
			if (!m->rest)
				pass_on(m, at, (size_t)(newline - at), false);
			m->rest = false;
		}
		full = at == buf && n == (ssize_t)sizeof(buf);
		last = end && n < (ssize_t)sizeof(buf);
		if (at == buf && !full && !last)
			return;
		if (full || last) {
			if (!m->rest)
				pass_on(m, at, (size_t)(n - (at - buf)), full);
			m->rest = full;
			at = buf + n;
		}
		m->log_read += at - buf;
	}
}

static void
beat(struct mover *m)
{
	int64_t now = clock_ms();

	if (now < m->beat)
		return;
	m->beat = now + BEAT_MS;
	progress_say(m->progress, SAY_NOTE, "still running: %s (%lld of %lld s)", m->word,
	    (long long)((now - m->began) / 1000), (long long)(m->limit_ms / 1000));
}

static void
tick(void *arg)
{
	struct mover *m = arg;

	if (m->log_fd != -1)
		tail(m, false);
	beat(m);
}

static int
open_log(struct mover *m, struct fault *f)
{
	if (m->log_fd != -1)
		return 0;
	/* O_APPEND: an orphan of an earlier run may still hold it open */
	m->log_fd = openat(m->dirfd, LOG,
	    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (m->log_fd == -1)
		return fault_set(f, FAULT_HOST, "see the disk of the state folder",
		    "cannot write %s in the state folder: %s", LOG, strerror(errno));
	m->log_read = 0;
	return 0;
}

static void
start_clock(struct mover *m, const char *word, int64_t limit_ms)
{
	m->word = word;
	m->began = clock_ms();
	m->beat = m->began + FIRST_BEAT_MS;
	m->limit_ms = limit_ms;
	m->last[0] = '\0';
	m->rest = false;
}

/* A child that cannot write its output fails without a word. */
static bool
log_is_full(const struct mover *m)
{
	struct statvfs vfs;

	return fstatvfs(m->log_fd, &vfs) == 0 && vfs.f_bavail * vfs.f_frsize < 64 * 1024;
}

static int
verdict(const struct mover *m, const struct run *r, const struct run_result *res,
    struct fault *f)
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

int
mover_run(struct mover *m, struct run *r, const char *word, struct fault *f)
{
	struct fault late = { 0 };
	struct run_result res;
	int rc;

	if (mover_settle(m, f) == -1 || open_log(m, f) == -1)
		return -1;
	r->kind = RUN_MOVE;
	r->grace_ms = m->grace_ms;
	r->out_fd = m->log_fd;
	r->hold_word = word;
	r->tick = tick;
	r->arg = m;
	r->hold_fd = uplock_take(m->dirfd);
	if (r->hold_fd == -1)
		return fault_set(f, FAULT_HOST, "see up.lock in the state folder",
		    "cannot take up.lock: %s", strerror(errno));
	start_clock(m, word, r->limit_ms);
	rc = run_child(r, &res, f);
	if (rc == -1)
		return -1;
	tail(m, true);
	run_free(&res);
	rc = verdict(m, r, &res, f);
	/* a child of a child that we ended may still be at work */
	if (res.end != RUN_EXITED && mover_settle(m, &late) == -1)
		progress_say(m->progress, SAY_WARN, "%s", late.what);
	return rc;
}

/* One try; 1 free, 0 held by `who`, -1 fault. */
static int
is_free(struct mover *m, struct mover_holder *who, struct fault *f)
{
	int fd = uplock_take(m->dirfd);

	if (fd != -1) {
		close(fd);
		return 1;
	}
	if (errno != EWOULDBLOCK)
		return fault_set(f, FAULT_HOST, "see up.lock in the state folder",
		    "cannot take up.lock: %s", strerror(errno));
	uplock_holder(m->dirfd, who);
	return 0;
}

/* Waits for the lock at most `ms`; 1 free, 0 still held, -1 fault. */
static int
wait_free(struct mover *m, int64_t ms, struct mover_holder *who, struct fault *f)
{
	int64_t deadline = deadline_in(ms);
	int rc;

	while ((rc = is_free(m, who, f)) == 0 && deadline_left(deadline) > 0) {
		beat(m);
		usleep(20 * 1000);
	}
	return rc;
}

/* Ends the group, which may be done only while the lock is seen to be held. */
static int
end_holder(struct mover *m, struct mover_holder *who, int *error, struct fault *f)
{
	int rc = 0;

	*error = kill(who->group, SIGTERM) == -1 ? errno : 0;
	if (*error != EPERM)
		rc = wait_free(m, m->grace_ms, who, f);
	if (rc != 0 || who->group <= 1)
		return rc;
	*error = kill(-who->group, SIGKILL) == -1 ? errno : 0;
	return wait_free(m, *error == EPERM ? 0 : m->grace_ms, who, f);
}

int
mover_settle(struct mover *m, struct fault *f)
{
	struct mover_holder who = { 0 };
	int error = 0;
	int rc = is_free(m, &who, f);
	bool pull;

	if (rc != 0)
		return rc == 1 ? 0 : -1;
	start_clock(m, "an earlier docker call", m->up_limit_ms);
	/* the holder writes its name right after it was started */
	rc = wait_free(m, 500, &who, f);
	pull = strcmp(who.word, "pull") == 0;
	if (rc == 0 && !pull)
		rc = wait_free(m, m->up_limit_ms, &who, f);
	if (rc == 0 && who.group > 1)
		rc = end_holder(m, &who, &error, f);
	if (rc == 0)
		return fault_set(f, FAULT_HOST, "find out who holds it: fuser -v up.lock",
		    "an earlier docker call still holds up.lock and cannot be ended%s",
		    error == EPERM ? ": it is another user's" : "");
	return rc == 1 ? 0 : -1;
}
