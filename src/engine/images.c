#include "engine/images.h"

#include "engine/call.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int
images_id(struct engine *e, const char *ref, char id[IMAGE_ID_MAX], struct fault *f)
{
	const char *const argv[] = { "docker", "image", "inspect", "--format", "{{.Id}}",
		ref, NULL };
	struct compose *c = e->self;
	struct run_result res;
	int rc = 0;

	id[0] = '\0';
	if (call_any(c, argv, &res, f) == -1)
		return -1;
	if (res.status == 0 && res.out != NULL) {
		res.out[strcspn(res.out, "\n")] = '\0';
		(void)strlcpy(id, res.out, IMAGE_ID_MAX);
	} else if (strcasestr(res.err, "no such image") == NULL)
		rc = call_fault(argv, &res, c, NULL, f);
	run_free(&res);
	return rc;
}

/* docker lists what is on its hub without the registry's name. */
static const char *
familiar(const char *repository)
{
	static const char *const prefixes[] = { "docker.io/library/", "docker.io/" };
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(repository, prefixes[i], strlen(prefixes[i])) == 0)
			return repository + strlen(prefixes[i]);
	return repository;
}

/* A line is "REPOSITORY:TAG ID". */
static bool
take_name(char *line, struct image_name *name)
{
	char *space = strchr(line, ' ');

	if (space == NULL || strstr(line, "<none>") != NULL)
		return false;
	*space = '\0';
	return strlcpy(name->ref, line, sizeof(name->ref)) < sizeof(name->ref) &&
	    strlcpy(name->image, space + 1, sizeof(name->image)) < sizeof(name->image);
}

/* Takes the lines of `text` that are names; 0, or -1 when out of memory. */
static int
take_names(char *text, struct image_name **list, size_t *n)
{
	size_t lines = 1;
	char *line;

	for (line = text; line != NULL && (line = strchr(line, '\n')) != NULL; line++)
		lines++;
	*list = calloc(lines, sizeof(**list));
	if (*list == NULL)
		return -1;
	while (text != NULL && (line = strsep(&text, "\n")) != NULL)
		if (take_name(line, &(*list)[*n]))
			(*n)++;
	return 0;
}

/* Another project's container may run what has the same repository. */
static int
mark_used(struct engine *e, struct image_name *list, size_t n, struct fault *f)
{
	static const char *const argv[] = { "docker", "ps", "-a", "--no-trunc",
		"--format", "{{.Image}}", NULL };
	struct run_result res;
	char *rest, *line;
	size_t i;

	if (call_look(e->self, argv, &res, f) == -1)
		return -1;
	rest = res.out;
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		for (i = 0; i < n; i++)
			if (strcmp(list[i].ref, line) == 0)
				list[i].used = true;
	run_free(&res);
	return 0;
}

int
images_names(struct engine *e, const char *repository, struct image_name **list,
    size_t *n, struct fault *f)
{
	char filter[REF_MAX + 16];
	const char *const argv[] = { "docker", "image", "ls", "--no-trunc", "--format",
		"{{.Repository}}:{{.Tag}} {{.ID}}", "--filter", filter, NULL };
	struct run_result res;
	int rc;

	*list = NULL;
	*n = 0;
	snprintf(filter, sizeof(filter), "reference=%s", familiar(repository));
	if (call_look(e->self, argv, &res, f) == -1)
		return -1;
	rc = take_names(res.out, list, n);
	run_free(&res);
	if (rc == -1)
		fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	if (rc == -1 || mark_used(e, *list, *n, f) == -1) {
		free(*list);
		*list = NULL;
		return -1;
	}
	return 0;
}

int
images_root(struct engine *e, char *path, size_t size, struct fault *f)
{
	static const char *const argv[] = { "docker", "info", "--format",
		"{{.DockerRootDir}}", NULL };
	struct compose *c = e->self;
	const char *host = env_get(c->env.list, "DOCKER_HOST");
	struct run_result res;

	path[0] = '\0';
	/* a daemon elsewhere keeps its images elsewhere */
	if (host != NULL && strncmp(host, "unix://", 7) != 0)
		return 0;
	if (call_look(c, argv, &res, f) == -1)
		return -1;
	if (res.out != NULL && res.out[0] == '/') {
		res.out[strcspn(res.out, "\n")] = '\0';
		(void)strlcpy(path, res.out, size);
	}
	run_free(&res);
	return 0;
}

int
images_name(struct engine *e, const char *id, const char *ref, struct fault *f)
{
	struct compose *c = e->self;
	const char *const argv[] = { "docker", "image", "tag", id, ref, NULL };

	return call_move(c, argv, "tag", c->target->call_limit, false, f);
}

int
images_unname(struct engine *e, const char *ref, struct fault *f)
{
	struct compose *c = e->self;
	const char *const argv[] = { "docker", "image", "rm", ref, NULL };
	struct run_result res;

	if (call_look(c, argv, &res, f) == -1)
		return -1;
	run_free(&res);
	return 0;
}

int
images_prune(struct engine *e, struct fault *f)
{
	static const char *const argv[] = { "docker", "image", "prune", "-f", "--filter",
		"until=168h", NULL };
	struct run_result res;

	if (call_look(e->self, argv, &res, f) == -1)
		return -1;
	run_free(&res);
	return 0;
}
