#include "engine/inspect.h"

#include <bsd/string.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* State.Status, github.com/moby/moby api/types/container */
static const char *const states[CONTAINER__MAX] = {
	[CONTAINER_GONE] = "gone",
	[CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_PAUSED] = "paused",
	[CONTAINER_REMOVING] = "removing",
	[CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};

int
inspect_fault(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_HOST,
	    "check that the docker and compose versions match",
	    "cannot understand the answer of docker (%s)", what);
}

const char *
inspect_text(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s == NULL ? "" : s;
}

static bool
take(const json_t *obj, const char *key, char *out, size_t size)
{
	return strlcpy(out, inspect_text(obj, key), size) < size;
}

static enum container_state
state_of(const char *word)
{
	int i;

	for (i = 0; i < CONTAINER__MAX; i++)
		if (strcmp(states[i], word) == 0)
			return (enum container_state)i;
	return CONTAINER_DEAD;
}

int64_t
inspect_time(const char *s)
{
	struct tm tm;
	const char *rest;
	int64_t ms = 0, scale = 100;

	memset(&tm, 0, sizeof(tm));
	rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	/* "0001-01-01T00:00:00Z" is docker's never */
	if (rest == NULL || tm.tm_year < 70)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			ms += (*rest - '0') * scale;
	return *rest == 'Z' ? (int64_t)timegm(&tm) * 1000 + ms : 0;
}

int
inspect_container(const json_t *doc, struct container *c, struct fault *f)
{
	const json_t *state = json_object_get(doc, "State");
	const char *name = inspect_text(doc, "Name");
	bool whole;

	memset(c, 0, sizeof(*c));
	whole = take(doc, "Id", c->id, sizeof(c->id)) &&
	    take(doc, "Image", c->image, sizeof(c->image)) &&
	    take(json_object_get(doc, "Config"), "Image", c->ref, sizeof(c->ref)) &&
	    take(state, "StartedAt", c->started, sizeof(c->started)) &&
	    strlcpy(c->name, name + (*name == '/'), sizeof(c->name)) < sizeof(c->name);
	c->state = state_of(inspect_text(state, "Status"));
	c->started_ms = inspect_time(c->started);
	c->restarts = json_integer_value(json_object_get(doc, "RestartCount"));
	c->exit_code = json_integer_value(json_object_get(state, "ExitCode"));
	c->oom_killed = json_is_true(json_object_get(state, "OOMKilled"));
	return whole && c->id[0] != '\0' && c->image[0] != '\0'
	    ? 0
	    : inspect_fault("container", f);
}

/* depends_on: {"db": {"condition": "service_healthy"}}; compose-go types.go */
static void
take_depends(const json_t *service, struct service *s)
{
	json_t *depends = json_object_get(service, "depends_on"), *value;
	struct depend *d;
	const char *key;

	json_object_foreach (depends, key, value) {
		if (s->n_depends == SERVICE_DEPENDS_MAX)
			return;
		d = &s->depends[s->n_depends++];
		(void)strlcpy(d->service, key, sizeof(d->service));
		d->completes = strcmp(inspect_text(value, "condition"),
				   "service_completed_successfully") == 0;
	}
}

int
inspect_service(const char *json, size_t len, const char *name, struct service *s,
    struct fault *f)
{
	json_t *doc = json_loadb(json, len, 0, NULL);
	const json_t *service = json_object_get(json_object_get(doc, "services"), name);
	int rc = 0;

	memset(s, 0, sizeof(*s));
	if (!json_is_object(doc) || !take(doc, "name", s->project, sizeof(s->project)) ||
	    s->project[0] == '\0')
		rc = inspect_fault("config", f);
	else if (service == NULL)
		rc = fault_set(f, FAULT_HOST, "see TWILIGHT_SERVICE",
		    "the compose file has no service %s", name);
	else if (!take(service, "image", s->ref, sizeof(s->ref)) || s->ref[0] == '\0')
		rc = fault_set(f, FAULT_HOST,
		    "give it `image: ...:${TWILIGHT_VERSION:?}`",
		    "service %s of the compose file has no image", name);
	else
		take_depends(service, s);
	json_decref(doc);
	return rc;
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
