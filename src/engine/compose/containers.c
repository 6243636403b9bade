#include "engine/compose/containers.h"

#include "state/member.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* compose's labels: github.com/docker/compose pkg/api/labels.go */
#define LABEL "com.docker.compose."

#define LOGS_MS 2000 /* for the log: a revert waits for it */

/* Sets `out` to `path`, "filters=" and {"label": [labels]}; takes over `labels`. */
static int
filter(char *out, size_t size, const char *path, json_t *labels, struct fault *f)
{
	json_t *doc = labels == NULL ? NULL : json_pack("{so}", "label", labels);
	char *text = doc == NULL ? NULL : json_dumps(doc, JSON_COMPACT);

	json_decref(doc);
	if (text == NULL)
		return fault_memory(f);
	snprintf(out, size, "%sfilters=", path);
	api_append(out, size, text);
	free(text);
	return 0;
}

/* GET /containers/json: the containers of a service with one more label. */
static int
list_by(struct compose *c, const char *service, const char *label, json_t **doc,
    struct fault *f)
{
	char target[API_TARGET_MAX], is_service[128];

	snprintf(is_service, sizeof(is_service), LABEL "service=%s", service);
	if (filter(target, sizeof(target), "/containers/json?all=1&",
		json_pack("[sss]", is_service, label, LABEL "oneoff=False"), f) == -1 ||
	    api_get(&c->api, target, NULL, doc, f) == -1)
		return -1;
	if (json_is_array(*doc))
		return 0;
	json_decref(*doc);
	return inspect_fault("containers", f);
}

static int
list_service(struct compose *c, const char *service, json_t **doc, struct fault *f)
{
	char is_project[192];

	snprintf(is_project, sizeof(is_project), LABEL "project=%s", c->project);
	return list_by(c, service, is_project, doc, f);
}

int
containers_labelled(struct compose *c, const char *label, struct oneoffs *out,
    struct fault *f)
{
	char target[API_TARGET_MAX];
	json_t *doc, *item;
	struct oneoff *o;
	int rc = 0;
	size_t i;

	out->n = 0;
	if (filter(target, sizeof(target), "/containers/json?all=1&",
		json_pack("[s]", label), f) == -1 ||
	    api_get(&c->api, target, NULL, &doc, f) == -1)
		return -1;
	if (!json_is_array(doc))
		rc = inspect_fault("containers", f);
	json_array_foreach (doc, i, item) {
		if (rc == -1 || out->n == SERVICES_MAX)
			break;
		o = &out->list[out->n++];
		if (!member_string(item, "Id", o->instance, sizeof(o->instance)) ||
		    !member_string(json_object_get(item, "Labels"), LABEL "service",
			o->service, sizeof(o->service)))
			rc = inspect_fault("containers", f);
	}
	json_decref(doc);
	return rc;
}

static int
look_at(struct compose *c, const char *id, struct instance *out, struct fault *f)
{
	char target[API_TARGET_MAX] = "/containers/";
	json_t *doc;
	int rc = 0;

	memset(out, 0, sizeof(*out)); /* INSTANCE_GONE */
	api_append(target, sizeof(target), id);
	(void)strlcat(target, "/json", sizeof(target));
	if (api_get(&c->api, target, "Id", &doc, f) == -1)
		return -1;
	if (doc != NULL)
		rc = inspect_container(doc, out, f);
	json_decref(doc);
	return rc;
}

int
containers_look(struct engine *e, const char *id, struct instance *out, struct fault *f)
{
	return look_at(e->self, id, out, f);
}

int
containers_list(struct compose *c, const char *service,
    struct instance list[CONTAINERS_MAX], size_t *n, struct fault *f)
{
	json_t *all, *item;
	size_t i;
	int rc = 0;

	*n = 0;
	if (list_service(c, service, &all, f) == -1)
		return -1;
	json_array_foreach (all, i, item) {
		if (*n == CONTAINERS_MAX || rc == -1)
			break;
		rc = look_at(c, member_text(item, "Id"), &list[*n], f);
		/* it may have been removed since the list was made */
		if (rc == 0 && list[*n].state != INSTANCE_GONE)
			(*n)++;
	}
	json_decref(all);
	return rc;
}

/* The project that all containers name; "": they differ, or there are none. */
static void
take_project(const json_t *containers, char *out, size_t size)
{
	const char *name;
	const json_t *item;
	size_t i;

	out[0] = '\0';
	json_array_foreach (containers, i, item) {
		name = member_text(json_object_get(item, "Labels"), LABEL "project");
		if (i == 0)
			(void)strlcpy(out, name, size);
		/* two projects of one compose file: either could be meant */
		else if (strcmp(name, out) != 0)
			out[0] = '\0';
	}
}

