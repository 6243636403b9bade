#include "sys/deadline.h"

#include <limits.h>
#include <time.h>

int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
deadline_in(int64_t ms)
{
	return clock_ms() + ms;
}

int64_t
deadline_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left > 0 ? left : 0;
}

int
deadline_poll(int64_t deadline, int64_t most)
{
	int64_t left = deadline_left(deadline);

	if (left > most)
		left = most;
	return left > INT_MAX ? INT_MAX : (int)left;
}
