/*
 * MUST: a record is on disk, whole and synced, before the journal it closes
 *       is cleared.
 * MUST: a line that a power cut tore is cut before anything is appended, and
 *       is never read as a record.
 * MUST: trimming replaces the file; it never rewrites it in place.
 */
#include "state/history.h"

#include "sys/file.h"

#include <sys/stat.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY "history.jsonl"
#define HISTORY_SIZE_MAX (32 * 1024 * 1024)
#define LINE_SIZE_MAX (16 * 1024)

static const struct {
	const char *name;
	bool proves;
} outcomes[OUTCOME__MAX] = {
	[OUTCOME_DEPLOYED] = { "deployed", true },
	[OUTCOME_ADOPTED] = { "adopted", true },
	[OUTCOME_RECOVERED] = { "recovered", true },
	[OUTCOME_PUT_BACK] = { "put back", false },
	[OUTCOME_ROLLED_BACK] = { "rolled back", false },
	[OUTCOME_UNVERIFIED] = { "unverified", false },
	[OUTCOME_ABANDONED] = { "abandoned", false },
	[OUTCOME_REFUSED] = { "refused", false },
};

const char *
outcome_name(enum outcome o)
{
	return o < OUTCOME__MAX ? outcomes[o].name : "unknown";
}

bool
outcome_proves(enum outcome o)
{
	return o < OUTCOME__MAX && outcomes[o].proves;
}

static int
unwritable(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "see the disk of the state folder",
	    "cannot write the history in the state folder: %s", strerror(errno));
}

char *
record_json(const struct record *r)
{
	json_t *doc = json_pack(
	    "{si ss ss ss s{ss ss ss} s{ss ss ss} s{ss ss ss} ss si sI si s{sI sI sI sI} sb ss}",
	    "v", 1, "id", r->id, "time", r->time, "verb", r->verb, "who", "actor",
	    r->who.actor, "key", r->who.key, "client", r->who.client, "from", "tag",
	    r->from.tag, "image", r->from.image, "ref", r->from.ref, "to", "tag",
	    r->to.tag, "image", r->to.image, "ref", r->to.ref, "outcome",
	    outcome_name(r->outcome), "code", r->code, "seq", (json_int_t)r->seq, "tries",
	    (int)r->tries, "ms", "pull", (json_int_t)r->pull_ms, "up",
	    (json_int_t)r->up_ms, "health", (json_int_t)r->health_ms, "total",
	    (json_int_t)r->total_ms, "interrupted", (int)r->interrupted, "why", r->why);
	char *text = doc == NULL ? NULL
				 : json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(doc);
	return text;
}

/* Cuts what stands after the last newline; the file's length then. */
static int
cut_torn_line(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END), at;
	char c;

	if (end == -1)
		return -1;
	for (at = end; at > 0; at--) {
		if (pread(fd, &c, 1, at - 1) != 1)
			return -1;
		if (c == '\n')
			break;
	}
	return at == end ? 0 : ftruncate(fd, at);
}

static int
open_history(int dirfd)
{
	struct stat st;
	int fd;

	/* O_NONBLOCK: a fifo in its place is not waited for */
	fd = openat(dirfd, HISTORY,
	    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		fd = -1;
	}
	return fd;
}

int
history_writable(int dirfd, struct fault *f)
{
	int fd = open_history(dirfd);

	if (fd == -1)
		return unwritable(f);
	close(fd);
	return 0;
}

void
history_sweep(int dirfd)
{
	file_sweep(dirfd, HISTORY);
}

static int
append_line(int dirfd, const char *line)
{
	struct stat st;
	char *whole;
	int len = asprintf(&whole, "%s\n", line), fd, rc = -1, saved;

	if (len == -1)
		return -1;
	fd = open_history(dirfd);
	if (fd != -1 && cut_torn_line(fd) == 0 && fstat(fd, &st) == 0) {
		rc = file_write(fd, whole, (size_t)len);
		saved = errno;
		/* half a line is worse than none */
		if (rc == -1)
			(void)!ftruncate(fd, st.st_size);
		errno = saved;
		if (rc == 0 && (fsync(fd) == -1 || fsync(dirfd) == -1))
			rc = -1;
	}
	saved = errno;
	free(whole);
	if (fd != -1)
		close(fd);
	errno = saved;
	return rc;
}

int
history_append(int dirfd, const struct record *r, struct fault *f)
{
	char *line = record_json(r);
	int rc;

	if (line == NULL) {
		errno = ENOMEM;
		return unwritable(f);
	}
	rc = append_line(dirfd, line);
	free(line);
	return rc == -1 ? unwritable(f) : 0;
}

static void
take(const json_t *obj, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(obj, key));

	if (s == NULL || strlcpy(out, s, size) >= size)
		out[0] = '\0';
}

static void
take_version(const json_t *obj, struct version *v)
{
	take(obj, "tag", v->tag, sizeof(v->tag));
	take(obj, "image", v->image, sizeof(v->image));
	take(obj, "ref", v->ref, sizeof(v->ref));
}

