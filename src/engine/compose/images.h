/*
 * images.h: images and their references on this host.  Reads use the Engine API, changes
 * `docker image`.
 */
#ifndef ENGINE_COMPOSE_IMAGES_H
#define ENGINE_COMPOSE_IMAGES_H

#include "engine/compose/compose.h"

struct image_name {
	char reference[REFERENCE_MAX]; /* repository:tag */
	char id[REVISION_MAX];
	bool used; /* a container, of any project, was created from this name */
};

/* The id of the image that a reference or id names; "": it is not on this host. */
int images_id(struct compose *, const char *reference, char id[REVISION_MAX],
    struct fault *) MUST_CHECK;

/* Tags the image `id` with `reference`, unless it is so already. */
int images_tag(struct compose *, const char *id, const char *reference,
    struct fault *) MUST_CHECK;

/*
 * The same for undo: an image that is not on this host is no fault, and a failure is
 * FAULT_HOST, so that it is tried again.
 */
int images_tag_again(struct compose *, const char *id, const char *reference,
    struct fault *) MUST_CHECK;

/* All references REPOSITORY:TAG of `repository`; the caller frees *list. */
int images_names(struct compose *, const char *repository, struct image_name **list,
    size_t *n, struct fault *) MUST_CHECK;

/* Removes the references; docker refuses the last one of an image in use. */
int images_untag(struct compose *, const struct image_name *, size_t n,
    struct fault *) MUST_CHECK;

/* struct engine's */
int images_identify(struct engine *, const struct part *, struct identity *,
    struct fault *) MUST_CHECK;
int images_places(struct engine *, void (*place)(void *, const char *), void *arg,
    struct fault *) MUST_CHECK;

#endif
