#include "engine/inspect.h"

#include <bsd/string.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* docker's words, github.com/moby/moby api/types/container */
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

static int
not_understood(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_HOST, "see that docker and compose are of one age",
	    "cannot understand what docker says (%s)", what);
}

static const char *
text(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s == NULL ? "" : s;
}

static bool
take(const json_t *obj, const char *key, char *out, size_t size)
{
	return strlcpy(out, text(obj, key), size) < size;
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

static bool
take_container(const json_t *obj, struct container *c)
{
	const json_t *state = json_object_get(obj, "State");
	const char *name = text(obj, "Name");
	bool whole;

	memset(c, 0, sizeof(*c));
	whole = take(obj, "Id", c->id, sizeof(c->id)) &&
	    take(obj, "Image", c->image, sizeof(c->image)) &&
	    take(json_object_get(obj, "Config"), "Image", c->ref, sizeof(c->ref)) &&
	    take(state, "StartedAt", c->started, sizeof(c->started)) &&
	    strlcpy(c->name, name + (*name == '/'), sizeof(c->name)) < sizeof(c->name);
	c->state = state_of(text(state, "Status"));
	c->started_ms = inspect_time(c->started);
	c->restarts = json_integer_value(json_object_get(obj, "RestartCount"));
	c->exit_code = json_integer_value(json_object_get(state, "ExitCode"));
	c->oom_killed = json_is_true(json_object_get(state, "OOMKilled"));
	return whole && c->id[0] != '\0' && c->image[0] != '\0';
}

int
inspect_containers(const char *json, size_t len, struct container *list, size_t max,
    size_t *n, struct fault *f)
{
	json_t *doc = json_loadb(json, len, 0, NULL);
	size_t i;
	int rc = 0;

	*n = json_array_size(doc);
	if (*n > max)
		*n = max;
	if (!json_is_array(doc))
		rc = not_understood("inspect", f);
	for (i = 0; rc == 0 && i < *n; i++)
		if (!take_container(json_array_get(doc, i), &list[i]))
			rc = not_understood("inspect", f);
	json_decref(doc);
	return rc;
}

static void
take_depends(const json_t *service, struct service *s)
{
	json_t *depends = json_object_get(service, "depends_on"), *value;
	const char *key;

	json_object_foreach (depends, key, value)
		if (s->n_depends < SERVICE_DEPENDS_MAX)
			(void)strlcpy(s->depends[s->n_depends++], key,
			    sizeof(s->depends[0]));
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
		rc = not_understood("config", f);
	else if (service == NULL)
		rc = fault_set(f, FAULT_HOST, "see TWILIGHT_SERVICE",
		    "the compose file has no service %s", name);
	else if (!take(service, "image", s->ref, sizeof(s->ref)) || s->ref[0] == '\0')
		rc = fault_set(f, FAULT_HOST, "give it `image: ...:${TWILIGHT_VERSION:?}`",
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
