/*
 * account FILE COMMAND...: runs the command and writes "CODE MS CPU_MS KIB" to FILE: its exit
 * code, wall time, processor time with that of its children, and the largest resident set
 * among them.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long
account_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static long
ms_of(struct timeval tv)
{
	return tv.tv_sec * 1000L + tv.tv_usec / 1000;
}

int
main(int argc, char **argv)
{
	long began = account_ms();
	struct rusage ru;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3)
		errx(2, "usage: account FILE COMMAND...");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		err(127, "%s", argv[2]);
	}
	if (wait4(pid, &status, 0, &ru) == -1)
		err(1, "wait4");
	if ((f = fopen(argv[1], "w")) == NULL)
		err(1, "%s", argv[1]);
	fprintf(f, "%d %ld %ld %ld\n",
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	    account_ms() - began, ms_of(ru.ru_utime) + ms_of(ru.ru_stime), ru.ru_maxrss);
	return fclose(f) == 0 ? 0 : 1;
}
