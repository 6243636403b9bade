#include "state/uplock.h"

#include "sys/file.h"
#include "sys/text.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPLOCK "up.lock"
#define LINE_MAX_BYTES 256

/*
 * The group of an earlier command must not be taken for that of the next one.  The line
 * is overwritten rather than truncated where possible: on a full disk there would be no
 * room for the next line.
 */
static int
blank_line(int fd)
{
	static const char blanks[] = "                                       ";
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size > 0 && st.st_size < (off_t)sizeof(blanks) &&
	    pwrite(fd, blanks, (size_t)st.st_size, 0) == st.st_size)
		return 0;
	return st.st_size == 0 ? 0 : ftruncate(fd, 0);
}

int
uplock_take(int dirfd)
{
	int fd, saved;

	fd = openat(dirfd, UPLOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 || blank_line(fd) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
uplock_holder(int dirfd, struct detached_holder *m)
{
	char *bytes, *end;
	size_t len;
	long group;

	memset(m, 0, sizeof(*m));
	if (file_read(dirfd, UPLOCK, LINE_MAX_BYTES, &bytes, &len) == -1)
		return;
	group = strtol(bytes, &end, 10);
	/* 1 and our own group come from a damaged file, not from a detached command */
	if (end != bytes && *end == ' ' && group > 1 && group <= INT_MAX &&
	    group != getpgrp()) {
		m->group = (pid_t)group;
		text_escape(m->word, sizeof(m->word), end + 1, strcspn(end + 1, " \n"));
	}
	free(bytes);
}
