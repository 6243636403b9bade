/*
 * check_history.c: the history file.  A torn line is never a record, and a whole record
 * is never lost.
 */
#include "suite.h"
#include "room.h"
#include "state/history.h"

#include <sys/stat.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY "history.jsonl"

Suite *history_suite(void);

extern int (*unit_on_fsync)(int fd);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;

static const struct record full = {
	.id = "20261121T105054Z-1a2b3c4d",
	.time = "2026-11-21T10:50:54Z",
	.verb = RECORD_ROLLBACK,
	.who = { "ci", "SHA256:abc", "192.0.2.1", TRIGGER_POLL },
	.from = { "v1.0.1", 1, { { .service = "web", .revision = "sha256:aa" } } },
	.to = { "v1.0.0", 2,
	    { { .service = "web",
		  .reference = "r/web:v1",
		  .revision = "sha256:bb",
		  .digest = "sha256:dd" },
		{ .service = "worker", .reference = "r/w:v1" } } },
	.outcome = OUTCOME_ROLLED_BACK,
	.code = 1,
	.seq = 999999999999999,
	.tries = 30,
	.ms = { { 1, 22, 333, 4, 55, 666, 7 }, INT64_C(9007199254740993) },
	.unjudged = true,
	.why = "answered \"no\" \\ and\tleft",
};

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
}

/* A short record, because many are appended. */
static void
append_id(const char *id)
{
	struct record r = { .why = "answered" };

	snprintf(r.id, sizeof(r.id), "%s", id);
	ck_assert_msg(history_append(dir, &r, &f) == 0, "%s", f.what);
}

static void
append_number(int n)
{
	char id[16];

	snprintf(id, sizeof(id), "%d", n);
	append_id(id);
}

/* All ids, the newest first, each followed by a space. */
struct ids {
	char text[8192];
	int n, most; /* stop after so many; 0: never */
};

static bool
note(void *arg, const struct record *r)
{
	struct ids *ids = arg;

	strcat(strcat(ids->text, r->id), " ");
	return ++ids->n != ids->most;
}

static const char *
ids(void)
{
	static struct ids all;

	memset(&all, 0, sizeof(all));
	ck_assert_msg(history_walk(dir, note, &all, &f) == 0, "%s", f.what);
	return all.text;
}

static bool
has(const char *id)
{
	bool there = true;

	ck_assert_msg(history_has(dir, id, &there, &f) == 0, "%s", f.what);
	return there;
}

static size_t
count(void)
{
	size_t n = 77;

	ck_assert_msg(history_count(dir, &n, &f) == 0, "%s", f.what);
	return n;
}

static bool
copy(void *arg, const struct record *r)
{
	memcpy(arg, r, sizeof(*r));
	return false;
}

static struct record
newest(void)
{
	struct record r;

	memset(&r, 0xa5, sizeof(r));
	ck_assert_msg(history_walk(dir, copy, &r, &f) == 0, "%s", f.what);
	return r;
}

static void
returns_whole(const struct record *r)
{
	struct record got;

	ck_assert_msg(history_append(dir, r, &f) == 0, "%s", f.what);
	got = newest();
	ck_assert_mem_eq(&got, r, sizeof(got));
}

static bool
keep_newest(void *arg, const struct record *r)
{
	(void)r;
	return --*(int *)arg >= 0;
}

static void
filter_records(int keep)
{
	ck_assert_msg(history_filter(dir, keep_newest, &keep, &f) == 0, "%s", f.what);
}

START_TEST(is_none_at_first)
{
	ck_assert_str_eq(ids(), "");
	ck_assert(!has("x"));
	ck_assert_uint_eq(count(), 0);
	filter_records(1);
	/* reading creates nothing */
	ck_assert_int_eq(access(HISTORY, F_OK), -1);
	ck_assert_int_eq(history_writable(dir, &f), 0);
	ck_assert_str_eq(ids(), "");
}
END_TEST

static const struct {
	const char *name;
	bool good;
} outcomes[OUTCOME__MAX + 1] = {
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
	[OUTCOME__MAX] = { "unknown", false },
};

