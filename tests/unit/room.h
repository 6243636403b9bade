/*
 * room.h: a folder under /tmp for one test, in which it runs.  One at a time.
 */
#ifndef UNIT_ROOM_H
#define UNIT_ROOM_H

#include <sys/resource.h>

#include <stddef.h>

#define ROOM_MAX 64

/* Creates and enters it.  Writes its name into `path`; returns its descriptor. */
int room_enter(char path[ROOM_MAX]);

/* Leaves and removes it. */
void room_leave(void);

/* Writes a file in it, mode 0600. */
void room_put(const char *name, const void *bytes, size_t len);

/* The bytes of a file in it and a NUL, for free(3).  `len` may be NULL. */
char *room_get(const char *name, size_t *len);

/* Asserts the bytes of a file in it. */
void room_holds(const char *name, const void *bytes, size_t len);

/* How many entries a folder has. */
int room_count(const char *path);

/* Copies a file of tests/unit/data into it. */
void room_copy(const char *data, const char *name);

/*
 * No file may grow beyond `most` bytes, as on a full disk, until RLIM_INFINITY.  Check
 * writes files too: assert nothing in between.
 */
void room_limit(rlim_t most);

/* Removes a folder and all that is in it. */
void room_remove(const char *path);

#endif
