#include "engine/compose/host.h"

#include "engine/compose/inspect.h"
#include "state/member.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define UNIX "unix://"
#define SOCKET "/var/run/docker.sock"

static int
take_address(struct compose *c, const char *address, struct fault *f)
{
	char safe[128], host[sizeof(UNIX) + sizeof(c->api.path)];

	if (strncmp(address, UNIX, strlen(UNIX)) != 0 ||
	    strlcpy(c->api.path, address + strlen(UNIX), sizeof(c->api.path)) >=
		sizeof(c->api.path))
		return fault_set(f, FAULT_HOST,
		    "run twilight-deploy on the host of the engine, with DOCKER_HOST unset "
		    "or unix://...",
		    "the Docker engine %s is not a Unix socket of this host",
		    text_escape(safe, sizeof(safe), address, strlen(address)));
	snprintf(host, sizeof(host), UNIX "%s", c->api.path);
	return childenv_set(&c->docker.env, "DOCKER_HOST", host, f);
}

/* currentContext of config.json (docker/cli cli/config/configfile); "" for none. */
static void
configured_context(struct compose *c, char *out, size_t size)
{
	const char *dir = env_get(c->docker.env.list, "DOCKER_CONFIG");
	const char *home = env_get(c->docker.env.list, "HOME");
	char path[PATH_MAX];
	json_t *doc;

	if (dir != NULL)
		snprintf(path, sizeof(path), "%s/config.json", dir);
	else
		snprintf(path, sizeof(path), "%s/.docker/config.json",
		    home == NULL ? "" : home);
	doc = json_load_file(path, 0, NULL);
	(void)strlcpy(out, member_text(doc, "currentContext"), size);
	json_decref(doc);
}

static int
take_context(struct compose *c, const char *context, struct fault *f)
{
	const char *const argv[] = { "docker", "context", "inspect", "--format",
		"{{.Endpoints.docker.Host}}", context, NULL };
	struct run_result res;
	char address[256];

	if (docker_look(&c->docker, argv, &res, f) == -1)
		return -1;
	(void)strlcpy(address, docker_output(&res), sizeof(address));
	address[strcspn(address, "\n")] = '\0';
	run_free(&res);
	return take_address(c, address, f);
}

int
host_find(struct compose *c, struct fault *f)
{
	const char *host = env_get(c->docker.env.list, "DOCKER_HOST");
	const char *context = env_get(c->docker.env.list, "DOCKER_CONTEXT");
	char configured[128];

	if (c->api.path[0] != '\0')
		return 0;
	if (host != NULL && *host != '\0')
		return take_address(c, host, f);
	if (context == NULL || *context == '\0') {
		configured_context(c, configured, sizeof(configured));
		context = configured;
	}
	if (*context == '\0' || strcmp(context, "default") == 0)
		return take_address(c, UNIX SOCKET, f);
	return take_context(c, context, f);
}
