#define _GNU_SOURCE
#include "tree.h"

#include <sys/stat.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *
walk(const char *folder)
{
	char *const paths[] = { (char *)(uintptr_t)folder, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

	if (fts == NULL)
		err(2, "%s", folder);
	return fts;
}

static void
load(struct file *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		err(2, "%s", path);
	if ((f->bytes = malloc((size_t)st.st_size + 1)) == NULL)
		err(2, NULL);
	if ((n = read(fd, f->bytes, (size_t)st.st_size)) == -1)
		err(2, "%s", path);
	f->len = (size_t)n;
	f->bytes[n] = '\0';
	close(fd);
}

/* The fake engine's own lock and logs. */
static bool
is_bookkeeping(const FTSENT *e)
{
	static const char *const names[] = { "lock", "calls.log", "events" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(e->fts_parent->fts_name, "engine") == 0 &&
		    strcmp(e->fts_name, names[i]) == 0)
			return true;
	return false;
}

void
tree_read(struct tree *t, const char *folder)
{
	FTS *fts = walk(folder);
	struct file *f;
	FTSENT *e;

	t->file = NULL;
	t->n = 0;
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_level == 0 || (e->fts_info != FTS_D && e->fts_info != FTS_F) ||
		    is_bookkeeping(e))
			continue;
		t->file = reallocarray(t->file, t->n + 1, sizeof(*t->file));
		if (t->file == NULL)
			err(2, NULL);
		f = &t->file[t->n++];
		memset(f, 0, sizeof(*f));
		f->path = strdup(e->fts_path + strlen(folder) + 1);
		f->mode = e->fts_statp->st_mode;
		if (e->fts_info == FTS_F)
			load(f, e->fts_path);
	}
	fts_close(fts);
}

/* Keeps the folder of the engine's socket: the engine runs in it. */
static void
wipe(const char *folder)
{
	FTS *fts = walk(folder);
	FTSENT *e;

	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_level == 0)
			continue;
		if (e->fts_info == FTS_DP)
			rmdir(e->fts_path);
		else if (e->fts_info == FTS_F)
			unlink(e->fts_path);
	}
	fts_close(fts);
}

void
put_file(const char *path, mode_t mode, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, bytes, len) != (ssize_t)len ||
	    fchmod(fd, mode & 07777) == -1)
		err(2, "%s", path);
	close(fd);
}

void
tree_write(const struct tree *t, const char *folder)
{
	char path[PATH_MAX];
	size_t i;

	if (mkdir(folder, 0755) == 0)
		;
	else if (errno == EEXIST)
		wipe(folder);
	else
		err(2, "%s", folder);
	for (i = 0; i < t->n; i++) {
		const struct file *f = &t->file[i];

		snprintf(path, sizeof(path), "%s/%s", folder, f->path);
		if (f->bytes != NULL)
			put_file(path, f->mode, f->bytes, f->len);
		else if (mkdir(path, f->mode & 07777) == -1 && errno != EEXIST)
			err(2, "%s", path);
	}
}

void
tree_free(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->file[i].path);
		free(t->file[i].bytes);
	}
	free(t->file);
	t->file = NULL;
	t->n = 0;
}

const struct file *
tree_find(const struct tree *t, const char *path)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->file[i].path, path) == 0)
			return &t->file[i];
	return NULL;
}

/* ---- comparison ---- */

#define NAMES_MAX 64
#define TOKEN_MAX 65

struct hash {
	uint64_t at;
	char name[NAMES_MAX][TOKEN_MAX];
	unsigned n;
};

static void
mix(struct hash *h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (; len > 0; len--)
		h->at = (h->at ^ *p++) * UINT64_C(1099511628211);
}

static void
mix_name(struct hash *h, char kind, const char *s, size_t len)
{
	char word[16];
	unsigned i;

	for (i = 0; i < h->n; i++)
		if (strncmp(h->name[i], s, len) == 0 && h->name[i][len] == '\0')
			break;
	if (i == h->n && i < NAMES_MAX) {
		memcpy(h->name[i], s, len);
		h->name[h->n++][len] = '\0';
	}
	snprintf(word, sizeof(word), "%c%u", kind, i);
	mix(h, word, strlen(word));
}

static size_t
run_of(const char *s, const char *set, bool *digits)
{
	size_t n = strspn(s, set);
	size_t i;

	for (*digits = false, i = 0; i < n; i++)
		*digits = *digits || isdigit((unsigned char)s[i]);
	return n;
}

/* "20261121T120041Z-a1b2c3": 8 digits, T, 6 digits, Z-, 6 hex digits */
static bool
is_deploy_id(const char *s)
{
	return strspn(s, "0123456789") == 8 && s[8] == 'T' &&
	    strspn(s + 9, "0123456789") == 6 && s[15] == 'Z' && s[16] == '-' &&
	    strspn(s + 17, "0123456789abcdef") >= 6;
}

static void
mix_text(struct hash *h, const char *s, size_t len)
{
	const char *end = s + len;
	bool digits;
	size_t n;

	while (s < end) {
		n = run_of(s, "0123456789abcdef", &digits);
		if (is_deploy_id(s)) {
			mix_name(h, 'D', s, 23);
			s += 23;
		} else if (n == 64 && digits) {
			mix_name(h, 'C', s, 64);
			s += 64;
		} else if (isdigit((unsigned char)*s)) {
			mix(h, "#", 1);
			s += strspn(s, "0123456789");
		} else
			mix(h, s++, 1);
	}
}

static bool
says_nothing(const char *path)
{
	return strstr(path, "lock") != NULL || strstr(path, ".log") != NULL;
}

uint64_t
tree_hash(const struct tree *t, uint64_t seed)
{
	struct hash h = { .at = UINT64_C(14695981039346656037) ^ seed };
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct file *f = &t->file[i];

		/* a temporary file of a killed mock does not count */
		if (strncmp(f->path, "engine/", 7) == 0 &&
		    strstr(f->path, ".new.") != NULL)
			continue;
		mix_text(&h, f->path, strlen(f->path));
		mix(&h, "\n", 1);
		if (f->bytes != NULL && !says_nothing(f->path))
			mix_text(&h, f->bytes, f->len);
		mix(&h, "", 1);
	}
	return h.at == 0 ? 1 : h.at;
}