int
containers_locate(struct compose *c, bool *found, struct fault *f)
{
	const struct target *t = c->docker.target;
	char label[API_TARGET_MAX / 4], *colon;
	json_t *all, *utf8;
	size_t i;

	(void)strlcpy(c->project, t->project, sizeof(c->project));
	*found = c->project[0] != '\0';
	if ((size_t)snprintf(label, sizeof(label), LABEL "project.config_files=%s",
		c->docker.files) >= sizeof(label))
		return 0;
	/* labels are UTF-8: another path is not in them as it is */
	utf8 = json_string(label);
	json_decref(utf8);
	if (utf8 == NULL)
		return 0;
	for (colon = strchr(label, ':'); colon != NULL; colon = strchr(colon, ':'))
		*colon = ',';
	for (i = 0; !*found && i < t->n_services; i++) {
		if (list_by(c, t->service[i].name, label, &all, f) == -1)
			return -1;
		take_project(all, c->project, sizeof(c->project));
		json_decref(all);
		*found = c->project[0] != '\0';
	}
	return 0;
}

/* Does a container of the service run, or has it completed if that is required? */
static int
depend_runs(struct compose *c, const struct depend *d, bool *runs, struct fault *f)
{
	struct instance now;
	json_t *all, *item;
	size_t i;
	int rc = 0;

	*runs = false;
	if (list_service(c, d->service, &all, f) == -1)
		return -1;
	json_array_foreach (all, i, item) {
		if (rc == -1 || *runs)
			break;
		rc = look_at(c, member_text(item, "Id"), &now, f);
		*runs = now.state == INSTANCE_RUNNING ||
		    (d->completes && now.state == INSTANCE_EXITED && now.exit_code == 0);
	}
	json_decref(all);
	return rc;
}

int
containers_depends_run(struct compose *c, const struct resolved *r, bool *all,
    struct fault *f)
{
	size_t i;

	*all = true;
	for (i = 0; *all && i < r->n_depends; i++)
		if (depend_runs(c, &r->depends[i], all, f) == -1)
			return -1;
	return 0;
}

/* GET /events; https://docs.docker.com/reference/api/engine/ SystemEvents */
int
containers_watch(struct engine *e, const char *const *ids, size_t n)
{
	struct compose *c = e->self;
	char target[API_TARGET_MAX] = "/events?filters=";
	size_t i;

	api_append(target, sizeof(target), "{\"type\":[\"container\"],\"container\":[");
	for (i = 0; i < n; i++) {
		api_append(target, sizeof(target), i == 0 ? "\"" : ",\"");
		api_append(target, sizeof(target), ids[i]);
		api_append(target, sizeof(target), "\"");
	}
	api_append(target, sizeof(target), "]}");
	return api_stream(&c->api, &c->events, target) ? c->events.fd : -1;
}

/* The events are not parsed: a look finds the state that counts. */
bool
containers_changed(struct engine *e, int *fd)
{
	struct compose *c = e->self;
	bool changed = false;
	char buf[4096];
	ssize_t n = 0;

	while (c->events.fd != -1 &&
	    (n = http_stream_read(&c->events, buf, sizeof(buf))) > 0)
		changed = true;
	/* the stream ends when the engine stops: then only looks help */
	if (n == -1) {
		http_close(&c->events);
		*fd = -1;
	}
	return changed || n == -1;
}

static void
report_log(struct compose *c, const char *text, size_t len)
{
	const char *line = text, *end = text + len, *newline;
	char safe[480];

	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			newline = end;
		if (newline > line)
			progress_say(c->docker.progress, SAY_CHILD, "%s",
			    mask_show(&c->docker.mask, safe, sizeof(safe), line,
				(size_t)(newline - line), false));
	}
}

/*
 * The log of a container without a terminal consists of frames.  Each has a header of
 * eight bytes: the stream, three zeros, the length (big endian).  Removes the headers in
 * place, and returns the new length.  (ContainerAttach in the API's reference)
 */
static size_t
unframe(char *buf, size_t len)
{
	const unsigned char *head;
	size_t in = 0, out = 0, n;

	while (len - in >= 8 && (unsigned char)buf[in] <= 2 && buf[in + 1] == 0) {
		head = (const unsigned char *)buf + in;
		n = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 |
		    head[7];
		in += 8;
		if (n > len - in)
			n = len - in;
		memmove(buf + out, buf + in, n);
		in += n;
		out += n;
	}
	if (in == 0)
		return len; /* with a terminal: no frames */
	return out;
}

int
containers_evidence(struct engine *e, const char *id, struct fault *f)
{
	struct compose *c = e->self;
	char target[API_TARGET_MAX] = "/containers/", *text;
	size_t len;

	api_append(target, sizeof(target), id);
	(void)strlcat(target, "/logs?stdout=1&stderr=1&tail=20", sizeof(target));
	if (api_get_bytes(&c->api, target, LOGS_MS, &text, &len, f) == -1)
		return -1;
	if (text == NULL)
		return 0;
	report_log(c, text, unframe(text, len));
	free(text);
	return 0;
}
