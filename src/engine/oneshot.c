/*
 * docker.h: the commands of services that are not deployed.
 */
#include "engine/docker.h"

int
docker_restart(struct docker *d, const char *const *services, struct fault *f)
{
	const char *argv[SERVICES_MAX + 5] = { "docker", "compose", "restart" };
	size_t n = 3;

	for (; *services != NULL && n < SERVICES_MAX + 3; services++)
		argv[n++] = *services;
	argv[n] = "--no-deps";
	return docker_detach(d, argv, "restart", d->target->up_limit, false, f);
}
