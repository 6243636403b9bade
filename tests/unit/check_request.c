/*
 * check_request.c: one line from the network is a request of the table, or it is
 * refused; nothing is repaired.
 */
#include "request/request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *request_suite(void);

static const struct {
	const char *line;
	enum verb verb;
	const char *word;
	unsigned count;
} good[] = {
	{ "deploy sha-abc1234", VERB_DEPLOY, "sha-abc1234", 0 },
	{ "deploy latest", VERB_DEPLOY, "latest", 0 },
	{ "deploy v1.2.3", VERB_DEPLOY, "v1.2.3", 0 },
	/* tag_check() checks the grammar of a tag */
	{ "deploy -x", VERB_DEPLOY, "-x", 0 },
	{ "deploy $(id)", VERB_DEPLOY, "$(id)", 0 },
	{ "deploy deploy", VERB_DEPLOY, "deploy", 0 },
	{ "rollback", VERB_ROLLBACK, "", 0 },
	{ "rollback v1.2.3", VERB_ROLLBACK, "v1.2.3", 0 },
	{ "status", VERB_STATUS, "", 0 },
	{ "history", VERB_HISTORY, "", 10 },
	{ "history 1", VERB_HISTORY, "1", 1 },
	{ "history 25", VERB_HISTORY, "25", 25 },
	{ "history 1000", VERB_HISTORY, "1000", 1000 },
	{ "recover", VERB_RECOVER, "", 0 },
	{ "unfreeze", VERB_UNFREEZE, "", 0 },
	{ "version", VERB_VERSION, "", 0 },
	{ "help", VERB_HELP, "", 0 },
	{ "help settings", VERB_HELP, "settings", 0 },
	{ "plan v1.2.3", VERB_PLAN, "v1.2.3", 0 },
	{ "verify", VERB_VERIFY, "", 0 },
	{ "--help", VERB_HELP, "", 0 },
	{ "-h", VERB_HELP, "", 0 },
	{ "deploy --help", VERB_HELP, "deploy", 0 },
	{ "status -h", VERB_HELP, "status", 0 },
	{ "freeze --help", VERB_HELP, "freeze", 0 },
};

#define FIFTY "a reason of exactly fifty bytes, or one of a few, "

static const struct {
	const char *line, *reason, *target;
	int64_t lasts;
	bool json;
} freezes[] = {
	{ "freeze moving", "moving", "", 0, false },
	{ "freeze the database moves", "the database moves", "", 0, false },
	{ "freeze for=90s it moves", "it moves", "", 90, false },
	{ "freeze for=5m it moves", "it moves", "", 300, false },
	{ "freeze for=2h it moves", "it moves", "", 7200, false },
	{ "freeze for=365d it moves", "it moves", "", 365 * 86400, false },
	{ "freeze for=31536000s it moves", "it moves", "", 365 * 86400, false },
	{ "freeze target=web for=1d --json x", "x", "web", 86400, true },
	/* what follows the first word of the reason belongs to it */
	{ "freeze until 5 --json", "until 5 --json", "", 0, false },
	{ "freeze it for=2h target=web -h", "it for=2h target=web -h", "", 0, false },
	{ "freeze see seq=5 x=y", "see seq=5 x=y", "", 0, false },
	{ "freeze " FIFTY FIFTY FIFTY
	  "and fifty bytes more, but no blank at its very end",
	    FIFTY FIFTY FIFTY "and fifty bytes more, but no blank at its very end", "", 0,
	    false },
};

