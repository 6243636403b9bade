/*
 * envswap.c: replaces the value in a .env file.
 *
 * This MUST
 *
 *  - leave, at every instant and after every crash, the old bytes or the new
 *    under the name, whole: the new ones are on the disk before the rename;
 *  - never let anybody read the new file who could not read the old one, not
 *    for a moment: it is born 0600 and opened up last;
 *  - not undo what a person did meanwhile: what was read must still be there
 *    just before the rename;
 *  - leave no temp file behind when it fails, and take away none that it did
 *    not make;
 *  - never show what the file holds.
 *
 * One failure comes after the rename: the folder could not be synced.  Then
 * the new bytes are in place, and the struct says so, but a power cut may
 * bring the old ones back.  It is a fault nevertheless, for the caller must not
 * go on as if they were there to stay; replacing again is possible.
 */
#include "state/envfile.h"

#include "state/envpath.h"
#include "sys/file.h"
#include "sys/text.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct swap {
	struct envfile *e;
	const char *base; /* of e->path, in the folder `dir` */
	int dir;
	int old;
	int temp;
	bool made; /* there is a temp file, and it is ours */
	char name[NAME_MAX + 1];
	char *bytes; /* the new ones */
	size_t len;
	struct stat st; /* of the temp file, complete */
	char shown[ENVPATH_SHOWN];
};

static int
fail(const struct swap *s, const char *doing, struct fault *f)
{
	const char *next = "nothing was changed; mend that, then try again";

	if (errno == ENOSPC || errno == EDQUOT)
		next = "nothing was changed; make room on that disk, then try again";
	else if (errno == EBUSY)
		next = "it is a mount point: mount its folder instead of the file";
	else if (errno == EEXIST)
		next = "a temp file of that run is beside it: look at it, then remove it";
	return fault_set(f, FAULT_HOST, next, "cannot replace %s: %s: %s", s->shown,
	    doing, strerror(errno));
}

static int
refuse_changed(const struct swap *s, struct fault *f)
{
	return fault_set(f, FAULT_HOST, "look at what was changed, then try again",
	    "%s was changed meanwhile", s->shown);
}

/* Is it still the file, and still as it was? */
static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The value goes in between the bytes as they are. */
static int
compose_bytes(struct swap *s, const char *value, struct fault *f)
{
	const struct envfile *e = s->e;
	const size_t n = strlen(value);
	const size_t after = e->at + e->value_len;

	s->len = e->len - e->value_len + n;
	if (s->len > ENVFILE_MAX)
		return fault_set(f, FAULT_HOST, "make it smaller",
		    "%s would become larger than %d bytes", s->shown, ENVFILE_MAX);
	if ((s->bytes = malloc(s->len)) == NULL)
		return fail(s, "memory", f);
	memcpy(s->bytes, e->bytes, e->at);
	memcpy(s->bytes + e->at, value, n);
	memcpy(s->bytes + e->at + n, e->bytes + after, e->len - after);
	return 0;
}

