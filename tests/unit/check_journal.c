/*
 * check_journal.c: the journal.  One that is not whole is a fault, never a guess.
 */
#include "suite.h"
#include "room.h"
#include "state/journal.h"

#include <sys/stat.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *journal_suite(void);

extern int (*unit_on_fsync)(int fd);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;

static const struct journal full = {
	.id = "20261121T105054Z-1a2b3c4d",
	.verb = RECORD_ROLLBACK,
	.phase = PHASE_APPLY,
	.engine = "compose",
	.from = { "v1.0.0", 2,
	    { { "web", "r/web:v1.0.0", "sha256:aa", "sha256:da", "c1", "sha256:a0",
		  "v1.0.0", true },
		{ "worker", "r/worker:v1.0.0", "sha256:bb", "", "", "", "v1.0.0",
		    false } } },
	.to = { "v1.0.1", 1,
	    { { "web", "r/web:v1.0.1", "", "", "", "sha256:a1", "r/web:v1 \"\\/\t'",
		true } } },
	.seq = 999999999999999,
	.who = { "ci", "SHA256:k", "192.0.2.1", TRIGGER_BOOT },
	.time = "2026-11-21T10:50:54Z",
};

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
}

static bool
is_there(struct journal *j)
{
	bool found = true;

	memset(j, 0xa5, sizeof(*j));
	fault_clear(&f);
	ck_assert_msg(journal_read(dir, j, &found, &f) == 0, "%s", f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	return found;
}

static void
holds(const struct journal *want)
{
	struct journal got;

	ck_assert(is_there(&got));
	ck_assert_mem_eq(&got, want, sizeof(got));
}

static void
returns_whole(const struct journal *j)
{
	fault_clear(&f);
	ck_assert_msg(journal_write(dir, j, &f) == 0, "%s", f.what);
	holds(j);
}

static void
damaged(const char *what)
{
	struct journal j;
	bool found = true;

	fault_clear(&f);
	ck_assert_msg(journal_read(dir, &j, &found, &f) == -1, "took %s", what);
	ck_assert(!found);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, "damaged") != NULL, "%s: %s", what, f.what);
	ck_assert_ptr_nonnull(strstr(f.next, "by hand"));
}

START_TEST(returns_every_phase)
{
	static const char *const names[] = { "prepare", "pre-deploy", "candidate",
		"drain", "apply", "verify", "revert" };
	struct journal j = full;

	j.phase = (enum phase)_i;
	j.verb = _i % 2 == 0 ? RECORD_DEPLOY : RECORD_ROLLBACK;
	returns_whole(&j);
	ck_assert_str_eq(phase_name(j.phase), names[_i]);
	j.from.n = j.to.n = 0;
	memset(j.from.part, 0, sizeof(j.from.part));
	memset(j.to.part, 0, sizeof(j.to.part));
	returns_whole(&j);
}
END_TEST

