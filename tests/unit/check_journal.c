/*
 * check_journal.c: what is on disk before each step.  A journal that is not
 * whole must be a fault, never a guess.
 */
#include "room.h"
#include "state/journal.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define IMAGE "sha256:0280d7bfe7bde6e412a1748cbea963c6613dec41b1792647ca43053b46ba4d97"

Suite *journal_suite(void);

extern int (*unit_on_fsync)(int fd);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;

static const struct journal full = {
	.id = "20261121T105054Z-1a2b3c4d",
	.verb = "deploy",
	.step = JOURNAL_SWAP,
	.blind = true,
	.from = { "v1.0.0", "sha256:aa", "127.0.0.1:5000/demo:v1.0.0" },
	.to = { "v1.0.1", IMAGE, "127.0.0.1:5000/demo:v1.0.1" },
	.container = "211d72c46ce5117039fc5ec4c53bded860c4c4ad3bf8faa239e42b88955bcb29",
	.displaced = "sha256:bb",
	.seq = 999999999999999,
	.old_value = "v0.9 \"\\/\t'",
	.actor = "ci",
	.time = "2026-11-21T10:50:54Z",
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
	int fd = open("journal", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	close(fd);
}

static size_t
get(char *bytes, size_t size)
{
	int fd = open("journal", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(n = read(fd, bytes, size - 1), 0);
	close(fd);
	bytes[n] = '\0';
	return (size_t)n;
}

static void
same_version(const struct version *a, const struct version *b)
{
	ck_assert_str_eq(a->tag, b->tag);
	ck_assert_str_eq(a->image, b->image);
	ck_assert_str_eq(a->ref, b->ref);
}

static void
same(const struct journal *a, const struct journal *b)
{
	ck_assert_str_eq(a->id, b->id);
	ck_assert_str_eq(a->verb, b->verb);
	ck_assert_int_eq(a->step, b->step);
	ck_assert_int_eq(a->blind, b->blind);
	same_version(&a->from, &b->from);
	same_version(&a->to, &b->to);
	ck_assert_str_eq(a->container, b->container);
	ck_assert_str_eq(a->displaced, b->displaced);
	ck_assert_int_eq(a->seq, b->seq);
	ck_assert_str_eq(a->old_value, b->old_value);
	ck_assert_str_eq(a->actor, b->actor);
	ck_assert_str_eq(a->time, b->time);
}

static void
returns_whole(const struct journal *j)
{
	struct journal got;

	fault_clear(&f);
	ck_assert_msg(journal_write(dir, j, &f) == 0, "%s", f.what);
	memset(&got, 0xa5, sizeof(got));
	ck_assert_msg(journal_read(dir, &got, &f) == 1, "%s", f.what);
	same(&got, j);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}

static void
damaged(const char *what)
{
	struct journal j;

	fault_clear(&f);
	ck_assert_msg(journal_read(dir, &j, &f) == -1, "took %s", what);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, "damaged") != NULL, "%s: %s", what, f.what);
	ck_assert_ptr_nonnull(strstr(f.next, "by hand"));
}

START_TEST(is_none_at_first)
{
	struct journal j;

	ck_assert_int_eq(journal_read(dir, &j, &f), 0);
	ck_assert_int_eq(f.kind, FAULT_NONE);
}
END_TEST

START_TEST(returns_every_step)
{
	struct journal j = full;
	int blind;

	for (blind = 0; blind < 2; blind++) {
		j.step = (enum journal_step)_i;
		j.blind = blind != 0;
		returns_whole(&j);
	}
}
END_TEST

START_TEST(returns_a_first_deploy)
{
	struct journal j = { .id = "1", .verb = "deploy", .time = "now" };

	returns_whole(&j);
}
END_TEST

/* Each field alone: no two are mixed up. */
START_TEST(returns_each_field)
{
	static const struct {
		size_t at, size;
	} fields[] = {
#define AT(m) { offsetof(struct journal, m), sizeof(full.m) }
		AT(id),
		AT(verb),
		AT(from.tag),
		AT(from.image),
		AT(from.ref),
		AT(to.tag),
		AT(to.image),
		AT(to.ref),
		AT(container),
		AT(displaced),
		AT(old_value),
		AT(actor),
		AT(time),
#undef AT
	};
	struct journal j;
	int i;

	for (i = 0; i < N(fields); i++) {
		memset(&j, 0, sizeof(j));
		strcpy((char *)&j + fields[i].at, "mine");
		returns_whole(&j);
		/* as long as it may be */
		memset((char *)&j + fields[i].at, 'x', fields[i].size - 1);
		returns_whole(&j);
	}
}
END_TEST

