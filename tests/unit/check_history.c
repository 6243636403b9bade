/*
 * check_history.c: the ledger's file.  What a power cut tore is never a
 * record; what was written whole is never lost.
 */
#include "room.h"
#include "state/history.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define HISTORY "history.jsonl"

Suite *history_suite(void);

extern int (*unit_on_fsync)(int fd);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;

static const struct record full = {
	.id = "20261121T105054Z-1a2b3c4d",
	.time = "2026-11-21T10:50:54Z",
	.verb = "rollback",
	.who = { "ci", "SHA256:abc", "192.0.2.1" },
	.from = { "v1.0.1", "sha256:aa", "127.0.0.1:5000/demo:v1.0.1" },
	.to = { "v1.0.0", "sha256:bb", "127.0.0.1:5000/demo:v1.0.0" },
	.outcome = OUTCOME_ROLLED_BACK,
	.code = 1,
	.seq = 999999999999999,
	.tries = 30,
	.pull_ms = 1,
	.up_ms = 22,
	.health_ms = 333,
	.total_ms = INT64_C(9007199254740993),
	.interrupted = true,
	.why = "said \"no\" \\ and\tleft",
};

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
}

static void
teardown(void)
{
	room_leave();
}

static void
put(const char *bytes, size_t len)
{
	int fd = open(HISTORY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	close(fd);
}

static void
put_other(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "{}\n", 3), 3);
	close(fd);
}

/* The whole file, malloc'd. */
static char *
get(size_t *len)
{
	struct stat st;
	char *bytes;
	int fd = open(HISTORY, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_ptr_nonnull(bytes = malloc((size_t)st.st_size + 1));
	ck_assert_int_eq(read(fd, bytes, (size_t)st.st_size), st.st_size);
	bytes[st.st_size] = '\0';
	close(fd);
	*len = (size_t)st.st_size;
	return bytes;
}

static void
append_id(const char *id)
{
	struct record r = full;

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

/* All ids, the newest first, each with a space behind. */
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
copy(void *arg, const struct record *r)
{
	*(struct record *)arg = *r;
	return false;
}

static void
same_version(const struct version *a, const struct version *b)
{
	ck_assert_str_eq(a->tag, b->tag);
	ck_assert_str_eq(a->image, b->image);
	ck_assert_str_eq(a->ref, b->ref);
}

static void
same(const struct record *a, const struct record *b)
{
	ck_assert_str_eq(a->id, b->id);
	ck_assert_str_eq(a->time, b->time);
	ck_assert_str_eq(a->verb, b->verb);
	ck_assert_str_eq(a->who.actor, b->who.actor);
	ck_assert_str_eq(a->who.key, b->who.key);
	ck_assert_str_eq(a->who.client, b->who.client);
	same_version(&a->from, &b->from);
	same_version(&a->to, &b->to);
	ck_assert_int_eq(a->outcome, b->outcome);
	ck_assert_int_eq(a->interrupted, b->interrupted);
	ck_assert_int_eq(a->code, b->code);
	ck_assert_int_eq(a->seq, b->seq);
	ck_assert_uint_eq(a->tries, b->tries);
	ck_assert_int_eq(a->pull_ms, b->pull_ms);
	ck_assert_int_eq(a->up_ms, b->up_ms);
	ck_assert_int_eq(a->health_ms, b->health_ms);
	ck_assert_int_eq(a->total_ms, b->total_ms);
	ck_assert_str_eq(a->why, b->why);
}

static void
returns_whole(const struct record *r)
{
	struct record got;

	memset(&got, 0xa5, sizeof(got));
	ck_assert_msg(history_append(dir, r, &f) == 0, "%s", f.what);
	ck_assert_int_eq(history_walk(dir, copy, &got, &f), 0);
	same(&got, r);
}

START_TEST(is_none_at_first)
{
	size_t n = 7;

	ck_assert_str_eq(ids(), "");
	ck_assert_int_eq(history_has(dir, "x", &f), 0);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(history_filter(dir, note, NULL, &f), 0);
	/* looking makes nothing */
	ck_assert_int_eq(access(HISTORY, F_OK), -1);
}
END_TEST

START_TEST(returns_every_outcome)
{
	struct record r = full;

	r.outcome = (enum outcome)_i;
	returns_whole(&r);
}
END_TEST

START_TEST(returns_an_empty_record)
{
	struct record r = { .outcome = OUTCOME_DEPLOYED };

	returns_whole(&r);
}
END_TEST

START_TEST(walks_the_newest_first)
{
	struct ids some = { .most = 2 };

	append_id("a");
	append_id("b");
	append_id("c");
	append_id("d");
	ck_assert_str_eq(ids(), "d c b a ");
	ck_assert_int_eq(history_walk(dir, note, &some, &f), 0);
	ck_assert_str_eq(some.text, "d c ");
}
END_TEST

START_TEST(knows_its_ids)
{
	append_id("a");
	append_id("ab");
	append_id("c");
	ck_assert_int_eq(history_has(dir, "a", &f), 1);
	ck_assert_int_eq(history_has(dir, "ab", &f), 1);
	ck_assert_int_eq(history_has(dir, "c", &f), 1);
	ck_assert_int_eq(history_has(dir, "b", &f), 0);
	ck_assert_int_eq(history_has(dir, "abc", &f), 0);
	ck_assert_int_eq(history_has(dir, "A", &f), 0);
	ck_assert_int_eq(history_has(dir, "", &f), 0);
}
END_TEST

START_TEST(counts_lines)
{
	size_t n;
	int i;

	for (i = 1; i <= 5; i++) {
		append_number(i);
		ck_assert_int_eq(history_count(dir, &n, &f), 0);
		ck_assert_uint_eq(n, (size_t)i);
	}
	put("\n\n{}\ntorn", 9);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 3);
	put("", 0);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* jq and friends read it: one object a line, ASCII, nothing unescaped. */
START_TEST(is_json_lines)
{
	struct record r = full;
	char *text, *p;
	size_t len;
	json_t *doc;

	strcpy(r.why, "a\nb\rc\x7f\xc3\xa4\x1b[2J");
	returns_whole(&r);
	text = get(&len);
	ck_assert_int_eq(text[len - 1], '\n');
	ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
	for (p = text; p < text + len - 1; p++)
		ck_assert_msg(*p >= ' ' && (unsigned char)*p <= 0x7f, "byte %d", *p);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(doc, "v")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "outcome")),
	    "rolled back");
	ck_assert_str_eq(json_string_value(json_object_get(doc, "why")), r.why);
	json_decref(doc);
	free(text);
}
END_TEST

