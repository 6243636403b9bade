#include "engine/compose/inspect.h"

#include "state/member.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEX "0123456789abcdef"
#define COMMIT_LABEL "org.opencontainers.image.revision"

int
inspect_fault(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "check that the docker and compose versions match",
	    "cannot understand the answer of docker (%s)", what);
}

json_t *
inspect_load(const char *bytes, size_t len)
{
	return bytes == NULL ? NULL : json_loadb(bytes, len, JSON_ALLOW_NUL, NULL);
}

static enum instance_state
state_named(const char *word)
{
	int i;

	for (i = 0; i < INSTANCE__MAX; i++)
		if (strcmp(engine_state_name((enum instance_state)i), word) == 0)
			return (enum instance_state)i;
	return INSTANCE_DEAD;
}

int64_t
inspect_time(const char *s)
{
	struct tm tm;
	const char *rest;
	int64_t ms = 0, scale = 100;

	memset(&tm, 0, sizeof(tm));
	rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	/* docker's "0001-01-01T00:00:00Z" means never */
	if (rest == NULL || tm.tm_year < 70)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			ms += (*rest - '0') * scale;
	return *rest == 'Z' ? (int64_t)timegm(&tm) * 1000 + ms : 0;
}

/* The first one of its networks; GET /containers/ID/json, NetworkSettings.Networks */
static void
take_network_address(const json_t *networks, char *out, size_t size)
{
	const char *name, *address;
	const json_t *network;

	json_object_foreach ((json_t *)networks, name, network) {
		address = member_text(network, "IPAddress");
		if (address[0] == '\0')
			address = member_text(network, "GlobalIPv6Address");
		if (address[0] != '\0' && strlcpy(out, address, size) < size)
			return;
	}
	out[0] = '\0';
}

int
inspect_container(const json_t *doc, struct instance *c, struct fault *f)
{
	const json_t *state = json_object_get(doc, "State");
	const json_t *from = json_object_get(doc, "Config");
	const char *name = member_text(doc, "Name");

	memset(c, 0, sizeof(*c));
	if (!member_string(doc, "Id", c->id, sizeof(c->id)) || c->id[0] == '\0' ||
	    !member_string(doc, "Image", c->revision, sizeof(c->revision)) ||
	    c->revision[0] == '\0' ||
	    !member_string(from, "Image", c->reference, sizeof(c->reference)) ||
	    !member_string(state, "StartedAt", c->started, sizeof(c->started)) ||
	    strlcpy(c->name, name + (*name == '/'), sizeof(c->name)) >= sizeof(c->name))
		return inspect_fault("container", f);
	c->state = state_named(member_text(state, "Status"));
	c->started_ms = inspect_time(c->started);
	c->restarts = json_integer_value(json_object_get(doc, "RestartCount"));
	c->exit_code = json_integer_value(json_object_get(state, "ExitCode"));
	take_network_address(json_object_get(json_object_get(doc, "NetworkSettings"),
				 "Networks"),
	    c->address, sizeof(c->address));
	c->oom_killed = json_is_true(json_object_get(state, "OOMKilled"));
	return 0;
}

/* "REPOSITORY@sha256:HEX" */
static void
take_digest(const char *named, struct identity *id)
{
	size_t len = strlen(id->repository);
	const char *digest = named + len + 1;

	if (id->n == DIGESTS_MAX || strncmp(named, id->repository, len) != 0 ||
	    named[len] != '@' || strncmp(digest, "sha256:", 7) != 0 ||
	    strlen(digest) != 7 + 64 || digest[7 + strspn(digest + 7, HEX)] != '\0')
		return;
	(void)strlcpy(id->digest[id->n++], digest, DIGEST_MAX);
}

void
inspect_identity(const json_t *doc, const char *repository, struct identity *id)
{
	const json_t *labels = json_object_get(json_object_get(doc, "Config"), "Labels");
	const char *commit = member_text(labels, COMMIT_LABEL);
	size_t len = strlen(commit), i;
	const json_t *named;

	memset(id, 0, sizeof(*id));
	(void)strlcpy(id->repository, repository, sizeof(id->repository));
	json_array_foreach (json_object_get(doc, "RepoDigests"), i, named) {
		take_digest(member_value(named), id);
	}
	if (len >= COMMIT_MIN && len < COMMIT_MAX && strspn(commit, HEX) == len)
		(void)strlcpy(id->commit, commit, sizeof(id->commit));
	else
		id->odd = json_string_length(json_object_get(labels, COMMIT_LABEL)) > 0;
}

int
inspect_project(const json_t *doc, char *out, size_t size, struct fault *f)
{
	return member_string(doc, "name", out, size) && out[0] != '\0'
	    ? 0
	    : inspect_fault("config", f);
}

