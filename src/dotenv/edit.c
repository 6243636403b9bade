/*
 * MUST
 *
 *  - have the old bytes or the new ones, whole, under the name, at every instant and
 *    after every crash: the new ones are on the disk before the rename;
 *  - let nobody read the new file who could not read the old one: it is created 0600,
 *    and its mode is set last;
 *  - not undo a person's edit: editors do not take the lock, so the file is compared
 *    with what was read just before the rename;
 *  - leave no temporary file after a failure, and remove none that it did not create;
 *  - quote nothing of the content but the variable's value.
 */
#include "dotenv/edit.h"

#include "dotenv/file.h"
#include "sys/file.h"

#include <sys/xattr.h>
#include <bsd/stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INFIX ".twilight-deploy." /* between base name and id of a temporary file */

struct edit {
	struct dotenv_file old; /* locked */
	struct dotenv_place place;
	int dir;
	int temp;
	bool made;               /* the temporary file exists and is ours */
	char name[NAME_MAX + 1]; /* of it */
	char *bytes;             /* the new ones */
	size_t len;
};

static int
not_replaced(const struct edit *e, const char *doing, struct fault *f)
{
	const char *next = "nothing was changed; fix the cause, then try again";

	if (errno == ENOSPC || errno == EDQUOT)
		next =
		    "nothing was changed; free some space on that disk, then try again";
	else if (errno == EBUSY)
		next = "it is a mount point: mount its folder instead of the file";
	else if (errno == EEXIST)
		next = "check the temporary file beside it, then remove it";
	return fault_set(f, FAULT_HOST, next, "cannot replace %s: %s: %s", e->old.shown,
	    doing, strerror(errno));
}

static int
new_bytes(struct edit *e, const char *value, struct fault *f)
{
	const struct dotenv_file *old = &e->old;
	const size_t at = e->place.at, after = at + e->place.len, n = strlen(value);

	e->len = old->len - e->place.len + n;
	if (e->len > DOTENV_MAX)
		return fault_set(f, FAULT_HOST, "make it smaller",
		    "%s would become larger than %d bytes", old->shown, DOTENV_MAX);
	if ((e->bytes = malloc(e->len)) == NULL)
		return not_replaced(e, "memory", f);
	memcpy(e->bytes, old->bytes, at);
	memcpy(e->bytes + at, value, n);
	memcpy(e->bytes + at + n, old->bytes + after, old->len - after);
	return 0;
}

static int
write_temp(struct edit *e, const char *id, struct fault *f)
{
	const int n = snprintf(e->name, sizeof(e->name), "%s" INFIX "%s", e->old.base,
	    id);

	errno = ENAMETOOLONG;
	if ((size_t)n < sizeof(e->name))
		e->temp = openat(e->dir, e->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (e->temp == -1)
		return not_replaced(e, "temporary file", f);
	e->made = true;
	if (file_write(e->temp, e->bytes, e->len) == -1)
		return not_replaced(e, "write", f);
	return 0;
}

/* Only the kernel or root may set security labels; the new file has its own. */
static bool
may_lack(const char *attr)
{
	if (errno == ENODATA || errno == ENOTSUP)
		return true;
	return strncmp(attr, "security.", 9) == 0 && (errno == EPERM || errno == EACCES);
}

static int
copy_attr(const struct edit *e, const char *attr, char *buf)
{
	ssize_t n = fgetxattr(e->old.fd, attr, buf, XATTR_SIZE_MAX);

	if (n != -1 && fsetxattr(e->temp, attr, buf, (size_t)n, 0) == 0)
		return 0;
	return may_lack(attr) ? 0 : -1;
}

static int
copy_attrs(const struct edit *e, char *names, char *buf)
{
	static const char acl[] = "system.posix_acl_access";
	const char *p;
	ssize_t n;

	/* created with the folder's default ACL, which may let others in */
	if (fremovexattr(e->temp, acl) == -1 && !may_lack(acl))
		return -1;
	if ((n = flistxattr(e->old.fd, names, XATTR_LIST_MAX)) == -1)
		return may_lack("") ? 0 : -1;
	for (p = names; p < names + n; p += strlen(p) + 1)
		if (copy_attr(e, p, buf) == -1)
			return -1;
	return 0;
}

/* The mode is last: until then nobody else can open the file. */
static int
copy_owner_and_mode(const struct edit *e, struct fault *f)
{
	const struct stat *old = &e->old.st;
	struct stat st;

	if (fstat(e->temp, &st) == -1)
		return not_replaced(e, "fstat", f);
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
	    fchown(e->temp, old->st_uid, old->st_gid) == -1)
		return not_replaced(e, "owner and group", f);
	if (fchmod(e->temp, old->st_mode & 07777) == -1)
		return not_replaced(e, "mode", f);
	return 0;
}

