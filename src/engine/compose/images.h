/*
 * images.h: images and their references on this host: looks over the Engine API,
 * changes by `docker image`.
 */
#ifndef ENGINE_COMPOSE_IMAGES_H
#define ENGINE_COMPOSE_IMAGES_H

#include "engine/compose/compose.h"

struct image_name {
	char reference[REFERENCE_MAX]; /* repository:tag */
	char id[REVISION_MAX];
	bool used; /* a container, anybody's, was created from this name */
};

/* The id behind a reference or id; "" when the host has none. */
int images_id(struct compose *, const char *reference, char id[REVISION_MAX],
    struct fault *) MUST_CHECK;

/* Lets `reference` mean the image `id`, if it does not. */
int images_tag(struct compose *, const char *id, const char *reference,
    struct fault *) MUST_CHECK;

/*
 * The same when something is undone: an image that is gone cannot be tagged, and
 * that is no fault.  FAULT_HOST: to be tried again.
 */
int images_tag_again(struct compose *, const char *id, const char *reference,
    struct fault *) MUST_CHECK;

/* All names below `repository`; *list is malloc'd, the caller's. */
int images_names(struct compose *, const char *repository, struct image_name **list,
    size_t *n, struct fault *) MUST_CHECK;

/* Removes the names, but for those of images that a container needs. */
int images_untag(struct compose *, const struct image_name *, size_t n,
    struct fault *) MUST_CHECK;

/* struct engine's */
int images_places(struct engine *, void (*place)(void *, const char *), void *arg,
    struct fault *) MUST_CHECK;

#endif
