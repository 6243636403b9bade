#include "sys/signals.h"

#include "sys/deadline.h"

#include <sys/signalfd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int signal_fd = -1;
static int stop; /* the first INT or TERM */

void
signals_tame(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

int
signals_init(struct fault *f)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &set, NULL) == -1 ||
	    (signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) == -1)
		return fault_set(f, FAULT_HOST,
		    "check the limit of open files (ulimit -n)",
		    "cannot watch signals: %s", strerror(errno));
	return 0;
}

int
signals_fd(void)
{
	return signal_fd;
}

int
signals_stop(void)
{
	struct signalfd_siginfo si;

	while (read(signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo != SIGCHLD && stop == 0)
			stop = (int)si.ssi_signo;
	return stop;
}

int
signals_wait(int64_t ms, int fd, bool stoppable)
{
	int64_t deadline = deadline_in(ms);
	struct pollfd pfd[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = stoppable ? signal_fd : -1, .events = POLLIN } };

	while ((!stoppable || signals_stop() == 0) && deadline_left(deadline) > 0)
		if (poll(pfd, 2, deadline_poll(deadline, 1000)) > 0 &&
		    pfd[0].revents != 0)
			break;
	return stoppable ? stop : 0;
}

void
signals_default(void)
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM,
		SIGCHLD, SIGXFSZ, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		signal(all[i], SIG_DFL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}
