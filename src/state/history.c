/*
 * MUST: a record is on the disk, whole, before the journal of its deploy is cleared.
 * MUST: a line that a power cut tore is removed before anything is appended, and is
 *       never read as a record.
 * MUST: trimming replaces the file; it never rewrites it in place.
 */
#include "state/history.h"

#include "state/member.h"
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
/* all strings at their longest, every byte escaped as \u00XX */
#define LINE_SIZE_MAX (128 * 1024)

static const char *const verbs[RECORD_VERB__MAX] = {
	[RECORD_DEPLOY] = "deploy",
	[RECORD_ROLLBACK] = "rollback",
};

static const struct {
	const char *name;
	bool good;
} outcomes[OUTCOME__MAX] = {
	[OUTCOME_DEPLOYED] = { "deployed", true },
	[OUTCOME_ADOPTED] = { "adopted", true },
	[OUTCOME_RECOVERED] = { "recovered", true },
	[OUTCOME_DISCARDED] = { "discarded", false },
	[OUTCOME_REJECTED] = { "rejected", false },
	[OUTCOME_ROLLED_BACK] = { "rolled back", false },
	[OUTCOME_UNVERIFIED] = { "unverified", false },
	[OUTCOME_ABANDONED] = { "abandoned", false },
	[OUTCOME_REFUSED] = { "refused", false },
	[OUTCOME_STARTED] = { "started", false },
};

const char *
record_verb_name(enum record_verb verb)
{
	return verb < RECORD_VERB__MAX ? verbs[verb] : "unknown";
}

const char *
outcome_name(enum outcome o)
{
	return o < OUTCOME__MAX ? outcomes[o].name : "unknown";
}

bool
outcome_is_good(enum outcome o)
{
	return o < OUTCOME__MAX && outcomes[o].good;
}

static int
unwritable(struct fault *f)
{
	return fault_set(f, FAULT_HOST, "check the disk of the state folder",
	    "cannot write the history in the state folder: %s", strerror(errno));
}

/* The members after the releases; NULL: one is not UTF-8, or out of memory. */
static json_t *
result_members(const struct record *r)
{
	return json_pack("{ss si sI si so sb ss}", "outcome", outcome_name(r->outcome),
	    "code", r->code, "seq", (json_int_t)r->seq, "tries", (int)r->tries, "ms",
	    member_of_timing(&r->ms), "unjudged", (int)r->unjudged, "why", r->why);
}

char *
record_json(const struct record *r)
{
	json_t *doc = json_pack("{si ss ss ss}", "v", FORMAT_MAX, "id", r->id, "time",
	    r->time, "verb", record_verb_name(r->verb));
	json_t *result = result_members(r);
	char *text = NULL;

	if (json_object_set_new(doc, "who", member_of_who(&r->who)) == 0 &&
	    json_object_set_new(doc, "from",
		member_of_release(&r->from, MEMBER_IDENTITY)) == 0 &&
	    json_object_set_new(doc, "to", member_of_release(&r->to, MEMBER_IDENTITY)) ==
		0 &&
	    json_object_update(doc, result) == 0)
		text = json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(result);
	json_decref(doc);
	return text;
}

