/*
 * bun FILE: in images for deploy/examples/ghosthands it is the demo service, as the API
 * or as the worker, whose behaviour may be another.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	const char *behaviour = getenv("WORKER_BEHAVIOUR");
	int worker = argc > 1 && strstr(argv[1], "/workers/") != NULL;

	setenv("SERVICE_PORT", worker ? "3101" : "3100", 1);
	if (worker && behaviour != NULL)
		setenv("SERVICE_BEHAVIOUR", behaviour, 1);
	execl("/service", "/service", (char *)NULL);
	return 127;
}