static const struct {
	const char *line, *what;
} bad[] = {
	{ "", "invalid tag: none was given" },
	{ "deploy", "invalid tag: none was given" },
	{ " deploy v1", "invalid request: a space at its beginning or end" },
	{ "deploy v1 ", "invalid request: a space at its beginning or end" },
	{ "deploy ", "invalid request: a space at its beginning or end" },
	{ " ", "invalid request: a space at its beginning or end" },
	{ "  ", "invalid request: a space at its beginning or end" },
	{ "deploy  v1", "invalid request: two spaces in a row" },
	{ "help  settings", "invalid request: two spaces in a row" },
	{ "deploy v1 v2", "invalid request: too many words" },
	{ "deploy v1 seq=1 x", "invalid request: too many words" },
	{ "rollback v1 v2", "invalid request: too many words" },
	{ "history 1 2", "invalid request: too many words" },
	{ "help a b", "invalid request: too many words" },
	{ "status now", "invalid request: too many words" },
	{ "recover all", "invalid request: too many words" },
	{ "version 2", "invalid request: too many words" },
	{ "v1.2.3", "invalid request: unknown command" },
	{ "sha-abc1234", "invalid request: unknown command" },
	{ "Deploy v1", "invalid request: unknown command" },
	{ "DEPLOY v1", "invalid request: unknown command" },
	{ "deplo v1", "invalid request: unknown command" },
	{ "deploy1 v1", "invalid request: unknown command" },
	{ "deploys v1", "invalid request: unknown command" },
	{ "unknown", "invalid request: unknown command" },
	{ "--local status", "invalid request: unknown command" },
	{ "./deploy v1", "invalid request: unknown command" },
	{ "/bin/sh", "invalid request: unknown command" },
	{ "'deploy' v1", "invalid request: unknown command" },
	{ "\"deploy v1\"", "invalid request: unknown command" },
	{ "deploy;id", "invalid request: unknown command" },
	{ "status;id", "invalid request: unknown command" },
	{ "sh -c id", "invalid request: unknown command" },
	{ "scp -t /tmp", "invalid request: unknown command" },
	{ "internal-sftp", "invalid request: unknown command" },
	{ "deploy\tv1", "invalid request: not printable ASCII" },
	{ "deploy v1\n", "invalid request: not printable ASCII" },
	{ "deploy v1\r\n", "invalid request: not printable ASCII" },
	{ "deploy v1\nrollback", "invalid request: not printable ASCII" },
	{ "deploy v1\x1b[2J", "invalid request: not printable ASCII" },
	{ "deploy v1\x7f", "invalid request: not printable ASCII" },
	{ "deploy v\xc3\xb6", "invalid request: not printable ASCII" },
	{ "deploy\xc2\xa0v1", "invalid request: not printable ASCII" },
	{ "\xff", "invalid request: not printable ASCII" },
	{ "history 0", "invalid request: not a number from 1 to 1000" },
	{ "history 1001", "invalid request: not a number from 1 to 1000" },
	{ "history 4294967297", "invalid request: not a number from 1 to 1000" },
	{ "history 18446744073709551617",
	    "invalid request: not a number from 1 to 1000" },
	{ "history 99999999999999999999999999999999999999",
	    "invalid request: not a number from 1 to 1000" },
	{ "history -1", "invalid request: not a number from 1 to 1000" },
	{ "history +1", "invalid request: not a number from 1 to 1000" },
	{ "history 1x", "invalid request: not a number from 1 to 1000" },
	{ "history 0x10", "invalid request: not a number from 1 to 1000" },
	{ "history 1.5", "invalid request: not a number from 1 to 1000" },
	{ "history ten", "invalid request: not a number from 1 to 1000" },
};

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

