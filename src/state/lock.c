#include "state/lock.h"

#include "sys/file.h"
#include "sys/text.h"

#include <sys/stat.h>
#include <bsd/libutil.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLDER_MAX 256
#define READS_MAX 10

/*
 * N of ", pid N" in the holder's line, or 0.  The last one counts: the name of an actor,
 * which precedes it, may contain such text too.
 */
static pid_t
holder_pid(const char *line)
{
	const char *at = line;
	long pid = 0;

	while ((at = strstr(at, ", pid ")) != NULL)
		pid = strtol(at += 6, NULL, 10);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* The holder's line and PID.  The line of a process that has ended is not returned. */
static pid_t
read_holder(const char *path, char *out, size_t size)
{
	pid_t pid = 0;
	char *bytes;
	size_t len;

	out[0] = '\0';
	if (file_read(AT_FDCWD, path, HOLDER_MAX, &bytes, &len) == -1)
		return 0;
	bytes[strcspn(bytes, "\n")] = '\0';
	pid = holder_pid(bytes);
	if (pid != 0 && kill(pid, 0) == -1 && errno == ESRCH)
		pid = 0;
	else
		text_escape(out, size, bytes, strlen(bytes));
	free(bytes);
	return pid;
}

static int
busy(const char *path, struct fault *f)
{
	char holder[HOLDER_MAX];

	(void)read_holder(path, holder, sizeof(holder));
	return fault_set(f, FAULT_BUSY, "`status` shows it; try again when it has ended",
	    "deploy already running%s%s%s", holder[0] == '\0' ? "" : " (", holder,
	    holder[0] == '\0' ? "" : ")");
}

static int
refuse_lock(const char *path, struct fault *f)
{
	char safe[256];

	return fault_set(f, FAULT_HOST, "check the setting `lock`",
	    "%s is not a lock file of this user",
	    text_escape(safe, sizeof(safe), path, strlen(path)));
}

/*
 * Another user could hold a lock file of his own for ever.  A file with several links
 * may have another purpose, and the holder's line would overwrite it.
 */
static int
check_lock(const char *path, struct fault *f)
{
	struct stat st;

	/* it is created, or flopen(3) reports what is wrong */
	if (lstat(path, &st) == -1 || S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return 0;
	if (S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1)
		return 0;
	return refuse_lock(path, f);
}

/* A file with more text than a holder's line has another purpose. */
static bool
has_one_line_at_most(int fd)
{
	char bytes[HOLDER_MAX + 2];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	return n == 0 ||
	    (n > 0 && n < (ssize_t)sizeof(bytes) &&
		memchr(bytes, '\n', (size_t)n - 1) == NULL);
}

int
lock_take(const char *path, const char *holder, struct fault *f)
{
	char safe[256];
	int fd;

	if (check_lock(path, f) == -1)
		return -1;
	fd = flopen(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
	if (fd == -1 && errno == EWOULDBLOCK)
		return busy(path, f);
	if (fd == -1)
		return fault_set(f, FAULT_HOST, "check the setting `lock` and its folder",
		    "cannot take lock %s: %s",
		    text_escape(safe, sizeof(safe), path, strlen(path)), strerror(errno));
	if (!has_one_line_at_most(fd)) {
		close(fd);
		return refuse_lock(path, f);
	}
	/* without the line it works too: a full disk must not stop a rollback */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, holder, strlen(holder), 0);
	return fd;
}

void
lock_release(int fd)
{
	if (fd == -1)
		return;
	(void)!ftruncate(fd, 0);
	close(fd);
}

/*
 * proc_locks(5) lists "N: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE 0 EOF".  Taking the
 * lock to test it would make a deploy fail that starts at that moment.  The device is
 * not compared, because on overlay and btrfs it differs from that of stat(2).  Instead
 * the PID is, if the holder wrote one: another file may have the same inode number.
 */
static bool
is_listed(ino_t inode, pid_t pid)
{
	char line[256], *at, buf[8192];
	long locker;
	bool found = false;
	FILE *locks = fopen("/proc/locks", "re");

	if (locks == NULL)
		return false;
	/* a read(2) gives at most a page, about 70 locks, which are of one moment */
	(void)setvbuf(locks, buf, _IOFBF, sizeof(buf));
	while (!found && fgets(line, sizeof(line), locks) != NULL) {
		if (strstr(line, "FLOCK") == NULL || strstr(line, "->") != NULL)
			continue;
		at = strrchr(line, ':');
		found = at != NULL && strtoull(at + 1, NULL, 10) == inode &&
		    (pid == 0 ||
			(sscanf(line, "%*d: %*s %*s %*s %ld", &locker) == 1 &&
			    locker == pid));
	}
	fclose(locks);
	return found;
}

bool
lock_held(const char *path, char *holder, size_t size)
{
	struct stat st;
	pid_t pid;
	int i;

	holder[0] = '\0';
	if (stat(path, &st) == -1)
		return false;
	pid = read_holder(path, holder, size);
	/* of a longer list some are missing if an earlier one is released meanwhile */
	for (i = 0; i < READS_MAX; i++)
		if (is_listed(st.st_ino, pid))
			return true;
	holder[0] = '\0';
	return false;
}
