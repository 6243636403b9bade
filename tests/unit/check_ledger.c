/*
 * check_ledger.c: which releases are known-good.  A rollback goes only to these, so a
 * bad one stays bad until it succeeds again.
 */
#include "suite.h"
#include "releases.h"
#include "room.h"
#include "state/ledger.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY "history.jsonl"

Suite *ledger_suite(void);

static char folder[ROOM_MAX];
static int dir;
static struct fault f;

static void
setup(void)
{
	dir = room_enter(folder);
	memset(&f, 0, sizeof(f));
}

/*
 * A record is three words: the outcome as one of `letters`, after 'R' for a rollback or
 * 'U' for an unjudged deploy; `from`; `to` (releases.h).
 */
static struct record
record_of(const char *text)
{
	static const char letters[] = "DACPJBXO";
	char how[8], from[64], to[64];
	const char *at;
	struct record r = { .code = 0 };

	ck_assert_int_eq(sscanf(text, "%7s %63s %63[^; ]", how, from, to), 3);
	ck_assert_ptr_nonnull(at = strchr(letters, how[strlen(how) - 1]));
	r.from = release_of(from);
	r.to = release_of(to);
	r.outcome = (enum outcome)(at - letters);
	r.unjudged = how[0] == 'U';
	r.verb = how[0] == 'R' ? RECORD_ROLLBACK : RECORD_DEPLOY;
	strcpy(r.time, "2026-11-24T14:00:00Z");
	strcpy(r.who.actor, "ci");
	if (!outcome_is_good(r.outcome))
		strcpy(r.why, "answered");
	return r;
}

/*
 * Appends records, the oldest first, separated by ';', without fsync.  The sequence
 * number of a record is its position, or 0 if its tag is "plain".
 */
static void
append(const char *story)
{
	FILE *fp = fopen(HISTORY, "a");
	struct record r;
	int64_t n = 0;
	char *line;

	ck_assert_ptr_nonnull(fp);
	for (; *story != '\0'; story += strcspn(story, ";"), story += *story == ';') {
		r = record_of(story);
		n++;
		r.seq = strcmp(r.to.tag, "plain") == 0 ? 0 : n;
		ck_assert_ptr_nonnull(line = record_json(&r));
		fprintf(fp, "%s\n", line);
		free(line);
	}
	ck_assert_int_eq(fclose(fp), 0);
}

/* The known-good ones as "v1=A v2=B ", the first part of each. */
static const char *
good(bool include_bad, size_t max)
{
	static char text[4096];
	struct release *list = calloc(max + 1, sizeof(*list));
	size_t n = 77, i;

	ck_assert_ptr_nonnull(list);
	ck_assert_msg(ledger_good(dir, include_bad, list, max, &n, &f) == 0, "%s",
	    f.what);
	ck_assert_uint_le(n, max);
	text[0] = '\0';
	for (i = 0; i < n; i++) {
		strcat(text, list[i].tag);
		if (list[i].n > 0)
			strcat(strcat(text, "="), list[i].part[0].revision);
		strcat(text, " ");
	}
	/* nothing is written after the list */
	ck_assert_int_eq(list[max].tag[0], '\0');
	free(list);
	return text;
}

static bool
knows(const char *text)
{
	struct release r = release_of(text);
	struct judgement j = { .verdict = VERDICT_GOOD };

	ck_assert_msg(ledger_knows(dir, &r, &j, &f) == 0, "%s", f.what);
	return j.verdict == VERDICT_GOOD;
}

