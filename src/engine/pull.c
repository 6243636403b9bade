#include "engine/pull.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define HOST_MAX 256

enum why {
	WHY_OTHER,
	WHY_HELPER,
	WHY_LOGIN,
	WHY_LOGIN_OR_NAME,
	WHY_LIMIT,
	WHY_SPACE,
	WHY_PLATFORM,
	WHY_REPOSITORY,
	WHY_TAG,
	WHY_AWAY,
};

/* "@" is the registry. */
static const struct {
	const char *why, *next;
} words[] = {
	[WHY_HELPER] = { "the credential helper for @ fails",
	    "see that it is on PATH, and works for the user who deploys" },
	[WHY_LOGIN] = { "@ requires a login, or refuses the one it got",
	    "docker login @ as the user who deploys, or set up its credential helper" },
	[WHY_LOGIN_OR_NAME] = { "@ has no such repository, or requires another login",
	    "check the image's name; docker login @ as the user who deploys" },
	[WHY_LIMIT] = { "@ limits the number of pulls",
	    "wait, or docker login @ as the user who deploys" },
	[WHY_SPACE] = { "no space left for images on this host",
	    "see docker system df, free some space, then deploy again" },
	[WHY_PLATFORM] = { "@ has no image for this host's processor",
	    "build the image for this platform too" },
	[WHY_REPOSITORY] = { "@ has no such repository",
	    "check the image's name in the compose file, or push the image" },
	[WHY_TAG] = { "@ has no such tag", "push the tag, or see its build" },
	[WHY_AWAY] = { "@ cannot be reached, or is out of order",
	    "see that @ answers from this host, then deploy again" },
};

/*
 * The first row that occurs in the message counts, so what says more stands first.
 *
 * docker/compose pkg/compose/pull.go; moby/moby daemon/internal/distribution/errors.go,
 * daemon/containerd/image_pull.go and registry_errors.go; containerd/containerd
 * core/remotes/docker/resolver.go and authorizer.go; docker/docker-credential-helpers
 * client/client.go; the codes of registries: OCI distribution-spec, "Error Codes".
 */
static const struct {
	const char *text;
	enum why why;
} texts[] = {
	/* the engine's socket, not the registry's */
	{ "dial unix ", WHY_OTHER },
	{ "error during connect: ", WHY_OTHER },
	{ "error getting credentials", WHY_HELPER },
	{ "no space left on device", WHY_SPACE },
	{ "toomanyrequests: ", WHY_LIMIT },
	{ "429 Too Many Requests", WHY_LIMIT },
	{ "pull rate limit", WHY_LIMIT },
	{ "Rate exceeded", WHY_LIMIT },
	{ "no matching manifest for ", WHY_PLATFORM },
	{ "no match for platform", WHY_PLATFORM },
	{ "no basic auth credentials", WHY_LOGIN },
	{ "authorization token has expired", WHY_LOGIN },
	{ "authentication required", WHY_LOGIN },
	{ "401 Unauthorized", WHY_LOGIN },
	{ "unauthorized: ", WHY_LOGIN },
	{ ": unauthorized", WHY_LOGIN },
	{ "incorrect username or password", WHY_LOGIN },
	/* registries do not tell strangers what they have */
	{ "pull access denied", WHY_LOGIN_OR_NAME },
	{ "access to the resource is denied", WHY_LOGIN_OR_NAME },
	{ "403 Forbidden", WHY_LOGIN_OR_NAME },
	{ "HTTP 403 response", WHY_LOGIN_OR_NAME },
	{ "denied: ", WHY_LOGIN_OR_NAME },
	{ ": denied", WHY_LOGIN_OR_NAME },
	{ "name unknown: ", WHY_REPOSITORY },
	{ "repository name not known", WHY_REPOSITORY },
	{ "manifest unknown", WHY_TAG },
	{ ": not found", WHY_TAG },
	{ "connection refused", WHY_AWAY },
	{ "connection reset", WHY_AWAY },
	{ "no such host", WHY_AWAY },
	{ "no route to host", WHY_AWAY },
	{ "network is unreachable", WHY_AWAY },
	{ "server misbehaving", WHY_AWAY },
	{ "i/o timeout", WHY_AWAY },
	{ "handshake timeout", WHY_AWAY },
	{ "request canceled while waiting", WHY_AWAY },
	{ "deadline exceeded", WHY_AWAY },
	{ "x509: ", WHY_AWAY },
	{ "tls: ", WHY_AWAY },
	{ "HTTP response to HTTPS client", WHY_AWAY },
	{ "\": EOF", WHY_AWAY },
	{ "unexpected EOF", WHY_AWAY },
	{ "received unexpected HTTP status: 5", WHY_AWAY },
	{ "500 Internal Server Error", WHY_AWAY },
	{ "502 Bad Gateway", WHY_AWAY },
	{ "503 Service Unavailable", WHY_AWAY },
	{ "504 Gateway Time", WHY_AWAY },
};

