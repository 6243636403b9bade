/*
 *            deploy                                   rollback (verb)
 *              |                                             |
 *              v                                             |
 *   none --> PULL --names put back--> none                   |
 *              |  \                                          |
 *       image  |   \ a boot's own `up` took                  |
 *       known  |    \ what was pulled                        |
 *              v     \                                       v
 *            SWAP <---\--------------------------------------+
 *              |  \    \
 *   healthy,   |   \    |  anything fails, or recovery says so
 *   history    |    v   v
 *   written    |  ROLLBACK --gate passed or not, history written--> none
 *              v
 *            none
 *
 * MUST: a step is on disk before what it announces is begun.
 * MUST: the history has the deploy's id before the journal is cleared; so a
 *       journal whose id is in the history says nothing any more.
 * MUST: from ROLLBACK there is no way back to SWAP.
 * MUST NOT: hold anything of .env but the variable's own value.
 */
#include "state/journal.h"

#include "sys/file.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL "journal"
#define JOURNAL_VERSION 1
#define JOURNAL_SIZE_MAX (64 * 1024)

static const char *const step_names[JOURNAL__MAX] = {
	[JOURNAL_PULL] = "pull",
	[JOURNAL_SWAP] = "swap",
	[JOURNAL_VERIFY] = "verify",
	[JOURNAL_ROLLBACK] = "rolling back",
};

static const char by_hand[] = "put .env and the container right by hand, "
			      "then remove the file `journal` from the state folder";

const char *
journal_step_name(enum journal_step step)
{
	return step < JOURNAL__MAX ? step_names[step] : "unknown";
}

/*
 * The folder's fsync(2) comes after the rename: a first journal that was not
 * written for certain may be there, and would make the next request recover what was
 * never begun.
 */
static int
not_written(int dirfd, bool first, int error, struct fault *f)
{
	if (first && file_remove(dirfd, JOURNAL) == -1)
		return fault_set(f, FAULT_HOST,
		    "see the disk of the state folder; the next request recovers from it",
		    "the journal was neither written for certain (%s) nor removed (%s)",
		    strerror(error), strerror(errno));
	return fault_set(f, FAULT_HOST, "see the disk of the state folder",
	    "cannot write the journal in the state folder: %s", strerror(error));
}

int
journal_write(int dirfd, const struct journal *j, struct fault *f)
{
	json_t *doc =
	    json_pack("{si ss ss ss sb sb s{ss ss ss} s{ss ss ss} ss ss ss sI ss ss}",
		"v", JOURNAL_VERSION, "id", j->id, "verb", j->verb, "step",
		journal_step_name(j->step), "silent", (int)j->blind, "served",
		(int)j->served, "from", "tag", j->from.tag, "image", j->from.image, "ref",
		j->from.ref, "to", "tag", j->to.tag, "image", j->to.image, "ref",
		j->to.ref, "container", j->container, "displaced", j->displaced,
		"old_value", j->old_value, "seq", (json_int_t)j->seq, "actor", j->actor,
		"time", j->time);
	char *text = doc == NULL ? NULL : json_dumps(doc, JSON_INDENT(1));
	bool first = faccessat(dirfd, JOURNAL, F_OK, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
	int rc, error;

	json_decref(doc);
	if (text == NULL)
		return fault_set(f, FAULT_HOST, "free some memory",
		    "cannot write the journal: out of memory");
	rc = file_replace(dirfd, JOURNAL, text, strlen(text));
	error = errno;
	free(text);
	return rc == 0 ? 0 : not_written(dirfd, first, error, f);
}

/* A string member into a buffer of fixed size; false where it does not fit. */
static bool
take(const json_t *obj, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s != NULL && strlcpy(out, s, size) < size;
}

static bool
take_version(const json_t *obj, struct version *v)
{
	return take(obj, "tag", v->tag, sizeof(v->tag)) &&
	    take(obj, "image", v->image, sizeof(v->image)) &&
	    take(obj, "ref", v->ref, sizeof(v->ref));
}

static bool
take_step(const json_t *obj, enum journal_step *step)
{
	const char *s = json_string_value(json_object_get(obj, "step"));
	int i;

	for (i = 0; s != NULL && i < JOURNAL__MAX; i++)
		if (strcmp(s, step_names[i]) == 0) {
			*step = (enum journal_step)i;
			return true;
		}
	return false;
}

static bool
take_all(const json_t *doc, struct journal *j)
{
	const json_t *blind = json_object_get(doc, "silent");
	const json_t *served = json_object_get(doc, "served");

	j->blind = json_is_true(blind);
	j->seq = json_integer_value(json_object_get(doc, "seq"));
	/* journals of 0.1 have no such member */
	j->served = served == NULL || json_is_true(served);
	return json_is_boolean(blind) && j->seq >= 0 && take_step(doc, &j->step) &&
	    take(doc, "id", j->id, sizeof(j->id)) &&
	    take(doc, "verb", j->verb, sizeof(j->verb)) &&
	    take_version(json_object_get(doc, "from"), &j->from) &&
	    take_version(json_object_get(doc, "to"), &j->to) &&
	    take(doc, "container", j->container, sizeof(j->container)) &&
	    take(doc, "displaced", j->displaced, sizeof(j->displaced)) &&
	    take(doc, "old_value", j->old_value, sizeof(j->old_value)) &&
	    take(doc, "actor", j->actor, sizeof(j->actor)) &&
	    take(doc, "time", j->time, sizeof(j->time));
}

int
journal_read(int dirfd, struct journal *j, struct fault *f)
{
	json_int_t version;
	json_t *doc;
	char *bytes;
	size_t len;
	bool good;

	memset(j, 0, sizeof(*j));
	if (file_read(dirfd, JOURNAL, JOURNAL_SIZE_MAX, &bytes, &len) == -1) {
		if (errno == ENOENT)
			return 0;
		return fault_set(f, FAULT_HOST, by_hand, "cannot read the journal: %s",
		    strerror(errno));
	}
	doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	version = json_integer_value(json_object_get(doc, "v"));
	good = version == JOURNAL_VERSION && take_all(doc, j);
	json_decref(doc);
	if (good)
		return 1;
	if (version > JOURNAL_VERSION)
		return fault_set(f, FAULT_HOST, "use the newer program that wrote it",
		    "the journal is of version %lld, this program knows %d",
		    (long long)version, JOURNAL_VERSION);
	return fault_set(f, FAULT_HOST, by_hand,
	    "the journal of an interrupted deploy is damaged");
}

void
journal_sweep(int dirfd)
{
	file_sweep(dirfd, JOURNAL);
}

int
journal_clear(int dirfd, struct fault *f)
{
	if (file_remove(dirfd, JOURNAL) == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "see the disk of the state folder",
	    "cannot clear the journal: %s", strerror(errno));
}
