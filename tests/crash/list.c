#define _GNU_SOURCE
#include "list.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *call;
	const char *errors;
} faults[] = {
	{ "openat", "ENOSPC EMFILE EACCES EIO ENOMEM" },
	{ "open", "ENOSPC EMFILE EACCES EIO ENOMEM" },
	{ "write", "ENOSPC EIO EINTR EDQUOT" }, { "pwrite64", "ENOSPC EIO EINTR EDQUOT" },
	{ "ftruncate", "ENOSPC EIO EINTR EDQUOT" }, { "lseek", "EIO" },
	{ "fsync", "EIO ENOSPC" }, { "fdatasync", "EIO ENOSPC" },
	{ "rename", "EIO ENOSPC EACCES EPERM" },
	{ "renameat", "EIO ENOSPC EACCES EPERM" },
	{ "renameat2", "EIO ENOSPC EACCES EPERM" },
	{ "unlink", "EIO ENOSPC EACCES EPERM" },
	{ "unlinkat", "EIO ENOSPC EACCES EPERM" }, { "mkdir", "ENOSPC EACCES EIO" },
	{ "mkdirat", "ENOSPC EACCES EIO" }, { "clone", "EAGAIN ENOMEM" },
	{ "clone3", "EAGAIN ENOMEM" }, { "fork", "EAGAIN ENOMEM" },
	{ "vfork", "EAGAIN ENOMEM" }, { "pipe2", "EMFILE ENFILE" }, { "fcntl", "EMFILE" },
	{ "setpgid", "EPERM" }, { "mmap", "ENOMEM" }, { "mremap", "ENOMEM" },
	/* brk does not fail with an errno: the break does not move */
	{ "brk", "0" }, { "flock", "EINTR EAGAIN ENOLCK" }, { "read", "EIO EINTR" },
	{ "pread64", "EIO EINTR" }, { "readlink", "EIO EACCES" },
	{ "readlinkat", "EIO EACCES" }, { "getdents64", "EIO" },
	{ "poll", "EINTR ENOMEM" }, { "ppoll", "EINTR ENOMEM" },
	{ "socket", "EMFILE ENOBUFS" }, { "connect", "ECONNREFUSED EINTR ENOBUFS" },
	{ "sendto", "EINTR ENOBUFS ECONNRESET" },
	{ "recvfrom", "EINTR ENOBUFS ECONNRESET" }, { "getsockopt", "ENOBUFS" },
	{ "getsockname", "ENOBUFS" }, { "getpeername", "ENOTCONN" },
	{ "fchmod", "EPERM EIO" }, { "fchown", "EPERM EIO" },
	{ "fsetxattr", "EPERM ENOSPC" }, { "fremovexattr", "EPERM EIO" },
	{ "flistxattr", "EIO" }, { "fgetxattr", "EIO" }, { "newfstatat", "EIO EACCES" },
	{ "fstat", "EIO" }, { "stat", "EIO EACCES" }, { "lstat", "EIO EACCES" },
	{ "access", "EIO EACCES" }, { "faccessat", "EIO EACCES" },
	{ "faccessat2", "EIO EACCES" }, { "statfs", "EIO EACCES" },
	{ "getrandom", "EINTR ENOSYS" }, { "signalfd4", "EMFILE ENOMEM" },
	{ "wait4", "EINTR" }, { "waitid", "EINTR" }, { "prctl", "EPERM" },
	{ "prlimit64", "EPERM" }, { "chdir", "EACCES" }, { "clock_nanosleep", "EINTR" },
	{ "nanosleep", "EINTR" }, { "memfd_create", "EMFILE ENOMEM" },
	/*
	 * Not close: a close(2) that fails has closed the descriptor, and strace's does not.
	 * short.c makes close fail.
	 */
};

/* Always in a sample: each is a step between two states. */
static const char *const always[] = { "fsync", "renameat", "rename", "unlinkat", "clone",
	"clone3", "fork", "vfork", "ftruncate", "pwrite64" };

