#include "dotenv/edit.h"
#include "dotenv/file.h"
#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPED_MAX 160 /* of a path in a command to type */

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
check_env_owner(const struct dotenv_file *e, struct fault *f)
{
	char owner[64], self[64], next[128];

	if (e->st.st_uid == geteuid())
		return 0;
	name_user(e->st.st_uid, owner, sizeof(owner));
	name_user(geteuid(), self, sizeof(self));
	snprintf(next, sizeof(next), "run as its owner: sudo -u %s twilight-deploy ...",
	    owner);
	return fault_set(f, FAULT_HOST, next, "%s belongs to %s, this runs as %s",
	    e->shown, owner, self);
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

/* The group is kept, and only a member can give it to the new file. */
static int
check_env_group(const struct dotenv_file *e, const struct stat *folder, struct fault *f)
{
	char typed[TYPED_MAX], next[256];

	if (geteuid() == 0 || has_group(e->st.st_gid))
		return 0;
	if ((folder->st_mode & S_ISGID) && folder->st_gid == e->st.st_gid)
		return 0; /* the new file is created with it */
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

/* A file that is a mount cannot be renamed over: EBUSY. */
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
	if (check_env_owner(e, f) == -1)
		return -1;
	/* the other names would keep the old bytes */
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
