#include "engine/compose/images.h"

#include "engine/compose/inspect.h"
#include "state/member.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
images_id(struct compose *c, const char *reference, char id[REVISION_MAX],
    struct fault *f)
{
	char target[API_TARGET_MAX] = "/images/";
	json_t *doc;
	int rc = 0;

	id[0] = '\0';
	if (reference[0] == '\0')
		return 0;
	api_append(target, sizeof(target), reference);
	(void)strlcat(target, "/json", sizeof(target));
	if (api_get(&c->api, target, "Id", &doc, f) == -1)
		return -1;
	if (doc != NULL &&
	    strlcpy(id, member_text(doc, "Id"), REVISION_MAX) >= REVISION_MAX)
		rc = inspect_fault("image", f);
	json_decref(doc);
	return rc;
}

int
images_tag(struct compose *c, const char *id, const char *reference, struct fault *f)
{
	const char *const argv[] = { "docker", "image", "tag", id, reference, NULL };
	char now[REVISION_MAX];

	if (images_id(c, reference, now, f) == -1)
		return -1;
	if (strcmp(now, id) == 0)
		return 0;
	return docker_detach(&c->docker, argv, "tag", c->docker.target->call_limit, false,
	    f);
}

int
images_tag_again(struct compose *c, const char *id, const char *reference,
    struct fault *f)
{
	char here[REVISION_MAX];

	if (id[0] == '\0' || reference[0] == '\0')
		return 0;
	if (images_id(c, id, here, f) == -1)
		return -1;
	if (here[0] == '\0' || images_tag(c, id, reference, f) == 0)
		return 0;
	f->kind = FAULT_HOST;
	return -1;
}

/* docker lists images of Docker Hub without the registry's name. */
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

int
images_identify(struct engine *e, const struct part *p, struct identity *id,
    struct fault *f)
{
	struct compose *c = e->self;
	char target[API_TARGET_MAX] = "/images/", repository[REFERENCE_MAX];
	const char *colon = strrchr(p->reference, ':');
	json_t *doc;

	snprintf(repository, sizeof(repository), "%.*s",
	    colon == NULL ? 0 : (int)(colon - p->reference), p->reference);
	api_append(target, sizeof(target), p->revision);
	(void)strlcat(target, "/json", sizeof(target));
	if (api_get(&c->api, target, "Id", &doc, f) == -1)
		return -1;
	inspect_identity(doc, familiar(repository), id);
	json_decref(doc);
	return 0;
}

/* Is `ref` REPOSITORY:TAG? */
static bool
is_below(const char *ref, const char *repository)
{
	size_t len = strlen(repository);

	return strncmp(ref, repository, len) == 0 && ref[len] == ':';
}

/* Was a container, of any project, created from this reference? */
static bool
is_used(const char *ref, const json_t *containers)
{
	const json_t *item;
	size_t i;

	json_array_foreach (containers, i, item) {
		if (strcmp(member_text(item, "Image"), ref) == 0)
			return true;
	}
	return false;
}

/* Counts the references of `repository`, and fills the list if there is one. */
static size_t
take_names(const json_t *images, const json_t *containers, const char *repository,
    struct image_name *list)
{
	const json_t *image, *tag;
	const char *ref;
	size_t n = 0, i, j;

	json_array_foreach (images, i, image) {
		json_array_foreach (json_object_get(image, "RepoTags"), j, tag) {
			ref = member_value(tag);
			if (!is_below(ref, repository))
				continue;
			if (list != NULL) {
				(void)strlcpy(list[n].reference, ref,
				    sizeof(list[n].reference));
				(void)strlcpy(list[n].id, member_text(image, "Id"),
				    sizeof(list[n].id));
				list[n].used = is_used(ref, containers);
			}
			n++;
		}
	}
	return n;
}

int
images_names(struct compose *c, const char *repository, struct image_name **list,
    size_t *n, struct fault *f)
{
	char target[API_TARGET_MAX] = "/images/json?filters=";
	json_t *images = NULL, *containers = NULL;
	int rc = 0;

	*list = NULL;
	*n = 0;
	repository = familiar(repository);
	api_append(target, sizeof(target), "{\"reference\":[\"");
	api_append(target, sizeof(target), repository);
	api_append(target, sizeof(target), "\"]}");
	if (api_get(&c->api, target, NULL, &images, f) == -1 ||
	    api_get(&c->api, "/containers/json?all=1", NULL, &containers, f) == -1)
		rc = -1;
	else if ((*n = take_names(images, containers, repository, NULL)) > 0) {
		*list = calloc(*n, sizeof(**list));
		if (*list == NULL)
			rc = fault_memory(f);
		else
			take_names(images, containers, repository, *list);
	}
	json_decref(images);
	json_decref(containers);
	return rc;
}

/* GET /info, DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] */
static bool
is_containerd_store(const json_t *info)
{
	static const char type[] = "io.containerd.snapshotter";
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(info, "DriverStatus"), i, pair)
		if (strncmp(member_value(json_array_get(pair, 1)), type,
			sizeof(type) - 1) == 0)
			return true;
	return false;
}

int
images_places(struct engine *e, void (*place)(void *, const char *), void *arg,
    struct fault *f)
{
	struct compose *c = e->self;
	const char *root;
	json_t *info;

	if (api_get(&c->api, "/info", "DockerRootDir", &info, f) == -1)
		return -1;
	root = member_text(info, "DockerRootDir");
	if (root[0] == '/')
		place(arg, root);
	/* containerd's default folder; this store is the default of engine 29 */
	if (is_containerd_store(info))
		place(arg, "/var/lib/containerd");
	json_decref(info);
	return 0;
}

int
images_untag(struct compose *c, const struct image_name *list, size_t n, struct fault *f)
{
	const char **argv = calloc(n + 4, sizeof(*argv));
	struct run_result res;
	size_t i;
	int rc;

	if (argv == NULL)
		return fault_memory(f);
	argv[0] = "docker";
	argv[1] = "image";
	argv[2] = "rm";
	for (i = 0; i < n; i++)
		argv[i + 3] = list[i].reference;
	/* docker keeps an image in use and removes the others: any exit status is good */
	rc = docker_run(&c->docker, argv, &res, f);
	if (rc == 0)
		run_free(&res);
	free(argv);
	return rc;
}
