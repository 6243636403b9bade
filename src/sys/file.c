#include "sys/file.h"

#include <sys/stat.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMP_MAX 64

/* close(2), with errno kept. */
static void
close_quietly(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

/* Reads until `buf` is full or the file ends; the number of bytes, or -1. */
static ssize_t
read_all(int fd, char *buf, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, buf + done, size - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
file_read_fd(int fd, size_t max, char **bytes, size_t *len)
{
	ssize_t n = -1;
	struct stat st;
	size_t size;
	char *buf;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	size = (size_t)st.st_size;
	if (size > max) {
		errno = EFBIG;
		return -1;
	}
	buf = malloc(size + 1);
	if (buf != NULL)
		n = read_all(fd, buf, size);
	if (n == -1) {
		int saved = errno;

		free(buf);
		errno = saved;
		return -1;
	}
	buf[n] = '\0';
	*bytes = buf;
	*len = (size_t)n;
	return 0;
}

int
file_read(int dirfd, const char *name, size_t max, char **bytes, size_t *len)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd == -1)
		return -1;
	rc = file_read_fd(fd, max, bytes, len);
	close_quietly(fd);
	return rc;
}

int
file_write(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
temp_name(const char *name, char temp[TEMP_MAX])
{
	if ((size_t)snprintf(temp, TEMP_MAX, "%s.new", name) < TEMP_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

void
file_sweep(int dirfd, const char *name)
{
	char temp[TEMP_MAX];

	if (temp_name(name, temp) == 0)
		unlinkat(dirfd, temp, 0);
}

int
file_replace(int dirfd, const char *name, const void *bytes, size_t len)
{
	char temp[TEMP_MAX];
	int fd, saved;

	if (temp_name(name, temp) == -1)
		return -1;
	/* left by a killed process, or a link: never written to */
	if (unlinkat(dirfd, temp, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -1;
	if (file_write(fd, bytes, len) == -1 || fsync(fd) == -1)
		goto fail;
	if (close(fd) == -1) {
		fd = -1;
		goto fail;
	}
	fd = -1;
	if (renameat(dirfd, temp, dirfd, name) == -1)
		goto fail;
	return fsync(dirfd);
fail:
	saved = errno;
	close_quietly(fd);
	unlinkat(dirfd, temp, 0);
	errno = saved;
	return -1;
}

int
file_remove(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	return fsync(dirfd);
}

void
file_real_path(const char *path, char out[PATH_MAX])
{
	size_t n = strlen(path), len;
	char head[PATH_MAX], *slash;

	/* the longest beginning that exists; "/" always does */
	for (;;) {
		snprintf(head, sizeof(head), "%.*s", (int)n, path);
		if (realpath(n == 0 ? "/" : head, out) != NULL || n == 0)
			break;
		while (n > 0 && path[--n] != '/')
			continue;
	}
	for (path += n; *path != '\0'; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && memcmp(path, "..", 2) == 0) {
			slash = strrchr(out, '/');
			slash[slash == out] = '\0';
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			snprintf(head, sizeof(head), "/%.*s", (int)len, path);
			(void)strlcat(out, head + (out[1] == '\0'), PATH_MAX);
		}
	}
}
