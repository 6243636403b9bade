/*
 * host.h: the socket of the Docker engine.
 */
#ifndef ENGINE_COMPOSE_HOST_H
#define ENGINE_COMPOSE_HOST_H

#include "engine/compose/compose.h"

/*
 * Finds its path as docker's command line does: DOCKER_HOST, else the context of
 * DOCKER_CONTEXT or of docker's config.json, else /var/run/docker.sock.  Children get it
 * as DOCKER_HOST.  FAULT_HOST if the engine is on another host (tcp://, ssh://).
 */
int host_find(struct compose *, struct fault *) MUST_CHECK;

#endif
