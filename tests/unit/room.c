#include "room.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char room[ROOM_MAX];
static int room_fd;

int
room_enter(char path[ROOM_MAX])
{
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

static int
discard(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
room_remove(const char *path)
{
	(void)nftw(path, discard, 8, FTW_DEPTH | FTW_PHYS);
}
