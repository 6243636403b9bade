/*
 * twilight-deploy: an SSH forced command that deploys versions of services.
 *
 * main() makes the process safe, in this order, and calls cli_main():
 *
 *   1. descriptors 0 to 2 are open, all others are closed
 *   2. refuse to run setuid or setgid
 *   3. files are created for the owner only; no core dumps, no ptrace(2)
 *   4. the environment is data: read by name, never inherited
 *   5. SIGPIPE is ignored: a closed reader is an error of write(2)
 */
#include "cli/cli.h"
#include "sys/fault.h"
#include "sys/log.h"
#include "sys/signals.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <bsd/unistd.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file opened later, such as the lock, must not become descriptor 0, 1 or 2. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd == -1)
		_exit(FAULT_HOST);
	close(fd);
	closefrom(STDERR_FILENO + 1);
}

static void
refuse_setuid(void)
{
	static const char words[] = "twilight-deploy: refusing to run setuid or setgid; "
				    "chmod ug-s it\n";

	if (getuid() == geteuid() && getgid() == getegid())
		return;
	(void)!write(STDERR_FILENO, words, strlen(words));
	_exit(FAULT_HOST);
}

static void
protect_files_and_memory(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
main(int argc, char **argv)
{
	static char *nothing[] = { NULL };
	char **env = environ;

	open_standard_descriptors();
	refuse_setuid();
	protect_files_and_memory();
	environ = nothing;
	signals_tame();
	log_open("twilight-deploy");
	return cli_main(argc, argv, env);
}
