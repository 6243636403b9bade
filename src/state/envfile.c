/*
 * envfile.c: reads a .env file, and tells whether it may be replaced.  What is
 * in it is found in envscan.c; envswap.c replaces it.
 *
 * This MUST
 *
 *  - never show what the file holds, in no message;
 *  - not hang and not be led on: a pipe, a device, a folder or a second
 *    symbolic link is refused, and at most ENVFILE_MAX bytes are taken;
 *  - judge the file on the descriptor that it is read from;
 *  - wipe the bytes before it gives them up.
 */
#include "state/envfile.h"

#include "state/envpath.h"
#include "state/envscan.h"
#include "sys/text.h"

#include <bsd/stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPED_MAX 160 /* of a path in what is to be typed */

_Static_assert(ENVSCAN_VALUE_MAX <= ENVFILE_VALUE_MAX, "a value fits");

static int
refuse_kind(const char *shown, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "put a regular file there, or name another in TWILIGHT_ENV_FILE",
	    "%s is not a regular file", shown);
}

static int
refuse_size(const char *shown, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "is it the right file?  name another in TWILIGHT_ENV_FILE",
	    "%s is larger than %d bytes", shown, ENVFILE_MAX);
}

/* Puts the errno of open(2) or read(2) into words. */
static int
refuse_errno(int error, const char *shown, struct fault *f)
{
	switch (error) {
	case ENOENT:
		return fault_set(f, FAULT_HOST,
		    "write it (deploy/env.example), or set TWILIGHT_HOME",
		    "missing env file: %s", shown);
	case ELOOP:
		return fault_set(f, FAULT_HOST, "let it be a link to the file itself",
		    "%s is a symbolic link to a symbolic link", shown);
	case ENXIO: /* a socket */
		return refuse_kind(shown, f);
	default:
		return fault_set(f, FAULT_HOST,
		    "see with ls -ld who may read it and the folders above it",
		    "cannot read %s: %s", shown, strerror(error));
	}
}