/* Opens the folder, the old file and a new one beside it. */
static int
start(struct swap *s, const char *id, struct fault *f)
{
	struct stat st;

	if ((s->dir = envpath_folder(s->e->path)) == -1)
		return fail(s, "its folder", f);
	s->old = openat(s->dir, s->base,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (s->old == -1 && errno != ENOENT && errno != ELOOP)
		return fail(s, "read", f);
	if (s->old == -1 || fstat(s->old, &st) == -1 || !same(&st, &s->e->st))
		return refuse_changed(s, f);
	if ((size_t)snprintf(s->name, sizeof(s->name), "%s" ENVPATH_INFIX "%s", s->base,
		id) >= sizeof(s->name)) {
		errno = ENAMETOOLONG;
		return fail(s, "temp file", f);
	}
	s->temp = openat(s->dir, s->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->temp == -1)
		return fail(s, "temp file", f);
	s->made = true;
	if (file_write(s->temp, s->bytes, s->len) == -1)
		return fail(s, "write", f);
	return 0;
}

/* Labels that only the kernel or root may give; the new file has its own. */
static bool
may_lack(const char *attr)
{
	if (errno == ENODATA || errno == ENOTSUP)
		return true;
	return strncmp(attr, "security.", 9) == 0 && (errno == EPERM || errno == EACCES);
}

static int
copy_attr(const struct swap *s, const char *attr, char *buf)
{
	ssize_t n = fgetxattr(s->old, attr, buf, XATTR_SIZE_MAX);

	if (n != -1 && fsetxattr(s->temp, attr, buf, (size_t)n, 0) == 0)
		return 0;
	return may_lack(attr) ? 0 : -1;
}

static int
copy_attrs(const struct swap *s, char *names, char *buf)
{
	static const char acl[] = "system.posix_acl_access";
	const char *p;
	ssize_t n;

	/* the folder's default ACL is not the old file's: it would let others in */
	if (fremovexattr(s->temp, acl) == -1 && !may_lack(acl))
		return -1;
	if ((n = flistxattr(s->old, names, XATTR_LIST_MAX)) == -1)
		return may_lack("") ? 0 : -1;
	for (p = names; p < names + n; p += strlen(p) + 1)
		if (copy_attr(s, p, buf) == -1)
			return -1;
	return 0;
}

/* Makes the new file like the old one; its mode last, for that opens it up. */
static int
dress(struct swap *s, struct fault *f)
{
	const struct stat *old = &s->e->st;
	char *names = malloc(XATTR_LIST_MAX), *buf = malloc(XATTR_SIZE_MAX);
	int copied = -1;

	if (names != NULL && buf != NULL)
		copied = copy_attrs(s, names, buf);
	if (copied == -1)
		fail(s, "extended attributes", f);
	free(names);
	free(buf);
	if (copied == -1)
		return -1;
	if (fstat(s->temp, &s->st) == -1)
		return fail(s, "fstat", f);
	if ((s->st.st_uid != old->st_uid || s->st.st_gid != old->st_gid) &&
	    fchown(s->temp, old->st_uid, old->st_gid) == -1)
		return fail(s, "owner and group", f);
	if (fchmod(s->temp, old->st_mode & 07777) == -1)
		return fail(s, "mode", f);
	return 0;
}

static int
seal(struct swap *s, struct fault *f)
{
	int fd = s->temp;

	if (fsync(fd) == -1 || fstat(fd, &s->st) == -1)
		return fail(s, "fsync", f);
	s->temp = -1;
	/* interrupted, it is closed all the same, and it is on the disk */
	if (close(fd) == -1 && errno != EINTR)
		return fail(s, "close", f);
	return 0;
}

/* From here on the struct speaks of the new file. */
static void
adopt(struct swap *s, const char *value)
{
	struct envfile *e = s->e;
	struct stat st;

	freezero(e->bytes, e->len);
	e->bytes = s->bytes;
	e->len = s->len;
	s->bytes = NULL;
	e->value_len = strlen(value);
	memcpy(e->value, value, e->value_len + 1);
	e->st = s->st;
	/* the rename moved its ctime; if it is another's by now, that shows later */
	if (fstatat(s->dir, s->base, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	s->st.st_ctim = st.st_ctim;
	if (same(&st, &s->st))
		e->st = st;
}

static int
commit(struct swap *s, const char *value, struct fault *f)
{
	struct stat st;

	if (fstatat(s->dir, s->base, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !same(&st, &s->e->st))
		return refuse_changed(s, f);
	if (renameat(s->dir, s->name, s->dir, s->base) == -1)
		return fail(s, "rename", f);
	s->made = false;
	adopt(s, value);
	if (fsync(s->dir) == -1)
		return fault_set(f, FAULT_HOST, "look at the disk: dmesg",
		    "%s was replaced, but its folder could not be synced: %s", s->shown,
		    strerror(errno));
	return 0;
}

static void
finish(struct swap *s)
{
	if (s->made)
		unlinkat(s->dir, s->name, 0);
	if (s->temp != -1)
		close(s->temp);
	if (s->old != -1)
		close(s->old);
	if (s->dir != -1)
		close(s->dir);
	freezero(s->bytes, s->bytes == NULL ? 0 : s->len);
}

/* Both come from this program, checked long before. */
static bool
is_sound(const char *value, const char *id)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:/+-";
	const size_t n = strlen(value);

	return n > 0 && n < ENVFILE_VALUE_MAX && strspn(value, plain) == n &&
	    *id != '\0' && strchr(id, '/') == NULL;
}

int
envfile_replace(struct envfile *e, const char *value, const char *id, struct fault *f)
{
	struct swap s = { .e = e,
		.base = envpath_base(e->path),
		.dir = -1,
		.old = -1,
		.temp = -1 };
	int result = -1;

	if (!is_sound(value, id))
		return fault_set(f, FAULT_BUG, "please report this",
		    "a value for the env file that is no version");
	text_escape(s.shown, sizeof(s.shown), e->path, strlen(e->path));
	if (compose_bytes(&s, value, f) == 0 && start(&s, id, f) == 0 &&
	    dress(&s, f) == 0 && seal(&s, f) == 0)
		result = commit(&s, value, f);
	finish(&s);
	return result;
}
