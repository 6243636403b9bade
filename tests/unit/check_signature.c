/*
 * check_signature.c: signatures of ssh-keygen; which are accepted.
 */
#include "deploy/signature.h"
#include "room.h"
#include "suite.h"

#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT "ghcr.io/twilight/demo@sha256:abc"

Suite *signature_suite(void);

static char room[ROOM_MAX];
static int dir;
static struct fault f;

static void
run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
setup(void)
{
	dir = room_enter(room);
	memset(&f, 0, sizeof(f));
	run("for k in good other; do ssh-keygen -q -t ed25519 -N '' -C x -f $k; done");
}

static void
teardown(void)
{
	room_leave();
}

/* The signature by a key of a text, in a namespace; to be freed. */
static char *
sign(const char *key, const char *text, const char *namespace)
{
	char command[512];

	snprintf(command, sizeof(command),
	    "printf %%s '%s' | ssh-keygen -q -Y sign -n %s -f %s 2>/dev/null | "
	    "sed '1d;$d' | tr -d '\n' >sig",
	    text, namespace, key);
	run(command);
	return room_get("sig", NULL);
}

static const struct {
	const char *signers; /* %s: the key `good` */
	const char *key, *text, *namespace;
	const char *who; /* "": refused */
} rows[] = {
	{ "ci@example.com %s\n", "good", TEXT, "twilight-deploy", "ci@example.com" },
	{ "a,b %s\n", "good", TEXT, "twilight-deploy", "a" },
	{ "ci namespaces=\"twilight-deploy\" %s\n", "good", TEXT, "twilight-deploy",
	    "ci" },
	{ "ci namespaces=\"git\" %s\n", "good", TEXT, "twilight-deploy", "" },
	{ "ci valid-before=\"20200101\" %s\n", "good", TEXT, "twilight-deploy", "" },
	{ "ci %s\n", "other", TEXT, "twilight-deploy", "" },
	{ "ci %s\n", "good", TEXT, "git", "" },
	{ "ci %s\n", "good", TEXT "d", "twilight-deploy", "" },
	{ "ci %s\n", "good", "", "twilight-deploy", "" },
	{ "", "good", TEXT, "twilight-deploy", "" },
	{ "garbage\n", "good", TEXT, "twilight-deploy", "" },
};

static const char *
signer(const char *sig, const char *text, char who[64])
{
	const struct signers s = { "signers", room, dir };

	ck_assert_msg(signature_signer(&s, sig, text, who, 64, &f) == 0, "%s", f.what);
	ck_assert_int_ne(access("signature", F_OK), 0);
	return who;
}

static void
allow(const char *signers)
{
	char text[1024], *key = room_get("good.pub", NULL);

	key[strcspn(key, "\n")] = '\0';
	snprintf(text, sizeof(text), signers, key);
	room_put("signers", text, strlen(text));
	free(key);
}

START_TEST(knows_the_signer)
{
	char *sig = sign(rows[_i].key, rows[_i].text, rows[_i].namespace), who[64];

	allow(rows[_i].signers);
	ck_assert_str_eq(signer(sig, TEXT, who), rows[_i].who);
	free(sig);
}
END_TEST

/* No other byte, and no part of it, is the signature. */
START_TEST(refuses_another_signature)
{
	char *sig = sign("good", TEXT, "twilight-deploy"), who[64];
	size_t len = strlen(sig), i;

	allow("ci %s\n");
	ck_assert_str_eq(signer(sig, TEXT, who), "ci");
	for (i = 8; i < len; i += 61) {
		sig[i] = sig[i] == 'A' ? 'B' : 'A';
		ck_assert_str_eq(signer(sig, TEXT, who), "");
		sig[i] = '\0';
		ck_assert_str_eq(signer(sig, TEXT, who), "");
		free(sig);
		sig = sign("good", TEXT, "twilight-deploy");
	}
	ck_assert_str_eq(signer("=", TEXT, who), "");
	free(sig);
}
END_TEST

/* What a killed deploy left is no obstacle. */
START_TEST(replaces_an_old_file)
{
	char *sig = sign("good", TEXT, "twilight-deploy"), who[64];

	allow("ci %s\n");
	room_put("signature", "old", 3);
	room_put("signature.new", "old", 3);
	ck_assert_str_eq(signer(sig, TEXT, who), "ci");
	ck_assert_int_ne(access("signature.new", F_OK), 0);
	free(sig);
}
END_TEST

START_TEST(trusts_what_others_cannot_write)
{
	ck_assert_int_eq(signature_trusts("none", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	allow("ci %s\n");
	ck_assert_int_eq(chmod("signers", 0644), 0);
	ck_assert_int_eq(signature_trusts("signers", &f), 0);
	ck_assert_int_eq(chmod("signers", 0664), 0);
	ck_assert_int_eq(signature_trusts("signers", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	fault_clear(&f);
	ck_assert_int_eq(signature_trusts(".", &f), -1);
}
END_TEST

Suite *
signature_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		EACH(knows_the_signer, N(rows)), ONCE(trusts_what_others_cannot_write),
		ONCE(replaces_an_old_file), CASE("Hostile"),
		ONCE(refuses_another_signature) };

	return unit_suite("signature", setup, teardown, tests, N(tests));
}
