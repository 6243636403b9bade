/*
 * version.h: what can run: a tag, the image behind it, the reference by
 * which compose names it.  Any of them may be empty: not known.
 */
#ifndef STATE_VERSION_H
#define STATE_VERSION_H

#define TAG_MAX 129     /* docker's grammar: 128 bytes, and NUL */
#define IMAGE_ID_MAX 80 /* "sha256:" and 64 hex digits */
#define REF_MAX 512

struct version {
	char tag[TAG_MAX];
	char image[IMAGE_ID_MAX];
	char ref[REF_MAX];
};

#endif