/* Removes what follows the last newline. */
static int
remove_torn_line(int fd)
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

	/* O_NONBLOCK: a FIFO must not block */
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
	if (fd != -1 && remove_torn_line(fd) == 0 && fstat(fd, &st) == 0) {
		rc = file_write(fd, whole, (size_t)len);
		saved = errno;
		/* no line is better than a part of one */
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

static bool
read_outcome(const json_t *doc, int format, enum outcome *out)
{
	const char *s = json_string_value(json_object_get(doc, "outcome"));
	int i;

	if (s != NULL && format == 1 && strcmp(s, "put back") == 0)
		s = outcome_name(OUTCOME_DISCARDED);
	for (i = 0; s != NULL && i < OUTCOME__MAX; i++)
		if (strcmp(s, outcomes[i].name) == 0) {
			*out = (enum outcome)i;
			return true;
		}
	return false;
}

/*
 * Members that later deploys depend on must exist and be valid.  Members that are only
 * shown may be missing or invalid.
 */
static bool
read_record(const json_t *doc, int format, struct record *r)
{
	if (!read_outcome(doc, format, &r->outcome) || !member_verb(doc, &r->verb) ||
	    !member_string(doc, "id", r->id, sizeof(r->id)) ||
	    !member_release(doc, "from", format, MEMBER_IDENTITY, &r->from) ||
	    !member_release(doc, "to", format, MEMBER_IDENTITY, &r->to))
		return false;
	(void)member_string(doc, "time", r->time, sizeof(r->time));
	(void)member_string(doc, "why", r->why, sizeof(r->why));
	(void)member_who(doc, &r->who);
	r->code = (int)member_integer(doc, "code");
	r->seq = member_integer(doc, "seq");
	r->tries = (unsigned)member_integer(doc, "tries");
	member_timing(json_object_get(doc, "ms"), format, &r->ms);
	/* an interrupted deploy that succeeded was verified */
	r->unjudged = json_is_true(json_object_get(doc,
			  format == 1 ? "interrupted" : "unjudged")) &&
	    !outcome_is_good(r->outcome);
	return true;
}

enum line_kind { LINE_UNKNOWN, LINE_RECORD, LINE_NEWER };

static enum line_kind
parse_line(const char *line, size_t len, struct record *r)
{
	enum line_kind kind = LINE_UNKNOWN;
	json_int_t format;
	json_t *doc;

	memset(r, 0, sizeof(*r));
	if (len == 0 || len > LINE_SIZE_MAX)
		return LINE_UNKNOWN;
	doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	format = member_integer(doc, "v");
	if (format > FORMAT_MAX)
		kind = LINE_NEWER;
	else if (format >= 1 && read_record(doc, (int)format, r))
		kind = LINE_RECORD;
	json_decref(doc);
	return kind;
}

/* The whole file; *bytes is NULL if there is none. */
static int
load_history(int dirfd, char **bytes, size_t *len, struct fault *f)
{
	*bytes = NULL;
	*len = 0;
	if (file_read(dirfd, HISTORY, HISTORY_SIZE_MAX, bytes, len) == 0 ||
	    errno == ENOENT)
		return 0;
	return fault_set(f, FAULT_HOST, "check history.jsonl in the state folder",
	    "cannot read the history: %s", strerror(errno));
}

/*
 * The last line before the offset `end`, which is moved to its beginning.  Torn text
 * after the last newline is skipped.  NULL: there is no line.
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

/* Parses only the lines that contain `text`. */
static int
walk_lines(int dirfd, const char *text, bool (*each)(void *, const struct record *),
    void *arg, struct fault *f)
{
	const char *line;
	struct record r;
	size_t end, len;
	char *bytes;

	if (load_history(dirfd, &bytes, &end, f) == -1)
		return -1;
	while ((line = line_before(bytes, &end, &len)) != NULL)
		if (memmem(line, len, text, strlen(text)) != NULL &&
		    parse_line(line, len, &r) == LINE_RECORD && !each(arg, &r))
			break;
	free(bytes);
	return 0;
}

int
history_walk(int dirfd, bool (*each)(void *, const struct record *), void *arg,
    struct fault *f)
{
	return walk_lines(dirfd, "", each, arg, f);
}

struct wanted {
	const char *id;
	bool there;
};

static bool
find_id(void *arg, const struct record *r)
{
	struct wanted *w = arg;

	w->there = strcmp(r->id, w->id) == 0;
	return !w->there;
}

int
history_has(int dirfd, const char *id, bool *there, struct fault *f)
{
	struct wanted w = { id, false };
	/* `status --wait` asks several times a second */
	int rc = walk_lines(dirfd, id, find_id, &w, f);

	*there = w.there;
	return rc;
}

int
history_count(int dirfd, size_t *n, struct fault *f)
{
	const char *at;
	char *bytes;
	size_t len;

	*n = 0;
	if (load_history(dirfd, &bytes, &len, f) == -1)
		return -1;
	for (at = bytes;
	     at != NULL && (at = memchr(at, '\n', len - (size_t)(at - bytes))) != NULL;
	     at++)
		(*n)++;
	free(bytes);
	return 0;
}

/*
 * Moves the kept lines to the end of the buffer, the last one first, so that none
 * overwrites a line that is not read yet.
 */
int
history_filter(int dirfd, bool (*keep)(void *, const struct record *), void *arg,
    struct fault *f)
{
	size_t size, end, len, to;
	enum line_kind kind;
	const char *line;
	struct record r;
	char *bytes;
	int rc;

	if (load_history(dirfd, &bytes, &size, f) == -1)
		return -1;
	end = to = size;
	while ((line = line_before(bytes, &end, &len)) != NULL) {
		kind = parse_line(line, len, &r);
		if (kind == LINE_NEWER || (kind == LINE_RECORD && keep(arg, &r))) {
			to -= len + 1;
			memmove(bytes + to, line, len + 1);
		}
	}
	rc = bytes == NULL ? 0 : file_replace(dirfd, HISTORY, bytes + to, size - to);
	if (rc == -1)
		rc = unwritable(f);
	free(bytes);
	return rc;
}
