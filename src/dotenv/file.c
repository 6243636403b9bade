/*
 * MUST
 *
 *  - not hang: refuse a FIFO, a device, a folder and a second symbolic link, read at
 *    most DOTENV_MAX bytes, and limit the wait for the lock, because everybody who may
 *    read the file may hold it;
 *  - check the descriptor that is read from;
 *  - quote nothing of the content in a message.
 */
#include "dotenv/file.h"

#include "dotenv/edit.h"
#include "sys/file.h"
#include "sys/text.h"

#include <sys/file.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_PAUSE_MS 5
#define LOCK_TRIES (10 * 1000 / LOCK_PAUSE_MS)
#define TYPED_MAX 160 /* bytes of a path in a suggested command */

/* By errno. */
static int
refuse_file(const struct dotenv_file *e, struct fault *f)
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
	case EINVAL:
		return fault_set(f, FAULT_HOST,
		    "put a regular file there, or name another one (env_file)",
		    "%s is not a regular file", e->shown);
	case EFBIG:
		return fault_set(f, FAULT_HOST,
		    "check that it is the right file (env_file)",
		    "%s is larger than %d bytes", e->shown, DOTENV_MAX);
	default:
		return fault_set(f, FAULT_HOST,
		    "check with ls -ld who may read it and the folders above it",
		    "cannot read %s: %s", e->shown, strerror(errno));
	}
}

/* The file itself: one link is followed here; O_NOFOLLOW refuses a second. */
static char *
follow_link(const char *path)
{
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX], *file;
	ssize_t n;

	/* no link holds PATH_MAX bytes: symlink(2) */
	n = readlink(path, target, sizeof(target) - 1);
	if (n == -1)
		return strdup(path); /* no link; open(2) reports a missing file */
	target[n] = '\0';
	if (target[0] == '/' || slash == NULL)
		return strdup(target);
	if (asprintf(&file, "%.*s/%s", (int)(slash - path), path, target) == -1)
		return NULL;
	return file;
}

static int
stat_file(struct dotenv_file *e, struct fault *f)
{
	if (fstat(e->fd, &e->st) == -1)
		return refuse_file(e, f);
	errno = EINVAL;
	return S_ISREG(e->st.st_mode) ? 0 : refuse_file(e, f);
}

static int
open_again(struct dotenv_file *e, struct fault *f)
{
	if (e->fd != -1)
		close(e->fd);
	/* O_NONBLOCK: do not wait for the writer of a FIFO */
	e->fd = open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return e->fd == -1 ? refuse_file(e, f) : stat_file(e, f);
}

int
dotenv_file_open(struct dotenv_file *e, const char *path, struct fault *f)
{
	const char *slash;

	memset(e, 0, sizeof(*e));
	e->fd = -1;
	text_escape(e->shown, sizeof(e->shown), path, strlen(path));
	if ((e->path = follow_link(path)) == NULL)
		return refuse_file(e, f);
	slash = strrchr(e->path, '/');
	e->base = slash == NULL ? e->path : slash + 1;
	return open_again(e, f);
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
			if (open_again(e, f) == -1)
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

int
dotenv_file_load(struct dotenv_file *e, struct fault *f)
{
	/* before the bytes are read: a change meanwhile is seen before the rename */
	if (stat_file(e, f) == -1)
		return -1;
	if (file_read_fd(e->fd, DOTENV_MAX, &e->bytes, &e->len) == -1)
		return refuse_file(e, f);
	return 0;
}

int
dotenv_file_folder(const struct dotenv_file *e)
{
	const size_t len = (size_t)(e->base - e->path);
	char *folder;
	int fd;

	/* with the slash: the folder of "/file" is "/" */
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

/* ---- may it be replaced? ---- */

/* The user's name, or the number in the form that sudo(8) accepts. */
static const char *
name_user(uid_t uid, char *buf, size_t size)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw == NULL)
		snprintf(buf, size, "'#%u'", (unsigned)uid);
	else
		text_escape(buf, size, pw->pw_name, strlen(pw->pw_name));
	return buf;
}

