/*
 * stopwatch RUNS A... -- B...: runs two commands alternately, RUNS times each, and prints
 * "MEDIAN_US_A MEDIAN_US_B KIB_A KIB_B": the median wall time and the largest resident set.
 * Alternating, a machine that becomes slower affects both.  Output goes to /dev/null.
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 10000

static long
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static long
run(char **argv, long *kib)
{
	struct rusage ru;
	long began = now_us();
	pid_t pid = fork();
	int null, status;

	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid == -1 || wait4(pid, &status, 0, &ru) == -1 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 127) {
		fprintf(stderr, "stopwatch: %s did not run\n", argv[0]);
		exit(1);
	}
	if (ru.ru_maxrss > *kib)
		*kib = ru.ru_maxrss;
	return now_us() - began;
}

static int
order(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	static long us[2][RUNS_MAX];
	long kib[2] = { 0, 0 };
	int runs = argc > 1 ? atoi(argv[1]) : 0, i, b;

	for (b = 2; b < argc && strcmp(argv[b], "--") != 0; b++)
		continue;
	if (runs < 1 || runs > RUNS_MAX || b + 1 >= argc || b == 2) {
		fprintf(stderr, "usage: stopwatch RUNS A... -- B...\n");
		return 2;
	}
	argv[b] = NULL;
	for (i = -1; i < runs; i++) {
		long first = run(argv + 2, &kib[0]);
		long second = run(argv + b + 1, &kib[1]);

		/* the run before the first is a warm-up */
		if (i >= 0) {
			us[0][i] = first;
			us[1][i] = second;
		}
	}
	qsort(us[0], (size_t)runs, sizeof(long), order);
	qsort(us[1], (size_t)runs, sizeof(long), order);
	printf("%ld %ld %ld %ld\n", us[0][runs / 2], us[1][runs / 2], kib[0], kib[1]);
	return 0;
}