static const struct {
	const char *line, *word, *target;
	int64_t seq;
	const char *flags; /* j(son), w(ait), c(heck), s(tart) */
	const char *digest, *commit, *sig;
} extras[] = {
	{ "deploy v1", "v1", "", 0, "", "", "", "" },
	{ "deploy v1 seq=1", "v1", "", 1, "", "", "", "" },
	{ "deploy v1 seq=999999999999999", "v1", "", 999999999999999, "", "", "", "" },
	{ "deploy v1 seq=007", "v1", "", 7, "", "", "", "" },
	{ "deploy v1 --json", "v1", "", 0, "j", "", "", "" },
	{ "deploy v1 seq=12 --json", "v1", "", 12, "j", "", "", "" },
	{ "deploy v1 target=web --json seq=12", "v1", "web", 12, "j", "", "", "" },
	{ "plan v1 target=web --json", "v1", "web", 0, "j", "", "", "" },
	{ "verify target=web --json", "", "web", 0, "j", "", "", "" },
	{ "rollback --json", "", "", 0, "j", "", "", "" },
	{ "rollback v1 target=web", "v1", "web", 0, "", "", "", "" },
	{ "status --wait", "", "", 0, "w", "", "", "" },
	{ "status --wait --json", "", "", 0, "jw", "", "", "" },
	{ "status --check target=a.b-c_d", "", "a.b-c_d", 0, "c", "", "", "" },
	{ "history --json", "", "", 0, "j", "", "", "" },
	{ "history 3 --json", "3", "", 0, "j", "", "", "" },
	{ "recover --start", "", "", 0, "s", "", "", "" },
	{ "version --json", "", "", 0, "j", "", "", "" },
	{ "deploy v1 digest=" DIGEST, "v1", "", 0, "", DIGEST, "", "" },
	{ "deploy v1 commit=abc1234 seq=1", "v1", "", 1, "", "", "abc1234", "" },
	{ "plan v1 commit=" HEX64 " digest=" DIGEST " --json", "v1", "", 0, "j", DIGEST,
	    HEX64, "" },
	{ "deploy v1 sig=U1NIU0lH+/Aa0== --json", "v1", "", 0, "j", "", "",
	    "U1NIU0lH+/Aa0==" },
};

