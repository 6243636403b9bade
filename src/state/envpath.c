#include "state/envpath.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *
envpath_resolve(const char *path)
{
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX];
	char *file;
	ssize_t n;

	/* no link holds PATH_MAX bytes: symlink(2) */
	n = readlink(path, target, sizeof(target) - 1);
	if (n == -1)
		return strdup(path); /* no link; if absent, open(2) says so */
	target[n] = '\0';
	if (target[0] == '/' || slash == NULL)
		return strdup(target);
	if (asprintf(&file, "%.*s/%s", (int)(slash - path), path, target) == -1)
		return NULL;
	return file;
}

const char *
envpath_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

int
envpath_folder(const char *path)
{
	const size_t len = (size_t)(envpath_base(path) - path);
	char *folder;
	int fd;

	/* its slash stays: it is "/" itself that way, too */
	folder = len == 0 ? strdup(".") : strndup(path, len);
	if (folder == NULL)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return fd;
}