START_TEST(replaces_the_step_before)
{
	struct journal j = full;

	j.step = JOURNAL_PULL;
	j.to.image[0] = '\0';
	returns_whole(&j);
	returns_whole(&full);
	j = full;
	j.step = JOURNAL_ROLLBACK;
	returns_whole(&j);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
}
END_TEST

START_TEST(is_only_ours_to_read)
{
	struct stat st;

	returns_whole(&full);
	ck_assert_int_eq(stat("journal", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(clears)
{
	struct journal j;

	returns_whole(&full);
	ck_assert_int_eq(journal_clear(dir, &f), 0);
	ck_assert_int_eq(access("journal", F_OK), -1);
	ck_assert_int_eq(journal_read(dir, &j, &f), 0);
	ck_assert_int_eq(journal_clear(dir, &f), 0);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	returns_whole(&full);
}
END_TEST

START_TEST(names_the_steps)
{
	int i, k;

	for (i = 0; i < JOURNAL__MAX; i++)
		for (k = 0; k < i; k++)
			ck_assert_str_ne(journal_step_name((enum journal_step)i),
			    journal_step_name((enum journal_step)k));
	ck_assert_str_eq(journal_step_name(JOURNAL_PULL), "pull");
	ck_assert_str_eq(journal_step_name(JOURNAL_SWAP), "swap");
	ck_assert_str_eq(journal_step_name(JOURNAL_ROLLBACK), "rolling back");
	ck_assert_str_eq(journal_step_name(JOURNAL__MAX), "unknown");
}
END_TEST

/* What a killed run left of its temp file is not in the way, and not read. */
START_TEST(passes_over_a_temp_file)
{
	struct journal j;
	int fd = open("journal.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0400);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "{", 1), 1);
	close(fd);
	ck_assert_int_eq(journal_read(dir, &j, &f), 0);
	if (_i == 1) {
		journal_sweep(dir);
		ck_assert_int_eq(access("journal.new", F_OK), -1);
		journal_sweep(dir);
	}
	returns_whole(&full);
	journal_sweep(dir);
	ck_assert_int_eq(journal_read(dir, &j, &f), 1);
}
END_TEST

/* No disk space: the old one stays, whole, and nothing beside it. */
START_TEST(keeps_the_old_one_on_a_full_disk)
{
	struct rlimit before, none;
	struct journal j = full, got;
	int rc;

	returns_whole(&full);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 100;
	signal(SIGXFSZ, SIG_IGN);
	j.step = JOURNAL_ROLLBACK;
	/* Check writes files too: nothing is asserted in between */
	setrlimit(RLIMIT_FSIZE, &none);
	rc = journal_write(dir, &j, &f);
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot write the journal"));
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
	ck_assert_int_eq(journal_read(dir, &got, &f), 1);
	same(&got, &full);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
}
END_TEST

/* The fsyncs of the folder that fail yet. */
static int failing;

static int
fail_on_folder(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISDIR(st.st_mode) || failing == 0)
		return 0;
	failing--;
	errno = EIO;
	return -1;
}

static int
writes_with(int failures)
{
	int rc;

	failing = failures;
	unit_on_fsync = fail_on_folder;
	rc = journal_write(dir, &full, &f);
	unit_on_fsync = NULL;
	return rc;
}

/* The rename was done: the next request would recover what was never begun. */
START_TEST(leaves_no_first_one_that_is_not_durable)
{
	ck_assert_int_eq(writes_with(1), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what,
	    "cannot write the journal in the state folder: Input/output error");
	ck_assert_int_eq(access("journal", F_OK), -1);
}
END_TEST

START_TEST(says_that_one_may_be_left)
{
	ck_assert_int_eq(writes_with(2), -1);
	ck_assert_str_eq(f.what,
	    "the journal was neither written for certain (Input/output error) "
	    "nor removed (Input/output error)");
}
END_TEST

/* Of a deploy under way one is left in any case. */
START_TEST(leaves_one_of_two_steps)
{
	struct journal j = full;

	j.step = JOURNAL_PULL;
	ck_assert_int_eq(journal_write(dir, &j, &f), 0);
	ck_assert_int_eq(writes_with(1), -1);
	fault_clear(&f);
	ck_assert_int_eq(journal_read(dir, &j, &f), 1);
}
END_TEST

START_TEST(refuses_what_is_cut_short)
{
	char bytes[8192], what[64];
	size_t len, cut;

	returns_whole(&full);
	len = get(bytes, sizeof(bytes));
	ck_assert_uint_gt(len, 400);
	for (cut = 0; cut < len; cut++) {
		put(bytes, cut);
		snprintf(what, sizeof(what), "the first %zu bytes", cut);
		damaged(what);
	}
	put(bytes, len);
	returns_whole(&full);
}
END_TEST

/* A block of a power cut: the length is there, the bytes are not. */
START_TEST(refuses_what_ends_in_zeros)
{
	char bytes[8192];
	size_t len, from;

	returns_whole(&full);
	len = get(bytes, sizeof(bytes));
	for (from = len; from-- > 0;) {
		bytes[from] = '\0';
		put(bytes, len);
		damaged("zeros at the end");
	}
}
END_TEST

/* Any byte may go wrong: a fault or a journal, never a crash. */
START_TEST(survives_every_byte)
{
	char bytes[8192];
	struct journal j;
	size_t len, i;
	int rc;

	returns_whole(&full);
	len = get(bytes, sizeof(bytes));
	for (i = 0; i < len; i++) {
		char saved = bytes[i];

		bytes[i] = (char)(saved ^ (1 << _i));
		put(bytes, len);
		fault_clear(&f);
		rc = journal_read(dir, &j, &f);
		ck_assert((rc == 1 && f.kind == FAULT_NONE) ||
		    (rc == -1 && f.kind == FAULT_HOST));
		bytes[i] = saved;
	}
}
END_TEST

/* A whole journal, some part of it replaced by another. */
static const struct {
	const char *part, *by;
} swaps[] = {
	{ "\"v\": 1", "\"v\": 0" },
	{ "\"v\": 1", "\"v\": -1" },
	{ "\"v\": 1", "\"v\": \"1\"" },
	{ "\"v\": 1", "\"v\": 1.0" },
	{ "\"v\": 1", "\"v\": true" },
	{ "\"v\": 1", "\"v\": null" },
	{ "\"v\": 1", "\"v\": 99999999999999999999" },
	{ "\"v\": 1", "\"w\": 1" },
	{ "\"v\": 1", "\"v\": 1, \"v\": 1" },
	{ "\"id\"", "\"id\": \"other\", \"id\"" },
	{ "\"id\"", "\"ID\"" },
	{ "\"verb\": \"deploy\"", "\"verb\": 1" },
	{ "\"verb\": \"deploy\"", "\"verb\": null" },
	{ "\"verb\": \"deploy\"", "\"verb\": [\"deploy\"]" },
	{ "\"verb\": \"deploy\"", "\"verb\": \"0123456789abcdef\"" },
	{ "\"verb\": \"deploy\"", "\"verb\": \"a\\u0000b\"" },
	{ "\"verb\": \"deploy\"", "\"verb\": \"\xff\"" },
	{ "\"step\": \"swap\"", "\"step\": \"swop\"" },
	{ "\"step\": \"swap\"", "\"step\": \"\"" },
	{ "\"step\": \"swap\"", "\"step\": \"unknown\"" },
	{ "\"step\": \"swap\"", "\"step\": \"Swap\"" },
	{ "\"step\": \"swap\"", "\"step\": 1" },
	{ "\"step\": \"swap\"", "\"stop\": \"swap\"" },
	{ "\"silent\": true", "\"silent\": 1" },
	{ "\"silent\": true", "\"silent\": \"true\"" },
	{ "\"silent\": true", "\"silent\": null" },
	{ "\"silent\": true", "\"silence\": true" },
	{ "\"from\": {", "\"from\": [], \"x\": {" },
	{ "\"from\": {", "\"from\": null, \"x\": {" },
	{ "\"from\": {", "\"x\": {" },
	{ "\"to\": {", "\"to\": \"v1\", \"x\": {" },
	{ "\"to\": {", "\"x\": {" },
	{ "\"tag\": \"v1.0.1\"", "\"tag\": 7" },
	{ "\"tag\": \"v1.0.1\"", "\"tag\": \"v1\", \"tag\": \"v2\"" },
	{ "\"image\": \"sha256:aa\"", "\"image\": {}" },
	{ "\"container\"", "\"Container\"" },
	{ "\"displaced\": \"sha256:bb\"", "\"displaced\": false" },
	{ "\"old_value\"", "\"value\"" },
	{ "\"actor\": \"ci\"", "\"actor\": null" },
	{ "\"time\"", "\"when\"" },
	{ "{", "[{" },
	{ "{", "" },
	{ "{", "{{" },
	{ "\"id\": ", "\"id\" " },
	{ "}", "}}" },
};

START_TEST(refuses_what_is_wrong)
{
	char bytes[8192], changed[8192], *at;

	returns_whole(&full);
	get(bytes, sizeof(bytes));
	at = strstr(bytes, swaps[_i].part);
	ck_assert_msg(at != NULL, "no %s in %s", swaps[_i].part, bytes);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - bytes), bytes,
	    swaps[_i].by, at + strlen(swaps[_i].part));
	put(changed, strlen(changed));
	damaged(swaps[_i].by);
}
END_TEST

static const char *const garbage[] = { " ", "\n", "null", "1", "\"journal\"", "[]", "{}",
	"{\"v\": 1}", "[1, 2, 3]", "\xff\xfe\xfd", "\xef\xbb\xbf{}", "#!/bin/sh\n" };

START_TEST(refuses_garbage)
{
	put(garbage[_i], strlen(garbage[_i]));
	damaged(garbage[_i]);
}
END_TEST

START_TEST(refuses_what_follows)
{
	char bytes[8192];

	returns_whole(&full);
	get(bytes, sizeof(bytes));
	strcat(bytes, "\n{}");
	put(bytes, strlen(bytes));
	damaged("two documents");
}
END_TEST

START_TEST(refuses_deep_nesting)
{
	char bytes[20000];

	memset(bytes, '[', sizeof(bytes));
	put(bytes, sizeof(bytes));
	damaged("brackets");
}
END_TEST

START_TEST(refuses_each_overlong_string)
{
	static const struct {
		const char *key;
		size_t max;
	} fields[] = { { "id", JOURNAL_ID_MAX }, { "verb", 16 },
		{ "container", IMAGE_ID_MAX }, { "displaced", IMAGE_ID_MAX },
		{ "old_value", JOURNAL_VALUE_MAX }, { "actor", 64 }, { "time", 32 },
		{ "tag", TAG_MAX }, { "image", IMAGE_ID_MAX }, { "ref", REF_MAX } };
	char bytes[8192], changed[8192], key[32], *at, *end, *x;
	struct journal j;
	size_t len;
	int i;

	returns_whole(&full);
	get(bytes, sizeof(bytes));
	x = malloc(1000);
	ck_assert_ptr_nonnull(x);
	memset(x, 'x', 1000);
	for (i = 0; i < N(fields); i++)
		for (len = fields[i].max - 1; len <= fields[i].max; len++) {
			snprintf(key, sizeof(key), "\"%s\": \"", fields[i].key);
			at = strstr(bytes, key);
			ck_assert_ptr_nonnull(at);
			at += strlen(key);
			for (end = at; *end != '"' || end[-1] == '\\'; end++)
				continue;
			snprintf(changed, sizeof(changed), "%.*s%.*s%s",
			    (int)(at - bytes), bytes, (int)len, x, end);
			put(changed, strlen(changed));
			if (len == fields[i].max)
				damaged(fields[i].key);
			else
				ck_assert_msg(journal_read(dir, &j, &f) == 1, "%s: %s",
				    fields[i].key, f.what);
			fault_clear(&f);
		}
	free(x);
}
END_TEST

/* A later program may write more; what it adds beside is not for us. */
START_TEST(passes_over_what_it_does_not_know)
{
	char bytes[8192], changed[sizeof(bytes) + 64];
	struct journal j;

	returns_whole(&full);
	get(bytes, sizeof(bytes));
	snprintf(changed, sizeof(changed), "{\"new\": {\"v\": 3}, %s", bytes + 1);
	put(changed, strlen(changed));
	ck_assert_int_eq(journal_read(dir, &j, &f), 1);
	same(&j, &full);
}
END_TEST

static const char *const newer[] = { "2", "3", "1000000", "9223372036854775807" };

START_TEST(refuses_a_newer_version)
{
	char bytes[256];
	struct journal j;

	snprintf(bytes, sizeof(bytes), "{\"v\": %s, \"all\": \"else\"}", newer[_i]);
	put(bytes, strlen(bytes));
	ck_assert_int_eq(journal_read(dir, &j, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	snprintf(bytes, sizeof(bytes), "the journal is of version %s,", newer[_i]);
	ck_assert_msg(strncmp(f.what, bytes, strlen(bytes)) == 0, "%s", f.what);
	ck_assert_ptr_nonnull(strstr(f.next, "newer program"));
}
END_TEST

static void
make_kind(int kind)
{
	char *big;

	switch (kind) {
	case 0:
		ck_assert_int_eq(mkfifo("journal", 0600), 0);
		break;
	case 1:
		ck_assert_int_eq(mkdir("journal", 0700), 0);
		break;
	case 2:
		returns_whole(&full);
		ck_assert_int_eq(rename("journal", "elsewhere"), 0);
		ck_assert_int_eq(symlink("elsewhere", "journal"), 0);
		break;
	case 3:
		ck_assert_int_eq(symlink("nowhere", "journal"), 0);
		break;
	default:
		ck_assert_ptr_nonnull(big = malloc(64 * 1024 + 1));
		memset(big, ' ', 64 * 1024 + 1);
		put(big, 64 * 1024 + 1);
		free(big);
		break;
	}
}

/* Something is there, and it is no journal: not the same as none. */
START_TEST(refuses_other_kinds)
{
	struct journal j;

	make_kind(_i);
	ck_assert_int_eq(journal_read(dir, &j, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot read the journal"));
}
END_TEST

START_TEST(cannot_clear_a_folder)
{
	make_kind(1);
	ck_assert_int_eq(journal_clear(dir, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
	ck_assert_int_eq(journal_write(dir, &full, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
}
END_TEST

/* JSON is UTF-8: what cannot be written is said, and the old one stays. */
START_TEST(does_not_write_what_it_could_not_read)
{
	struct journal j = full, got;

	returns_whole(&full);
	strcpy(j.old_value, "v1\xff");
	if (journal_write(dir, &j, &f) == 0)
		ck_assert_int_eq(journal_read(dir, &got, &f), 1);
	else {
		ck_assert_int_eq(f.kind, FAULT_HOST);
		fault_clear(&f);
		ck_assert_int_eq(journal_read(dir, &got, &f), 1);
		same(&got, &full);
	}
}
END_TEST

Suite *
journal_suite(void)
{
	Suite *s = suite_create("journal");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_set_timeout(core, 30);
	tcase_add_test(core, is_none_at_first);
	tcase_add_loop_test(core, returns_every_step, 0, JOURNAL__MAX);
	tcase_add_test(core, returns_a_first_deploy);
	tcase_add_test(core, replaces_the_step_before);
	tcase_add_test(core, is_only_ours_to_read);
	tcase_add_test(core, clears);
	tcase_add_test(core, names_the_steps);
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_set_timeout(limits, 30);
	tcase_add_test(limits, returns_each_field);
	tcase_add_test(limits, refuses_each_overlong_string);
	tcase_add_loop_test(limits, passes_over_a_temp_file, 0, 2);
	tcase_add_test(limits, passes_over_what_it_does_not_know);
	tcase_add_test(limits, keeps_the_old_one_on_a_full_disk);
	tcase_add_test(limits, leaves_no_first_one_that_is_not_durable);
	tcase_add_test(limits, says_that_one_may_be_left);
	tcase_add_test(limits, leaves_one_of_two_steps);
	tcase_add_loop_test(limits, refuses_a_newer_version, 0, N(newer));
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_timeout(hostile, 60);
	tcase_add_test(hostile, refuses_what_is_cut_short);
	tcase_add_test(hostile, refuses_what_ends_in_zeros);
	tcase_add_loop_test(hostile, survives_every_byte, 0, 8);
	tcase_add_loop_test(hostile, refuses_what_is_wrong, 0, N(swaps));
	tcase_add_loop_test(hostile, refuses_garbage, 0, N(garbage));
	tcase_add_test(hostile, refuses_what_follows);
	tcase_add_test(hostile, refuses_deep_nesting);
	tcase_add_loop_test(hostile, refuses_other_kinds, 0, 5);
	tcase_add_test(hostile, cannot_clear_a_folder);
	tcase_add_test(hostile, does_not_write_what_it_could_not_read);
	suite_add_tcase(s, hostile);
	return s;
}
