#include "sys/run.h"

#include "sys/deadline.h"
#include "sys/signals.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the child writes to; -1: closed. */
struct pipes {
	int out, err, exec;                   /* ours */
	int child_out, child_err, child_exec; /* the child's */
};

/* From the child to the parent: which call failed. */
struct exec_failure {
	int error;
	char what[16];
};

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
shut_all(struct pipes *p)
{
	shut(&p->out);
	shut(&p->err);
	shut(&p->exec);
	shut(&p->child_out);
	shut(&p->child_err);
	shut(&p->child_exec);
}

static int
make_pipe(int *ours, int *childs)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	*ours = fd[0];
	*childs = fd[1];
	return 0;
}

static int
make_pipes(const struct run *r, struct pipes *p)
{
	*p = (struct pipes){ -1, -1, -1, -1, -1, -1 };
	if (make_pipe(&p->exec, &p->child_exec) == -1)
		return -1;
	if (r->kind == RUN_MOVE)
		return 0;
	if (make_pipe(&p->out, &p->child_out) == -1 ||
	    make_pipe(&p->err, &p->child_err) == -1)
		return -1;
	/* after the exit, what is left is read without waiting */
	if (fcntl(p->out, F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(p->err, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	return 0;
}

static void
child_fail(int fd, const char *what)
{
	struct exec_failure e = { .error = errno };

	strncpy(e.what, what, sizeof(e.what) - 1);
	(void)!write(fd, &e, sizeof(e));
	_exit(127);
}

/*
 * Writes our PID and command into the lock file, over the old text, so that it works on
 * a full disk.  If that fails, the file is truncated: an old PID may have been reused.
 */
static int
child_hold(const struct run *r)
{
	char line[40];
	int len, done = 0;
	ssize_t n;

	if (r->hold_fd == -1)
		return 0;
	len = snprintf(line, sizeof(line), "%20ld %-16.16s\n", (long)getpid(),
	    r->hold_word);
	while (done < len) {
		n = pwrite(r->hold_fd, line + done, (size_t)(len - done), done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return ftruncate(r->hold_fd, 0);
		done += (int)n;
	}
	return 0;
}

/*
 * Puts the child's descriptors at 0 to 4 and closes all others.  First the sources of 3
 * and 4 are moved above 9, and those of 0 to 2 are above 2 because main() keeps 0 to 2
 * open: no source is overwritten.
 */
static int
child_descriptors(const struct run *r, const struct pipes *p)
{
	int out = r->kind == RUN_MOVE ? r->out_fd : p->child_out;
	int err = r->kind == RUN_MOVE || r->merge ? out : p->child_err;
	int in = r->in_fd > 0 ? r->in_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int report = fcntl(p->child_exec, F_DUPFD_CLOEXEC, 10);
	int hold = -1;

	if (in == -1 || report == -1)
		return -1;
	if (dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(err, 2) == -1)
		return -1;
	if (r->hold_fd != -1 && (hold = fcntl(r->hold_fd, F_DUPFD, 10)) == -1)
		return -1;
	if (dup3(report, 3, O_CLOEXEC) == -1)
		return -1;
	if (hold != -1 && dup2(hold, 4) == -1)
		return -1;
	closefrom(hold == -1 ? 4 : 5);
	return 0;
}

static void
child(const struct run *r, const struct pipes *p, pid_t parent)
{
	setpgid(0, 0);
	if (r->kind == RUN_LOOK) {
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
			child_fail(p->child_exec, "prctl");
		if (getppid() != parent)
			_exit(127);
	} else if (child_hold(r) == -1)
		child_fail(p->child_exec, "lock");
	if (r->cwd != NULL && chdir(r->cwd) == -1)
		child_fail(p->child_exec, "chdir");
	if (child_descriptors(r, p) == -1)
		child_fail(p->child_exec, "descriptors");
	signals_default();
	execve(r->path, (char *const *)(uintptr_t)r->argv, r->env);
	child_fail(3, "exec");
}

/* Waits until exec worked or failed. */
static int
exec_verdict(const struct run *r, const struct pipes *p, struct fault *f)
{
	struct exec_failure e = { .error = EIO, .what = "start" };
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(e)) {
		n = read(p->exec, (char *)&e + got, sizeof(e) - got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	/* a report that was cut is a failure too */
	if (got == 0)
		return 0;
	e.what[sizeof(e.what) - 1] = '\0';
	if (strcmp(e.what, "chdir") == 0)
		return fault_set(f, FAULT_HOST,
		    "check that this folder exists and that this user may enter it",
		    "cannot enter %s: %s", r->cwd, strerror(e.error));
	return fault_set(f, FAULT_HOST, "check that this user may run it",
	    "cannot run %s: %s: %s", r->path, e.what, strerror(e.error));
}

static ssize_t
take(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Reads what is there; false at the end of the stream or after an error. */
static bool
drain_out(int fd, struct run_result *res)
{
	char buf[16384], *grown;
	ssize_t n;

	while ((n = take(fd, buf, sizeof(buf))) > 0) {
		if (res->out_cut || res->out_len + (size_t)n > RUN_OUTPUT_MAX) {
			res->out_cut = true;
			continue;
		}
		grown = realloc(res->out, res->out_len + (size_t)n + 1);
		if (grown == NULL) {
			res->out_cut = true;
			continue;
		}
		res->out = grown;
		memcpy(res->out + res->out_len, buf, (size_t)n);
		res->out_len += (size_t)n;
		res->out[res->out_len] = '\0';
	}
	if (n == -1 && errno == EAGAIN)
		return true;
	/* a read error is not the end of the output */
	if (n == -1)
		res->out_cut = true;
	return false;
}

static bool
drain_err(int fd, struct run_result *res)
{
	char buf[4096];
	ssize_t n;

	while ((n = take(fd, buf, sizeof(buf))) > 0) {
		size_t room = sizeof(res->err) - 1 - res->err_len;
		size_t part = (size_t)n < room ? (size_t)n : room;

		memcpy(res->err + res->err_len, buf, part);
		res->err_len += part;
		res->err[res->err_len] = '\0';
	}
	return n == -1 && errno == EAGAIN;
}

static void
drain(struct pipes *p, struct run_result *res)
{
	if (p->out != -1 && !drain_out(p->out, res))
		shut(&p->out);
	if (p->err != -1 && !drain_err(p->err, res))
		shut(&p->err);
}

/* Has it exited?  It stays a zombie, so that its group number is not reused. */
static bool
ended(pid_t pid)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == -1)
		return errno != EINTR;
	return si.si_pid == pid;
}

/* Waits for output, a signal, or RUN_TICK_MS. */
static void
wait_round(const struct run *r, struct pipes *p, struct run_result *res, int64_t deadline)
{
	struct pollfd pfd[3] = {
		{ .fd = p->out, .events = POLLIN },
		{ .fd = p->err, .events = POLLIN },
		{ .fd = signals_fd(), .events = POLLIN },
	};

	(void)poll(pfd, 3, deadline_poll(deadline, RUN_TICK_MS));
	drain(p, res);
	if (r->tick != NULL)
		r->tick(r->arg);
}

/* KILL to the group; false: we may not kill the child. */
static bool
kill_group(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	return kill(pid, SIGKILL) == 0 || errno != EPERM;
}

static void
wait_child(const struct run *r, pid_t pid, struct pipes *p, struct run_result *res)
{
	int64_t grace = r->grace_ms == 0 ? RUN_GRACE_MS : r->grace_ms;
	int64_t deadline = deadline_in(r->limit_ms);
	bool asked = false, killed = false;
	int stop;

	res->end = RUN_EXITED;
	/* signals are read before ended(): a later SIGCHLD wakes poll(2) */
	while (stop = signals_stop(), !ended(pid)) {
		if (!asked && deadline_left(deadline) == 0)
			res->end = RUN_TIMEOUT;
		else if (!asked && r->stoppable && stop != 0)
			res->end = RUN_STOPPED;
		if (!asked && res->end != RUN_EXITED) {
			res->left = kill(pid, SIGTERM) == -1 && errno == EPERM;
			asked = true;
			deadline = deadline_in(res->left ? 0 : grace);
		}
		if (asked && !killed && deadline_left(deadline) == 0) {
			res->left = !kill_group(pid);
			killed = true;
		}
		if (killed && res->left)
			break;
		wait_round(r, p, res, killed ? deadline_in(RUN_TICK_MS) : deadline);
	}
	/* descendants of a look are useless; those of a move hold its lock */
	if (asked && r->kind == RUN_LOOK)
		kill(-pid, SIGKILL);
	drain(p, res);
}

static void
reap(pid_t pid, struct run_result *res)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status)) {
		res->status = WTERMSIG(status);
		if (res->end == RUN_EXITED)
			res->end = RUN_SIGNALLED;
	} else
		res->status = WEXITSTATUS(status);
}

int
run_start(struct running *c, const struct run *r, struct fault *f)
{
	pid_t parent = getpid(), pid = -1;
	struct run_result failed = { 0 };
	struct pipes p;

	if (make_pipes(r, &p) == 0)
		pid = fork();
	if (pid == 0)
		child(r, &p, parent);
	if (pid == -1) {
		fault_set(f, FAULT_HOST, "check the limits (ulimit -a) and free memory",
		    "cannot start %s: %s", r->path, strerror(errno));
		shut_all(&p);
		if (r->kind == RUN_MOVE && r->hold_fd != -1)
			close(r->hold_fd);
		return -1;
	}
	/* in parent and child, so that the group exists whoever runs first */
	setpgid(pid, pid);
	shut(&p.child_out);
	shut(&p.child_err);
	shut(&p.child_exec);
	/* from now on only the child holds it */
	if (r->kind == RUN_MOVE && r->hold_fd != -1)
		close(r->hold_fd);
	*c = (struct running){ .pid = pid, .out = p.out, .err = p.err };
	if (exec_verdict(r, &p, f) == 0) {
		shut(&p.exec);
		return 0;
	}
	reap(pid, &failed);
	shut_all(&p);
	return -1;
}

void
run_wait(struct running *c, const struct run *r, struct run_result *res)
{
	struct pipes p = { c->out, c->err, -1, -1, -1, -1 };

	memset(res, 0, sizeof(*res));
	wait_child(r, c->pid, &p, res);
	if (!res->left)
		reap(c->pid, res);
	shut_all(&p);
}

int
run_child(const struct run *r, struct run_result *res, struct fault *f)
{
	struct running c;

	memset(res, 0, sizeof(*res));
	if (run_start(&c, r, f) == -1)
		return -1;
	run_wait(&c, r, res);
	return 0;
}

void
run_free(struct run_result *res)
{
	free(res->out);
	res->out = NULL;
	res->out_len = 0;
}
