/*
 * check_ledger.c: which versions are proven.  A rollback goes only to these,
 * so what was condemned must stay so until it proves itself again.
 */
#include "room.h"
#include "state/ledger.h"

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
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

static void
teardown(void)
{
	room_leave();
}

/* "v1=A" is tag v1, image A; "v1" has no image, "=A" no tag, "-" is nothing. */
static struct version
version(const char *text)
{
	struct version v = { .tag = "" };
	const char *equals = strchr(text, '=');

	if (strcmp(text, "-") == 0)
		return v;
	snprintf(v.tag, sizeof(v.tag), "%.*s",
	    equals == NULL ? (int)strlen(text) : (int)(equals - text), text);
	if (equals != NULL)
		snprintf(v.image, sizeof(v.image), "%s", equals + 1);
	return v;
}

/*
 * A word is a letter for the outcome, as in `letters`; before it 'R' for a
 * rollback verb, 'I' for an interrupted deploy.
 */
static struct record
record(const char *how, const char *from, const char *to)
{
	static const char letters[] = "DACPBUX";
	struct record r = { .from = version(from), .to = version(to) };
	const char *at = strchr(letters, how[strlen(how) - 1]);

	ck_assert_ptr_nonnull(at);
	r.outcome = (enum outcome)(at - letters);
	r.interrupted = how[0] == 'I';
	strcpy(r.verb, how[0] == 'R' ? "rollback" : "deploy");
	return r;
}

/* Lines such as "D - v1=A", the oldest first, parted by ';'. */
static void
tell(const char *story)
{
	char line[128], how[8], from[64], to[64];
	struct record r;
	size_t len;

	for (; *story != '\0'; story += len + (story[len] == ';')) {
		len = strcspn(story, ";");
		snprintf(line, sizeof(line), "%.*s", (int)len, story);
		ck_assert_int_eq(sscanf(line, "%7s %63s %63s", how, from, to), 3);
		r = record(how, from, to);
		ck_assert_msg(history_append(dir, &r, &f) == 0, "%s", f.what);
	}
}

/* The proven ones as "v1=A v2=B ". */
static const char *
list_proven(bool forgive, size_t max)
{
	static char text[4096];
	struct version *list = calloc(max + 1, sizeof(*list));
	size_t n = 77, i;

	ck_assert_ptr_nonnull(list);
	ck_assert_msg(ledger_proven(dir, forgive, list, max, &n, &f) == 0, "%s", f.what);
	ck_assert_uint_le(n, max);
	text[0] = '\0';
	for (i = 0; i < n; i++) {
		strcat(strcat(text, list[i].tag), list[i].image[0] == '\0' ? "" : "=");
		strcat(strcat(text, list[i].image), " ");
	}
	/* it never writes past what it was given */
	ck_assert_int_eq(list[max].tag[0], '\0');
	free(list);
	return text;
}

static const char *
proven(size_t max)
{
	return list_proven(false, max);
}

