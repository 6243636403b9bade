/*
 * tree.h: a folder's files in memory; put back as they were, compared as far as
 * what is in them decides what is done next.
 */
#ifndef CRASH_TREE_H
#define CRASH_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct file {
	char *path; /* below the folder */
	mode_t mode;
	char *bytes; /* NUL behind them; NULL for a folder */
	size_t len;
};

struct tree {
	struct file *file;
	size_t n;
};

/* All of these end the program when they cannot. */
void tree_read(struct tree *, const char *folder);
void tree_write(const struct tree *, const char *folder); /* replaces it */
void tree_free(struct tree *);

/* The file of that path, or NULL. */
const struct file *tree_find(const struct tree *, const char *path);

/*
 * Equal for equal trees; ids of containers and deploys count by the order in
 * which they appear, other digits (times, pids, sizes) do not count.  Skips
 * the words in lock files and logs, for nothing is decided by them.
 */
uint64_t tree_hash(const struct tree *, uint64_t seed);

void put_file(const char *path, mode_t mode, const char *bytes, size_t len);

#endif