static const struct {
	const char *story, *want;
} stories[] = {
	{ "", "" },
	{ "D - v1=A", "v1=A " },
	{ "A - v1=A", "v1=A " },
	{ "C - v1=A", "v1=A " },
	{ "P v1=A v2=B", "" },
	{ "B v1=A v2=B", "" },
	{ "X v1=A v2=B", "" },
	{ "O v1=A v2=B", "" },
	/* the newest success first */
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v1=A;D v1=A v1=A", "v1=A " },
	/* one for each revision, by its newest tag; a moved tag is two */
	{ "D - v1=A;D v1=A latest=A", "latest=A " },
	{ "D - latest=A;D latest=A latest=B", "latest=B latest=A " },
	{ "D - latest=A;D latest=A latest=B;D latest=B latest=A", "latest=A latest=B " },
	/* a failure is no evidence about what ran before */
	{ "D - v1=A;B v1=A v2=B", "v1=A " },
	{ "D - v1=A;X v1=A v2=B", "v1=A " },
	{ "A - v1=A;B v1=A v2=B", "v1=A " },
	/* bad after its last success; good again after a new one */
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;B v1=A v2=B", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;B v1=A v2=B;D v1=A v2=B", "v2=B v1=A " },
	{ "D - v1=A;B - v1=A;B - v1=A", "" },
	{ "D - v1=A;X - v1=A;D - v1=A", "v1=A " },
	{ "D - v1=A;X - v1=A;A - v1=A", "v1=A " },
	{ "D - v1=A;B - v1=A;C - v1=A", "v1=A " },
	/* discarded or abandoned: not judged */
	{ "D - v1=A;D v1=A v2=B;P v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;P v1=A v1=A", "v1=A " },
	{ "D - v1=A;O v1=A v1=A", "v1=A " },
	{ "D - v1=A;B - v1=A;P - v1=A", "" },
	{ "D - v1=A;B - v1=A;O - v1=A", "" },
	/* a rollback that succeeds is a verdict on what it replaced */
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;RC v2=B v1=A", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A;D v1=A v2=B", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C;RD v3=C v2=B", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C;RD v3=C v2=B;RD v2=B v1=A", "v1=A " },
	/* one that fails is a verdict on its target */
	{ "D - v1=A;D v1=A v2=B;RB v2=B v1=A", "v2=B " },
	{ "D - v1=A;D v1=A v2=B;RX v2=B v1=A", "v2=B " },
	{ "D - v1=A;D v1=A v2=B;RP v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;RO v2=B v1=A", "v2=B v1=A " },
	/* to the same release, which runs: good */
	{ "D - v1=A;RD v1=A v1=A", "v1=A " },
	/* a deploy that succeeds is no verdict on what it replaced */
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	/* without revisions: by tag */
	{ "D - v1;D v1 v2", "v2 v1 " },
	{ "D - v1;D v1 v2;B v2 v1", "v2 " },
	{ "D - v1;D v1 v2;RD v2 v1", "v1 " },
	{ "D - v1;D v1 v1", "v1 " },
	/* a revision and a tag are never the same release */
	{ "D - v1;D v1 v1=A", "v1=A v1 " },
	{ "D - v1;D v1 v1=A;B v1=A v1=A", "v1 " },
	{ "D - =A", "=A " },
	/* unjudged: a kill is no evidence about the release */
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;UB v1=A v2=B", "v1=A v2=B " },
	{ "D - v1=A;UX v1=A v1=A", "v1=A " },
	{ "D - v1=A;UB v1=A v2=B", "v1=A " },
	{ "D - v1=A;B - v1=A;UB - v1=A", "" },
	{ "D - v1=A;B v1=A v2=B;UC v1=A v2=B", "v2=B v1=A " },
	/* several services: all count; with fewer it is another release */
	{ "D - v1:w=A,x=B;B v1:w=A,x=B v2:w=A,x=C", "v1=A " },
	{ "D - v1:w=A,x=B;B v1:w=A,x=B v2:x=B,w=A", "" },
	{ "D - v1:w=A,x=B;B v1:w=A,x=B v1=A", "v1=A " },
	/* the only service is the same with and without its name (0.1) */
	{ "D - v1=A;B v1=A v1:w=A", "" },
	/* records of nothing */
	{ "D - -", "" },
	{ "D - v1=A;D v1=A -;RD - v1=A", "v1=A " },
	{ "D - v1=A;RD v1=A -", "" },
};

START_TEST(lists_what_is_good)
{
	append(stories[_i].story);
	ck_assert_str_eq(good(false, 16), stories[_i].want);
}
END_TEST

/* ledger_knows() agrees with ledger_good(), by revision. */
START_TEST(knows_what_is_good)
{
	static const char *const all[] = { "x=A", "x=B", "x=C", "v1", "v2" };
	char list[4096], word[16];
	int i;

	append(stories[_i].story);
	if (strchr(stories[_i].story, ',') != NULL)
		return;
	snprintf(list, sizeof(list), " %s", good(false, 16));
	for (i = 0; i < N(all); i++) {
		snprintf(word, sizeof(word), all[i][0] == 'x' ? "%s " : " %s ",
		    all[i] + (all[i][0] == 'x'));
		ck_assert_int_eq(knows(all[i]), strstr(list, word) != NULL);
	}
	ck_assert(!knows("-"));
}
END_TEST

