#include "child.h"

#include "state/uplock.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 1000
#define ROUND_US (20 * 1000)

const char *
child_wrote(const char *name)
{
	static char buf[1024];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd != -1)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

pid_t
child_pid_in(const char *name)
{
	int i;

	for (i = 0; i < ROUNDS && strchr(child_wrote(name), '\n') == NULL; i++)
		usleep(ROUND_US);
	ck_assert_msg(atol(child_wrote(name)) > 1, "no number in %s", name);
	return (pid_t)atol(child_wrote(name));
}

bool
child_gone(pid_t pid)
{
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	at = strrchr(child_wrote(path), ')');
	return at == NULL || at[1] == '\0' || strchr("ZX", at[2]) != NULL;
}

bool
child_gone_soon(pid_t pid)
{
	int i;

	for (i = 0; i < ROUNDS && !child_gone(pid); i++)
		usleep(ROUND_US);
	return child_gone(pid);
}

bool
child_none_detached(int dirfd)
{
	int fd = uplock_take(dirfd);

	if (fd == -1) {
		ck_assert_int_eq(errno, EWOULDBLOCK);
		return false;
	}
	close(fd);
	return true;
}

bool
child_none_detached_soon(int dirfd)
{
	int i;

	for (i = 0; i < ROUNDS && !child_none_detached(dirfd); i++)
		usleep(ROUND_US);
	return child_none_detached(dirfd);
}

void
child_forbid_kill(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

void
child_release(const char *fifo)
{
	/* O_RDWR, for one that is gone would never open its end */
	int fd = open(fifo, O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(write(fd, "\n", 1), 1);
}