START_TEST(returns_every_outcome)
{
	static const struct record empty = { .outcome = OUTCOME_DEPLOYED };
	struct record r = full;

	ck_assert_str_eq(outcome_name((enum outcome)_i), outcomes[_i].name);
	ck_assert_int_eq(outcome_is_good((enum outcome)_i), outcomes[_i].good);
	r.outcome = (enum outcome)_i;
	r.unjudged = !outcomes[_i].good;
	if (_i < OUTCOME__MAX)
		returns_whole(&r);
	returns_whole(&empty);
}
END_TEST

START_TEST(walks_the_newest_first)
{
	struct ids some = { .most = 2 };

	append_id("a");
	append_id("ab");
	append_id("c");
	append_id("d");
	ck_assert_str_eq(ids(), "d c ab a ");
	ck_assert_int_eq(history_walk(dir, note, &some, &f), 0);
	ck_assert_str_eq(some.text, "d c ");
	ck_assert_uint_eq(count(), 4);
	ck_assert(has("a") && has("ab") && has("d"));
	ck_assert(!has("b") && !has("abc") && !has("A") && !has(""));
	/* in `why`, not an id */
	ck_assert(!has("answered"));
}
END_TEST

/*
 * For jq and the scripts in deploy/: one object per line, ASCII, escaped, with the
 * members of 0.1.
 */
