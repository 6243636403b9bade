/*
 * room.h: a folder of a test's own under /tmp, in which it runs.  One at a time.
 */
#ifndef UNIT_ROOM_H
#define UNIT_ROOM_H

#include <sys/resource.h>

#include <stddef.h>

#define ROOM_MAX 64

/* Makes it and goes there.  `path` gets its name; the descriptor is the room's. */
int room_enter(char path[ROOM_MAX]);

/* Leaves it and removes all that is in it. */
void room_leave(void);

/* Makes a file of it, or replaces one. */
void room_put(const char *name, const void *bytes, size_t len);

/* A file of it: malloc'd, with a NUL behind.  `len` may be NULL. */
char *room_get(const char *name, size_t *len);

/* Copies a file of tests/unit/data into it. */
void room_copy(const char *data, const char *name);

/*
 * No file may grow beyond `most` bytes, as on a full disk; RLIM_INFINITY ends that.
 * Check writes files too: nothing may be asserted in between.
 */
void room_limit(rlim_t most);

/* Removes a folder and all that is in it. */
void room_remove(const char *path);

#endif
