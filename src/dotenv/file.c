/*
 * file.c: MUST
 *
 *  - not hang and not be misled: a pipe, a device, a folder or a second symbolic link
 *    is refused, at most DOTENV_MAX bytes are read, and a lock is waited for with a
 *    limit: everybody who may read the file may hold it;
 *  - judge the file by the descriptor that it is read from;
 *  - show nothing of the content in a message.
 */
#include "dotenv/file.h"

#include "dotenv/edit.h"
#include "sys/text.h"

#include <sys/file.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_PAUSE_MS 5
#define LOCK_TRIES (10 * 1000 / LOCK_PAUSE_MS)

static int
refuse_kind(const struct dotenv_file *e, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "put a regular file there, or name another one (env_file, TWILIGHT_ENV_FILE)",
	    "%s is not a regular file", e->shown);
}

static int
refuse_size(const struct dotenv_file *e, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "is it the right file?  name another one (env_file, TWILIGHT_ENV_FILE)",
	    "%s is larger than %d bytes", e->shown, DOTENV_MAX);
}

/* By errno, as open(2) or read(2) set it. */
static int
refuse_unread(const struct dotenv_file *e, struct fault *f)
{
	switch (errno) {
	case ENOENT:
		return fault_set(f, FAULT_HOST,
		    "write it (deploy/env.example), or set TWILIGHT_HOME",
		    "missing env file: %s", e->shown);
	case ELOOP:
		return fault_set(f, FAULT_HOST, "make it a link to the file itself",
		    "%s is a symbolic link to a symbolic link", e->shown);
	case ENXIO: /* a socket */
		return refuse_kind(e, f);
	case EFBIG:
		return refuse_size(e, f);
	default:
		return fault_set(f, FAULT_HOST,
		    "see with ls -ld who may read it and the folders above it",
		    "cannot read %s: %s", e->shown, strerror(errno));
	}
}

/* The file itself: one link is followed here, O_NOFOLLOW refuses a second. */
static char *
follow_link(const char *path)
{
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX], *file;
	ssize_t n;

	/* no link holds PATH_MAX bytes: symlink(2) */
	n = readlink(path, target, sizeof(target) - 1);
	if (n == -1)
		return strdup(path); /* not a link; if absent, open(2) reports it */
	target[n] = '\0';
	if (target[0] == '/' || slash == NULL)
		return strdup(target);
	if (asprintf(&file, "%.*s/%s", (int)(slash - path), path, target) == -1)
		return NULL;
	return file;
}

static int
stat_regular(struct dotenv_file *e, struct fault *f)
{
	if (fstat(e->fd, &e->st) == -1)
		return refuse_unread(e, f);
	return S_ISREG(e->st.st_mode) ? 0 : refuse_kind(e, f);
}

static int
reopen(struct dotenv_file *e, struct fault *f)
{
	if (e->fd != -1)
		close(e->fd);
	/* O_NONBLOCK: a fifo without a writer would block for ever */
	e->fd = open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return e->fd == -1 ? refuse_unread(e, f) : stat_regular(e, f);
}

int
dotenv_file_open(struct dotenv_file *e, const char *path, struct fault *f)
{
	const char *slash;

	memset(e, 0, sizeof(*e));
	e->fd = -1;
	text_escape(e->shown, sizeof(e->shown), path, strlen(path));
	if ((e->path = follow_link(path)) == NULL)
		return refuse_unread(e, f);
	slash = strrchr(e->path, '/');
	e->base = slash == NULL ? e->path : slash + 1;
	return reopen(e, f);
}

static bool
has_its_name(const struct dotenv_file *e)
{
	struct stat st;

	return lstat(e->path, &st) == 0 && st.st_dev == e->st.st_dev &&
	    st.st_ino == e->st.st_ino;
}

int
dotenv_file_lock(struct dotenv_file *e, struct fault *f)
{
	const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000L };
	int tries;

	/* flock(2) itself has no limit */
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(e->fd, LOCK_EX | LOCK_NB) == 0) {
			if (has_its_name(e))
				return 0;
			if (reopen(e, f) == -1)
				return -1;
		} else if (errno == EWOULDBLOCK)
			nanosleep(&pause, NULL);
		else if (errno != EINTR)
			return fault_set(f, FAULT_HOST,
			    "put it on a file system with flock(2)", "cannot lock %s: %s",
			    e->shown, strerror(errno));
	}
	return fault_set(f, FAULT_HOST, "find that process (lslocks), then try again",
	    "another process keeps %s locked", e->shown);
}

/* -1 with errno set, EFBIG for too much. */
static int
read_content(struct dotenv_file *e)
{
	const size_t size = DOTENV_MAX + 1; /* one more shows that there is more */
	ssize_t n = 1;

	if ((e->bytes = malloc(size)) == NULL)
		return -1;
	while (n != 0 && e->len < size) {
		n = read(e->fd, e->bytes + e->len, size - e->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		e->len += (size_t)n;
	}
	if (e->len < size)
		return 0;
	errno = EFBIG;
	return -1;
}

int
dotenv_file_load(struct dotenv_file *e, struct fault *f)
{
	/* before the bytes: a change while they are read shows before the rename */
	if (stat_regular(e, f) == -1)
		return -1;
	if (e->st.st_size > DOTENV_MAX)
		return refuse_size(e, f);
	return read_content(e) == 0 ? 0 : refuse_unread(e, f);
}

int
dotenv_file_folder(const struct dotenv_file *e)
{
	const size_t len = (size_t)(e->base - e->path);
	char *folder;
	int fd;

	/* with its slash: that of "/file" is "/" */
	folder = len == 0 ? strdup(".") : strndup(e->path, len);
	if (folder == NULL)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return fd;
}

void
dotenv_file_close(struct dotenv_file *e)
{
	if (e->fd != -1)
		close(e->fd);
	freezero(e->bytes, e->len);
	free(e->path);
	memset(e, 0, sizeof(*e));
	e->fd = -1;
}