/* The name in "openat(AT_FDCWD, …"; strace's own notes have none. */
bool
list_name(const char *line, char out[24])
{
	size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (n == 0 || n >= 24 || line[n] != '(')
		return false;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

static void
add_call(struct trace *t, const char *name)
{
	struct point *p;
	size_t i;

	t->call = reallocarray(t->call, t->n + 1, sizeof(*t->call));
	if (t->call == NULL)
		err(2, NULL);
	p = &t->call[t->n++];
	memset(p, 0, sizeof(*p));
	strcpy(p->call, name);
	for (i = 0; i < t->n; i++)
		if (strcmp(t->call[i].call, name) == 0)
			p->nth++;
	if (t->begin == 0 && strcmp(name, "close_range") == 0)
		t->begin = t->n - 1;
}

void
list_trace(struct trace *t, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, name[24];
	size_t size = 0;

	memset(t, 0, sizeof(*t));
	if (f == NULL)
		err(2, "%s", path);
	while (getline(&line, &size, f) != -1)
		/* the first execve is strace's */
		if (list_name(line, name) && strcmp(name, "execve") != 0)
			add_call(t, name);
	free(line);
	fclose(f);
}

static void
add_point(struct points *all, const struct point *p)
{
	all->list = reallocarray(all->list, all->n + 1, sizeof(*all->list));
	if (all->list == NULL)
		err(2, NULL);
	all->list[all->n++] = *p;
}

static bool
is_always(const char *call)
{
	size_t i;

	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (strcmp(always[i], call) == 0)
			return true;
	return false;
}

static void
add_faults(struct points *all, struct point p, size_t *n)
{
	char list[64], *rest = list, *error;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].call, p.call) == 0)
			break;
	if (i == sizeof(faults) / sizeof(faults[0]))
		return;
	strcpy(list, faults[i].errors);
	while ((error = strsep(&rest, " ")) != NULL) {
		strcpy(p.error, error);
		if (!all->sample || (*n)++ % 41 == 0)
			add_point(all, &p);
	}
}

/* The program treats TERM and INT alike; a signal between two steps takes effect at the next. */
static void
add_signals(struct points *all, struct point p, size_t i)
{
	static const struct {
		const char *name;
		size_t step;
	} signals[] = { { "TERM", 3 }, { "INT", 31 }, { "HUP", 29 } };
	size_t k;

	p.kind = SIGNAL;
	for (k = 0; k < sizeof(signals) / sizeof(signals[0]); k++) {
		strcpy(p.error, signals[k].name);
		if (i % (signals[k].step * (all->sample ? 31 : 1)) == 0)
			add_point(all, &p);
	}
}

void
list_calls(struct points *all, const struct trace *t, unsigned scenario, enum mock mock)
{
	size_t i, n = 0;
	bool armed = false;

	for (i = 0; i < t->n; i++) {
		struct point p = t->call[i];

		p.scenario = scenario;
		p.mock = mock;
		p.armed = armed;
		armed = armed || strcmp(p.call, "signalfd4") == 0;
		p.kind = KILL;
		if (!all->sample || i % 13 == 0 || is_always(p.call))
			add_point(all, &p);
		p.kind = FAULT;
		if (i > t->begin)
			add_faults(all, p, &n);
		/* exit_group does not return, so no signal is delivered */
		if (strcmp(p.call, "exit_group") != 0)
			add_signals(all, p, i);
	}
}

void
list_script(struct points *all, const struct trace *t, unsigned scenario, enum mock mock)
{
	size_t i, step = all->sample ? 25 : 5;

	for (i = 0; i < t->n; i += step) {
		struct point p = t->call[i];

		p.scenario = scenario;
		p.mock = mock;
		p.kind = SCRIPT;
		add_point(all, &p);
	}
}

void
list_shorts(struct points *all, unsigned data, unsigned closes, unsigned scenario,
    enum mock mock)
{
	struct point p = { .kind = SHORT, .scenario = scenario, .mock = mock };

	strcpy(p.call, "all");
	add_point(all, &p);
	strcpy(p.call, "data");
	for (p.nth = 1; p.nth <= data; p.nth += all->sample ? 29 : 1)
		add_point(all, &p);
	strcpy(p.call, "close");
	for (p.nth = 1; p.nth <= closes; p.nth += all->sample ? 29 : 1)
		add_point(all, &p);
}
