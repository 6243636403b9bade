/*
 * mask.h: what .env holds, made unreadable in text that is to be shown.
 *
 * docker and compose quote values in their errors and warnings, a container
 * in its log.  Every value of .env on a line of its own is replaced by stars,
 * and every piece of one that is letters, digits, '_', '.', '+' and '-', of six
 * and more bytes; those of TWILIGHT_ and COMPOSE_ variables are not secret and
 * stay.  So do the plain words of a comment that assigns nothing: docker gets none
 * of them, and without "version" and "connection" nothing could be read.
 */
#ifndef STATE_MASK_H
#define STATE_MASK_H

#include "sys/fault.h"

#include <stddef.h>

struct mask {
	char *bytes; /* the words, one after the other, NUL between; owned */
	size_t len;
};

/* A file that cannot be read hides nothing: others say what is wrong with it. */
int mask_load(struct mask *, const char *env_file, struct fault *) MUST_CHECK;

/* In place; the length stays. */
void mask_apply(const struct mask *, char *text);

void mask_free(struct mask *);

#endif