static int64_t
number(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static bool
take_outcome(const json_t *doc, enum outcome *out)
{
	const char *s = json_string_value(json_object_get(doc, "outcome"));
	int i;

	for (i = 0; s != NULL && i < OUTCOME__MAX; i++)
		if (strcmp(s, outcomes[i].name) == 0) {
			*out = (enum outcome)i;
			return true;
		}
	return false;
}

static bool
parse(const char *line, size_t len, struct record *r)
{
	const json_t *who, *ms;
	json_t *doc;
	bool good;

	memset(r, 0, sizeof(*r));
	if (len == 0 || len > LINE_SIZE_MAX)
		return false;
	doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	good = json_is_object(doc) && take_outcome(doc, &r->outcome);
	if (good) {
		who = json_object_get(doc, "who");
		ms = json_object_get(doc, "ms");
		take(doc, "id", r->id, sizeof(r->id));
		take(doc, "time", r->time, sizeof(r->time));
		take(doc, "verb", r->verb, sizeof(r->verb));
		take(doc, "why", r->why, sizeof(r->why));
		take(who, "actor", r->who.actor, sizeof(r->who.actor));
		take(who, "key", r->who.key, sizeof(r->who.key));
		take(who, "client", r->who.client, sizeof(r->who.client));
		take_version(json_object_get(doc, "from"), &r->from);
		take_version(json_object_get(doc, "to"), &r->to);
		r->interrupted = json_is_true(json_object_get(doc, "interrupted"));
		r->code = (int)number(doc, "code");
		r->seq = number(doc, "seq");
		r->tries = (unsigned)number(doc, "tries");
		r->pull_ms = number(ms, "pull");
		r->up_ms = number(ms, "up");
		r->health_ms = number(ms, "health");
		r->total_ms = number(ms, "total");
	}
	json_decref(doc);
	return good;
}

/* The file, whole; *bytes is NULL where there is none. */
static int
load(int dirfd, char **bytes, size_t *len, struct fault *f)
{
	*bytes = NULL;
	*len = 0;
	if (file_read(dirfd, HISTORY, HISTORY_SIZE_MAX, bytes, len) == 0 ||
	    errno == ENOENT)
		return 0;
	return fault_set(f, FAULT_HOST, "see history.jsonl in the state folder",
	    "cannot read the history: %s", strerror(errno));
}

/*
 * The line that ends before `end`, found backwards; what stands after the
 * last newline was torn and is no line.  NULL when there is none left.
 */
static const char *
line_before(const char *bytes, size_t *end, size_t *len)
{
	size_t e = *end, b;

	while (e > 0 && bytes[e - 1] != '\n')
		e--;
	if (e == 0)
		return NULL;
	for (b = e - 1; b > 0 && bytes[b - 1] != '\n'; b--)
		continue;
	*len = e - 1 - b;
	*end = b;
	return bytes + b;
}

int
history_walk(int dirfd, bool (*each)(void *, const struct record *), void *arg,
    struct fault *f)
{
	const char *line;
	struct record r;
	size_t end, len;
	char *bytes;

	if (load(dirfd, &bytes, &end, f) == -1)
		return -1;
	while ((line = line_before(bytes, &end, &len)) != NULL)
		if (parse(line, len, &r) && !each(arg, &r))
			break;
	free(bytes);
	return 0;
}

struct search {
	const char *id;
	bool found;
};

static bool
same_id(void *arg, const struct record *r)
{
	struct search *s = arg;

	s->found = strcmp(r->id, s->id) == 0;
	return !s->found;
}

int
history_has(int dirfd, const char *id, struct fault *f)
{
	struct search s = { .id = id };

	if (history_walk(dirfd, same_id, &s, f) == -1)
		return -1;
	return s.found;
}

int
history_count(int dirfd, size_t *n, struct fault *f)
{
	const char *at;
	char *bytes;
	size_t len;

	*n = 0;
	if (load(dirfd, &bytes, &len, f) == -1)
		return -1;
	for (at = bytes;
	     at != NULL && (at = memchr(at, '\n', len - (size_t)(at - bytes))) != NULL;
	     at++)
		(*n)++;
	free(bytes);
	return 0;
}

/*
 * Moves the kept lines to the end of the same buffer, from the back to the
 * front: a line never lands on one that is still to be read.
 */
int
history_filter(int dirfd, bool (*keep)(void *, const struct record *), void *arg,
    struct fault *f)
{
	size_t size, end, len, to;
	const char *line;
	struct record r;
	char *bytes;
	int rc;

	if (load(dirfd, &bytes, &size, f) == -1)
		return -1;
	end = to = size;
	while ((line = line_before(bytes, &end, &len)) != NULL)
		if (parse(line, len, &r) && keep(arg, &r)) {
			to -= len + 1;
			memmove(bytes + to, line, len + 1);
		}
	rc = bytes == NULL ? 0 : file_replace(dirfd, HISTORY, bytes + to, size - to);
	if (rc == -1)
		rc = unwritable(f);
	free(bytes);
	return rc;
}