/* depends_on: {"db": {"condition": "service_healthy"}}; compose-go types.go */
static void
take_depends(const json_t *service, struct resolved *r)
{
	json_t *depends = json_object_get(service, "depends_on"), *value;
	struct depend *d;
	const char *key;

	json_object_foreach (depends, key, value) {
		if (r->n_depends == DEPENDS_MAX)
			return;
		d = &r->depends[r->n_depends++];
		(void)strlcpy(d->service, key, sizeof(d->service));
		d->completes = strcmp(member_text(value, "condition"),
				   "service_completed_successfully") == 0;
	}
}

/* ports: [{"target": 8080, "published": "8081", "protocol": "tcp"}] */
static void
take_ports(const json_t *service, struct resolved *r)
{
	const json_t *port;
	struct port *p;
	size_t i;

	json_array_foreach (json_object_get(service, "ports"), i, port) {
		if (r->n_ports == PORTS_MAX)
			return;
		if (strcmp(member_text(port, "protocol"), "udp") == 0)
			continue;
		p = &r->ports[r->n_ports++];
		snprintf(p->target, sizeof(p->target), "%lld",
		    json_integer_value(json_object_get(port, "target")));
		(void)strlcpy(p->published, member_text(port, "published"),
		    sizeof(p->published));
	}
}

/* networks: {"default": null, "front": {"ipv4_address": "172.30.9.9"}} */
static void
take_fixed_address(const json_t *service, struct resolved *r)
{
	const char *name, *address;
	json_t *network;

	json_object_foreach (json_object_get(service, "networks"), name, network) {
		address = member_text(network, "ipv4_address");
		if (address[0] == '\0')
			address = member_text(network, "ipv6_address");
		if (address[0] != '\0')
			(void)strlcpy(r->address, address, sizeof(r->address));
	}
}

/* volumes: [{"type": "volume", "source": "data", "target": "/data"}]; not a tmpfs */
static void
take_shared(const json_t *service, struct resolved *r)
{
	const json_t *volume;
	const char *source;
	size_t i;

	json_array_foreach (json_object_get(service, "volumes"), i, volume) {
		source = member_text(volume, "source");
		if (source[0] == '\0')
			continue;
		(void)strlcat(r->shared, r->shared[0] == '\0' ? "" : ", ",
		    sizeof(r->shared));
		(void)strlcat(r->shared, source, sizeof(r->shared));
	}
}

/* `scale`, which wins, and deploy.replicas; compose-go types.go, GetScale() */
static long long
scale_of(const json_t *service)
{
	const json_t *scale = json_object_get(service, "scale");

	if (scale == NULL)
		scale = json_object_get(json_object_get(service, "deploy"), "replicas");
	return json_is_integer(scale) ? json_integer_value(scale) : 1;
}

static bool
pulls_always(const json_t *service)
{
	return strcmp(member_text(service, "pull_policy"), "always") == 0;
}

int
inspect_service(const json_t *doc, const char *name, struct resolved *r, struct fault *f)
{
	const json_t *service = json_object_get(json_object_get(doc, "services"), name);
	long long scale;

	memset(r, 0, sizeof(*r));
	if (service == NULL)
		return fault_set(f, FAULT_HOST,
		    "set `services` to services of the compose file",
		    "the compose file has no service %s", name);
	scale = scale_of(service);
	/* with 0 an `up` removes the container that runs */
	if (scale != 1)
		return fault_set(f, FAULT_HOST, "scale it to one",
		    "the compose file scales service %s to %lld", name, scale);
	if (!member_string(service, "image", r->reference, sizeof(r->reference)) ||
	    r->reference[0] == '\0')
		return fault_set(f, FAULT_HOST,
		    "give it `image: REPOSITORY:${VARIABLE:?}`",
		    "service %s of the compose file has no image", name);
	r->pulls = pulls_always(service);
	take_depends(service, r);
	take_ports(service, r);
	take_fixed_address(service, r);
	take_shared(service, r);
	(void)strlcpy(r->network_mode, member_text(service, "network_mode"),
	    sizeof(r->network_mode));
	return 0;
}

void
inspect_job(const json_t *doc, const char *name, struct resolved *r)
{
	const json_t *service = json_object_get(json_object_get(doc, "services"), name);

	memset(r, 0, sizeof(*r));
	(void)member_string(service, "image", r->reference, sizeof(r->reference));
	r->pulls = pulls_always(service);
}

bool
inspect_compose_is(const char *s, long major, long minor)
{
	long got_major, got_minor;
	char *end;

	while (*s != '\0' && (*s < '0' || *s > '9'))
		s++;
	got_major = strtol(s, &end, 10);
	if (end == s || *end != '.')
		return false;
	got_minor = strtol(end + 1, NULL, 10);
	return got_major > major || (got_major == major && got_minor >= minor);
}
