#include "engine/pull.h"

#include "suite.h"

#include <stdio.h>
#include <string.h>

Suite *pull_suite(void);

/* Whose images are pulled where the message does not say it: ghcr.io's. */
static const struct release ghcr = { .tag = "v2",
	.n = 2,
	.part = { { .service = "web", .reference = "ghcr.io/twilight/web:v2" },
	    { .service = "worker", .reference = "ghcr.io/twilight/worker:v2" } } };

#define DAEMON "Error response from daemon: "
#define DENIED "repository does not exist or may require 'docker login': denied: "

#define LOGIN(r)                                          \
	r " requires a login, or refuses the one it got", \
	    "docker login " r " as the user who deploys"  \
	    ", or set up its credential helper"
#define LOGIN_OR_NAME(r)                                              \
	r " has no such repository, or requires another login",       \
	    "check the image's name; docker login " r " as the user " \
	    "who deploys"
#define HELPER(r)                                \
	"the credential helper for " r " fails", \
	    "see that it is on PATH, and"        \
	    " works for the user who deploys"
#define LIMIT(r)                         \
	r " limits the number of pulls", \
	    "wait, or docker login " r " as the user who deploys"
#define REPOSITORY(r)                                    \
	r " has no such repository",                     \
	    "check the image's name in the compose file" \
	    ", or push the image"
#define TAG(r) r " has no such tag", "push the tag, or see its build"
#define AWAY(r)                                     \
	r " cannot be reached, or is out of order", \
	    "see that " r " answers from this host, then deploy again"
#define SPACE                                    \
	"no space left for images on this host", \
	    "see docker system df, free some space, then deploy again"
#define PLATFORM(r)                                  \
	r " has no image for this host's processor", \
	    "build the image for this platform too"