static int
check_env_owner(const struct stat *st, const char *shown, struct fault *f)
{
	char owner[64], self[64], next[160];

	if (st->st_uid == geteuid())
		return 0;
	name_user(st->st_uid, owner, sizeof(owner));
	name_user(geteuid(), self, sizeof(self));
	snprintf(next, sizeof(next),
	    "run it as its owner: sudo -u %s twilight-deploy ...", owner);
	return fault_set(f, FAULT_HOST, next, "%s belongs to %s, this runs as %s", shown,
	    owner, self);
}

int
dotenv_check_owner(const char *path, const char *lock, struct fault *f)
{
	struct stat st, other;
	char shown[256];

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (stat(path, &st) == -1)
		return errno == ENOENT
		    ? fault_set(f, FAULT_HOST,
			  "write it (deploy/env.example), or set TWILIGHT_HOME",
			  "missing env file: %s", shown)
		    : fault_set(f, FAULT_HOST, "check its path and its owner",
			  "cannot look at env file %s: %s", shown, strerror(errno));
	/* the lock's holder writes into the lock file */
	if (stat(lock, &other) == 0 && other.st_dev == st.st_dev &&
	    other.st_ino == st.st_ino)
		return fault_set(f, FAULT_HOST, "set `lock` to another file",
		    "the lock file is the env file %s", shown);
	return check_env_owner(&st, shown, f);
}

static bool
has_group(gid_t gid)
{
	gid_t *groups;
	bool found = gid == getegid();
	int i, n = getgroups(0, NULL);

	if (found || n <= 0 || (groups = calloc((size_t)n, sizeof(*groups))) == NULL)
		return found;
	n = getgroups(n, groups);
	for (i = 0; i < n && !found; i++)
		found = groups[i] == gid;
	free(groups);
	return found;
}

/* The new file gets the same group, which only a member can give it. */
static int
check_env_group(const struct dotenv_file *e, const struct stat *folder, struct fault *f)
{
	char typed[TYPED_MAX], next[256];

	if (geteuid() == 0 || has_group(e->st.st_gid))
		return 0;
	if ((folder->st_mode & S_ISGID) && folder->st_gid == e->st.st_gid)
		return 0; /* the new file gets the folder's group */
	text_escape(typed, sizeof(typed), e->path, strlen(e->path));
	snprintf(next, sizeof(next), "sudo chgrp %u %s", (unsigned)getegid(), typed);
	return fault_set(f, FAULT_HOST, next,
	    "%s belongs to the group %u, of which this user is not a member", e->shown,
	    (unsigned)e->st.st_gid);
}

static int
check_env_folder(const struct dotenv_file *e, struct fault *f)
{
	const char *next = "let this user read, write and search that folder";
	struct stat st;
	const int fd = dotenv_file_folder(e);
	const bool good = fd != -1 && fstat(fd, &st) == 0 &&
	    faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
	const int error = errno;

	if (fd != -1)
		close(fd);
	if (good)
		return check_env_group(e, &st, f);
	if (error == EROFS)
		next = "mount it read-write (findmnt -T shows where)";
	return fault_set(f, FAULT_HOST, next, "cannot write the folder of %s: %s",
	    e->shown, strerror(error));
}

/* rename(2) cannot replace a mount point: EBUSY. */
static bool
is_mounted(const struct dotenv_file *e)
{
	struct statx st;

	return statx(AT_FDCWD, e->path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
check_replaceable(const struct dotenv_file *e, struct fault *f)
{
	if (check_env_owner(&e->st, e->shown, f) == -1)
		return -1;
	/* its other names would keep the old bytes */
	if (e->st.st_nlink > 1)
		return fault_set(f, FAULT_HOST,
		    "make it a file of its own: cp -p it, then mv the copy over it",
		    "%s has %lu hard links", e->shown, (unsigned long)e->st.st_nlink);
	if (is_mounted(e))
		return fault_set(f, FAULT_HOST, "mount the folder that it is in",
		    "%s is a mount of its own: it cannot be replaced", e->shown);
	return check_env_folder(e, f);
}

int
dotenv_writable(const char *path, struct fault *f)
{
	struct dotenv_file e;
	int result = -1;

	if (dotenv_file_open(&e, path, f) == 0)
		result = check_replaceable(&e, f);
	dotenv_file_close(&e);
	return result;
}
