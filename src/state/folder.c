#include "state/folder.h"

#include "sys/text.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static int
check_owner_and_mode(int fd, const char *safe, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fault_set(f, FAULT_HOST, NULL, "state folder %s: %s", safe,
		    strerror(errno));
	if (st.st_uid != geteuid() && geteuid() != 0)
		return fault_set(f, FAULT_HOST, "run as its owner",
		    "state folder %s belongs to another user", safe);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_HOST,
		    "run chmod 0700 on it, then check its content",
		    "state folder %s can be written by others", safe);
	return 0;
}

static int
sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* With at most `missing` folders above it. */
static int
make_folder(const char *path, unsigned missing)
{
	char parent[PATH_MAX], *slash;
	int made = mkdir(path, 0700);

	if (made == -1 && errno == EEXIST)
		return 0;
	if (made == -1 && (errno != ENOENT || missing == 0))
		return -1;
	(void)strlcpy(parent, path, sizeof(parent));
	slash = strrchr(parent, '/');
	if (slash == NULL)
		return made;
	slash[slash == parent] = '\0';
	/* what is synced in a folder is durable only if its name is */
	if (made == 0)
		return sync_path(parent);
	return make_folder(parent, missing - 1) == -1 ? -1 : make_folder(path, 0);
}

/* Only STATE/targets/NAME may lack the folders above: another path may be wrong. */
static unsigned
folders_above(const char *path)
{
	static const char targets[] = "/targets";
	const char *name = strrchr(path, '/');

	return name != NULL && (size_t)(name - path) > strlen(targets) &&
		memcmp(name - strlen(targets), targets, strlen(targets)) == 0
	    ? 2
	    : 0;
}

int
folder_open(const char *path, bool make, struct fault *f)
{
	char safe[256];
	int fd;

	text_escape(safe, sizeof(safe), path, strlen(path));
	if (make && make_folder(path, folders_above(path)) == -1)
		return fault_set(f, FAULT_HOST,
		    "let this user write there, or change the setting `state`",
		    "cannot create state folder %s: %s", safe, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && !make)
		return -1;
	if (fd == -1)
		return fault_set(f, FAULT_HOST,
		    errno == EACCES ? "run it as its owner" : "check the setting `state`",
		    "cannot open state folder %s: %s", safe, strerror(errno));
	if (check_owner_and_mode(fd, safe, f) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

int64_t
folder_free_space(const char *path)
{
	char buf[PATH_MAX], *slash;
	struct statvfs vfs;

	if (*path != '/' || strlcpy(buf, path, sizeof(buf)) >= sizeof(buf))
		return -1;
	while (statvfs(buf, &vfs) == -1) {
		slash = strrchr(buf, '/');
		if (slash == NULL || (slash == buf && slash[1] == '\0'))
			return -1;
		slash[slash == buf ? 1 : 0] = '\0';
	}
	return (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
}