START_TEST(clears)
{
	struct journal j;
	struct stat st;

	ck_assert(!is_there(&j));
	returns_whole(&full);
	ck_assert_int_eq(stat("journal", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(journal_clear(dir, &f), 0);
	ck_assert_int_eq(access("journal", F_OK), -1);
	ck_assert(!is_there(&j));
	ck_assert_int_eq(journal_clear(dir, &f), 0);
	returns_whole(&full);
}
END_TEST

/* Each string alone, short and at its longest: no two are confused. */
static const struct {
	size_t at, size;
} strings[] = {
#define AT(m)                                               \
	{                                                   \
		offsetof(struct journal, m), sizeof(full.m) \
	}
#define PART(p)                                                                       \
	AT(p.service), AT(p.reference), AT(p.revision), AT(p.digest), AT(p.instance), \
	    AT(p.previous), AT(p.desired)
	AT(id), AT(engine), AT(time), AT(who.actor), AT(who.key), AT(who.client),
	AT(from.tag), AT(to.tag), PART(from.part[0]), PART(from.part[7]), PART(to.part[3])
#undef PART
#undef AT
};

START_TEST(returns_each_string)
{
	struct journal j = { .from.n = SERVICES_MAX, .to.n = SERVICES_MAX };
	char *s = (char *)&j + strings[_i].at;

	strcpy(s, "mine");
	returns_whole(&j);
	memset(s, 'x', strings[_i].size - 1);
	returns_whole(&j);
}
END_TEST

/* Control bytes become six bytes: all strings at once must fit. */
START_TEST(returns_the_longest)
{
	struct journal j = { .from.n = SERVICES_MAX, .to.n = SERVICES_MAX };
	struct part *p;
	size_t i, k;

	for (i = 0; i < 2 * SERVICES_MAX; i++) {
		p = i % 2 == 0 ? &j.from.part[i / 2] : &j.to.part[i / 2];
		/* the strings of part[0], in every part */
		for (k = 8; k < 15; k++)
			memset((char *)p + strings[k].at - strings[8].at, 1,
			    strings[k].size - 1);
	}
	returns_whole(&j);
}
END_TEST

/*
 * Journals of the released program, and what they mean: verb, phase, engine; of `from`
 * tag, revision, instance, desired, served; of `to` tag, revision, previous, desired;
 * the sequence number.
 */
static const struct {
	const char *file, *means;
} released[] = {
	{ "0.1-journal-prepare",
	    "deploy prepare compose v1.0.0 sha256:2485f4d5 da85b54e v1.0.0 1 "
	    "v1.0.1 - sha256:7f98e71c v1.0.1 8" },
	{ "0.1-journal-apply",
	    "deploy apply compose v1.0.0 sha256:2485f4d5 da85b54e v1.0.0 1 "
	    "v1.0.1 sha256:7f98e71c sha256:7f98e71c v1.0.1 8" },
	{ "0.1-journal-revert",
	    "deploy revert compose v1.0.0 sha256:2485f4d5 a2379ca9 v1.0.0 1 "
	    "v1.0.2 sha256:90c11b96 - v1.0.2 0" },
	{ "0.1-journal-rollback",
	    "rollback apply compose v1.0.1 sha256:7f98e71c efefb27f v1.0.1 1 "
	    "v1.0.0 sha256:2485f4d5 sha256:2485f4d5 v1.0.0 0" },
	{ "0.1-journal-first",
	    "deploy apply compose - - - sha-0000000 0 "
	    "v1.0.1 sha256:7f98e71c - v1.0.1 0" },
	{ "0.1-journal-blind",
	    "deploy apply blind sha-0000000 - - sha-0000000 0 v1.0.1 - - v1.0.1 0" },
};

static const char *
or_dash(const char *s)
{
	return *s == '\0' ? "-" : s;
}

START_TEST(reads_format_1)
{
	const struct part *from, *to;
	struct journal j, again;
	char means[2048];

	room_copy(released[_i].file, "journal");
	ck_assert(is_there(&j));
	ck_assert_uint_eq(j.from.n, 1);
	ck_assert_uint_eq(j.to.n, 1);
	ck_assert_ptr_nonnull(from = release_part(&j.from, ""));
	ck_assert_ptr_nonnull(to = release_part(&j.to, ""));
	snprintf(means, sizeof(means),
	    "%s %s %s %s %.15s %.8s %s %d %s %.15s %.15s %s %lld",
	    record_verb_name(j.verb), phase_name(j.phase), j.engine, or_dash(j.from.tag),
	    or_dash(from->revision), or_dash(from->instance), or_dash(from->desired),
	    from->served, j.to.tag, or_dash(to->revision), or_dash(to->previous),
	    to->desired, (long long)j.seq);
	ck_assert_str_eq(means, released[_i].means);
	ck_assert_str_eq(j.who.actor, "ci");
	ck_assert_uint_eq(strlen(j.id), 23);
	ck_assert_uint_eq(strlen(j.time), 20);
	/* it is written in format 2, and is the same */
	again = j;
	returns_whole(&again);
}
END_TEST

static void
change(const char *part, const char *by)
{
	char *bytes = room_get("journal", NULL), *at = strstr(bytes, part), *text;
	int len;

	ck_assert_msg(at != NULL, "no %s in %s", part, bytes);
	len = asprintf(&text, "%.*s%s%s", (int)(at - bytes), bytes, by,
	    at + strlen(part));
	room_put("journal", text, (size_t)len);
	free(text);
	free(bytes);
}

/* Later programs of format 1 say whether the container ran when the deploy began. */
START_TEST(reads_whether_it_served)
{
	struct journal j;

	room_copy("0.1-journal-apply", "journal");
	change("\"silent\"", "\"served\": false, \"silent\"");
	ck_assert(is_there(&j));
	ck_assert(!j.from.part[0].served);
	room_copy("0.1-journal-apply", "journal");
	change("\"swap\"", "\"verify\", \"served\": true");
	ck_assert(is_there(&j));
	ck_assert(j.from.part[0].served);
	ck_assert_int_eq(j.phase, PHASE_VERIFY);
}
END_TEST

/* Format 1 has no name for the phase. */
START_TEST(refuses_a_later_phase_in_format_1)
{
	struct journal j;
	bool found;

	room_copy("0.1-journal-apply", "journal");
	change("\"swap\"", "\"drain\"");
	ck_assert_int_eq(journal_read(dir, &j, &found, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "damaged"));
}
END_TEST

/* The temporary file of a killed process is not read. */
START_TEST(skips_a_temporary_file)
{
	struct journal j;

	room_put("journal.new", "{", 1);
	ck_assert(!is_there(&j));
	if (_i == 1) {
		journal_sweep(dir);
		ck_assert_int_eq(access("journal.new", F_OK), -1);
	}
	returns_whole(&full);
	journal_sweep(dir);
	holds(&full);
}
END_TEST

/* The old one stays, and no temporary file. */
START_TEST(keeps_the_old_one_on_a_full_disk)
{
	struct journal j = full;
	int rc;

	returns_whole(&full);
	j.phase = PHASE_REVERT;
	room_limit(100);
	rc = journal_write(dir, &j, &f);
	room_limit(RLIM_INFINITY);
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot write the journal"));
	ck_assert_str_ne(f.next, "");
	holds(&full);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
}
END_TEST

/* How many fsyncs of the folder fail from now on. */
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

static void
fails_to_write(int failures, const char *what)
{
	int rc;

	failing = failures;
	unit_on_fsync = fail_on_folder;
	rc = journal_write(dir, &full, &f);
	unit_on_fsync = NULL;
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what, what);
}

/* After the rename; the next request would recover a deploy that never began. */
START_TEST(leaves_no_first_one_that_is_not_durable)
{
	fails_to_write(1,
	    "cannot write the journal in the state folder: Input/output error");
	ck_assert_int_eq(access("journal", F_OK), -1);
	fault_clear(&f);
	fails_to_write(2,
	    "the journal could neither be written durably (Input/output error) "
	    "nor be removed (Input/output error)");
}
END_TEST

/* If there was one before, the old one or the new one stays. */
START_TEST(leaves_one_of_two_phases)
{
	struct journal j = full;

	j.phase = PHASE_PREPARE;
	returns_whole(&j);
	fails_to_write(1,
	    "cannot write the journal in the state folder: Input/output error");
	ck_assert(is_there(&j));
}
END_TEST

START_TEST(refuses_a_newer_format)
{
	static const char bytes[] = "{\"v\": 3, \"all\": \"else\"}";
	struct journal j;
	bool found;

	room_put("journal", bytes, strlen(bytes));
	ck_assert_int_eq(journal_read(dir, &j, &found, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what, "the journal has format 3, this program knows 2");
	ck_assert_ptr_nonnull(strstr(f.next, "newer program"));
}
END_TEST

/* Cut anywhere; or the length is on the disk, and the bytes are not. */
START_TEST(refuses_what_is_torn)
{
	size_t len, cut;
	char *bytes;

	returns_whole(&full);
	bytes = room_get("journal", &len);
	ck_assert_uint_gt(len, 600);
	for (cut = 0; cut < len; cut++) {
		room_put("journal", bytes, cut);
		damaged("the beginning of one");
	}
	while (cut-- > 0) {
		bytes[cut] = '\0';
		room_put("journal", bytes, len);
		damaged("zeros at the end");
	}
	free(bytes);
}
END_TEST

#define SERVICE                                                                     \
	"{\"service\":\"\",\"reference\":\"\",\"revision\":\"\",\"instance\":\"\"," \
	"\"previous\":\"\",\"desired\":\"\",\"served\":true},"
#define SIX SERVICE SERVICE SERVICE SERVICE SERVICE SERVICE

/* A valid journal of a format, and a text in it that is replaced. */
static const struct {
	int format;
	const char *part, *by;
} changes[] = {
	{ 2, "\"v\": 2", "\"v\": 0" },
	{ 2, "\"v\": 2", "\"v\": 1" },
	{ 2, "\"v\": 2", "\"v\": \"2\"" },
	{ 2, "\"v\": 2", "\"v\": 99999999999999999999" },
	{ 2, "\"v\": 2", "\"v\": 2, \"v\": 2" },
	{ 2, "\"id\"", "\"ID\"" },
	{ 2, "\"rollback\"", "\"recover\"" },
	{ 2, "\"apply\"", "\"swap\"" },
	{ 2, "\"apply\"", "1" },
	{ 2, "\"compose\"", "\"compose1\"" },
	{ 2, "\"compose\"", "\"a\\u0000b\"" },
	{ 2, "\"compose\"", "\"\xff\"" },
	{ 2, "999999999999999", "-1" },
	{ 2, "\"who\": {", "\"who\": [], \"x\": {" },
	{ 2, "\"actor\"", "\"name\"" },
	{ 2, "\"from\": {", "\"from\": null, \"x\": {" },
	{ 2, "\"to\": {", "\"x\": {" },
	{ 2, "\"tag\": \"v1.0.1\"", "\"tag\": 7" },
	{ 2, "\"services\": [", "\"services\": {}, \"x\": [" },
	{ 2, "\"services\": [", "\"services\": [ {}," },
	{ 2, "\"services\": [", "\"services\": [" SIX SERVICE },
	{ 2, "\"instance\"", "\"container\"" },
	{ 2, "\"digest\": ", "\"digest\": 7, \"x\": " },
	{ 2, "\"served\": true", "\"served\": 1" },
	{ 2, "2026-11-21T10:50:54Z", "01234567890123456789012345678901" },
	{ 2, "{", "[{" },
	{ 2, "{", "{} {" },
	{ 2, "\"id\": ", "\"id\" " },
	{ 1, "\"v\": 1", "\"v\": 2" },
	{ 1, "\"swap\"", "\"apply\"" },
	{ 1, "\"step\"", "\"phase\"" },
	{ 1, "\"silent\": false", "\"silent\": 0" },
	{ 1, "\"image\"", "\"revision\"" },
	{ 1, "\"ref\"", "\"reference\"" },
	{ 1, "\"container\"", "\"Container\"" },
	{ 1, "\"displaced\"", "\"previous\"" },
	{ 1, "\"old_value\"", "\"value\"" },
	{ 1, "\"actor\"", "\"who\"" },
};

START_TEST(refuses_what_is_wrong)
{
	if (changes[_i].format == 1)
		room_copy("0.1-journal-apply", "journal");
	else
		returns_whole(&full);
	change(changes[_i].part, changes[_i].by);
	damaged(changes[_i].by);
}
END_TEST

/* A newer program of this format may add members.  Eight services are read. */
START_TEST(skips_what_it_does_not_know)
{
	struct journal j;

	returns_whole(&full);
	change("\"services\": [", "\"services\": [" SIX);
	ck_assert(is_there(&j));
	ck_assert_uint_eq(j.from.n, 8);
	returns_whole(&full);
	/* an earlier one wrote no digest */
	change("\"digest\": \"\",", "");
	holds(&full);
	change("{", "{\"new\": {\"v\": 3}, ");
	change("\"served\"", "\"also\": [], \"served\"");
	holds(&full);
}
END_TEST

START_TEST(refuses_garbage)
{
	static const char *const garbage[] = { " ", "null", "\"journal\"", "[]", "{}",
		"{\"v\": 1}", "{\"v\": 2}", "\xff\xfe", "\xef\xbb\xbf{}", "#!/bin/sh\n" };
	int i;

	for (i = 0; i < N(garbage); i++) {
		room_put("journal", garbage[i], strlen(garbage[i]));
		damaged(garbage[i]);
	}
}
END_TEST

/* Something that is no journal is a fault, not the same as no journal. */
START_TEST(refuses_other_kinds)
{
	static char big[256 * 1024 + 1];
	struct journal j;
	bool found;

	if (_i == 0)
		ck_assert_int_eq(mkdir("journal", 0700), 0);
	else if (_i == 1)
		ck_assert_int_eq(mkfifo("journal", 0600), 0);
	else if (_i == 2)
		ck_assert_int_eq(symlink("nowhere", "journal"), 0);
	else
		room_put("journal", memset(big, ' ', sizeof(big)), sizeof(big));
	ck_assert_int_eq(journal_read(dir, &j, &found, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot read the journal"));
	if (_i > 0)
		return;
	fault_clear(&f);
	ck_assert_int_eq(journal_clear(dir, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_ne(f.next, "");
	fault_clear(&f);
	ck_assert_int_eq(journal_write(dir, &full, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_int_eq(access("journal.new", F_OK), -1);
}
END_TEST

/* JSON is UTF-8: another byte is a fault, and the old journal stays. */
START_TEST(writes_nothing_that_is_not_utf_8)
{
	struct journal j = full;

	returns_whole(&full);
	strcpy(_i == 0 ? j.from.part[1].desired : j.id, "v1\xff");
	ck_assert_int_eq(journal_write(dir, &j, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	holds(&full);
}
END_TEST

Suite *
journal_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		EACH(returns_every_phase, PHASE__MAX), ONCE(clears),
		EACH(reads_format_1, N(released)), ONCE(reads_whether_it_served),
		ONCE(refuses_a_later_phase_in_format_1), CASE("Limits"),
		EACH(returns_each_string, N(strings)), ONCE(returns_the_longest),
		EACH(skips_a_temporary_file, 2), ONCE(skips_what_it_does_not_know),
		ONCE(keeps_the_old_one_on_a_full_disk),
		ONCE(leaves_no_first_one_that_is_not_durable),
		ONCE(leaves_one_of_two_phases), ONCE(refuses_a_newer_format),
		CASE("Hostile"), ONCE(refuses_what_is_torn),
		EACH(refuses_what_is_wrong, N(changes)), ONCE(refuses_garbage),
		EACH(refuses_other_kinds, 4), EACH(writes_nothing_that_is_not_utf_8, 2) };

	return unit_suite("journal", setup, room_leave, tests, N(tests));
}
