#include "room.h"

#include <sys/stat.h>

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char room[ROOM_MAX];
static int room_fd;
static int data_fd;

int
room_enter(char path[ROOM_MAX])
{
	if (data_fd == 0)
		data_fd = open("tests/unit/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(room, "/tmp/unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(room));
	ck_assert_int_eq(chdir(room), 0);
	room_fd = open(room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(room_fd, 0);
	strcpy(path, room);
	return room_fd;
}

void
room_leave(void)
{
	close(room_fd);
	ck_assert_int_eq(chdir("/"), 0);
	room_remove(room);
}

void
room_put(const char *name, const void *bytes, size_t len)
{
	int fd = openat(room_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static char *
get_at(int dirfd, const char *name, size_t *len)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	ck_assert_msg(fd != -1, "cannot open %s", name);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_ptr_nonnull(bytes = calloc(1, (size_t)st.st_size + 1));
	ck_assert_int_eq(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	if (len != NULL)
		*len = (size_t)st.st_size;
	return bytes;
}

char *
room_get(const char *name, size_t *len)
{
	return get_at(room_fd, name, len);
}

void
room_holds(const char *name, const void *bytes, size_t len)
{
	size_t n;
	char *got = room_get(name, &n);

	ck_assert_uint_eq(n, len);
	ck_assert_int_eq(memcmp(got, bytes, len), 0);
	free(got);
}

int
room_count(const char *path)
{
	DIR *d = opendir(path);
	int n = -2;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

void
room_copy(const char *data, const char *name)
{
	size_t len;
	char *bytes = get_at(data_fd, data, &len);

	room_put(name, bytes, len);
	free(bytes);
}

void
room_limit(rlim_t most)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
room_remove(const char *path)
{
	(void)nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
