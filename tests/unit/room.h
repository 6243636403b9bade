/*
 * room.h: a folder of a test's own under /tmp, in which it runs.  One at a time.
 */
#ifndef UNIT_ROOM_H
#define UNIT_ROOM_H

#define ROOM_MAX 64

/* Makes it and goes there.  `path` gets its name; the descriptor is the room's. */
int room_enter(char path[ROOM_MAX]);

/* Leaves it and removes all that is in it. */
void room_leave(void);

/* Removes a folder and all that is in it. */
void room_remove(const char *path);

#endif