#define SEQ_RANGE "invalid request: seq= takes a number from 1 to 999999999999999"
#define FOR_RANGE "invalid request: for= takes a number with s, m, h or d, at most 365d"
#define NO_NAME "invalid request: target= takes the name of a target"
#define NO_DIGEST "invalid request: digest= takes sha256: and 64 digits"
#define NO_COMMIT "invalid request: commit= takes 7 to 64 digits"
#define NO_SIG "invalid request: sig= takes the body of an ssh signature, in one line"
#define TWENTY "aaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *line, *what, *next;
} bad_extras[] = {
	{ "deploy v1 seq=0", SEQ_RANGE, NULL },
	{ "deploy v1 seq=", SEQ_RANGE, NULL },
	{ "deploy v1 seq=-1", SEQ_RANGE, NULL },
	{ "deploy v1 seq=+1", SEQ_RANGE, NULL },
	{ "deploy v1 seq=1x", SEQ_RANGE, NULL },
	{ "deploy v1 seq=0x1", SEQ_RANGE, NULL },
	{ "deploy v1 seq=1000000000000000", SEQ_RANGE, NULL },
	{ "deploy v1 seq=18446744073709551617", SEQ_RANGE, NULL },
	{ "deploy v1 seq=99999999999999999999999999999999", SEQ_RANGE, NULL },
	{ "status target=", NO_NAME, NULL },
	{ "status target=" TWENTY TWENTY TWENTY "aaaa", NO_NAME, NULL },
	{ "deploy v1 digest=", NO_DIGEST, NULL },
	{ "deploy v1 digest=" HEX64, NO_DIGEST, NULL },
	{ "deploy v1 digest=sha256:", NO_DIGEST, NULL },
	{ "deploy v1 digest=" DIGEST "0", NO_DIGEST, NULL },
	{ "deploy v1 digest=SHA256:" HEX64, NO_DIGEST, NULL },
	{ "deploy v1 digest=sha512:" HEX64, NO_DIGEST, NULL },
	{ "deploy v1 commit=", NO_COMMIT, NULL },
	{ "deploy v1 commit=abc123", NO_COMMIT, NULL },
	{ "deploy v1 commit=ABC1234", NO_COMMIT, NULL },
	{ "deploy v1 commit=abc123g", NO_COMMIT, NULL },
	{ "deploy v1 commit=" HEX64 "0", NO_COMMIT, NULL },
	{ "rollback v1 commit=abc1234",
	    "invalid request: rollback has no commit=", NULL },
	{ "verify digest=" DIGEST, "invalid request: verify has no digest=", NULL },
	{ "deploy v1 sig=", NO_SIG, NULL },
	{ "deploy v1 sig=a-b", NO_SIG, NULL },
	{ "deploy v1 sig=a_b", NO_SIG, NULL },
	{ "deploy v1 sig=a\\nb", NO_SIG, NULL },
	{ "rollback v1 sig=a", "invalid request: rollback has no sig=", NULL },
	{ "deploy v1 seq=1 seq=2", "invalid request: given twice", NULL },
	{ "deploy v1 --json --json", "invalid request: given twice", NULL },
	{ "status --wait --wait", "invalid request: given twice", NULL },
	{ "status target=a target=a", "invalid request: given twice", NULL },
	{ "freeze", "invalid request: no reason was given", "usage: freeze [target" },
	{ "freeze for=2h --json", "invalid request: no reason was given", NULL },
	{ "freeze for=2h for=3h x", "invalid request: given twice: for=3h", NULL },
	{ "freeze for=2w x", FOR_RANGE, NULL },
	{ "freeze for=2 x", FOR_RANGE, NULL },
	{ "freeze for=h x", FOR_RANGE, NULL },
	{ "freeze for= x", FOR_RANGE, NULL },
	{ "freeze for=0h x", FOR_RANGE, NULL },
	{ "freeze for=-1h x", FOR_RANGE, NULL },
	{ "freeze for=2H x", FOR_RANGE, NULL },
	{ "freeze for=2hh x", FOR_RANGE, NULL },
	{ "freeze for=366d x", FOR_RANGE, NULL },
	{ "freeze for=31536001s x", FOR_RANGE, NULL },
	{ "freeze for=99999999999999999999d x", FOR_RANGE, NULL },
	{ "freeze seq=5 x", "invalid request: freeze has no seq=5", "usage: freeze" },
	{ "freeze fro=2h x", "invalid request: freeze has no fro", "write for=TIME" },
	{ "freeze --for=2h x", "invalid request: freeze has no --for", "write for=TIME" },
	{ "freeze x  y", "invalid request: two spaces in a row", NULL },
	{ "freeze " FIFTY FIFTY FIFTY
	  "and fifty bytes more, and one blank at its very end",
	    "invalid request: a reason of more than 200 bytes", NULL },
	{ "unfreeze it", "invalid request: too many words", NULL },
	{ "unfreeze for=2h", "invalid request: unfreeze has no for=2h", NULL },
	{ "deploy v1 for=2h", "invalid request: deploy has no for=2h", NULL },
	{ "status --wait --check", "invalid request: --wait and --check exclude", NULL },
	{ "deploy v1 --wait", "invalid request: deploy has no --wait",
	    "usage: deploy TAG" },
	{ "status --start", "invalid request: status has no --start", NULL },
	{ "status seq=1", "invalid request: status has no seq=1", NULL },
	{ "rollback seq=1", "invalid request: rollback has no seq=1", NULL },
	{ "help --json", "invalid request: help has no --json", "usage: help" },
	{ "deploy --json v1", "invalid request: too many words", NULL },
	{ "deploy seq=1 v1", "invalid request: too many words", NULL },
	{ "rollback --json v1", "invalid request: too many words", NULL },
	{ "deploy v1 seq", "invalid request: too many words", NULL },
	{ "deploy --json", "invalid tag: none was given", "usage: deploy TAG" },
	{ "deploy seq=5", "invalid tag: none was given", NULL },
	{ "plan", "invalid tag: none was given", "usage: plan TAG" },
	/* suggestions */
	{ "deploy v1 --seq 3", "invalid request: deploy has no --seq", "write seq=N" },
	{ "deploy v1 --seq=3", "invalid request: deploy has no --seq", "write seq=N" },
	{ "deploy v1 SEQ=1", "invalid request: deploy has no SEQ=1",
	    "usage: deploy TAG" },
	{ "deploy v1 --jso", "invalid request: deploy has no --jso", "write --json" },
	{ "status --wiat", "invalid request: status has no --wiat", "write --wait" },
	{ "status --target=web", "invalid request: status has no --target",
	    "write target=NAME" },
	{ "stat", "invalid request: unknown command: stat", "did you mean `status`?" },
	{ "rolback v1", "invalid request: unknown command: rolback",
	    "did you mean `rollback`?" },
	{ "Deploy v1", "invalid request: unknown command: Deploy",
	    "did you mean `deploy`?" },
	{ "uptime", "invalid request: unknown command: uptime",
	    "`help` lists the commands" },
};