static int
knows(const char *text)
{
	struct version v = version(text);
	int rc = ledger_knows(dir, &v, &f);

	ck_assert_int_ne(rc, -1);
	return rc;
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
	{ "U v1=A v2=B", "" },
	{ "X v1=A v2=B", "" },
	/* the newest success first */
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v1=A;D v1=A v1=A", "v1=A " },
	/* one for each image, by its newest tag; a moved tag is two */
	{ "D - v1=A;D v1=A latest=A", "latest=A " },
	{ "D - latest=A;D latest=A latest=B", "latest=B latest=A " },
	{ "D - latest=A;D latest=A latest=B;D latest=B latest=A", "latest=A latest=B " },
	/* what did not run healthy is not proven, and what ran before it still is */
	{ "D - v1=A;B v1=A v2=B", "v1=A " },
	{ "D - v1=A;U v1=A v2=B", "v1=A " },
	{ "A - v1=A;B v1=A v2=B", "v1=A " },
	/* rolled back from: condemned, and proven again by a new success */
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;B v1=A v2=B", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;B v1=A v2=B;D v1=A v2=B", "v2=B v1=A " },
	{ "D - v1=A;B - v1=A;B - v1=A", "" },
	{ "D - v1=A;U - v1=A;D - v1=A", "v1=A " },
	{ "D - v1=A;U - v1=A;A - v1=A", "v1=A " },
	{ "D - v1=A;B - v1=A;C - v1=A", "v1=A " },
	/* put back before the swap says nothing about the image */
	{ "D - v1=A;D v1=A v2=B;P v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;P v1=A v1=A", "v1=A " },
	{ "D - v1=A;X v1=A v1=A", "v1=A " },
	{ "D - v1=A;B - v1=A;P - v1=A", "" },
	{ "D - v1=A;B - v1=A;X - v1=A", "" },
	/* the verb that works condemns what it left */
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;RC v2=B v1=A", "v1=A " },
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A;D v1=A v2=B", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C;RD v3=C v2=B", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C;RD v3=C v2=B;RD v2=B v1=A", "v1=A " },
	/* one that fails condemns where it went, not what it left */
	{ "D - v1=A;D v1=A v2=B;RB v2=B v1=A", "v2=B " },
	{ "D - v1=A;D v1=A v2=B;RU v2=B v1=A", "v2=B " },
	{ "D - v1=A;D v1=A v2=B;RP v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;RX v2=B v1=A", "v2=B v1=A " },
	/* to itself: it runs, so it is proven */
	{ "D - v1=A;RD v1=A v1=A", "v1=A " },
	/* a deploy that works says nothing bad of what it left */
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	/* no image known: by tag */
	{ "D - v1;D v1 v2", "v2 v1 " },
	{ "D - v1;D v1 v2;B v2 v1", "v2 " },
	{ "D - v1;D v1 v2;RD v2 v1", "v1 " },
	{ "D - v1;D v1 v1", "v1 " },
	/* an image's name and a tag are never the same version */
	{ "D - v1;D v1 v1=A", "v1=A v1 " },
	{ "D - v1;D v1 v1=A;B v1=A v1=A", "v1 " },
	{ "D - =A", "=A " },
	/* a kill says nothing about the version that it hit, a success does */
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;IB v1=A v2=B", "v1=A v2=B " },
	{ "D - v1=A;IU v1=A v1=A", "v1=A " },
	{ "D - v1=A;IB v1=A v2=B", "v1=A " },
	{ "D - v1=A;B - v1=A;IB - v1=A", "" },
	{ "D - v1=A;B v1=A v2=B;IC v1=A v2=B", "v2=B v1=A " },
	/* records of nothing */
	{ "D - -", "" },
	{ "D - v1=A;D v1=A -;RD - v1=A", "v1=A " },
	{ "D - v1=A;RD v1=A -", "" },
};

START_TEST(tells_what_is_proven)
{
	tell(stories[_i].story);
	ck_assert_msg(strcmp(proven(16), stories[_i].want) == 0, "%s: %s and not %s",
	    stories[_i].story, proven(16), stories[_i].want);
}
END_TEST

/* ledger_knows() and ledger_proven() are of one opinion. */
START_TEST(knows_what_is_proven)
{
	static const char *const all[] = { "v1=A", "v2=B", "v3=C", "latest=A", "latest=B",
		"v1", "v2" };
	char *list;
	int i;

	tell(stories[_i].story);
	list = strdup(proven(16));
	ck_assert_ptr_nonnull(list);
	for (i = 0; i < N(all); i++) {
		const char *key = strchr(all[i], '=') == NULL ? all[i]
							      : strchr(all[i], '=');
		char word[16];

		/* by image where there is one, whatever tag it has */
		snprintf(word, sizeof(word), "%s ", key);
		if (*key == '=')
			ck_assert_int_eq(knows(all[i]), strstr(list, word) != NULL);
		else
			ck_assert_int_eq(knows(all[i]),
			    strncmp(list, word, strlen(word)) == 0 ||
				strstr(list,
				    strcat(strcpy((char[20]){ 0 }, " "), word)) != NULL);
	}
	free(list);
}
END_TEST