/* As they were printed, host names aside. */
static const struct {
	const char *message, *why, *next;
} known[] = {
	/* engine 20.10.24 with compose 2.26.1 */
	{ DAEMON "Head \"http://127.0.0.1:5000/v2/a/b/manifests/v1\": no basic auth "
		 "credentials",
	    LOGIN("127.0.0.1:5000") },
	{ DAEMON "unauthorized: authentication required", LOGIN("ghcr.io") },
	{ DAEMON "unauthorized", LOGIN("ghcr.io") },
	{ DAEMON "pull access denied for 1.dkr.ecr.eu-west-1.amazonaws.com/x, " DENIED
		 "Your authorization token has expired. Reauthenticate and try again.",
	    LOGIN("1.dkr.ecr.eu-west-1.amazonaws.com") },
	{ DAEMON "denied", LOGIN_OR_NAME("ghcr.io") },
	{ DAEMON "pull access denied for 127.0.0.1:5000/ghcr/x, " DENIED "denied",
	    LOGIN_OR_NAME("127.0.0.1:5000") },
	{ DAEMON
	    "error parsing HTTP 403 response body: invalid character '<' looking for "
	    "beginning of value: \"<html>no</html>\"",
	    LOGIN_OR_NAME("ghcr.io") },
	{ "error getting credentials - err: exec: \"docker-credential-test\": executable "
	  "file not found in $PATH, out: ``",
	    HELPER("ghcr.io") },
	{ "error getting credentials - err: exit status 1, out: `no identity`",
	    HELPER("ghcr.io") },
	{ DAEMON "toomanyrequests: You have reached your pull rate limit.",
	    LIMIT("ghcr.io") },
	{ DAEMON "manifest for 127.0.0.1:5000/a/b:v2 not found: manifest unknown: "
		 "manifest unknown",
	    TAG("127.0.0.1:5000") },
	{ DAEMON "manifest for 127.0.0.1:5000/x:v1 not found: manifest unknown: "
		 "Requested image not found",
	    TAG("127.0.0.1:5000") },
	{ DAEMON "repository 127.0.0.1:5000/x not found: name unknown: The repository "
		 "with name 'x' does not exist in the registry with id '123456789012'",
	    REPOSITORY("127.0.0.1:5000") },
	{ DAEMON "Get \"http://127.0.0.1:9/v2/\": dial tcp 127.0.0.1:9: connect: "
		 "connection refused",
	    AWAY("127.0.0.1:9") },
	{ DAEMON
	    "Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid "
	    "on 192.0.2.53:53: no such host",
	    AWAY("registry.invalid") },
	{ DAEMON "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup "
		 "registry-1.docker.io on 192.0.2.53:53: no such host",
	    AWAY("docker.io") },
	{ DAEMON "Get \"https://192.0.2.2:443/v2/\": x509: cannot validate certificate "
		 "for 192.0.2.2 because it doesn't contain any IP SANs",
	    AWAY("192.0.2.2:443") },
	{ DAEMON "received unexpected HTTP status: 503 Service Unavailable",
	    AWAY("ghcr.io") },
	/* 20.10 to 28, the classic store: reports of others */
	{ DAEMON "Head \"https://ghcr.io/v2/a/b/manifests/latest\": denied: denied",
	    LOGIN_OR_NAME("ghcr.io") },
	{ DAEMON "Head \"https://ghcr.io/v2/a/b/manifests/latest\": unauthorized",
	    LOGIN("ghcr.io") },
	{ DAEMON "pull access denied for asdfasdf, " DENIED
		 "requested access to the resource is denied",
	    LOGIN_OR_NAME("docker.io") },
	{ DAEMON "toomanyrequests: You have reached your unauthenticated pull rate "
		 "limit. https://www.docker.com/increase-rate-limit",
	    LIMIT("ghcr.io") },
	{ "toomanyrequests: retry-after: 985.86us, allowed: 44000/minute",
	    LIMIT("ghcr.io") },
	{ DAEMON "Get \"https://registry-1.docker.io/v2/\": context deadline exceeded "
		 "(Client.Timeout exceeded while awaiting headers)",
	    AWAY("docker.io") },
	{ DAEMON "Get \"https://registry.example/v2/\": net/http: TLS handshake timeout",
	    AWAY("registry.example") },
	{ DAEMON "Get \"https://10.0.0.1:5000/v2/\": http: server gave HTTP response to "
		 "HTTPS client",
	    AWAY("10.0.0.1:5000") },
	{ "failed to register layer: write /app/main: no space left on device", SPACE },
	{ DAEMON "no matching manifest for linux/arm64/v8 in the manifest list entries",
	    PLATFORM("ghcr.io") },
	{ "error getting credentials - err: exit status 1, out: `exit status 2: gpg: "
	  "decryption failed: No such file\ngpg: decryption failed`",
	    HELPER("ghcr.io") },
	/* 27 to 29, containerd's store: its sources, and reports */
	{ DAEMON "failed to resolve reference \"127.0.0.1:5000/a/b:v1\": pull access "
		 "denied, repository does not exist or may require authorization: "
		 "authorization failed: no basic auth credentials",
	    LOGIN("127.0.0.1:5000") },
	{ DAEMON "failed to resolve reference \"127.0.0.1:5000/a/b:v1\": unexpected "
		 "status from HEAD request to "
		 "http://127.0.0.1:5000/v2/a/b/manifests/v1: 401 Unauthorized",
	    LOGIN("127.0.0.1:5000") },
	{ DAEMON "pull access denied for asdfasdf, repository does not exist or may "
		 "require 'docker login'",
	    LOGIN_OR_NAME("docker.io") },
	{ DAEMON "error from registry: denied\ndenied", LOGIN_OR_NAME("ghcr.io") },
	{ DAEMON "unknown: failed to resolve reference \"ghcr.io/a/b:latest\": "
		 "unexpected status from HEAD request to "
		 "https://ghcr.io/v2/a/b/manifests/latest: 403 Forbidden",
	    LOGIN_OR_NAME("ghcr.io") },
	{ DAEMON "failed to resolve reference \"127.0.0.1:5000/a/b:v2\": "
		 "127.0.0.1:5000/a/b:v2: not found",
	    TAG("127.0.0.1:5000") },
	{ DAEMON "failed to resolve reference \"127.0.0.1:9/a/b:v1\": failed to do "
		 "request: Head \"http://127.0.0.1:9/v2/a/b/manifests/v1\": dial tcp "
		 "127.0.0.1:9: connect: connection refused",
	    AWAY("127.0.0.1:9") },
	{ DAEMON "failed to resolve reference \"docker.io/a/b:latest\": failed to "
		 "authorize: failed to fetch anonymous token: Get "
		 "\"https://auth.docker.io/token?scope=repository%3Aa%2Fb%3Apull\": EOF",
	    AWAY("docker.io") },
	{ DAEMON "no matching manifest for linux/arm64/v8 in the manifest list entries: "
		 "no match for platform in manifest: not found",
	    PLATFORM("ghcr.io") },
};

static struct fault
first_fault(void)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_FAILED, NULL, "docker pull failed (exit 18): last");
	return f;
}

static const struct release *
references(const char *message, struct release *r)
{
	*r = ghcr;
	if (strstr(message, "asdfasdf") != NULL)
		for (size_t i = 0; i < r->n; i++)
			strcpy(r->part[i].reference, "asdfasdf:v2");
	return r;
}

