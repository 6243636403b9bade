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
check(int fd, const char *safe, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fault_set(f, FAULT_HOST, NULL, "state folder %s: %s", safe,
		    strerror(errno));
	if (st.st_uid != geteuid() && geteuid() != 0)
		return fault_set(f, FAULT_HOST, "run as its owner",
		    "state folder %s belongs to another user", safe);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_HOST, "chmod 0700 it, then see what is in it",
		    "state folder %s can be written by others", safe);
	return 0;
}

int
folder_open(const char *path, bool make, struct fault *f)
{
	char safe[256];
	int fd;

	text_escape(safe, sizeof(safe), path, strlen(path));
	if (make && mkdir(path, 0700) == -1 && errno != EEXIST)
		return fault_set(f, FAULT_HOST,
		    "let this user write there, or set TWILIGHT_STATE",
		    "cannot make state folder %s: %s", safe, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && !make)
		return -1;
	if (fd == -1)
		return fault_set(f, FAULT_HOST,
		    errno == EACCES ? "run it as its owner" : "see TWILIGHT_STATE",
		    "cannot open state folder %s: %s", safe, strerror(errno));
	if (check(fd, safe, f) == -1) {
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
