/*
 * tree.h: a folder's files in memory: restored, and compared by what matters for recovery.
 */
#ifndef CRASH_TREE_H
#define CRASH_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct file {
	char *path; /* below the folder */
	mode_t mode;
	char *bytes; /* NUL-terminated; NULL for a folder */
	size_t len;
};

struct tree {
	struct file *file;
	size_t n;
};

/* All of these exit on failure. */
void tree_read(struct tree *, const char *folder);
void tree_write(const struct tree *, const char *folder); /* replaces it */
void tree_free(struct tree *);

/* The file of that path, or NULL. */
const struct file *tree_find(const struct tree *, const char *path);

/*
 * A hash, equal for equal trees.  Ids of containers and deploys are numbered in order of
 * appearance; other digits (times, pids, sizes) and the text of lock files and logs are
 * ignored.
 */
uint64_t tree_hash(const struct tree *, uint64_t seed);

void put_file(const char *path, mode_t mode, const char *bytes, size_t len);

#endif
