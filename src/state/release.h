/*
 * release.h: a release: a tag, and for each service of a target the immutable thing that
 * the tag resolved to.  An empty string means unknown.  An empty instance in the `from`
 * of a journal means that no container ran (the blind engine cannot tell).
 */
#ifndef STATE_RELEASE_H
#define STATE_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

#define SERVICES_MAX 8
#define SERVICE_MAX 64
#define TAG_MAX 129 /* docker allows 128 bytes */
#define REFERENCE_MAX 512
#define REVISION_MAX 256 /* an image id, a digest, the ARN of a task definition */
#define DIGEST_MAX 80    /* "sha256:" and 64 digits */
#define INSTANCE_MAX 80  /* a container's id */
#define DESIRED_MAX 512

/* One service of a release. */
struct part {
	char service[SERVICE_MAX];     /* "" in a record of 0.1 */
	char reference[REFERENCE_MAX]; /* the name that the engine resolves */
	char revision[REVISION_MAX];   /* what it resolved to */
	char digest[DIGEST_MAX];       /* by which a registry knows it */
	char instance[INSTANCE_MAX];   /* the container that was observed */
	char previous[REVISION_MAX];   /* what the reference meant before prepare */
	char desired[DESIRED_MAX]; /* what a reboot would start, in the engine's form */
	bool served;               /* the instance was running */
};

struct release {
	char tag[TAG_MAX];
	size_t n;
	struct part part[SERVICES_MAX];
};

/* Is the revision of each of its services known?  False for one without services. */
bool release_is_resolved(const struct release *);

/* The part of that service, or NULL.  Parts are found by name: their order varies. */
const struct part *release_part(const struct release *, const char *service);

/* Have both the same reference and revision? */
bool release_part_same(const struct part *, const struct part *);

/*
 * What tells releases apart: the revisions of all services, in any order; with the tag,
 * if one of them is unknown; the tag alone, if all are; "", if that is too.  The name of
 * an only service does not count, because records of 0.1 have none.  Returns `key`.
 */
#define RELEASE_KEY_MAX (TAG_MAX + SERVICES_MAX * (SERVICE_MAX + REVISION_MAX))
const char *release_key(const struct release *, char key[RELEASE_KEY_MAX]);

/* Have both the same key?  Two unknown releases are not the same. */
bool release_same(const struct release *, const struct release *);

/*
 * Gives the part without a name, in a release of format 1, that of the first service of
 * the target.  To be called before release_part() for releases of journal and history.
 */
void release_name_parts(struct release *, const char *service);

/* The tag of a reference; "": it has none. */
void release_tag_of(const char *reference, char tag[TAG_MAX]);

#endif