static enum why
find_why(const char *message)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strstr(message, texts[i].text) != NULL)
			return texts[i].why;
	return WHY_OTHER;
}

/*
 * The registry of the reference, or of what stands behind a URL's "://"; false for a
 * name without one.  distribution/reference normalize.go: it has a dot or a port, or is
 * "localhost".
 */
static bool
host_of(const char *reference, char host[HOST_MAX])
{
	size_t len = strcspn(reference, "/ \t\"',");
	size_t hub = strlen("docker.io");

	if (reference[len] != '/' || len >= HOST_MAX)
		return false;
	memcpy(host, reference, len);
	host[len] = '\0';
	if (strspn(host,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.:-[]") != len ||
	    (strpbrk(host, ".:") == NULL && strcmp(host, "localhost") != 0))
		return false;
	/* registry-1.docker.io and auth.docker.io: nobody logs in to these */
	if (len > hub && strcmp(host + len - hub - 1, ".docker.io") == 0)
		(void)strlcpy(host, "docker.io", HOST_MAX);
	return true;
}

static bool
host_in_message(const char *message, char host[HOST_MAX])
{
	static const char *const before[] = { "resolve reference \"", "\"https://",
		"\"http://", "request to https://", "request to http://", "denied for ",
		"manifest for ", "repository " };
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		at = strstr(message, before[i]);
		if (at != NULL && host_of(at + strlen(before[i]), host))
			return true;
	}
	return false;
}

/* Have all references the same registry? */
static bool
host_of_release(const struct release *r, char host[HOST_MAX])
{
	char other[HOST_MAX];
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (r->part[i].reference[0] == '\0')
			return false;
		if (!host_of(r->part[i].reference, other))
			(void)strlcpy(other, "docker.io", sizeof(other));
		if (i > 0 && strcmp(host, other) != 0)
			return false;
		(void)strlcpy(host, other, HOST_MAX);
	}
	return r->n > 0;
}

/* Puts `name` where the text has an "@". */
static const char *
fill_in(const char *text, const char *name, char *out, size_t size)
{
	int before = (int)strcspn(text, "@");
	bool has = text[before] == '@';

	snprintf(out, size, "%.*s%s%s", before, text, has ? name : "",
	    text + before + has);
	return out;
}

void
pull_explain(const char *message, const struct release *r, struct fault *f)
{
	enum why why = find_why(message);
	char host[HOST_MAX], what[HOST_MAX + 80], next[HOST_MAX + 80];
	bool named = host_in_message(message, host) || host_of_release(r, host);

	if (why == WHY_OTHER)
		return;
	fill_in(words[why].why, named ? host : "the registry", what, sizeof(what));
	fill_in(words[why].next, named ? host : "REGISTRY", next, sizeof(next));
	fault_clear(f);
	(void)fault_set(f, FAULT_FAILED, next, "docker pull failed: %s: %s", what,
	    message);
}

/* Is it the first line of a message that may have more? */
static bool
begins_message(const char *line, size_t len)
{
	static const char *const heads[] = { "Error response from daemon: ",
		"error getting credentials" };
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (len >= strlen(heads[i]) &&
		    memcmp(line, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

const char *
pull_message(const char *output, size_t len, size_t *message_len)
{
	const char *end, *line, *last;

	while (len > 0 && strchr(" \t\r\n", output[len - 1]) != NULL)
		len--;
	end = output + len;
	last = memrchr(output, '\n', len);
	last = last == NULL ? output : last + 1;
	for (line = last; !begins_message(line, (size_t)(end - line));) {
		if (line == output) {
			line = last;
			break;
		}
		line = memrchr(output, '\n', (size_t)(line - 1 - output));
		line = line == NULL ? output : line + 1;
	}
	*message_len = (size_t)(end - line);
	return line;
}
