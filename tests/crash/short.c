/*
 * short.c: an LD_PRELOAD shim that makes data calls short, as a full pipe, a signal or a
 * quota does (strace can only change the returned count), and makes close(2) fail after it
 * closed the descriptor.
 *
 *   SHORT="data N LOG"    the N-th data call (from 1) moves half of its bytes
 *   SHORT="all 0 LOG"     every data call moves one byte
 *   SHORT="close N LOG"   the N-th close fails with EIO
 *   SHORT="none 0 LOG"    nothing
 *
 * At the end the number of data calls (with `close`, of closes) is written to LOG, or 0 if
 * the N-th did not come.  Reads of files, pipes and sockets can be short; a signalfd's cannot.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* the names with _FORTIFY_SOURCE */
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);

static enum { NONE, DATA, ALL, CLOSE } mode;
static unsigned long calls, wanted;
static char log_path[4096];

static void
end(void)
{
	FILE *log = fopen(log_path, "w");

	if (log == NULL)
		return;
	fprintf(log, "%lu\n", calls < wanted ? 0 : calls);
	mode = NONE;
	fclose(log);
}

/* Read here, because main() clears the environment. */
static void __attribute__((constructor)) start(void)
{
	const char *setting = getenv("SHORT");
	char word[8];

	if (setting == NULL ||
	    sscanf(setting, "%7s %lu %4095s", word, &wanted, log_path) != 3)
		return;
	mode = strcmp(word, "data") == 0 ? DATA
	    : strcmp(word, "all") == 0   ? ALL
	    : strcmp(word, "close") == 0 ? CLOSE
					 : NONE;
	atexit(end);
}

static size_t
cut(int fd, size_t n)
{
	struct stat st;

	if (mode == CLOSE || n < 2 || fstat(fd, &st) == -1 ||
	    !(S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return n;
	calls++;
	if (mode == ALL)
		return 1;
	return mode == DATA && calls == wanted ? n / 2 : n;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t
read(int fd, void *buf, size_t n)
{
	return REAL(ssize_t, "read", int, void *, size_t)(fd, buf, cut(fd, n));
}

ssize_t
__read_chk(int fd, void *buf, size_t n, size_t room)
{
	(void)room;
	return read(fd, buf, n);
}

ssize_t
pread(int fd, void *buf, size_t n, off_t at)
{
	return REAL(ssize_t, "pread", int, void *, size_t, off_t)(fd, buf, cut(fd, n),
	    at);
}

ssize_t
__pread_chk(int fd, void *buf, size_t n, off_t at, size_t room)
{
	(void)room;
	return pread(fd, buf, n, at);
}

ssize_t
write(int fd, const void *buf, size_t n)
{
	return REAL(ssize_t, "write", int, const void *, size_t)(fd, buf, cut(fd, n));
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(fd, buf,
	    cut(fd, n), at);
}

ssize_t
send(int fd, const void *buf, size_t n, int flags)
{
	return REAL(ssize_t, "send", int, const void *, size_t, int)(fd, buf, cut(fd, n),
	    flags);
}

ssize_t
recv(int fd, void *buf, size_t n, int flags)
{
	return REAL(ssize_t, "recv", int, void *, size_t, int)(fd, buf, cut(fd, n),
	    flags);
}

ssize_t
__recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
	(void)room;
	return recv(fd, buf, n, flags);
}

int
close(int fd)
{
	int rc = REAL(int, "close", int)(fd);

	if (mode != CLOSE || ++calls != wanted)
		return rc;
	errno = EIO;
	return -1;
}
