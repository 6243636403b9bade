/*
 * check_who.c: who asks, as sshd reports it, or nothing.
 */
#include "suite.h"
#include "room.h"
#include "skip.h"
#include "request/who.h"

#include <sys/stat.h>

#include <ctype.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *who_suite(void);

/* Made for this test by ssh-keygen; fingerprints by its -l. */
#define ED_BLOB "AAAAC3NzaC1lZDI1NTE5AAAAICcHPgBv298Ae3sWG/mjSZj6u4RodcQ/zVVlbS+3Iei2"
#define ED_KEY "SHA256:da6Awdu/Olp757DvHmpuL/NPRqNsV+tm1CASRAsjq5s"
#define EC_BLOB                                                                       \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKUpv9a8IYLMdODW+og8fkX" \
	"hDYM1x/iS8mjJaYCrfkSMapOmhvXRemop2AIUk6A7bKNShl/FlcUqcZ9QKrmKrqc="
#define EC_KEY "SHA256:pfwbTKDJQX5nC+RPNAkVOu76mmDeEq6KXXHaLIy0ECk"

static char folder[ROOM_MAX];
static struct who w;

static void
setup(void)
{
	(void)room_enter(folder);
	memset(&w, 0xa5, sizeof(w));
}

/* The key of who_read() when the file has these bytes. */
static const char *
key_of(const char *bytes, size_t len)
{
	char var[128], *env[] = { var, NULL };

	room_put("auth", bytes, len);
	snprintf(var, sizeof(var), "SSH_USER_AUTH=%s/auth", folder);
	memset(&w, 0xa5, sizeof(w));
	who_read(&w, "ci", NULL, env);
	return w.key;
}

static const char *
client_of(const char *connection)
{
	char var[512], *env[] = { var, NULL };

	snprintf(var, sizeof(var), "SSH_CONNECTION=%s", connection);
	memset(&w, 0xa5, sizeof(w));
	who_read(&w, "ci", NULL, env);
	return w.client;
}

START_TEST(knows_nobody_without_sshd)
{
	char *env[] = { NULL };

	who_read(&w, "ci", NULL, env);
	ck_assert_str_eq(w.actor, "ci");
	ck_assert_str_eq(w.key, "");
	ck_assert_str_eq(w.client, "");
}
END_TEST

START_TEST(names_the_actor)
{
	char *env[] = { "LOGNAME=login", "USER=user", NULL }, *none[] = { NULL };
	const struct passwd *pw = getpwuid(getuid());
	char uid[32];

	who_read(&w, "option", NULL, env);
	ck_assert_str_eq(w.actor, "option");
	who_read(&w, NULL, NULL, env);
	ck_assert_str_eq(w.actor, "login");
	who_read(&w, NULL, NULL, none);
	snprintf(uid, sizeof(uid), "uid %u", (unsigned)getuid());
	ck_assert_str_eq(w.actor, pw == NULL ? uid : pw->pw_name);
}
END_TEST

static const struct {
	const char *bytes, *key;
} files[] = {
	{ "publickey ssh-ed25519 " ED_BLOB "\n", ED_KEY },
	{ "publickey ssh-ed25519 " ED_BLOB, ED_KEY },
	{ "publickey ecdsa-sha2-nistp256 " EC_BLOB "\n", EC_KEY },
	/* several methods: the first key counts */
	{ "password\npublickey ssh-ed25519 " ED_BLOB "\n", ED_KEY },
	{ "publickey ssh-ed25519 " ED_BLOB "\npublickey ecdsa-sha2-nistp256 " EC_BLOB
	  "\n",
	    ED_KEY },
	{ "\n\nkeyboard-interactive/pam\npublickey ecdsa-sha2-nistp256 " EC_BLOB "\n",
	    EC_KEY },
	/* no key */
	{ "", "" },
	{ "\n", "" },
	{ "password\n", "" },
	{ "publickey\n", "" },
	{ "publickey \n", "" },
	{ "publickey ssh-ed25519\n", "" },
	{ "publickey ssh-ed25519 \n", "" },
	{ "publickey ssh-ed25519 ====\n", "" },
	{ "publickey ssh-ed25519 !!!!\n", "" },
	{ "publickey ssh-ed25519 AAA\n", "" },
	{ "publickey ssh-ed25519 A\n", "" },
	{ "publickey ssh-ed25519 " ED_BLOB "?\n", "" },
	{ "publickey ssh-ed25519 \xff\xfe\n", "" },
	{ "Publickey ssh-ed25519 " ED_BLOB "\n", "" },
	{ " publickey ssh-ed25519 " ED_BLOB "\n", "" },
	{ "publickeys ssh-ed25519 " ED_BLOB "\n", "" },
	{ "hostbased ssh-ed25519 " ED_BLOB "\n", "" },
	{ "ssh-ed25519 " ED_BLOB "\n", "" },
	/* the first counts, although it is invalid */
	{ "publickey x\npublickey ssh-ed25519 " ED_BLOB "\n", "" },
};

