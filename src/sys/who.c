#include "sys/who.h"

#include "sys/base64.h"
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

#define AUTH_INFO_MAX (64 * 1024)

/* OpenSSH's fingerprint: base64 of the SHA-256 of the blob, no padding. */
static void
fingerprint(const char *base64, char *out, size_t size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	unsigned char blob[8192];
	char text[64];
	SHA2_CTX ctx;
	ssize_t n = base64_decode(base64, blob, sizeof(blob));

	if (n <= 0)
		return;
	SHA256Init(&ctx);
	SHA256Update(&ctx, blob, (size_t)n);
	SHA256Final(digest, &ctx);
	base64_encode(digest, sizeof(digest), text, sizeof(text));
	snprintf(out, size, "SHA256:%s", text);
}

/* Its lines are "publickey TYPE BASE64"; the first such one counts. */
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
			fingerprint(blob + 1, w->key, sizeof(w->key));
		break;
	}
	free(bytes);
}

/* "ADDRESS PORT ADDRESS PORT" */
static void
read_client(struct who *w, const char *connection)
{
	size_t len, i;

	if (connection == NULL)
		return;
	len = strcspn(connection, " ");
	if (len == 0 || len >= sizeof(w->client))
		return;
	/* hex and dots or colons; behind '%' the name of an interface */
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
who_read(struct who *w, const char *actor, char *const *env)
{
	const struct passwd *pw;
	char uid[16];

	memset(w, 0, sizeof(*w));
	/* sshd and login(1) say who it is, without a look into the user database */
	if (actor == NULL)
		actor = env_get(env, "LOGNAME");
	if (actor == NULL) {
		snprintf(uid, sizeof(uid), "uid %u", (unsigned)getuid());
		pw = getpwuid(getuid());
		actor = pw == NULL ? uid : pw->pw_name;
	}
	text_escape(w->actor, sizeof(w->actor), actor, strlen(actor));
	read_key(w, env_get(env, "SSH_USER_AUTH"));
	read_client(w, env_get(env, "SSH_CONNECTION"));
}