/* Each bad one of x=A, x=B, x=C, and of v1 and v2 without a revision. */
static const struct {
	const char *story, *want, *why;
} bad_ones[] = {
	{ "", "", "" },
	{ "D - v1=A", "", "" },
	{ "D - v1=A;B v1=A v2=B", "B", "answered" },
	{ "D - v1=A;X v1=A v2=B", "B", "answered" },
	{ "B - v1=A;X v1=A v2=B", "AB", "answered" },
	{ "D - v1=A;J v1=A v2=B", "B", "answered" },
	/* no verdict: discarded, abandoned, unjudged */
	{ "D - v1=A;P v1=A v2=B;O v1=A v3=C;UB v1=A v2=B", "", "" },
	{ "B - v2=B;P v1=A v2=B", "B", "answered" },
	/* somebody rolled back from it */
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", "B", "ci rolled back to v1" },
	{ "D - v1=A;D v1=A v2=B;RB v2=B v1=A", "A", "answered" },
	/* a later success */
	{ "B v1=A v2=B;D v1=A v2=B", "", "" },
	{ "B v1=A v2=B;A - v2=B", "", "" },
	/* the revision counts, not the tag */
	{ "B v1=A latest=B;D v1=A latest=C", "B", "answered" },
	{ "B v1=A v2=B;D v1=A v3=B", "", "" },
	/* no revision: it cannot be told from a new image of its tag */
	{ "B v1=A v2", "", "" },
};

START_TEST(tells_what_is_bad)
{
	static const char *const all[] = { "x=A", "x=B", "x=C", "v1", "v2", "-" };
	struct bad_list *bad;
	struct judgement j;
	struct release r;
	char got[8] = "";
	int i;

	append(bad_ones[_i].story);
	ck_assert_int_eq(ledger_bad(dir, &bad, &f), 0);
	for (i = 0; i < N(all); i++) {
		r = release_of(all[i]);
		if (!ledger_is_bad(bad, &r))
			continue;
		strcat(got, all[i] + 2);
		ck_assert_int_eq(ledger_knows(dir, &r, &j, &f), 0);
		ck_assert_int_eq(j.verdict, VERDICT_BAD);
		ck_assert_str_eq(j.why, bad_ones[_i].why);
		ck_assert_str_eq(j.time, "2026-11-24T14:00:00Z");
	}
	ck_assert_str_eq(got, bad_ones[_i].want);
	ledger_bad_free(bad);
}
END_TEST

/* include_bad: releases that were ever good, the newest success first. */
static const struct {
	const char *story, *want;
} ever_good[] = {
	{ "", "" },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;B v1=A v2=B", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v2=B;RB v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;B - v1=A;B - v1=A;D - v1=A", "v1=A " },
	/* never good */
	{ "D - v1=A;B v1=A v2=B;X v1=A v3=C;P v1=A v4=D;O v1=A v5=E", "v1=A " },
	{ "D v2=B -;D - -", "" },
};

START_TEST(lists_what_was_ever_good)
{
	append(ever_good[_i].story);
	ck_assert_str_eq(good(true, 16), ever_good[_i].want);
}
END_TEST

static const struct {
	const char *story;
	int64_t seq;
	const char *tag;
} sequences[] = {
	{ "", 0, "" },
	{ "D - v1=A", 1, "v1" },
	{ "D - v1=A;D v1=A v2=B", 2, "v2" },
	/* a deploy without a number: none is in force */
	{ "D - v1=A;D v1=A plain=B", 0, "" },
	{ "D - plain=A;D plain=A v2=B", 2, "v2" },
	/* the number of a deploy that failed does not count */
	{ "D - v1=A;B v1=A v2=B", 1, "v1" },
	{ "D - v1=A;X v1=A v2=B", 1, "v1" },
	{ "D - v1=A;P v1=A v2=B", 1, "v1" },
	{ "D - v1=A;O v1=A v2=B", 1, "v1" },
	{ "D - v1=A;B v1=A plain=B", 1, "v1" },
	/* completed later: it does */
	{ "D - v1=A;C v1=A v2=B", 2, "v2" },
	{ "D - v1=A;UC v1=A v2=B", 2, "v2" },
	/* nobody deployed what was adopted */
	{ "D - v1=A;A - v2=B", 1, "v1" },
	/* a rollback does not change it */
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", 2, "v2" },
	{ "D - v1=A;D v1=A v2=B;RC v2=B v1=A", 2, "v2" },
};

