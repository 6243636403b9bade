/*
 * release.h: what runs, or is to run: a tag, and for each service of a target
 * the immutable thing that the tag resolved to.  An empty string means that it
 * is not known; an empty instance in the `from` of a journal, that no container
 * ran (the blind engine cannot tell).
 */
#ifndef STATE_RELEASE_H
#define STATE_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

#define SERVICES_MAX 8
#define SERVICE_MAX 64
#define TAG_MAX 129 /* docker's grammar: 128 bytes, and NUL */
#define REFERENCE_MAX 512
#define REVISION_MAX 256 /* an image id, a digest, the ARN of a task definition */
#define INSTANCE_MAX 80  /* a container's id */
#define DESIRED_MAX 512

/* One service of a release. */
struct part {
	char service[SERVICE_MAX];     /* "" in a record of 0.1: its only service */
	char reference[REFERENCE_MAX]; /* by which the engine resolves the tag */
	char revision[REVISION_MAX];   /* what it resolved to */
	char instance[INSTANCE_MAX];   /* what ran of it when it was observed */
	char previous[REVISION_MAX];   /* what the reference meant before prepare */
	char desired[DESIRED_MAX];     /* the engine's own text: what a reboot starts */
	bool served;                   /* the instance ran when it was observed */
};

struct release {
	char tag[TAG_MAX];
	size_t n;
	struct part part[SERVICES_MAX];
};

/*
 * The part of a service, or NULL.  A part without a name is that of any service,
 * and "" asks for the first part.
 */
const struct part *release_part(const struct release *, const char *service);

/*
 * What tells releases apart: the revision of each service, in whichever order they
 * stand, with the tag where one of them is unknown.  The tag alone where none is
 * known; "" where that is unknown too.  The name of an only service does not count:
 * records of 0.1 have none.  Returns `key`.
 */
#define RELEASE_KEY_MAX (TAG_MAX + SERVICES_MAX * (SERVICE_MAX + REVISION_MAX))
const char *release_key(const struct release *, char key[RELEASE_KEY_MAX]);

/* Have both the same key?  Two of which nothing is known are not the same. */
bool release_same(const struct release *, const struct release *);

/* Gives the parts without a name (of a record of 0.1) this one. */
void release_name_parts(struct release *, const char *service);

/* The tag of a reference, "" when it has none. */
void release_tag_of(const char *reference, char tag[TAG_MAX]);

#endif
