#include "request/who.h"

#include "sys/childenv.h"
#include "sys/file.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <ctype.h>
#include <fcntl.h>
#include <pwd.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTH_INFO_MAX (64 * 1024) /* bytes */

/*
 * Base64 (RFC 4648).  libc has one in libresolv, but loading one more library would
 * make every refusal slower by a tenth.
 */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decodes up to the padding, a blank or the end.  The number of bytes, or -1. */
static ssize_t
decode_base64(const char *text, unsigned char *out, size_t size)
{
	const char *at, *begin = text;
	unsigned bits = 0, held = 0;
	size_t n = 0;

	for (; *text != '\0' && strchr("= \t\r\n", *text) == NULL; text++) {
		at = strchr(alphabet, *text);
		if (at == NULL)
			return -1;
		bits = bits << 6 | (unsigned)(at - alphabet);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n == size)
			return -1;
		out[n++] = (unsigned char)(bits >> held);
	}
	/* groups of four, the last one padded */
	text += strspn(text, "=");
	return (text - begin) % 4 == 0 ? (ssize_t)n : -1;
}

/* Without padding; `out` holds (len * 4 + 2) / 3 + 1 bytes. */
static void
encode_base64(const unsigned char *bytes, size_t len, char *out)
{
	unsigned bits = 0, held = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 6; held -= 6)
			*out++ = alphabet[bits >> (held - 6) & 63];
	}
	if (held > 0)
		*out++ = alphabet[bits << (6 - held) & 63];
	*out = '\0';
}

/* OpenSSH's fingerprint: base64 of the SHA-256 of the blob, without padding. */
static void
write_fingerprint(const char *base64, char *out, size_t size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	unsigned char blob[8192];
	char text[SHA256_DIGEST_LENGTH * 4 / 3 + 2];
	SHA2_CTX ctx;
	ssize_t n = decode_base64(base64, blob, sizeof(blob));

	if (n <= 0)
		return;
	SHA256Init(&ctx);
	SHA256Update(&ctx, blob, (size_t)n);
	SHA256Final(digest, &ctx);
	encode_base64(digest, sizeof(digest), text);
	snprintf(out, size, "SHA256:%s", text);
}

/* The first line "publickey TYPE BASE64" of the file is the key that was used. */
static void
read_key(struct who *w, const char *path)
{
	char *bytes, *line, *rest, *blob;
	size_t len;

	if (path == NULL || file_read(AT_FDCWD, path, AUTH_INFO_MAX, &bytes, &len) == -1)
		return;
	rest = bytes;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "publickey ", 10) != 0)
			continue;
		blob = strchr(line + 10, ' ');
		if (blob != NULL)
			write_fingerprint(blob + 1, w->key, sizeof(w->key));
		break;
	}
	free(bytes);
}

/* "ADDRESS PORT ADDRESS PORT", the client's first. */
static void
read_client(struct who *w, const char *connection)
{
	size_t len, i;

	if (connection == NULL)
		return;
	len = strcspn(connection, " ");
	if (len == 0 || len >= sizeof(w->client))
		return;
	/* IPv4 or IPv6; after '%' the name of an interface */
	i = strspn(connection, "0123456789abcdefABCDEF.:");
	if (connection[i] == '%')
		for (i++; isalnum((unsigned char)connection[i]) ||
		     (connection[i] != '\0' && strchr("._-", connection[i]) != NULL);
		     i++)
			continue;
	if (i != len)
		return;
	memcpy(w->client, connection, len);
	w->client[len] = '\0';
}

void
who_read(struct who *w, const char *actor, const char *trigger, char *const *env)
{
	const char *connection = env_get(env, "SSH_CONNECTION");
	const struct passwd *pw;
	char uid[16];

	memset(w, 0, sizeof(*w));
	/* sshd and login(1) set it: usually no look into the user database is needed */
	if (actor == NULL)
		actor = env_get(env, "LOGNAME");
	if (actor == NULL) {
		snprintf(uid, sizeof(uid), "uid %u", (unsigned)getuid());
		pw = getpwuid(getuid());
		actor = pw == NULL ? uid : pw->pw_name;
	}
	text_escape(w->actor, sizeof(w->actor), actor, strlen(actor));
	read_key(w, env_get(env, "SSH_USER_AUTH"));
	read_client(w, connection);
	if (trigger == NULL)
		trigger = trigger_name(connection != NULL ? TRIGGER_SSH : TRIGGER_PROMPT);
	w->trigger = trigger_find(trigger);
}
