#include "state/freeze.h"

#include "state/member.h"
#include "sys/file.h"
#include "sys/text.h"

#include <sys/file.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREEZE "freeze"
#define FREEZE_SIZE_MAX (16 * 1024)

json_t *
freeze_object(const struct freeze *z)
{
	return json_pack("{ss ss ss so}", "reason", z->reason, "time", z->time, "until",
	    z->until, "who", member_of_who(&z->who));
}

/* Does the file have this text?  NULL: is there no file? */
static bool
is_changed(int dirfd, const char *text)
{
	char *bytes;
	size_t len;
	bool same;

	if (file_read(dirfd, FREEZE, FREEZE_SIZE_MAX, &bytes, &len) == -1)
		return text == NULL && errno == ENOENT;
	same = text != NULL && strcmp(bytes, text) == 0;
	free(bytes);
	return same;
}

static int
fail_change(int dirfd, const char *what, const char *text, int error, struct fault *f)
{
	/* then only the last fsync(2) failed */
	bool changed = is_changed(dirfd, text);

	return fault_set(f, changed ? FAULT_UNVERIFIED : FAULT_HOST,
	    "check the disk of the state folder",
	    "cannot %s the file freeze in the state folder%s: %s", what,
	    changed ? " durably" : "", strerror(error));
}

int
freeze_write(int dirfd, const struct freeze *z, struct fault *f)
{
	json_t *doc = freeze_object(z);
	char *text = NULL;
	int rc, error;

	if (json_object_set_new(doc, "v", json_integer(1)) == 0)
		text = json_dumps(doc, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	json_decref(doc);
	if (text == NULL)
		return fault_memory(f);
	/* two processes must not write the same temporary file */
	rc = flock(dirfd, LOCK_EX);
	if (rc == 0)
		rc = file_replace(dirfd, FREEZE, text, strlen(text));
	error = errno;
	(void)flock(dirfd, LOCK_UN);
	if (rc == -1)
		fail_change(dirfd, "write", text, error, f);
	free(text);
	return rc;
}

/* "2026-11-24T18:00:00Z": texts of this form are in the order of their times. */
static bool
is_time(const char *s)
{
	const char *form = "dddd-dd-ddTdd:dd:ddZ";

	for (; *form != '\0' && *s != '\0'; form++, s++)
		if (*form == 'd' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	return *form == '\0' && *s == '\0';
}

static bool
read_freeze(const json_t *doc, struct freeze *z)
{
	return json_integer_value(json_object_get(doc, "v")) == 1 &&
	    member_string(doc, "reason", z->reason, sizeof(z->reason)) &&
	    member_string(doc, "time", z->time, sizeof(z->time)) && is_time(z->time) &&
	    member_string(doc, "until", z->until, sizeof(z->until)) &&
	    (z->until[0] == '\0' || is_time(z->until)) && member_who(doc, &z->who);
}

int
freeze_read(int dirfd, const char *now, struct freeze *z, bool *there, struct fault *f)
{
	json_t *doc;
	char *bytes;
	size_t len;

	memset(z, 0, sizeof(*z));
	*there = false;
	if (file_read(dirfd, FREEZE, FREEZE_SIZE_MAX, &bytes, &len) == -1) {
		if (errno == ENOENT)
			return 0;
		return fault_set(f, FAULT_HOST, "check the state folder",
		    "cannot read the file freeze in the state folder: %s",
		    strerror(errno));
	}
	doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	*there = read_freeze(doc, z);
	json_decref(doc);
	if (!*there)
		return fault_set(f, FAULT_HOST, "run `unfreeze`, or `freeze` again",
		    "the file freeze in the state folder is damaged");
	*there = z->until[0] == '\0' || strcmp(now, z->until) < 0;
	return 0;
}

int
freeze_clear(int dirfd, struct fault *f)
{
	if (file_remove(dirfd, FREEZE) == 0)
		return 0;
	return fail_change(dirfd, "remove", NULL, errno, f);
}

void
freeze_sweep(int dirfd)
{
	/* held: a freeze_write() writes it now */
	if (flock(dirfd, LOCK_EX | LOCK_NB) == -1)
		return;
	file_sweep(dirfd, FREEZE);
	(void)flock(dirfd, LOCK_UN);
}

const char *
freeze_text(const struct freeze *z, char *out, size_t size)
{
	char reason[2 * FREEZE_REASON_MAX], actor[2 * sizeof(z->who.actor)],
	    until[64] = "";

	if (z->until[0] != '\0')
		snprintf(until, sizeof(until), ", until %.10s %.5s UTC", z->until,
		    z->until + 11);
	snprintf(out, size, "%s (by %s%s)",
	    text_escape(reason, sizeof(reason), z->reason, strlen(z->reason)),
	    text_escape(actor, sizeof(actor), z->who.actor, strlen(z->who.actor)), until);
	return out;
}

int
freeze_check(int dirfd, const char *now, const char *target, struct fault *f)
{
	char text[FAULT_WHAT_MAX];
	struct freeze z;
	bool there;

	if (dirfd == -1)
		return 0;
	if (freeze_read(dirfd, now, &z, &there, f) == -1)
		return -1;
	if (!there)
		return 0;
	return fault_set(f, FAULT_REFUSED,
	    "ask the author; an operator can run `unfreeze`; `rollback` is possible",
	    "target %s is frozen: %s", target, freeze_text(&z, text, sizeof(text)));
}