START_TEST(is_json_lines)
{
	static const char *const strings[][2] = { { "outcome", "rolled back" },
		{ "verb", "rollback" }, { "why", "a\nb\rc\x7f\xc3\xa4\x1b[2J" } };
	struct record r = full;
	json_t *doc, *to;
	struct stat st;
	char *text, *p;
	size_t len;
	int i;

	strncpy(r.why, strings[2][1], sizeof(r.why));
	returns_whole(&r);
	text = room_get(HISTORY, &len);
	ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
	for (p = text; p < text + len - 1; p++)
		ck_assert_msg(*p >= ' ' && (unsigned char)*p <= 0x7f, "byte %d", *p);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(doc, "v")), 2);
	for (i = 0; i < N(strings); i++)
		ck_assert_str_eq(json_string_value(json_object_get(doc, strings[i][0])),
		    strings[i][1]);
	to = json_object_get(doc, "to");
	ck_assert_str_eq(json_string_value(json_object_get(to, "tag")), "v1.0.0");
	ck_assert_uint_eq(json_array_size(json_object_get(to, "services")), 2);
	json_decref(doc);
	free(text);
	ck_assert_int_eq(stat(HISTORY, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

/*
 * Records of the released program, the newest first: id, verb, outcome, `from`, `to`,
 * code, sequence number, tries, unjudged, milliseconds.
 */
static const char *const released[] = {
	"133fe9 deploy recovered v1.0.0=2485f4d5 v1.0.1=7f98e71c 0 0 3 0 0+0+2722=2765",
	"e55261 deploy abandoned v1.0.0=2485f4d5 v1.0.3=b4324fab 1 0 0 1 0+0+0=1563",
	"833c81 deploy rolled back v1.0.0=2485f4d5 v1.0.1=7f98e71c 1 8 0 1 0+26+17=1629",
	"b73e5e deploy discarded v1.0.0=2485f4d5 v1.0.1= 1 8 0 1 0+0+0=548",
	"b25200 rollback deployed v1.0.1=7f98e71c v1.0.0=2485f4d5 0 0 1 0 0+9+12=82",
	"ec0416 deploy rolled back v1.0.1=7f98e71c v1.0.2=90c11b96 1 0 3 0 6+19+18=112",
	"ab84e2 deploy deployed v1.0.0=2485f4d5 v1.0.1=7f98e71c 0 7 1 0 11+25+16=200",
	"ab84e2-adopted deploy adopted = v1.0.0=2485f4d5 0 0 0 0 0+0+0=0",
};

/* Of the revision. */
static const char *
digits(const struct release *r)
{
	const char *colon = strchr(r->part[0].revision, ':');

	return colon == NULL ? "" : colon + 1;
}

static bool
is_next_released(void *arg, const struct record *r)
{
	const char *const **next = arg;
	char text[1024];

	snprintf(text, sizeof(text),
	    "%s %s %s %s=%.8s %s=%.8s %d %lld %u %d %lld+%lld+%lld=%lld",
	    r->id + strlen("20261124T120755Z-"), record_verb_name(r->verb),
	    outcome_name(r->outcome), r->from.tag, digits(&r->from), r->to.tag,
	    digits(&r->to), r->code, (long long)r->seq, r->tries, r->unjudged,
	    (long long)r->ms.phase[PHASE_PREPARE], (long long)r->ms.phase[PHASE_APPLY],
	    (long long)r->ms.phase[PHASE_VERIFY], (long long)r->ms.total);
	ck_assert_str_eq(text, *(*next)++);
	ck_assert_uint_eq(r->to.n, 1);
	ck_assert_str_eq(r->to.part[0].service, "");
	ck_assert_int_eq(strncmp(r->to.part[0].reference, "ghcr.io/twilight/demo:", 22),
	    0);
	ck_assert_str_eq(r->who.actor, "ci");
	ck_assert_uint_eq(r->from.n, r->from.tag[0] != '\0');
	return true;
}

START_TEST(reads_format_1)
{
	const char *const *next = released;
	struct record r;

	room_copy("0.1-" HISTORY, HISTORY);
	ck_assert_int_eq(history_walk(dir, is_next_released, &next, &f), 0);
	ck_assert_ptr_eq(next, released + N(released));
	/* both formats in one file; trimming keeps their bytes */
	returns_whole(&full);
	filter_records(9);
	ck_assert_uint_eq(count(), 9);
	filter_records(2);
	ck_assert(has("20261124T120755Z-133fe9"));
	filter_records(1);
	r = newest();
	ck_assert_mem_eq(&r, &full, sizeof(r));
}
END_TEST

/* An interrupted deploy that succeeded was verified. */
START_TEST(reads_a_good_outcome_as_judged)
{
	char *text, *at;

	room_copy("0.1-" HISTORY, HISTORY);
	text = room_get(HISTORY, NULL);
	ck_assert_ptr_nonnull(at = strstr(text, "\"recovered\""));
	ck_assert_ptr_nonnull(at = strstr(at, "false"));
	memcpy(at, "true ", 5);
	room_put(HISTORY, text, strlen(text));
	ck_assert(!newest().unjudged);
	free(text);
}
END_TEST

static bool
keep_odd(void *arg, const struct record *r)
{
	++*(int *)arg;
	return atoi(r->id) % 2 == 1;
}

/* The file is replaced, never rewritten in place. */
START_TEST(filters_into_a_new_file)
{
	char *before, *after, *p, want[16384] = "";
	struct stat old, new;
	int asked = 0, n, i;

	for (n = 1; n <= 7; n++)
		append_number(n);
	before = room_get(HISTORY, NULL);
	for (p = before, i = 1; *p != '\0'; p = strchr(p, '\n') + 1, i++)
		if (i % 2 == 1)
			strncat(want, p, strcspn(p, "\n") + 1);
	ck_assert_int_eq(stat(HISTORY, &old), 0);
	ck_assert_int_eq(history_filter(dir, keep_odd, &asked, &f), 0);
	ck_assert_int_eq(asked, 7);
	after = room_get(HISTORY, NULL);
	ck_assert_str_eq(after, want);
	ck_assert_str_eq(ids(), "7 5 3 1 ");
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	ck_assert_int_eq(stat(HISTORY, &new), 0);
	ck_assert_uint_ne(old.st_ino, new.st_ino);
	ck_assert_int_eq(new.st_mode & 07777, 0600);
	filter_records(0);
	room_put(HISTORY ".new", "{}\n", 3);
	history_sweep(dir);
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	append_id("c");
	ck_assert_str_eq(ids(), "c ");
	free(before);
	free(after);
}
END_TEST

/* All strings at their longest, all bytes at their longest in JSON. */
START_TEST(returns_the_longest_record)
{
	struct record r = full;
	size_t i;

#define FILL(m) memset(r.m, _i == 0 ? 'x' : 1, sizeof(r.m) - 1)
	FILL(id), FILL(time), FILL(who.actor), FILL(who.key), FILL(who.client);
	FILL(from.tag), FILL(to.tag), FILL(why);
	r.from.n = r.to.n = SERVICES_MAX;
	for (i = 0; i < SERVICES_MAX; i++) {
		FILL(from.part[i].service), FILL(to.part[i].service);
		FILL(from.part[i].reference), FILL(to.part[i].reference);
		FILL(from.part[i].revision), FILL(to.part[i].revision);
		FILL(from.part[i].digest), FILL(to.part[i].digest);
	}
#undef FILL
	r.ms.total = INT64_MAX;
	for (i = 0; i < PHASE__MAX; i++)
		r.ms.phase[i] = INT64_MAX;
	returns_whole(&r);
	returns_whole(&r);
	filter_records(2);
	returns_whole(&r);
}
END_TEST

START_TEST(holds_many)
{
	static char want[8192], bytes[512 * 1024];
	struct record r = { .code = 1 };
	size_t len = 0;
	char *line;
	int i;

	for (i = 1; i <= 1200; i++) {
		snprintf(r.id, sizeof(r.id), "%d", i);
		ck_assert_ptr_nonnull(line = record_json(&r));
		len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "%s\n", line);
		free(line);
	}
	room_put(HISTORY, bytes, len);
	for (i = 1200; i > 0; i--)
		snprintf(want + strlen(want), 16, "%d ", i);
	ck_assert_str_eq(ids(), want);
	filter_records(1000);
	ck_assert_uint_eq(count(), 1000);
	*strstr(want, "200 199 ") = '\0';
	ck_assert_str_eq(ids(), want);
	ck_assert(!has("200"));
}
END_TEST

/* A line that is longer than any record is skipped. */
START_TEST(bounds_a_line)
{
	enum { MOST = 128 * 1024 };
	static char line[MOST + 2];
	char *head = record_json(&(struct record){ .id = "big" });
	size_t n = strlen(head) - 2, len;

	for (len = MOST; len <= MOST + 1; len++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, head, n);
		memcpy(line + len - 2, "\"}\n", 3);
		room_put(HISTORY, line, len + 1);
		ck_assert_str_eq(ids(), len == MOST ? "big " : "");
		append_id("a");
		ck_assert_str_eq(ids(), len == MOST ? "a big " : "a ");
	}
	free(head);
}
END_TEST