START_TEST(says_why)
{
	struct fault f = first_fault();
	struct release r;
	char what[FAULT_WHAT_MAX];

	pull_explain(known[_i].message, references(known[_i].message, &r), &f);
	snprintf(what, sizeof(what), "docker pull failed: %s: %s", known[_i].why,
	    known[_i].message);
	ck_assert_str_eq(f.what, what);
	ck_assert_str_eq(f.next, known[_i].next);
	ck_assert_int_eq(f.kind, FAULT_FAILED);
	/* with "  next: " in front */
	ck_assert_uint_lt(strlen(f.next),
	    93 + strlen("1.dkr.ecr.eu-west-1.amazonaws.com"));
}
END_TEST

static const char *const other[] = {
	"",
	DAEMON "scripted failure",
	DAEMON "error parsing HTTP 404 response body: invalid character '<'",
	"invalid character 'o' in literal null (expecting 'u')",
	"no such service: data",
	"Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker "
	"daemon running?",
	"failed to connect to the docker API at unix:///run/docker.sock; check if the path "
	"is correct and if the daemon is running: dial unix /run/docker.sock: connect: "
	"connection refused",
	"error during connect: Post \"http://%2Frun%2Fdocker.sock/v1.41/images/create\": EOF",
	DAEMON "context canceled",
	/* names are no reasons */
	DAEMON "Head \"https://ghcr.io/v2/unauthorized/denied/manifests/401\": strange",
};

START_TEST(leaves_what_it_does_not_know)
{
	struct fault f = first_fault();

	pull_explain(other[_i], &ghcr, &f);
	ck_assert_str_eq(f.what, "docker pull failed (exit 18): last");
	ck_assert_str_eq(f.next, "");
}
END_TEST

/* Which registry it is, where the message names none. */
START_TEST(names_a_registry_only_if_it_knows)
{
	static const struct {
		const char *one, *two, *why, *next;
	} rows[] = {
		{ "ghcr.io/a:1", "ghcr.io/b:1", LOGIN("ghcr.io") },
		{ "nginx:1", "a/b", LOGIN("docker.io") },
		{ "localhost/a:1", "localhost/b:1", LOGIN("localhost") },
		{ "registry:5000/a", "registry:5000/b", LOGIN("registry:5000") },
		{ "ghcr.io/a:1", "quay.io/b:1",
		    "the registry requires a login, or refuses the one it got",
		    "docker login REGISTRY as the user who deploys, or set up its "
		    "credential helper" },
		/* the blind engine knows no references */
		{ "", "", "the registry requires a login, or refuses the one it got",
		    "docker login REGISTRY as the user who deploys, or set up its "
		    "credential helper" },
	};
	char what[FAULT_WHAT_MAX];
	struct release r = ghcr;
	struct fault f;
	int i;

	for (i = 0; i < N(rows); i++) {
		f = first_fault();
		strcpy(r.part[0].reference, rows[i].one);
		strcpy(r.part[1].reference, rows[i].two);
		pull_explain(DAEMON "unauthorized", &r, &f);
		snprintf(what, sizeof(what), "docker pull failed: %s: %s", rows[i].why,
		    DAEMON "unauthorized");
		ck_assert_str_eq(f.what, what);
		ck_assert_str_eq(f.next, rows[i].next);
	}
}
END_TEST

static const struct {
	const char *output, *message;
} outputs[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "one", "one" },
	{ "one\n two \r\n\n", " two" },
	{ " one Pulling \n one Error denied\n" DAEMON "denied\n", DAEMON "denied" },
	{ " one Pulling \n" DAEMON "error from registry: denied\ndenied\n",
	    DAEMON "error from registry: denied\ndenied" },
	{ DAEMON "first\n" DAEMON "second\n", DAEMON "second" },
	{ " one Pulling \nerror getting credentials - err: exit status 1, out: `a\nb`\n",
	    "error getting credentials - err: exit status 1, out: `a\nb`" },
	/* a line of progress quotes one */
	{ " one Error error getting credentials\nlast\n", "last" },
};

START_TEST(finds_the_message)
{
	const char *message;
	size_t len;

	message = pull_message(outputs[_i].output, strlen(outputs[_i].output), &len);
	ck_assert_uint_eq(len, strlen(outputs[_i].message));
	ck_assert_mem_eq(message, outputs[_i].message, len);
}
END_TEST

static const struct unit_test tests[] = {
	CASE("Core"),
	EACH(says_why, N(known)),
	EACH(leaves_what_it_does_not_know, N(other)),
	ONCE(names_a_registry_only_if_it_knows),
	EACH(finds_the_message, N(outputs)),
};

Suite *
pull_suite(void)
{
	return unit_suite("pull", NULL, NULL, tests, N(tests));
}
