/*
 * host.h: where the Docker engine listens.
 */
#ifndef ENGINE_COMPOSE_HOST_H
#define ENGINE_COMPOSE_HOST_H

#include "engine/compose/compose.h"

/*
 * The path of its socket, as docker's command line finds it: DOCKER_HOST, else
 * the context of DOCKER_CONTEXT or of docker's config.json, else
 * /var/run/docker.sock.  The children get it as DOCKER_HOST.  FAULT_HOST for an
 * engine that is not on this host (tcp://, ssh://).
 */
int host_find(struct compose *, struct fault *) MUST_CHECK;

#endif