/* The line is in a buffer of its exact size, so that ASan reports a read past it. */
static int
parse(struct request *r, const char *line, size_t len, struct fault *f)
{
	char *exact = malloc(len == 0 ? 1 : len);
	int rc;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, line, len);
	memset(r, 0xa5, sizeof(*r));
	memset(f, 0, sizeof(*f));
	rc = request_parse(r, exact, len, f);
	free(exact);
	ck_assert_int_eq(rc == 0, f->kind == FAULT_NONE);
	return rc;
}

static void
is_refusal(const struct fault *f)
{
	const char *p;

	ck_assert_int_eq(f->kind, FAULT_REFUSED);
	ck_assert_str_ne(f->next, "");
	ck_assert_msg(strncmp(f->what, "invalid tag: ", 13) == 0 ||
		strncmp(f->what, "invalid request: ", 17) == 0,
	    "%s", f->what);
	for (p = f->what; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", f->what);
}

START_TEST(takes)
{
	struct request r;
	struct fault f;

	ck_assert_msg(parse(&r, good[_i].line, strlen(good[_i].line), &f) == 0, "%s",
	    f.what);
	ck_assert_int_eq(r.verb, good[_i].verb);
	ck_assert_str_eq(r.word, good[_i].word);
	ck_assert_uint_eq(r.count, good[_i].count);
}
END_TEST

START_TEST(takes_reasons)
{
	struct request r;
	struct fault f;

	ck_assert_msg(parse(&r, freezes[_i].line, strlen(freezes[_i].line), &f) == 0,
	    "%s", f.what);
	ck_assert_int_eq(r.verb, VERB_FREEZE);
	ck_assert_str_eq(r.reason, freezes[_i].reason);
	ck_assert_str_eq(r.target, freezes[_i].target);
	ck_assert_int_eq(r.lasts, freezes[_i].lasts);
	ck_assert_int_eq(r.json, freezes[_i].json);
}
END_TEST

START_TEST(refuses)
{
	struct request r;
	struct fault f;

	ck_assert_msg(parse(&r, bad[_i].line, strlen(bad[_i].line), &f) == -1,
	    "took \"%s\"", bad[_i].line);
	is_refusal(&f);
	ck_assert_msg(strncmp(f.what, bad[_i].what, strlen(bad[_i].what)) == 0,
	    "\"%s\": %s", bad[_i].line, f.what);
}
END_TEST

START_TEST(shows_what_it_refuses)
{
	struct request r;
	struct fault f;

	ck_assert_int_eq(parse(&r, "evil\x1b]0;x\x07", 10, &f), -1);
	ck_assert_str_eq(f.what,
	    "invalid request: not printable ASCII: evil\\033]0;x\\a");
	ck_assert_int_eq(parse(&r, "reboot now", 10, &f), -1);
	ck_assert_str_eq(f.what, "invalid request: unknown command: reboot");
	ck_assert_str_eq(f.next, "`help` lists the commands");
	ck_assert_int_eq(parse(&r, "history --json 5", 16, &f), -1);
	ck_assert_str_eq(f.next, "usage: history [N] [target=NAME] [--json]");
}
END_TEST

/* The table and its lookups agree. */
START_TEST(knows_its_verbs)
{
	const char *name = verb_name((enum verb)_i);

	ck_assert_int_eq(verb_find(name, strlen(name)), _i);
	ck_assert_int_eq(verb_find(name, strlen(name) - 1), VERB__MAX);
	ck_assert_int_eq(strncmp(verb_usage((enum verb)_i), name, strlen(name)), 0);
	ck_assert_str_ne(verb_text((enum verb)_i), "");
	/* `help` shows both in 80 columns */
	ck_assert_uint_le(strlen(verb_usage((enum verb)_i)) + 7, 80);
	ck_assert_uint_le(strlen(verb_text((enum verb)_i)) + 13, 80);
}
END_TEST

START_TEST(opens_what_is_harmless)
{
	ck_assert(verb_is_open(VERB_DEPLOY));
	ck_assert(verb_is_open(VERB_PLAN));
	ck_assert(verb_is_open(VERB_VERIFY));
	ck_assert(verb_is_open(VERB_STATUS));
	ck_assert(verb_is_open(VERB_HISTORY));
	ck_assert(verb_is_open(VERB_VERSION));
	ck_assert(verb_is_open(VERB_HELP));
	ck_assert(!verb_is_open(VERB_ROLLBACK));
	ck_assert(!verb_is_open(VERB_RECOVER));
	ck_assert(!verb_is_open(VERB_FREEZE) && !verb_is_open(VERB_UNFREEZE));
	ck_assert(!verb_is_open(VERB__MAX));
	ck_assert(verb_is_harmless(VERB_HELP) && verb_is_harmless(VERB_VERSION));
	ck_assert(!verb_is_harmless(VERB_STATUS) && !verb_is_harmless(VERB__MAX));
}
END_TEST

START_TEST(knows_no_other_verb)
{
	ck_assert_str_eq(verb_name(VERB__MAX), "unknown");
	ck_assert_str_eq(verb_usage(VERB__MAX), "");
	ck_assert_str_eq(verb_text(VERB__MAX), "");
	ck_assert_int_eq(verb_find("", 0), VERB__MAX);
	ck_assert_int_eq(verb_find("deploy v1", 9), VERB__MAX);
	ck_assert_int_eq(verb_find("deploy\0", 7), VERB__MAX);
}
END_TEST

START_TEST(bounds_the_word)
{
	static const struct {
		const char *verb, *what;
	} rows[] = {
		{ "deploy ", "invalid tag: " },
		{ "rollback ", "invalid tag: " },
		{ "help ", "invalid request: too long" },
	};
	char line[2 * REQUEST_MAX];
	struct request r;
	struct fault f;
	size_t head, n;

	strcpy(line, rows[_i].verb);
	head = strlen(line);
	memset(line + head, 'a', sizeof(line) - head);
	ck_assert_int_eq(parse(&r, line, head + 128, &f), 0);
	ck_assert_uint_eq(strlen(r.word), 128);
	for (n = 129; head + n <= REQUEST_MAX; n++) {
		ck_assert_int_eq(parse(&r, line, head + n, &f), -1);
		is_refusal(&f);
		ck_assert_int_eq(strncmp(f.what, rows[_i].what, strlen(rows[_i].what)),
		    0);
	}
	for (; head + n < sizeof(line); n += 50) {
		ck_assert_int_eq(parse(&r, line, head + n, &f), -1);
		ck_assert_int_eq(strncmp(f.what, "invalid request: longer than 1024", 33),
		    0);
	}
}
END_TEST

START_TEST(bounds_the_line)
{
	char line[REQUEST_MAX + 1];
	struct request r;
	struct fault f;

	memset(line, 'a', sizeof(line));
	ck_assert_int_eq(parse(&r, line, REQUEST_MAX, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "unknown command"));
	is_refusal(&f);
	ck_assert_int_eq(parse(&r, line, REQUEST_MAX + 1, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "longer than 1024 bytes"));
	is_refusal(&f);
	/* a good request of that length and one more byte is not cut to a good one */
	memset(line, ' ', sizeof(line));
	memcpy(line, "status", 6);
	ck_assert_int_eq(parse(&r, line, REQUEST_MAX + 1, &f), -1);
}
END_TEST

/* The longest signature that is taken, and one byte more. */
START_TEST(bounds_the_signature)
{
	char line[REQUEST_MAX] = "deploy v1 sig=";
	size_t head = strlen(line), most = sizeof(((struct request *)NULL)->sig) - 1;
	struct request r;
	struct fault f;

	memset(line + head, 'a', sizeof(line) - head);
	ck_assert_int_eq(parse(&r, line, head + most, &f), 0);
	ck_assert_uint_eq(strlen(r.sig), most);
	ck_assert_int_eq(parse(&r, line, head + most + 1, &f), -1);
	is_refusal(&f);
}
END_TEST

START_TEST(refuses_a_megabyte)
{
	static const char fillings[] = { 'a', ' ', '\0', '\n', '\x7f', '\xff' };
	size_t len = 1024 * 1024;
	char *line = malloc(len);
	struct request r;
	struct fault f;
	int i;

	ck_assert_ptr_nonnull(line);
	for (i = 0; i < N(fillings); i++) {
		memset(line, fillings[i], len);
		ck_assert_int_eq(parse(&r, line, len, &f), -1);
		is_refusal(&f);
	}
	free(line);
}
END_TEST

START_TEST(takes_leading_zeros_only_as_digits)
{
	struct request r;
	struct fault f;

	ck_assert_int_eq(parse(&r, "history 0007", 12, &f), 0);
	ck_assert_uint_eq(r.count, 7);
	ck_assert_int_eq(parse(&r, "history 0000", 12, &f), -1);
	is_refusal(&f);
}
END_TEST

/* A NUL does not end the line: what follows it is checked, too. */
START_TEST(refuses_nul)
{
	static const char line[] = "deploy v1\0; rm -rf /";
	struct request r;
	struct fault f;
	size_t len;

	for (len = 10; len < sizeof(line); len++) {
		ck_assert_int_eq(parse(&r, line, len, &f), -1);
		is_refusal(&f);
	}
	ck_assert_int_eq(parse(&r, "\0", 1, &f), -1);
	ck_assert_int_eq(parse(&r, "status\0", 7, &f), -1);
}
END_TEST

/* Every byte at every position, replacing a byte and inserted. */
START_TEST(survives_every_byte_everywhere)
{
	static const char *const lines[] = { "deploy sha-abc1234", "history 12",
		"help me", "freeze for=2h it moves" };
	char line[32];
	size_t i, len = strlen(lines[_i]);
	struct request r;
	struct fault f;
	int c;

	for (i = 0; i < len; i++)
		for (c = 0; c < 256; c++) {
			strcpy(line, lines[_i]);
			line[i] = (char)c;
			if (parse(&r, line, len, &f) == 0) {
				ck_assert_int_ge(c, ' ');
				ck_assert_int_le(c, '~');
				ck_assert_int_ne(r.verb, VERB__MAX);
				ck_assert_ptr_null(strchr(r.word, ' '));
			} else
				is_refusal(&f);
			if (c < ' ' || c > '~')
				ck_assert_int_eq(f.kind, FAULT_REFUSED);
			memmove(line + i + 1, line + i, len - i);
			memcpy(line + i + 1, lines[_i] + i, len - i);
			if (parse(&r, line, len + 1, &f) == -1)
				is_refusal(&f);
			else
				ck_assert(c >= ' ' && c <= '~');
		}
}
END_TEST

START_TEST(takes_extras)
{
	char flags[8];
	struct request r;
	struct fault f;

	ck_assert_msg(parse(&r, extras[_i].line, strlen(extras[_i].line), &f) == 0, "%s",
	    f.what);
	ck_assert_str_eq(r.word, extras[_i].word);
	ck_assert_int_eq(r.seq, extras[_i].seq);
	ck_assert_str_eq(r.target, extras[_i].target);
	snprintf(flags, sizeof(flags), "%s%s%s%s", r.json ? "j" : "", r.wait ? "w" : "",
	    r.check ? "c" : "", r.start ? "s" : "");
	ck_assert_str_eq(flags, extras[_i].flags);
	ck_assert_str_eq(r.digest, extras[_i].digest);
	ck_assert_str_eq(r.commit, extras[_i].commit);
	ck_assert_str_eq(r.sig, extras[_i].sig);
}
END_TEST

START_TEST(refuses_extras)
{
	const char *line = bad_extras[_i].line;
	struct request r;
	struct fault f;

	ck_assert_msg(parse(&r, line, strlen(line), &f) == -1, "%s", line);
	is_refusal(&f);
	ck_assert_msg(strncmp(f.what, bad_extras[_i].what, strlen(bad_extras[_i].what)) ==
		0,
	    "%s: %s", line, f.what);
	if (bad_extras[_i].next != NULL)
		ck_assert_msg(strncmp(f.next, bad_extras[_i].next,
				  strlen(bad_extras[_i].next)) == 0,
		    "%s: %s", line, f.next);
}
END_TEST

/* A program that asks for JSON gets its refusal as JSON. */
START_TEST(refuses_as_json)
{
	static const struct {
		const char *line;
		enum verb verb;
		bool json;
	} rows[] = {
		{ "deploy --json", VERB_DEPLOY, true },
		{ "deploy v1 seq=x --json", VERB_DEPLOY, true },
		{ "deploy v1 v2 --wait --json", VERB_DEPLOY, true },
		{ "rollback --json v1", VERB_ROLLBACK, true },
		{ "verify x --json", VERB_VERIFY, true },
		{ "deploy v1 seq=x", VERB_DEPLOY, false },
		{ "help a b --json", VERB_HELP, false },
		{ "stat --json", VERB__MAX, false },
		{ "deploy  --json", VERB__MAX, false },
	};
	struct request r;
	struct fault f;
	int i;

	for (i = 0; i < N(rows); i++) {
		ck_assert_int_eq(parse(&r, rows[i].line, strlen(rows[i].line), &f), -1);
		ck_assert_int_eq(r.verb, rows[i].verb);
		ck_assert_msg(r.json == rows[i].json, "%s", rows[i].line);
	}
}
END_TEST

Suite *
request_suite(void)
{
	Suite *s = suite_create("request");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_loop_test(core, takes, 0, N(good));
	tcase_add_loop_test(core, takes_reasons, 0, N(freezes));
	tcase_add_loop_test(core, takes_extras, 0, N(extras));
	tcase_add_loop_test(core, refuses_extras, 0, N(bad_extras));
	tcase_add_test(core, shows_what_it_refuses);
	tcase_add_loop_test(core, knows_its_verbs, 0, VERB__MAX);
	tcase_add_test(core, refuses_as_json);
	tcase_add_test(core, opens_what_is_harmless);
	tcase_add_test(core, knows_no_other_verb);
	suite_add_tcase(s, core);
	tcase_add_loop_test(limits, bounds_the_word, 0, 3);
	tcase_add_test(limits, bounds_the_line);
	tcase_add_test(limits, bounds_the_signature);
	tcase_add_test(limits, takes_leading_zeros_only_as_digits);
	suite_add_tcase(s, limits);
	tcase_set_timeout(hostile, 30);
	tcase_add_loop_test(hostile, refuses, 0, N(bad));
	tcase_add_test(hostile, refuses_a_megabyte);
	tcase_add_test(hostile, refuses_nul);
	tcase_add_loop_test(hostile, survives_every_byte_everywhere, 0, 4);
	suite_add_tcase(s, hostile);
	return s;
}