START_TEST(reads_the_key)
{
	ck_assert_str_eq(key_of(files[_i].bytes, strlen(files[_i].bytes)), files[_i].key);
	ck_assert_str_eq(w.actor, "ci");
}
END_TEST

/* The first line of what the command prints; "": it failed. */
static const char *
first_line(const char *command)
{
	static char line[1024];
	FILE *fp = popen(command, "r");

	ck_assert_ptr_nonnull(fp);
	if (fgets(line, sizeof(line), fp) == NULL)
		line[0] = '\0';
	return pclose(fp) == 0 ? line : "";
}

/* "256 SHA256:… comment (ED25519)" */
START_TEST(agrees_with_ssh_keygen)
{
	static const char *const kinds[] = { "-t ed25519", "-t ecdsa -b 256",
		"-t ecdsa -b 521", "-t rsa -b 2048" };
	char command[256], want[256] = "", auth[2048], blob[1200];
	FILE *fp;

	if (*first_line("command -v ssh-keygen") == '\0')
		SKIP("no ssh-keygen here");
	snprintf(command, sizeof(command),
	    "ssh-keygen -q -N '' -C '' %s -f key </dev/null", kinds[_i]);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(sscanf(first_line("ssh-keygen -lf key.pub"), "%*d %255s", want),
	    1);
	ck_assert_ptr_nonnull(fp = fopen("key.pub", "r"));
	ck_assert_int_eq(fscanf(fp, "%*s %1199s", blob), 1);
	fclose(fp);
	snprintf(auth, sizeof(auth), "publickey any-type %s\n", blob);
	ck_assert_str_eq(key_of(auth, strlen(auth)), want);
}
END_TEST

static const struct {
	const char *connection, *client;
} connections[] = {
	{ "192.0.2.1 50000 198.51.100.2 22", "192.0.2.1" },
	{ "2001:db8::1 50000 2001:db8::2 22", "2001:db8::1" },
	{ "::1 1 ::1 22", "::1" },
	{ "::ffff:192.0.2.1 1 ::1 22", "::ffff:192.0.2.1" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "fe80::1%eth0 50000 fe80::2%eth0 22", "fe80::1%eth0" },
	{ "", "" },
	{ " 192.0.2.1 1 2 3", "" },
	{ "UNKNOWN 65535 UNKNOWN 65535", "" },
	{ "192.0.2.1\n 1", "" },
	{ "192.0.2.1;id 1", "" },
	{ "$(id) 1", "" },
	{ "host.example.com 1", "" },
	{ "\x1b[2J 1", "" },
	{ "192.0.2.1\t1", "" },
	{ "\xff 1", "" },
	{ "<b>1</b> 1", "" },
};

START_TEST(reads_the_client)
{
	ck_assert_str_eq(client_of(connections[_i].connection), connections[_i].client);
}
END_TEST

START_TEST(bounds_the_client)
{
	char address[200];

	memset(address, '1', sizeof(address));
	address[63] = '\0';
	ck_assert_uint_eq(strlen(client_of(address)), 63);
	address[63] = '1';
	address[64] = '\0';
	ck_assert_str_eq(client_of(address), "");
	address[64] = '1';
	address[199] = '\0';
	ck_assert_str_eq(client_of(address), "");
}
END_TEST

START_TEST(bounds_the_actor)
{
	char name[1000], *env[] = { NULL };
	size_t len;

	for (len = 0; len < sizeof(name); len += len < 80 ? 1 : 100) {
		memset(name, len % 2 == 0 ? 'a' : '\x1b', sizeof(name));
		name[len] = '\0';
		who_read(&w, name, NULL, env);
		ck_assert_uint_lt(strlen(w.actor), sizeof(w.actor));
		if (len % 2 == 0 && len <= 60)
			ck_assert_str_eq(w.actor, name);
	}
}
END_TEST