START_TEST(tells_the_sequence)
{
	char tag[TAG_MAX] = "old";
	int64_t seq = -1;

	append(sequences[_i].story);
	ck_assert_int_eq(ledger_sequence(dir, &seq, tag, &f), 0);
	ck_assert_int_eq(seq, sequences[_i].seq);
	ck_assert_str_eq(tag, sequences[_i].tag);
}
END_TEST

START_TEST(gives_all_that_was_recorded)
{
	struct release r;
	struct record want = {
		.to = { "v1", 2,
		    { { .service = "w", .reference = "r/w:v1", .revision = "sha256:aa" },
			{ .service = "x", .revision = "sha256:bb" } } }
	};
	size_t n;

	ck_assert_int_eq(history_append(dir, &want, &f), 0);
	ck_assert_int_eq(ledger_good(dir, false, &r, 1, &n, &f), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_mem_eq(&r, &want.to, sizeof(r));
}
END_TEST

/* Bad releases do not count. */
START_TEST(respects_its_limit)
{
	append("D - v1=A");
	ck_assert_str_eq(good(false, 0), "");
	append("D v1=A v2=B;D v2=B v3=C;B v3=C v4=D;B v3=C v5=E");
	ck_assert_str_eq(good(false, 1), "v3=C ");
	ck_assert_str_eq(good(false, 3), "v3=C v2=B v1=A ");
	ck_assert_str_eq(good(false, 4), "v3=C v2=B v1=A ");
}
END_TEST

static int asked;

static bool
wants(void *arg, const struct release *r)
{
	asked++;
	return strstr(arg, r->part[0].revision) != NULL;
}

/* Trims, and counts the records that are left. */
static size_t
trim(const char *keep)
{
	char arg[64];
	size_t n;

	asked = 0;
	strcpy(arg, keep);
	ck_assert_msg(ledger_trim(dir, wants, arg, &f) == 0, "%s", f.what);
	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	return n;
}

/* The same record `n` times. */
static void
fill(const char *text, int n)
{
	struct record r = record_of(text);
	char *line = record_json(&r);
	FILE *fp = fopen(HISTORY, "a");

	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(fp);
	while (n-- > 0)
		fprintf(fp, "%s\n", line);
	ck_assert_int_eq(fclose(fp), 0);
	free(line);
}

#define UNRELATED "P - v9=Z"

START_TEST(trims_late)
{
	struct stat before, after;

	ck_assert_uint_eq(trim(""), 0);
	ck_assert_int_eq(access(HISTORY, F_OK), -1);
	fill("D - v1=A", 1100);
	ck_assert_int_eq(stat(HISTORY, &before), 0);
	ck_assert_uint_eq(trim(""), 1100);
	ck_assert_int_eq(stat(HISTORY, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	fill("D - v1=A", 1);
	ck_assert_uint_eq(trim(""), LEDGER_KEEP);
	/* the records that stay have the same verdicts */
	ck_assert_int_eq(asked, 0);
}
END_TEST

static const struct {
	const char *story, *keep;
	size_t more; /* than LEDGER_KEEP */
	const char *good;
} trims[] = {
	/* the newest verdicts on A and C, the bad E, and the newest deploy */
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;D v1=A v3=C;D v3=C v4=D;B v4=D v5=E;"
	  "D v4=D v6=F",
	    "AC", 4, "v6=F v3=C v1=A " },
	/* by revision and tag */
	{ "D - latest=A;D latest=A latest=B;D latest=B v1=B", "AB", 3, "v1=B latest=A " },
	{ "D - v1:w=A,x=B;D v1:w=A,x=B v2:w=A,x=C", "A", 2, "v2=A v1=A " },
	/* the newest deploy stays for its number */
	{ "D - v1=A;P v1=A v2=B", "", 1, "v1=A " },
	/* bad releases stay bad */
	{ "D - v1=A;RD v1=A v2=B", "", 2, "v2=B " },
	{ "D - v1=A;B v2=B v1=A", "A", 2, "" },
	{ "D - v1=A;X v2=B v1=A", "A", 2, "" },
	{ "D - v1=A;D v1=A v2=B;RD v1=A v2=B", "A", 2, "v2=B " },
};

START_TEST(trims_the_oldest)
{
	append(trims[_i].story);
	fill(UNRELATED, LEDGER_KEEP + 100);
	ck_assert_uint_eq(trim(trims[_i].keep), LEDGER_KEEP + trims[_i].more);
	ck_assert_str_eq(good(false, 16), trims[_i].good);
	ck_assert_uint_eq(trim(trims[_i].keep), LEDGER_KEEP + trims[_i].more);
}
END_TEST

START_TEST(trimming_keeps_what_is_bad)
{
	struct judgement j;
	struct release r;
	char story[32];
	int i;

	for (i = 0; i < LEDGER_KEEP_BAD + 20; i++) {
		snprintf(story, sizeof(story), "B - latest=b%d", i);
		append(story);
	}
	fill(UNRELATED, LEDGER_KEEP + 100);
	ck_assert_uint_eq(trim(""), LEDGER_KEEP + LEDGER_KEEP_BAD);
	for (i = 0; i < LEDGER_KEEP_BAD + 20; i += 19) {
		snprintf(story, sizeof(story), "latest=b%d", i);
		r = release_of(story);
		ck_assert_int_eq(ledger_knows(dir, &r, &j, &f), 0);
		ck_assert_int_eq(j.verdict, i < 20 ? VERDICT_NONE : VERDICT_BAD);
	}
}
END_TEST

/* Also of a release that was rolled back, or without a number. */
START_TEST(trimming_keeps_the_sequence)
{
	int64_t seq = -1;
	char tag[TAG_MAX];

	append(_i == 0 ? "D - v0=O;D v0=O x=B;RD x=B v1=A;RD v1=A y=C"
		       : "D - v0=O;D v0=O plain=B;RD plain=B v1=A");
	fill(UNRELATED, LEDGER_KEEP + 100);
	(void)trim("AO");
	ck_assert_int_eq(ledger_sequence(dir, &seq, tag, &f), 0);
	ck_assert_int_eq(seq, _i == 0 ? 2 : 0);
}
END_TEST

START_TEST(trims_garbage)
{
	FILE *fp = fopen(HISTORY, "w");
	int i;

	ck_assert_ptr_nonnull(fp);
	for (i = 0; i < 1200; i++)
		fputs("not a record\n", fp);
	ck_assert_int_eq(fclose(fp), 0);
	append("D - v1=A");
	ck_assert_uint_eq(trim(""), 1);
	ck_assert_str_eq(good(false, 4), "v1=A ");
}
END_TEST

START_TEST(refuses_what_it_cannot_read)
{
	struct release r = release_of("v1=A");
	char arg[8] = "", tag[TAG_MAX];
	struct judgement j = { .verdict = VERDICT_GOOD };
	struct bad_list *bad;
	int64_t seq;
	size_t n;

	ck_assert_int_eq(mkdir(HISTORY, 0700), 0);
	ck_assert_int_eq(ledger_good(dir, false, &r, 1, &n, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_uint_eq(n, 0);
	fault_clear(&f);
	ck_assert_int_eq(ledger_knows(dir, &r, &j, &f), -1);
	ck_assert_int_eq(j.verdict, VERDICT_NONE);
	ck_assert_int_eq(ledger_bad(dir, &bad, &f), -1);
	ledger_bad_free(bad);
	ck_assert_int_eq(ledger_sequence(dir, &seq, tag, &f), -1);
	ck_assert_int_eq(ledger_trim(dir, wants, arg, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
}
END_TEST

Suite *
ledger_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		EACH(lists_what_is_good, N(stories)),
		EACH(knows_what_is_good, N(stories)),
		EACH(tells_what_is_bad, N(bad_ones)),
		EACH(lists_what_was_ever_good, N(ever_good)),
		EACH(tells_the_sequence, N(sequences)), ONCE(gives_all_that_was_recorded),
		CASE("Limits"), ONCE(respects_its_limit), ONCE(trims_late),
		EACH(trims_the_oldest, N(trims)), ONCE(trimming_keeps_what_is_bad),
		EACH(trimming_keeps_the_sequence, 2), CASE("Hostile"),
		ONCE(trims_garbage), ONCE(refuses_what_it_cannot_read) };

	return unit_suite("ledger", setup, room_leave, tests, N(tests));
}