/* All functions fail. */
static void
refuses_all(void)
{
	bool there;
	size_t n;
	int keep = 1;

	ck_assert_int_eq(history_has(dir, "a", &there, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot read the history"));
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
	ck_assert_int_eq(history_count(dir, &n, &f), -1);
	ck_assert_int_eq(history_walk(dir, note, NULL, &f), -1);
	ck_assert_int_eq(history_filter(dir, keep_newest, &keep, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
}

START_TEST(refuses_other_kinds)
{
	if (_i == 0)
		ck_assert_int_eq(mkfifo(HISTORY, 0600), 0);
	else if (_i == 1)
		ck_assert_int_eq(mkdir(HISTORY, 0700), 0);
	else if (_i == 2)
		ck_assert_int_eq(symlink("elsewhere", HISTORY), 0);
	else {
		append_id("a");
		ck_assert_int_eq(truncate(HISTORY, 32 * 1024 * 1024 + 1), 0);
	}
	refuses_all();
	if (_i == 3)
		return;
	ck_assert_int_eq(history_append(dir, &full, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(history_writable(dir, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_int_eq(access("elsewhere", F_OK), -1);
}
END_TEST

/* No part of a line is written; a trimming that fails removes nothing. */
START_TEST(leaves_all_as_it_was_on_a_full_disk)
{
	int i, rc, keep = 5;
	char *was, *is;
	size_t len;

	for (i = 0; i < 20; i++)
		append_number(i);
	was = room_get(HISTORY, &len);
	room_limit(_i == 0 ? len + 100 : 100);
	rc = _i == 0 ? history_append(dir, &full, &f)
		     : history_filter(dir, keep_newest, &keep, &f);
	room_limit(RLIM_INFINITY);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot write the history"));
	ck_assert_str_ne(f.next, "");
	is = room_get(HISTORY, NULL);
	ck_assert_str_eq(is, was);
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	free(was);
	free(is);
}
END_TEST

static bool fail_on_folders;

static int
refuse_sync(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) != 0) == fail_on_folders ? -1
										    : 0;
}

/* The journal may be cleared only if the record and the name are on the disk. */
START_TEST(tells_what_is_not_durable)
{
	int rc;

	fail_on_folders = _i == 1;
	unit_on_fsync = refuse_sync;
	rc = history_append(dir, &full, &f);
	unit_on_fsync = NULL;
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "Input/output error"));
}
END_TEST

/* A line that is cut anywhere is never read, and removed by the next append. */
START_TEST(never_reads_a_torn_line)
{
	size_t len, one, cut, now;
	char *text, *after;

	append_id("a");
	free(room_get(HISTORY, &one));
	append_id("b");
	text = room_get(HISTORY, &len);
	for (cut = 0; cut <= len; cut++) {
		bool a = cut >= one, b = cut == len;

		room_put(HISTORY, text, cut);
		ck_assert_str_eq(ids(), b ? "b a " : a ? "a " : "");
		ck_assert_int_eq(has("b"), b);
		append_id("c");
		ck_assert_str_eq(ids(), b ? "c b a " : a ? "c a " : "c ");
		/* the lines before it have not changed */
		after = room_get(HISTORY, &now);
		ck_assert_mem_eq(after, text, b ? len : a ? one : 0);
		ck_assert_int_eq(after[now - 1], '\n');
		free(after);
	}
	/* the length is on the disk, and the bytes are not */
	for (cut = len; cut-- > one;) {
		text[cut] = '\0';
		room_put(HISTORY, text, len);
		ck_assert_str_eq(ids(), "a ");
	}
	append_id("c");
	ck_assert_str_eq(ids(), "c a ");
	free(text);
}
END_TEST

#define LINE(rest)                                               \
	"{\"v\":2,\"verb\":\"deploy\",\"id\":\"x\",\"outcome\":" \
	"\"deployed\",\"from\":{\"tag\":\"\",\"services\":[]}," rest
#define TO "\"to\":{\"tag\":\"v1\",\"services\":[]}}"

/* Lines that are no records: skipped, and removed by trimming. */
static const char *const garbage[] = { "", " ", "x", "null", "[]", "{}", "# comment",
	"\xef\xbb\xbf" LINE(TO), LINE(TO) "}", "[" LINE(TO) "]", LINE(TO) LINE(TO),
	LINE("\"id\":\"x\"," TO), LINE("\"why\":\"\xff\"," TO),
	LINE("\"why\":\"a\\u0000b\"," TO), LINE("\"code\":99999999999999999999," TO) };

START_TEST(skips_garbage)
{
	char bytes[4096], *line = record_json(&(struct record){ .id = "one" });

	snprintf(bytes, sizeof(bytes), "%s\n%s\n", line, garbage[_i]);
	free(line);
	room_put(HISTORY, bytes, strlen(bytes));
	ck_assert_str_eq(ids(), "one ");
	append_id("two");
	ck_assert_str_eq(ids(), "two one ");
	ck_assert(!has("x"));
	ck_assert(has("one"));
	ck_assert_uint_eq(count(), 3);
	filter_records(9);
	ck_assert_uint_eq(count(), 2);
	ck_assert_str_eq(ids(), "two one ");
}
END_TEST

/* An older program must not remove records of a newer one. */
START_TEST(keeps_a_newer_format)
{
	static const char newer[] = "{\"v\":3,\"new\":\"x\"}\n";
	char *text;
	size_t len;

	append_id("a");
	text = room_get(HISTORY, &len);
	ck_assert_ptr_nonnull(text = realloc(text, len + sizeof(newer)));
	memcpy(text + len, newer, sizeof(newer));
	room_put(HISTORY, text, len + sizeof(newer) - 1);
	append_id("b");
	ck_assert_str_eq(ids(), "b a ");
	filter_records(1);
	ck_assert_str_eq(ids(), "b ");
	ck_assert_uint_eq(count(), 2);
	free(text);
	text = room_get(HISTORY, NULL);
	ck_assert_int_eq(strncmp(text, newer, sizeof(newer) - 1), 0);
	free(text);
}
END_TEST

/* A member that is changed: still a record, or not. */
static const struct {
	const char *part, *by;
	bool record;
} changes[] = {
	{ "\"v\":2", "\"v\":3", false },
	{ "\"v\":2", "\"v\":0", false },
	{ "\"v\":2", "\"v\":1", false },
	{ "\"v\":2", "\"w\":2", false },
	{ "\"rollback\"", "\"freeze\"", false },
	{ "\"rolled back\"", "\"Deployed\"", false },
	{ "\"rolled back\"", "\"put back\"", false },
	{ "\"rolled back\"", "\"unknown\"", false },
	{ "\"id\":\"", "\"id\":\"012345678901234567890123456789", false },
	{ "\"revision\":\"sha256:aa\"", "\"revision\":7", false },
	{ "\"digest\":\"sha256:dd\"", "\"digest\":7", false },
	{ ",\"digest\":\"\"", "", true }, /* of an earlier program */
	{ "\"to\":{", "\"to\":null,\"x\":{", false },
	{ "\"tag\":\"v1.0.0\"", "\"tag\":1", false },
	{ "\"services\":[", "\"x\":[", false },
	{ "\"services\":[", "\"services\":[1,2,3,4,5,6,7,8,", false },
	{ "\"time\":\"", "\"time\":\"01234567890123456789", true },
	{ "\"who\":{", "\"who\":7,\"x\":{", true },
	{ ",\"trigger\":\"poll\"", "", true },
	{ "\"poll\"", "\"moon\"", true },
	{ "\"poll\"", "7", true },
	{ "\"ms\":{", "\"ms\":[],\"x\":{", true },
	{ "\"code\":1,", "\"code\":-9223372036854775808,", true },
	{ "\"tries\":30", "\"tries\":-1", true },
	{ "\"seq\":", "\"new\":[[{}]],\"seq\":", true },
};

START_TEST(takes_or_skips_a_changed_record)
{
	char *line = record_json(&full), *at = strstr(line, changes[_i].part), *text;
	int len;

	ck_assert_msg(at != NULL, "no %s in %s", changes[_i].part, line);
	len = asprintf(&text, "%.*s%s%s\n", (int)(at - line), line, changes[_i].by,
	    at + strlen(changes[_i].part));
	room_put(HISTORY, text, (size_t)len);
	ck_assert_int_eq(ids()[0] != '\0', changes[_i].record);
	if (changes[_i].record)
		ck_assert_int_eq(newest().ms.total > 0, strstr(text, "[],") == NULL);
	free(text);
	free(line);
}
END_TEST

/* JSON is UTF-8: another byte is a fault, and nothing is written. */
START_TEST(writes_nothing_that_is_not_utf_8)
{
	struct record r = full;

	append_id("a");
	strcpy(_i == 0 ? r.why : r.to.part[1].reference, "no \xff");
	ck_assert_int_eq(history_append(dir, &r, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(ids(), "a ");
}
END_TEST

Suite *
history_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), ONCE(is_none_at_first),
		EACH(returns_every_outcome, OUTCOME__MAX + 1),
		ONCE(walks_the_newest_first), ONCE(is_json_lines), ONCE(reads_format_1),
		ONCE(reads_a_good_outcome_as_judged), ONCE(filters_into_a_new_file),
		CASE("Limits"), EACH(returns_the_longest_record, 2), ONCE(holds_many),
		ONCE(bounds_a_line), EACH(leaves_all_as_it_was_on_a_full_disk, 2),
		EACH(tells_what_is_not_durable, 2), CASE("Hostile"),
		ONCE(never_reads_a_torn_line), ONCE(keeps_a_newer_format),
		EACH(skips_garbage, N(garbage)),
		EACH(takes_or_skips_a_changed_record, N(changes)),
		EACH(refuses_other_kinds, 4), EACH(writes_nothing_that_is_not_utf_8, 2) };

	return unit_suite("history", setup, room_leave, tests, N(tests));
}
