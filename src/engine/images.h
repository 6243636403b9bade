/*
 * images.h: the functions of struct engine that are about images.
 */
#ifndef ENGINE_IMAGES_H
#define ENGINE_IMAGES_H

#include "engine/engine.h"

int images_id(struct engine *, const char *ref, char id[IMAGE_ID_MAX],
    struct fault *) MUST_CHECK;
int images_names(struct engine *, const char *repository, struct image_name **list,
    size_t *n, struct fault *) MUST_CHECK;
int images_places(struct engine *, void (*place)(void *, const char *), void *arg,
    struct fault *) MUST_CHECK;
int images_name(struct engine *, const char *id, const char *ref,
    struct fault *) MUST_CHECK;
int images_unname(struct engine *, const struct image_name *, size_t n,
    struct fault *) MUST_CHECK;
int images_prune(struct engine *, struct fault *) MUST_CHECK;

#endif