/* For those who insist: what ever was healthy, the newest success first. */
static const struct {
	const char *story, *want;
} forgiven[] = {
	{ "", "" },
	{ "D - v1=A;D v1=A v2=B;D v2=B v3=C", "v3=C v2=B v1=A " },
	{ "D - v1=A;D v1=A v2=B;D v2=B v1=A;B v1=A v2=B", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", "v1=A v2=B " },
	{ "D - v1=A;D v1=A v2=B;RB v2=B v1=A", "v2=B v1=A " },
	{ "D - v1=A;B - v1=A;B - v1=A;D - v1=A", "v1=A " },
	/* what never was healthy is not forgiven */
	{ "D - v1=A;B v1=A v2=B;U v1=A v3=C;P v1=A v4=D;X v1=A v5=E", "v1=A " },
	{ "D v2=B -;D - -", "" },
};

/* The record's place in the story is its number; 0 where its `to` says "plain". */
static const struct {
	const char *story;
	int64_t seq;
	const char *tag;
} sequences[] = {
	{ "", 0, "" },
	{ "D - v1=A", 1, "v1" },
	{ "D - v1=A;D v1=A v2=B", 2, "v2" },
	/* a person's plain deploy forgets it */
	{ "D - v1=A;D v1=A plain=B", 0, "" },
	{ "D - plain=A;D plain=A v2=B", 2, "v2" },
	/* what did not come to run is not deployed */
	{ "D - v1=A;B v1=A v2=B", 1, "v1" },
	{ "D - v1=A;U v1=A v2=B", 1, "v1" },
	{ "D - v1=A;P v1=A v2=B", 1, "v1" },
	{ "D - v1=A;X v1=A v2=B", 1, "v1" },
	{ "D - v1=A;B v1=A plain=B", 1, "v1" },
	/* completed later, it is */
	{ "D - v1=A;C v1=A v2=B", 2, "v2" },
	{ "D - v1=A;IC v1=A v2=B", 2, "v2" },
	/* what was found running was deployed by nobody */
	{ "D - v1=A;A - v2=B", 1, "v1" },
	/* an older commit must not land after a rollback either */
	{ "D - v1=A;D v1=A v2=B;RD v2=B v1=A", 2, "v2" },
	{ "D - v1=A;D v1=A v2=B;RC v2=B v1=A", 2, "v2" },
};

static void
number_records(const char *story)
{
	struct record list[8];
	char line[128], how[8], from[64], to[64];
	size_t len, n = 0;

	for (; *story != '\0'; story += len + (story[len] == ';')) {
		len = strcspn(story, ";");
		snprintf(line, sizeof(line), "%.*s", (int)len, story);
		ck_assert_int_eq(sscanf(line, "%7s %63s %63s", how, from, to), 3);
		list[n] = record(how, from, to);
		list[n].seq = strncmp(to, "plain", 5) == 0 ? 0 : (int64_t)n + 1;
		ck_assert_int_eq(history_append(dir, &list[n++], &f), 0);
	}
}

START_TEST(tells_the_sequence)
{
	struct version v = { .tag = "" };
	int64_t seq = -1;
	int rc;

	number_records(sequences[_i].story);
	rc = ledger_sequence(dir, &seq, &v, &f);
	ck_assert_int_eq(rc, sequences[_i].seq > 0);
	ck_assert_int_eq(seq, sequences[_i].seq);
	if (rc == 1)
		ck_assert_str_eq(v.tag, sequences[_i].tag);
}
END_TEST

START_TEST(forgives)
{
	tell(forgiven[_i].story);
	ck_assert_msg(strcmp(list_proven(true, 16), forgiven[_i].want) == 0,
	    "%s: %s and not %s", forgiven[_i].story, list_proven(true, 16),
	    forgiven[_i].want);
}
END_TEST

START_TEST(knows_by_image)
{
	tell("D - v1=A;D v1=A v2=B;B v2=B v3=C");
	ck_assert_int_eq(knows("v1=A"), 1);
	ck_assert_int_eq(knows("other=A"), 1);
	ck_assert_int_eq(knows("=A"), 1);
	ck_assert_int_eq(knows("v1"), 0);
	ck_assert_int_eq(knows("v1=B"), 1);
	ck_assert_int_eq(knows("v3=C"), 0);
	ck_assert_int_eq(knows("v4=D"), 0);
	ck_assert_int_eq(knows("=AA"), 0);
}
END_TEST

START_TEST(gives_the_whole_version)
{
	struct record r = { .to = { "v1", "sha256:aa", "127.0.0.1:5000/demo:v1" },
		.outcome = OUTCOME_DEPLOYED,
		.verb = "deploy" };
	struct version v;
	size_t n;

	ck_assert_int_eq(history_append(dir, &r, &f), 0);
	ck_assert_int_eq(ledger_proven(dir, false, &v, 1, &n, &f), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(v.tag, r.to.tag);
	ck_assert_str_eq(v.image, r.to.image);
	ck_assert_str_eq(v.ref, r.to.ref);
}
END_TEST

START_TEST(respects_its_limit)
{
	tell("D - v1=A;D v1=A v2=B;D v2=B v3=C;B v3=C v4=D");
	ck_assert_str_eq(proven(1), "v3=C ");
	ck_assert_str_eq(proven(2), "v3=C v2=B ");
	ck_assert_str_eq(proven(3), "v3=C v2=B v1=A ");
	ck_assert_str_eq(proven(4), "v3=C v2=B v1=A ");
}
END_TEST

/* A condemned one takes no place in the limit. */
START_TEST(limit_counts_the_proven)
{
	tell("D - v1=A;D v1=A v2=B;B v1=A v2=B;B v1=A v3=C;B v1=A v4=D");
	ck_assert_str_eq(proven(1), "v1=A ");
}
END_TEST

static int asked;

static bool
wants(void *arg, const struct version *v)
{
	asked++;
	return strstr(arg, v->image) != NULL;
}

static void
trim(const char *keep)
{
	char arg[64];

	asked = 0;
	strcpy(arg, keep);
	ck_assert_msg(ledger_trim(dir, wants, arg, &f) == 0, "%s", f.what);
}

static size_t
lines(void)
{
	size_t n;

	ck_assert_int_eq(history_count(dir, &n, &f), 0);
	return n;
}

/* `n` deploys of one version, written at once: 1,100 fsyncs are slow. */
static void
fill(const char *how, const char *from, const char *to, int n)
{
	struct record r = record(how, from, to);
	char *line = record_json(&r);
	FILE *fp = fopen(HISTORY, "a");

	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(fp);
	while (n-- > 0)
		fprintf(fp, "%s\n", line);
	ck_assert_int_eq(fclose(fp), 0);
	free(line);
}

START_TEST(trims_late)
{
	struct stat before, after;

	trim("");
	ck_assert_int_eq(access(HISTORY, F_OK), -1);
	fill("D", "-", "v1=A", 1100);
	ck_assert_int_eq(stat(HISTORY, &before), 0);
	trim("");
	ck_assert_int_eq(stat(HISTORY, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(lines(), 1100);
	fill("D", "-", "v1=A", 1);
	trim("");
	ck_assert_uint_eq(lines(), LEDGER_KEEP);
	/* all that was to go is proven by what stays */
	ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(trims_the_oldest)
{
	fill("P", "-", "v9=Z", 100);
	tell("D - v1=A;D v1=A v2=B;D v2=B v1=A;D v1=A v3=C;D v3=C v4=D;B v4=D v5=E");
	fill("D", "-", "v6=F", LEDGER_KEEP);
	trim("AC");
	/* of A the newest success only; E, condemned, B and D are asked for too */
	ck_assert_uint_eq(lines(), LEDGER_KEEP + 2);
	ck_assert_int_eq(asked, 5);
	ck_assert_str_eq(proven(16), "v6=F v3=C v1=A ");
	/* and once more changes nothing */
	trim("AC");
	ck_assert_uint_eq(lines(), LEDGER_KEEP + 2);
}
END_TEST

/* A tag that moved is two versions, and one image of two tags is two. */
START_TEST(trims_by_image_and_tag)
{
	tell("D - latest=A;D latest=A latest=B;D latest=B v1=B");
	fill("P", "-", "v9=Z", LEDGER_KEEP + 100);
	trim("AB");
	ck_assert_uint_eq(lines(), LEDGER_KEEP + 3);
	ck_assert_str_eq(proven(16), "v1=B latest=A ");
}
END_TEST

/* The image that was left is not here: nobody can go to it, condemned or not. */
START_TEST(trims_who_condemned_what_is_gone)
{
	tell("D - v1=A;RD v1=A v2=B");
	fill("P", "-", "v9=Z", LEDGER_KEEP + 100);
	trim("");
	/* the deploy stays for its number */
	ck_assert_uint_eq(lines(), LEDGER_KEEP + 1);
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
	tell("D - v1=A");
	trim("");
	ck_assert_uint_eq(lines(), 1);
	ck_assert_str_eq(proven(4), "v1=A ");
}
END_TEST

/* What is beyond the newest thousand says the same before and after. */
static const char *const long_ago[] = {
	"D - v1=A;B v2=B v1=A",
	"D - v1=A;U v2=B v1=A",
	"D - v1=A;D v1=A v2=B;RD v1=A v2=B",
};

START_TEST(trimming_rehabilitates_nobody)
{
	tell(long_ago[_i]);
	ck_assert_int_eq(knows("v1=A"), 0);
	fill("P", "-", "v9=Z", LEDGER_KEEP + 100);
	ck_assert_int_eq(knows("v1=A"), 0);
	trim("A");
	ck_assert_int_eq(knows("v1=A"), 0);
	ck_assert_ptr_null(strstr(proven(16), "=A "));
}
END_TEST

/* Rolled back from, or without a number: it says which one is in force. */
START_TEST(trimming_keeps_the_sequence)
{
	static const int64_t numbers[] = { 7, 0 };
	struct record old = record("D", "-", "v0=O"), newest = record("D", "v0=O", "x=B");
	struct version v;
	int64_t seq = -1;

	old.seq = 5;
	newest.seq = numbers[_i];
	ck_assert_int_eq(history_append(dir, &old, &f), 0);
	ck_assert_int_eq(history_append(dir, &newest, &f), 0);
	tell("RD x=B v1=A;RD v1=A y=C;RD y=C v1=A");
	fill("P", "-", "v9=Z", LEDGER_KEEP + 100);
	trim("AO");
	ck_assert_int_eq(ledger_sequence(dir, &seq, &v, &f), numbers[_i] > 0);
	ck_assert_int_eq(seq, numbers[_i]);
}
END_TEST

START_TEST(tells_many)
{
	char story[128], want[32];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(story, sizeof(story), "D - v%d=%d;B v%d=%d x=x%d", i, i, i, i,
		    i);
		tell(story);
	}
	ck_assert_int_eq(knows("=0"), 1);
	ck_assert_int_eq(knows("=199"), 1);
	ck_assert_int_eq(knows("=x7"), 0);
	snprintf(want, sizeof(want), "v199=199 v198=198 ");
	ck_assert_int_eq(strncmp(proven(200), want, strlen(want)), 0);
	ck_assert_ptr_nonnull(strstr(proven(200), " v0=0 "));
	ck_assert_ptr_null(strstr(proven(199), " v0=0 "));
}
END_TEST

/* The longest names stay apart where they differ in the last byte only. */
START_TEST(tells_long_names_apart)
{
	struct record r = { .outcome = OUTCOME_DEPLOYED, .verb = "deploy" };
	struct version list[4];
	size_t n;
	int i;

	for (i = 0; i < 4; i++) {
		memset(&r.to, 0, sizeof(r.to));
		memset(r.to.tag, 't', TAG_MAX - 1);
		if (i < 2)
			memset(r.to.image, 'i', IMAGE_ID_MAX - 1);
		if (i % 2 == 1 && i < 2)
			r.to.image[IMAGE_ID_MAX - 2] = 'x';
		if (i % 2 == 1 && i >= 2)
			r.to.tag[TAG_MAX - 2] = 'x';
		ck_assert_int_eq(history_append(dir, &r, &f), 0);
	}
	ck_assert_int_eq(ledger_proven(dir, false, list, 4, &n, &f), 0);
	ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(refuses_what_it_cannot_read)
{
	struct version v = version("v1=A");
	char arg[8] = "";
	size_t n;

	ck_assert_int_eq(mkdir(HISTORY, 0700), 0);
	ck_assert_int_eq(ledger_proven(dir, false, &v, 1, &n, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_uint_eq(n, 0);
	fault_clear(&f);
	ck_assert_int_eq(ledger_knows(dir, &v, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(ledger_trim(dir, wants, arg, &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
}
END_TEST

/* A version of which nothing is known is not proven by anything. */
START_TEST(knows_nothing_of_nothing)
{
	tell(_i == 0 ? "D - v1=A" : "D - v1=A;D v1=A -");
	ck_assert_int_eq(knows("-"), 0);
}
END_TEST

Suite *
ledger_suite(void)
{
	Suite *s = suite_create("ledger");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_set_timeout(core, 30);
	tcase_add_loop_test(core, tells_what_is_proven, 0, N(stories));
	tcase_add_loop_test(core, knows_what_is_proven, 0, N(stories));
	tcase_add_loop_test(core, tells_the_sequence, 0, N(sequences));
	tcase_add_loop_test(core, forgives, 0, N(forgiven));
	tcase_add_test(core, knows_by_image);
	tcase_add_test(core, gives_the_whole_version);
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, respects_its_limit);
	tcase_add_test(limits, limit_counts_the_proven);
	tcase_add_test(limits, trims_late);
	tcase_add_test(limits, trims_the_oldest);
	tcase_add_test(limits, trims_by_image_and_tag);
	tcase_add_test(limits, trims_who_condemned_what_is_gone);
	tcase_add_test(limits, tells_many);
	tcase_add_test(limits, tells_long_names_apart);
	tcase_add_loop_test(limits, trimming_keeps_the_sequence, 0, 2);
	tcase_add_loop_test(limits, trimming_rehabilitates_nobody, 0, N(long_ago));
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_timeout(hostile, 30);
	tcase_add_test(hostile, trims_garbage);
	tcase_add_test(hostile, refuses_what_it_cannot_read);
	tcase_add_loop_test(hostile, knows_nothing_of_nothing, 0, 2);
	suite_add_tcase(s, hostile);
	return s;
}