/* Limits: 8 KiB for a decoded key, 64 KiB for the file. */
START_TEST(bounds_the_key)
{
	static char auth[80 * 1024];
	size_t head, n;

	strcpy(auth, "publickey ssh-rsa ");
	head = strlen(auth);
	memset(auth + head, 'A', sizeof(auth) - head);
	for (n = 4; n < 12000; n *= 2)
		if (n / 4 * 3 <= 8192)
			ck_assert_int_eq(strncmp(key_of(auth, head + n), "SHA256:", 7),
			    0);
	ck_assert_str_eq(key_of(auth, head + 12000), "");
	ck_assert_str_eq(key_of(auth, head + 60000), "");
	ck_assert_str_eq(key_of(auth, sizeof(auth)), "");
	/* a long line may precede it; a file that is too long has no key */
	memset(auth, 'x', sizeof(auth));
	memcpy(auth + 60000, "\npublickey ssh-ed25519 " ED_BLOB "\n",
	    strlen("\npublickey ssh-ed25519 " ED_BLOB "\n"));
	ck_assert_str_eq(key_of(auth, 64 * 1024), ED_KEY);
	ck_assert_str_eq(key_of(auth, 64 * 1024 + 1), "");
}
END_TEST

START_TEST(passes_over_other_kinds)
{
	static const char *const names[] = { "none", "folder", "fifo", "link",
		"/dev/zero", "", "/dev/null" };
	char var[128], *env[] = { var, NULL };

	room_put("auth", "publickey ssh-ed25519 " ED_BLOB "\n", 91);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("auth", "link"), 0);
	snprintf(var, sizeof(var), "SSH_USER_AUTH=%s", names[_i]);
	who_read(&w, "ci", NULL, env);
	ck_assert_str_eq(w.key, "");
	ck_assert_str_eq(w.actor, "ci");
}
END_TEST

START_TEST(names_the_trigger)
{
	char con[] = "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22", *env[] = { con, NULL },
	     *none[] = { NULL };

	who_read(&w, "ci", NULL, env);
	ck_assert_int_eq(w.trigger, TRIGGER_SSH);
	who_read(&w, "ci", NULL, none);
	ck_assert_int_eq(w.trigger, TRIGGER_PROMPT);
	who_read(&w, "ci", "poll", env);
	ck_assert_int_eq(w.trigger, TRIGGER_POLL);
	ck_assert(
	    trigger_is_automatic(TRIGGER_POLL) && trigger_is_automatic(TRIGGER_BOOT));
	ck_assert(!trigger_is_automatic(TRIGGER_SSH) &&
	    !trigger_is_automatic(TRIGGER_PROMPT) &&
	    !trigger_is_automatic(TRIGGER_WEBHOOK) &&
	    !trigger_is_automatic(TRIGGER_UNKNOWN));
}
END_TEST

START_TEST(is_printable_whatever_comes)
{
	char name[] = "a?b", log[] = "LOGNAME=?x", con[] = "SSH_CONNECTION=1?2 3",
	     *env[] = { log, con, NULL };
	const char *p;
	int c;

	for (c = 1; c < 256; c++) {
		name[1] = log[8] = con[16] = (char)c;
		who_read(&w, c % 2 == 0 ? name : NULL, NULL, env);
		ck_assert_str_ne(w.actor, "");
		for (p = w.actor; *p != '\0'; p++)
			ck_assert(*p >= ' ' && *p <= '~');
		for (p = w.client; *p != '\0'; p++)
			ck_assert(
			    isxdigit((unsigned char)*p) || strchr(".:%", *p) != NULL);
	}
}
END_TEST

START_TEST(survives_every_byte)
{
	char auth[] = "publickey ssh-ed25519 " ED_BLOB "\n";
	const size_t len = strlen(auth);
	size_t i;
	char saved;

	for (i = 0; i < len; i++) {
		saved = auth[i];
		auth[i] = (char)(saved ^ (1 << _i));
		if (*key_of(auth, len) != '\0')
			ck_assert_int_eq(strncmp(w.key, "SHA256:", 7), 0);
		auth[i] = '\0';
		(void)key_of(auth, len);
		auth[i] = saved;
	}
}
END_TEST

Suite *
who_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"),
		ONCE(knows_nobody_without_sshd), ONCE(names_the_actor),
		ONCE(names_the_trigger), EACH(reads_the_key, N(files)),
		EACH(agrees_with_ssh_keygen, 4), EACH(reads_the_client, N(connections)),
		CASE("Limits"), ONCE(bounds_the_client), ONCE(bounds_the_actor),
		ONCE(bounds_the_key), CASE("Hostile"), EACH(passes_over_other_kinds, 7),
		ONCE(is_printable_whatever_comes), EACH(survives_every_byte, 8) };

	return unit_suite("who", setup, room_leave, tests, N(tests));
}