START_TEST(is_only_ours_to_read)
{
	struct stat st;

	append_id("a");
	ck_assert_int_eq(stat(HISTORY, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(names_the_outcomes)
{
	static const bool proves[OUTCOME__MAX] = { [OUTCOME_DEPLOYED] = true,
		[OUTCOME_ADOPTED] = true,
		[OUTCOME_RECOVERED] = true };
	int i, k;

	for (i = 0; i < OUTCOME__MAX; i++) {
		ck_assert_int_eq(outcome_proves((enum outcome)i), proves[i]);
		for (k = 0; k < i; k++)
			ck_assert_str_ne(outcome_name((enum outcome)i),
			    outcome_name((enum outcome)k));
	}
	ck_assert_str_eq(outcome_name(OUTCOME__MAX), "unknown");
	ck_assert(!outcome_proves(OUTCOME__MAX));
}
END_TEST

static bool
keep_odd(void *arg, const struct record *r)
{
	++*(int *)arg;
	return atoi(r->id) % 2 == 1;
}

START_TEST(filters)
{
	char *before, *after, *p, want[16384] = "";
	size_t len, i;
	int asked = 0, n;

	for (n = 1; n <= 7; n++)
		append_number(n);
	before = get(&len);
	for (p = before, i = 1; *p != '\0'; p = strchr(p, '\n') + 1, i++)
		if (i % 2 == 1)
			strncat(want, p, strcspn(p, "\n") + 1);
	ck_assert_int_eq(history_filter(dir, keep_odd, &asked, &f), 0);
	ck_assert_int_eq(asked, 7);
	after = get(&len);
	ck_assert_str_eq(after, want);
	ck_assert_str_eq(ids(), "7 5 3 1 ");
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	free(before);
	free(after);
}
END_TEST

static bool
keep_all(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	return true;
}

static bool
keep_none(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	return false;
}

START_TEST(filters_all_and_none)
{
	char *before, *after;
	struct stat st;
	size_t len;

	append_id("a");
	append_id("b");
	before = get(&len);
	ck_assert_int_eq(history_filter(dir, keep_all, NULL, &f), 0);
	after = get(&len);
	ck_assert_str_eq(after, before);
	ck_assert_int_eq(history_filter(dir, keep_none, NULL, &f), 0);
	ck_assert_str_eq(ids(), "");
	ck_assert_int_eq(stat(HISTORY, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(history_filter(dir, keep_all, NULL, &f), 0);
	append_id("c");
	ck_assert_str_eq(ids(), "c ");
	free(before);
	free(after);
}
END_TEST

START_TEST(sweeps_what_a_kill_left)
{
	append_id("a");
	put_other(HISTORY ".new");
	history_sweep(dir);
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	history_sweep(dir);
	ck_assert_str_eq(ids(), "a ");
}
END_TEST

/* The file is replaced, never rewritten: who reads it keeps the old bytes. */
START_TEST(filters_into_a_new_file)
{
	struct stat before, after;
	size_t len, seen;
	char *text, old[8192];
	int fd;

	append_id("a");
	append_id("b");
	text = get(&len);
	ck_assert_int_ge(fd = open(HISTORY, O_RDONLY | O_CLOEXEC), 0);
	ck_assert_int_eq(fstat(fd, &before), 0);
	ck_assert_int_eq(history_filter(dir, keep_none, NULL, &f), 0);
	ck_assert_int_eq(stat(HISTORY, &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	seen = (size_t)read(fd, old, sizeof(old));
	ck_assert_uint_eq(seen, len);
	ck_assert_mem_eq(old, text, len);
	close(fd);
	free(text);
}
END_TEST

/* Lines that are no records go with a filter; bytes of the rest stay. */
START_TEST(filters_garbage_out)
{
	static const char bytes[] =
	    "x\n{\"outcome\": \"deployed\" , \"id\":\"a\"}\n\n[]\n"
	    "{ \"id\":\"b\",\"outcome\":\"adopted\"}\n{\"outcome\":\"deployed\",\"id\":\"to";
	char *text;
	size_t len;

	put(bytes, strlen(bytes));
	ck_assert_int_eq(history_filter(dir, keep_all, NULL, &f), 0);
	text = get(&len);
	ck_assert_str_eq(text,
	    "{\"outcome\": \"deployed\" , \"id\":\"a\"}\n"
	    "{ \"id\":\"b\",\"outcome\":\"adopted\"}\n");
	free(text);
}
END_TEST

/* Every field as long as it may be, every byte as wide as JSON makes it. */
START_TEST(returns_the_longest_record)
{
	struct record r = full;

#define FILL(m) memset(r.m, _i == 0 ? 'x' : _i == 1 ? '"' : 1, sizeof(r.m) - 1)
	FILL(id);
	FILL(time);
	FILL(verb);
	FILL(who.actor);
	FILL(who.key);
	FILL(who.client);
	FILL(from.tag);
	FILL(from.image);
	FILL(from.ref);
	FILL(to.tag);
	FILL(to.image);
	FILL(to.ref);
	FILL(why);
#undef FILL
	r.pull_ms = r.up_ms = r.health_ms = r.total_ms = INT64_MAX;
	r.code = 70;
	r.tries = 100000;
	returns_whole(&r);
	returns_whole(&r);
	ck_assert_int_eq(history_filter(dir, keep_all, NULL, &f), 0);
	returns_whole(&r);
}
END_TEST

struct count {
	int expect, seen;
};

static bool
count_down(void *arg, const struct record *r)
{
	struct count *c = arg;

	ck_assert_int_eq(atoi(r->id), c->expect);
	c->expect--;
	c->seen++;
	return true;
}

static bool
keep_newest(void *arg, const struct record *r)
{
	(void)r;
	return --*(int *)arg >= 0;
}

START_TEST(holds_many)
{
	struct count c = { .expect = 1200 };
	int i, most = 1000;
	size_t n;

	for (i = 1; i <= 1200; i++)
		append_number(i);
	ck_assert_int_eq(history_walk(dir, count_down, &c, &f), 0);
	ck_assert_int_eq(c.seen, 1200);
	ck_assert_int_eq(history_has(dir, "1", &f), 1);
	ck_assert_int_eq(history_filter(dir, keep_newest, &most, &f), 0);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 1000);
	c = (struct count){ .expect = 1200 };
	ck_assert_int_eq(history_walk(dir, count_down, &c, &f), 0);
	ck_assert_int_eq(c.seen, 1000);
	ck_assert_int_eq(history_has(dir, "200", &f), 0);
}
END_TEST

/* A line longer than any record is passed over, whatever is in it. */
START_TEST(bounds_a_line)
{
	static char line[17000];
	const char *head = "{\"outcome\":\"deployed\",\"id\":\"big\",\"x\":\"";
	size_t n = strlen(head), len;

	for (len = 16 * 1024; len <= 16 * 1024 + 1; len++) {
		memset(line, 'x', sizeof(line));
		memcpy(line, head, n);
		memcpy(line + len - 2, "\"}\n", 3);
		put(line, len + 1);
		ck_assert_str_eq(ids(), len == 16 * 1024 ? "big " : "");
		append_id("a");
		ck_assert_str_eq(ids(), len == 16 * 1024 ? "a big " : "a ");
	}
}
END_TEST

START_TEST(bounds_the_file)
{
	size_t n;

	append_id("a");
	ck_assert_int_eq(truncate(HISTORY, 32 * 1024 * 1024 + 1), 0);
	ck_assert_int_eq(history_has(dir, "a", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot read the history"));
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
	ck_assert_int_eq(history_count(dir, &n, &f), -1);
	fault_clear(&f);
	ck_assert_int_eq(history_filter(dir, keep_all, NULL, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
}
END_TEST

/* Half a line is worse than none: on a full disk it is taken back. */
START_TEST(leaves_no_half_line_on_a_full_disk)
{
	struct rlimit before, little;
	struct record r = full;
	char *was, *is;
	size_t len, now;
	int rc;

	append_id("a");
	was = get(&len);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = (rlim_t)len + 100;
	signal(SIGXFSZ, SIG_IGN);
	/* Check writes files too: nothing is asserted in between */
	setrlimit(RLIMIT_FSIZE, &little);
	rc = history_append(dir, &r, &f);
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot write the history"));
	ck_assert_str_ne(f.next, "");
	is = get(&now);
	ck_assert_uint_eq(now, len);
	ck_assert_str_eq(is, was);
	fault_clear(&f);
	append_id("b");
	ck_assert_str_eq(ids(), "b a ");
	free(was);
	free(is);
}
END_TEST

static int
refuse_file(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? -1 : 0;
}

static int
refuse_folder(int fd)
{
	struct stat st;

	errno = EIO;
	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? -1 : 0;
}

/* The journal may go only once the record is on the disk, and the file's name. */
START_TEST(says_what_is_not_on_the_disk)
{
	int rc;

	unit_on_fsync = _i == 0 ? refuse_file : refuse_folder;
	rc = history_append(dir, &full, &f);
	unit_on_fsync = NULL;
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "Input/output error"));
}
END_TEST

START_TEST(keeps_all_when_it_cannot_filter)
{
	struct rlimit before, little;
	int i, rc;

	for (i = 0; i < 20; i++)
		append_number(i);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 100;
	signal(SIGXFSZ, SIG_IGN);
	i = 5;
	setrlimit(RLIMIT_FSIZE, &little);
	rc = history_filter(dir, keep_newest, &i, &f);
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_int_eq(access(HISTORY ".new", F_OK), -1);
	fault_clear(&f);
	ck_assert_int_eq(history_has(dir, "0", &f), 1);
}
END_TEST

/* Cut anywhere: never read, and cut off by the next append. */
START_TEST(never_reads_a_torn_line)
{
	size_t len, one, cut, now;
	char *text, *after;

	append_id("a");
	text = get(&one);
	free(text);
	append_id("b");
	text = get(&len);
	for (cut = 0; cut <= len; cut++) {
		bool a = cut >= one, b = cut == len;

		put(text, cut);
		ck_assert_str_eq(ids(), b ? "b a " : a ? "a " : "");
		ck_assert_int_eq(history_has(dir, "b", &f), b);
		append_id("c");
		ck_assert_str_eq(ids(), b ? "c b a " : a ? "c a " : "c ");
		/* the lines before it are as they were */
		after = get(&now);
		ck_assert_mem_eq(after, text, b ? len : a ? one : 0);
		ck_assert_int_eq(after[now - 1], '\n');
		free(after);
	}
	free(text);
}
END_TEST

/* The line's length is on disk and its bytes are not. */
START_TEST(never_reads_zeros)
{
	size_t len, one, i;
	char *text;

	append_id("a");
	text = get(&one);
	free(text);
	append_id("b");
	text = get(&len);
	for (i = len; i-- > one;) {
		text[i] = '\0';
		put(text, len);
		ck_assert_str_eq(ids(), "a ");
		append_id("c");
		ck_assert_str_eq(ids(), "c a ");
	}
	free(text);
}
END_TEST

static const char *const garbage[] = { "", " ", "x", "null", "true", "7", "\"deployed\"",
	"[]", "{}", "{\"id\":\"a\"}", "{\"outcome\":1,\"id\":\"a\"}",
	"{\"outcome\":null}", "{\"outcome\":\"\"}",
	"{\"outcome\":\"Deployed\",\"id\":\"a\"}",
	"{\"outcome\":\"unknown\",\"id\":\"a\"}",
	"[{\"outcome\":\"deployed\",\"id\":\"a\"}]",
	"{\"outcome\":\"deployed\",\"id\":\"a\"",
	"{\"outcome\":\"deployed\",\"id\":\"a\"}}",
	"{\"outcome\":\"deployed\",\"id\":\"a\"}{\"outcome\":\"deployed\",\"id\":\"b\"}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"id\":\"b\"}",
	"{\"outcome\":\"deployed\",\"outcome\":\"adopted\",\"id\":\"a\"}",
	"{\"outcome\":\"deployed\",\"id\":\"\xff\"}",
	"{\"outcome\":\"deployed\",\"id\":\"a\\u0000b\"}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"code\":99999999999999999999}",
	"\xef\xbb\xbf{\"outcome\":\"deployed\",\"id\":\"a\"}", "# a comment", "//" };

START_TEST(passes_over_garbage)
{
	char bytes[4096];
	size_t n;

	snprintf(bytes, sizeof(bytes),
	    "{\"outcome\":\"deployed\",\"id\":\"one\"}\n%s\n"
	    "{\"outcome\":\"deployed\",\"id\":\"two\"}\n%s\n",
	    garbage[_i], garbage[_i]);
	put(bytes, strlen(bytes));
	ck_assert_str_eq(ids(), "two one ");
	append_id("three");
	ck_assert_str_eq(ids(), "three two one ");
	ck_assert_int_eq(history_has(dir, "a", &f), 0);
	ck_assert_int_eq(history_has(dir, "one", &f), 1);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 5);
}
END_TEST

/* Wrong or missing members are empty; the record still counts. */
static const char *const odd[] = {
	"{\"outcome\":\"deployed\",\"id\":\"a\"}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"who\":7,\"from\":[],\"to\":null,\"ms\":\"x\"}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"who\":{\"actor\":{}},\"to\":{\"tag\":1}}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"code\":\"0\",\"tries\":1.5,\"ms\":{\"up\":\"1\"}}",
	"{\"outcome\":\"deployed\",\"id\":\"a\",\"verb\":\"0123456789abcdef\"}",
	("{\"outcome\":\"deployed\",\"id\":\"a\",\"time\":"
	 "\"01234567890123456789012345678901\"}"),
	" {\t\"id\" : \"a\" , \"new\":[[{}]], \"outcome\":\"deployed\" } \r",
};

START_TEST(takes_odd_records)
{
	static const struct record want = { .id = "a", .outcome = OUTCOME_DEPLOYED };
	char bytes[512];
	struct record r;

	snprintf(bytes, sizeof(bytes), "%s\n", odd[_i]);
	put(bytes, strlen(bytes));
	memset(&r, 0xa5, sizeof(r));
	ck_assert_int_eq(history_walk(dir, copy, &r, &f), 0);
	same(&r, &want);
}
END_TEST

START_TEST(survives_extreme_numbers)
{
	static const char line[] =
	    "{\"outcome\":\"deployed\",\"id\":\"a\",\"code\":"
	    "-9223372036854775808,\"tries\":-1,\"ms\":{\"pull\":9223372036854775807}}\n";
	struct record r;

	put(line, strlen(line));
	ck_assert_int_eq(history_walk(dir, copy, &r, &f), 0);
	ck_assert_str_eq(r.id, "a");
	ck_assert_int_eq(r.pull_ms, INT64_MAX);
}
END_TEST

START_TEST(survives_every_byte)
{
	size_t len, i;
	char *text;

	append_id("a");
	append_id("b");
	text = get(&len);
	for (i = 0; i < len; i++) {
		char saved = text[i];

		text[i] = (char)(saved ^ (1 << _i));
		put(text, len);
		(void)ids();
		/* an fsync for each would take long */
		if (i % 16 == 0) {
			append_id("c");
			ck_assert_int_eq(strncmp(ids(), "c ", 2), 0);
		}
		text[i] = saved;
	}
	free(text);
}
END_TEST

START_TEST(is_writable)
{
	size_t n;

	ck_assert_int_eq(history_writable(dir, &f), 0);
	ck_assert_str_eq(ids(), "");
	append_id("a");
	ck_assert_int_eq(history_writable(dir, &f), 0);
	ck_assert_str_eq(ids(), "a ");
	put("torn", 4);
	ck_assert_int_eq(history_writable(dir, &f), 0);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(refuses_other_kinds)
{
	size_t n;
	int rc;

	switch (_i) {
	case 0:
		rc = mkfifo(HISTORY, 0600);
		break;
	case 1:
		rc = mkdir(HISTORY, 0700);
		break;
	default:
		rc = symlink("elsewhere", HISTORY);
		break;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(history_append(dir, &full, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(history_writable(dir, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(history_has(dir, "a", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(history_count(dir, &n, &f), -1);
	ck_assert_int_eq(access("elsewhere", F_OK), -1);
}
END_TEST

/* Bytes that are no UTF-8 are no JSON: said, and nothing half written. */
START_TEST(does_not_write_what_it_could_not_read)
{
	struct record r = full;

	append_id("a");
	strcpy(r.id, "b");
	strcpy(r.why, "no \xff");
	if (history_append(dir, &r, &f) == -1) {
		ck_assert_int_eq(f.kind, FAULT_HOST);
		fault_clear(&f);
		ck_assert_str_eq(ids(), "a ");
	} else
		ck_assert_str_eq(ids(), "b a ");
}
END_TEST

Suite *
history_suite(void)
{
	Suite *s = suite_create("history");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_set_timeout(core, 30);
	tcase_add_test(core, is_none_at_first);
	tcase_add_loop_test(core, returns_every_outcome, 0, OUTCOME__MAX);
	tcase_add_test(core, returns_an_empty_record);
	tcase_add_test(core, walks_the_newest_first);
	tcase_add_test(core, knows_its_ids);
	tcase_add_test(core, counts_lines);
	tcase_add_test(core, is_writable);
	tcase_add_test(core, is_json_lines);
	tcase_add_test(core, is_only_ours_to_read);
	tcase_add_test(core, names_the_outcomes);
	tcase_add_test(core, filters);
	tcase_add_test(core, filters_all_and_none);
	tcase_add_test(core, sweeps_what_a_kill_left);
	tcase_add_test(core, filters_into_a_new_file);
	tcase_add_test(core, filters_garbage_out);
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_set_timeout(limits, 120);
	tcase_add_loop_test(limits, returns_the_longest_record, 0, 3);
	tcase_add_test(limits, holds_many);
	tcase_add_test(limits, bounds_a_line);
	tcase_add_test(limits, bounds_the_file);
	tcase_add_test(limits, leaves_no_half_line_on_a_full_disk);
	tcase_add_loop_test(limits, says_what_is_not_on_the_disk, 0, 2);
	tcase_add_test(limits, keeps_all_when_it_cannot_filter);
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_timeout(hostile, 120);
	tcase_add_test(hostile, never_reads_a_torn_line);
	tcase_add_test(hostile, never_reads_zeros);
	tcase_add_loop_test(hostile, passes_over_garbage, 0, N(garbage));
	tcase_add_loop_test(hostile, takes_odd_records, 0, N(odd));
	tcase_add_test(hostile, survives_extreme_numbers);
	tcase_add_loop_test(hostile, survives_every_byte, 0, 8);
	tcase_add_loop_test(hostile, refuses_other_kinds, 0, 3);
	tcase_add_test(hostile, does_not_write_what_it_could_not_read);
	suite_add_tcase(s, hostile);
	return s;
}