static int
copy_attributes(const struct edit *e, struct fault *f)
{
	char *names = malloc(XATTR_LIST_MAX), *buf = malloc(XATTR_SIZE_MAX);
	int result = -1;

	if (names != NULL && buf != NULL)
		result = copy_attrs(e, names, buf);
	if (result == -1)
		not_replaced(e, "extended attributes", f);
	free(names);
	free(buf);
	return result == -1 ? -1 : copy_owner_and_mode(e, f);
}

/* Is it the same file, unchanged since it was read? */
static bool
is_unchanged(const struct edit *e)
{
	const struct stat *a = &e->old.st;
	struct stat b;

	return fstatat(e->dir, e->old.base, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a->st_dev == b.st_dev && a->st_ino == b.st_ino && a->st_size == b.st_size &&
	    a->st_mtim.tv_sec == b.st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b.st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

static int
sync_folder(const struct edit *e, struct fault *f)
{
	if (fsync(e->dir) == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "check the disk (dmesg)",
	    "%s was replaced, but its folder could not be synced: %s", e->old.shown,
	    strerror(errno));
}

static int
rename_temp(struct edit *e, struct fault *f)
{
	const int fd = e->temp;

	if (fsync(fd) == -1)
		return not_replaced(e, "fsync", f);
	e->temp = -1;
	/* after EINTR it is closed too; the bytes are on the disk */
	if (close(fd) == -1 && errno != EINTR)
		return not_replaced(e, "close", f);
	if (!is_unchanged(e))
		return fault_set(f, FAULT_HOST, "check what was changed, then try again",
		    "%s was changed meanwhile", e->old.shown);
	if (renameat(e->dir, e->name, e->dir, e->old.base) == -1)
		return not_replaced(e, "rename", f);
	e->made = false;
	return sync_folder(e, f);
}

/* Reads under the lock and checks the value.  `done`: it is the new one already. */
static int
read_expected(struct edit *e, const char *variable, const char *expected,
    const char *value, bool *done, struct fault *f)
{
	char is[DOTENV_VALUE_MAX];

	if (dotenv_file_lock(&e->old, f) == -1 ||
	    dotenv_file_value(&e->old, variable, &e->place, is, f) == -1)
		return -1;
	if ((e->dir = dotenv_file_folder(&e->old)) == -1)
		return not_replaced(e, "its folder", f);
	*done = strcmp(is, value) == 0;
	if (*done || strcmp(is, expected) == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "check what was changed, then try again",
	    "somebody else changed %s in %s: it is %.96s now", variable, e->old.shown,
	    is);
}

static void
end_edit(struct edit *e)
{
	if (e->made)
		unlinkat(e->dir, e->name, 0);
	if (e->temp != -1)
		close(e->temp);
	if (e->dir != -1)
		close(e->dir);
	freezero(e->bytes, e->bytes == NULL ? 0 : e->len);
	/* the lock is last */
	dotenv_file_close(&e->old);
}

/* The callers have checked both. */
static bool
is_sound(const char *value, const char *id)
{
	const size_t n = strlen(value);

	return n > 0 && n < DOTENV_VALUE_MAX && strspn(value, DOTENV_VALUE_BYTES) == n &&
	    *id != '\0' && strchr(id, '/') == NULL;
}

int
dotenv_replace(const char *path, const char *variable, const char *expected,
    const char *value, const char *id, struct fault *f)
{
	struct edit e = { .dir = -1, .temp = -1 };
	bool done = false;
	int result = -1;

	if (!is_sound(value, id))
		return fault_set(f, FAULT_BUG, "please report this",
		    "not a value for an env file");
	if (dotenv_file_open(&e.old, path, f) == 0 &&
	    read_expected(&e, variable, expected, value, &done, f) == 0) {
		if (done)
			result = sync_folder(&e, f);
		else if (new_bytes(&e, value, f) == 0 && write_temp(&e, id, f) == 0 &&
		    copy_attributes(&e, f) == 0)
			result = rename_temp(&e, f);
	}
	end_edit(&e);
	return result;
}

/* ---- temporary files of killed processes ---- */

static void
sweep_folder(DIR *folder, const char *prefix)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(folder)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (S_ISREG(st.st_mode) && st.st_uid == geteuid())
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
}

static void
sweep_beside(const struct dotenv_file *e)
{
	char prefix[NAME_MAX + sizeof(INFIX)];
	const int fd = dotenv_file_folder(e);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);

	if (folder != NULL) {
		snprintf(prefix, sizeof(prefix), "%s" INFIX, e->base);
		sweep_folder(folder, prefix);
		closedir(folder);
	} else if (fd != -1)
		close(fd);
}

void
dotenv_sweep(const char *path)
{
	struct fault none = { 0 };
	struct dotenv_file e;
	const bool opened = dotenv_file_open(&e, path, &none) == 0;

	/* nobody edits a file that cannot be opened */
	if (e.path != NULL && (!opened || dotenv_file_lock(&e, &none) == 0))
		sweep_beside(&e);
	dotenv_file_close(&e);
}