/* Fills e->bytes until the file ends; -1 with errno set, EFBIG for too much. */
static int
fill(struct envfile *e, int fd)
{
	const size_t size = ENVFILE_MAX + 1; /* one more shows that there is more */
	ssize_t n = 1;

	if ((e->bytes = malloc(size)) == NULL)
		return -1;
	while (n != 0 && e->len < size) {
		n = read(fd, e->bytes + e->len, size - e->len);
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

static int
load(struct envfile *e, int fd, const char *shown, struct fault *f)
{
	/*
	 * Taken before the bytes: what changes while they are read differs
	 * from it when they are to be replaced.
	 */
	if (fstat(fd, &e->st) == -1)
		return refuse_errno(errno, shown, f);
	if (!S_ISREG(e->st.st_mode))
		return refuse_kind(shown, f);
	if (e->st.st_size > ENVFILE_MAX)
		return refuse_size(shown, f);
	if (fill(e, fd) == 0)
		return 0;
	return errno == EFBIG ? refuse_size(shown, f) : refuse_errno(errno, shown, f);
}

static int
find(struct envfile *e, const char *key, const char *shown, struct fault *f)
{
	struct envscan found;
	char next[128];

	if (envscan_find(&found, e->bytes, e->len, key, shown, f) == -1)
		return -1;
	snprintf(next, sizeof(next), "write the version that runs into it: %s=...", key);
	if (found.len == 0)
		return fault_set(f, FAULT_HOST, next, "missing %s in %s", key, shown);
	e->at = found.at;
	e->value_len = found.len;
	e->line = found.line;
	memcpy(e->value, e->bytes + found.at, found.len);
	return 0;
}

int
envfile_read(struct envfile *e, const char *path, const char *key, struct fault *f)
{
	char shown[ENVPATH_SHOWN];
	int fd, result = -1;

	memset(e, 0, sizeof(*e));
	text_escape(shown, sizeof(shown), path, strlen(path));
	if ((e->path = envpath_resolve(path)) == NULL)
		return refuse_errno(errno, shown, f);
	/* O_NONBLOCK: a fifo without a writer would hold us for ever */
	fd = open(e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		refuse_errno(errno, shown, f);
	else {
		if (load(e, fd, shown, f) == 0)
			result = find(e, key, shown, f);
		close(fd);
	}
	if (result == -1)
		envfile_free(e);
	return result;
}

/* The user's name, or its number as sudo(8) takes it. */
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
check_owner(const struct envfile *e, const char *shown, struct fault *f)
{
	char owner[64], self[64], next[128];

	if (e->st.st_uid == geteuid())
		return 0;
	name_user(e->st.st_uid, owner, sizeof(owner));
	name_user(geteuid(), self, sizeof(self));
	snprintf(next, sizeof(next), "run as its owner: sudo -u %s twilight-deploy ...",
	    owner);
	return fault_set(f, FAULT_HOST, next, "%s belongs to %s, this runs as %s", shown,
	    owner, self);
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

/* The group has to be kept, and only a member can give it to the new file. */
static int
check_group(const struct envfile *e, const struct stat *folder, const char *shown,
    struct fault *f)
{
	char typed[TYPED_MAX], next[256];

	if (geteuid() == 0 || has_group(e->st.st_gid))
		return 0;
	if ((folder->st_mode & S_ISGID) && folder->st_gid == e->st.st_gid)
		return 0; /* the new file is born with it */
	text_escape(typed, sizeof(typed), e->path, strlen(e->path));
	snprintf(next, sizeof(next), "sudo chgrp %u %s", (unsigned)getegid(), typed);
	return fault_set(f, FAULT_HOST, next,
	    "%s belongs to the group %u, of which this user is no member", shown,
	    (unsigned)e->st.st_gid);
}

static int
check_folder(const struct envfile *e, const char *shown, struct fault *f)
{
	const char *next = "let this user read, write and search that folder";
	struct stat st;
	const int fd = envpath_folder(e->path);
	const bool good = fd != -1 && fstat(fd, &st) == 0 &&
	    faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
	const int error = errno;

	if (fd != -1)
		close(fd);
	if (good)
		return check_group(e, &st, shown, f);
	if (error == EROFS)
		next = "mount it read-write (findmnt -T shows where)";
	return fault_set(f, FAULT_HOST, next, "cannot write the folder of %s: %s", shown,
	    strerror(error));
}

/* A file that is mounted by itself cannot be renamed over: EBUSY. */
static bool
is_mounted(const struct envfile *e)
{
	struct statx st;

	return statx(AT_FDCWD, e->path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int
envfile_writable(const struct envfile *e, struct fault *f)
{
	char shown[ENVPATH_SHOWN];

	text_escape(shown, sizeof(shown), e->path, strlen(e->path));
	if (check_owner(e, shown, f) == -1)
		return -1;
	/* the other names would go on showing the old bytes */
	if (e->st.st_nlink > 1)
		return fault_set(f, FAULT_HOST,
		    "make it a file of its own: cp -p it, then mv the copy over it",
		    "%s has %lu hard links", shown, (unsigned long)e->st.st_nlink);
	if (is_mounted(e))
		return fault_set(f, FAULT_HOST, "mount the folder that it is in",
		    "%s is a mount of its own: it cannot be replaced", shown);
	return check_folder(e, shown, f);
}

static void
sweep_folder(DIR *folder, const char *prefix)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(folder)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (S_ISREG(st.st_mode) && st.st_uid == geteuid())
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
}

void
envfile_sweep(const char *path)
{
	char prefix[NAME_MAX + sizeof(ENVPATH_INFIX)];
	char *file = envpath_resolve(path);
	DIR *folder = NULL;
	int fd = -1;

	if (file != NULL && (fd = envpath_folder(file)) != -1)
		folder = fdopendir(fd);
	if (folder != NULL) {
		snprintf(prefix, sizeof(prefix), "%s" ENVPATH_INFIX, envpath_base(file));
		sweep_folder(folder, prefix);
		closedir(folder);
	} else if (fd != -1)
		close(fd);
	free(file);
}

void
envfile_free(struct envfile *e)
{
	freezero(e->bytes, e->len);
	free(e->path);
	explicit_bzero(e, sizeof(*e));
}
