/*
 * check_inspect.c: reading the JSON of the engine and of compose.  The samples come from
 * a real engine 20.10 and compose 2.26.1, and are shortened.
 */
#include "engine/compose/inspect.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *inspect_suite(void);

#define ID "51f20298889c65e17d20b28eb335ad484fad3b379cfd98c1864726e7b57e9d32"
#define IMAGE "sha256:0418a99f086dec2eb3ac3b52d6824580a7603a6fd9a797f86fdc10590238cea8"

/* GET /containers/real-data-1/json */
static const char running[] =
    "    {\n"
    "        \"Id\": \"" ID "\",\n"
    "        \"Created\": \"2026-11-21T11:30:37.850246919Z\",\n"
    "        \"Path\": \"/service\",\n"
    "        \"Args\": [],\n"
    "        \"State\": {\n"
    "            \"Status\": \"running\",\n"
    "            \"Running\": true,\n"
    "            \"Paused\": false,\n"
    "            \"Restarting\": false,\n"
    "            \"OOMKilled\": false,\n"
    "            \"Dead\": false,\n"
    "            \"Pid\": 9512,\n"
    "            \"ExitCode\": 0,\n"
    "            \"Error\": \"\",\n"
    "            \"StartedAt\": \"2026-11-21T11:30:38.583841368Z\",\n"
    "            \"FinishedAt\": \"0001-01-01T00:00:00Z\",\n"
    "            \"Health\": { \"Status\": \"healthy\", \"FailingStreak\": 0, \"Log\": [] }\n"
    "        },\n"
    "        \"Image\": \"" IMAGE "\",\n"
    "        \"Name\": \"/real-data-1\",\n"
    "        \"RestartCount\": 0,\n"
    "        \"Driver\": \"overlay2\",\n"
    "        \"ExecIDs\": null,\n"
    "        \"HostConfig\": { \"Binds\": null, \"ConsoleSize\": [0, 0] },\n"
    "        \"Config\": {\n"
    "            \"Hostname\": \"51f20298889c\",\n"
    "            \"Image\": \"127.0.0.1:5000/svc:v1.0.0\",\n"
    "            \"Labels\": { \"com.docker.compose.project\": \"real\",\n"
    "                \"com.docker.compose.image\": \"" IMAGE "\" }\n"
    "        }\n    }\n";

/* docker compose config --format json */
static const char config[] =
    "{\n  \"name\": \"demo\",\n"
    "  \"networks\": { \"default\": { \"name\": \"demo_default\", \"ipam\": {} } },\n"
    "  \"services\": {\n"
    "    \"built\": { \"build\": { \"context\": \"/tmp\", \"dockerfile\": \"Dockerfile\" },\n"
    "      \"command\": null, \"networks\": { \"default\": null } },\n"
    "    \"cache\": { \"command\": null, \"entrypoint\": null, \"image\": \"redis:7\" },\n"
    "    \"data\": {\n"
    "      \"command\": null,\n"
    "      \"depends_on\": {\n"
    "        \"cache\": { \"condition\": \"service_started\", \"required\": true },\n"
    "        \"db\": { \"condition\": \"service_completed_successfully\", \"required\": true }\n"
    "      },\n"
    "      \"entrypoint\": null,\n"
    "      \"image\": \"127.0.0.1:5000/demo:v1.0.0\",\n"
    "      \"ports\": [ { \"mode\": \"ingress\", \"host_ip\": \"127.0.0.1\",\n"
    "        \"target\": 8080, \"published\": \"8081\", \"protocol\": \"tcp\" } ]\n"
    "    }\n  }\n}";

static struct fault f;
static struct instance got;
static struct resolved service;
static char project[128];

static void
setup(void)
{
	memset(&f, 0, sizeof(f));
	memset(&got, 0xa5, sizeof(got));
	memset(&service, 0xa5, sizeof(service));
}

static int
container(const char *json)
{
	json_t *doc = inspect_load(json, strlen(json));
	int rc;

	ck_assert_msg(doc != NULL, "not JSON: %s", json);
	fault_clear(&f);
	rc = inspect_container(doc, &got, &f);
	json_decref(doc);
	ck_assert_int_eq(rc == 0, f.kind == FAULT_NONE);
	return rc;
}

static int
services(const char *json, const char *name)
{
	json_t *doc = json_loads(json, 0, NULL);
	int rc;

	ck_assert_msg(doc != NULL, "not JSON: %s", json);
	fault_clear(&f);
	rc = inspect_project(doc, project, sizeof(project), &f);
	if (rc == 0)
		rc = inspect_service(doc, name, &service, &f);
	json_decref(doc);
	ck_assert_int_eq(rc == 0, f.kind == FAULT_NONE);
	return rc;
}

/* `json` with its first `part` replaced. */
static const char *
with(const char *json, const char *part, const char *by)
{
	static char changed[16384];
	const char *at = strstr(json, part);

	ck_assert_msg(at != NULL, "no %s", part);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - json), json, by,
	    at + strlen(part));
	return changed;
}

static void
not_understood(const char *json)
{
	ck_assert_msg(container(json) == -1, "took %s", json);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_ptr_nonnull(strstr(f.what, "cannot understand the answer of docker"));
	ck_assert_str_ne(f.next, "");
}

START_TEST(takes_a_container)
{
	ck_assert_msg(container(running) == 0, "%s", f.what);
	ck_assert_str_eq(got.id, ID);
	ck_assert_str_eq(got.name, "real-data-1");
	ck_assert_str_eq(got.revision, IMAGE);
	ck_assert_str_eq(got.reference, "127.0.0.1:5000/svc:v1.0.0");
	ck_assert_int_eq(got.state, INSTANCE_RUNNING);
	ck_assert_str_eq(got.started, "2026-11-21T11:30:38.583841368Z");
	ck_assert_int_eq(got.started_ms, INT64_C(1795260638583));
	ck_assert_int_eq(got.restarts, 0);
	ck_assert_int_eq(got.exit_code, 0);
	ck_assert(!got.oom_killed);
}
END_TEST

static const struct {
	const char *word;
	enum instance_state state;
} states[] = {
	{ "created", INSTANCE_CREATED },
	{ "running", INSTANCE_RUNNING },
	{ "restarting", INSTANCE_RESTARTING },
	{ "paused", INSTANCE_PAUSED },
	{ "removing", INSTANCE_REMOVING },
	{ "exited", INSTANCE_EXITED },
	{ "dead", INSTANCE_DEAD },
	/* an unknown state is not running */
	{ "", INSTANCE_DEAD },
	{ "Running", INSTANCE_DEAD },
	{ "running ", INSTANCE_DEAD },
	{ "run", INSTANCE_DEAD },
	{ "sleeping", INSTANCE_DEAD },
};

START_TEST(knows_the_states)
{
	char by[64];
	const char *json;

	snprintf(by, sizeof(by), "\"Status\": \"%s\"", states[_i].word);
	json = with(running, "\"Status\": \"running\"", by);
	ck_assert_int_eq(container(json), 0);
	ck_assert_int_eq(got.state, states[_i].state);
}
END_TEST

START_TEST(takes_what_went_wrong)
{
	char *json;

	ck_assert_ptr_nonnull(
	    json = strdup(with(running, "\"RestartCount\": 0", "\"RestartCount\": 17")));
	ck_assert_int_eq(container(json), 0);
	ck_assert_int_eq(got.restarts, 17);
	free(json);
	ck_assert_ptr_nonnull(
	    json = strdup(with(running, "\"ExitCode\": 0", "\"ExitCode\": 137")));
	ck_assert_int_eq(container(json), 0);
	ck_assert_int_eq(got.exit_code, 137);
	free(json);
	ck_assert_ptr_nonnull(
	    json = strdup(with(running, "\"OOMKilled\": false", "\"OOMKilled\": true")));
	ck_assert_int_eq(container(json), 0);
	ck_assert(got.oom_killed);
	free(json);
	ck_assert_ptr_nonnull(json = strdup(with(running,
				  "\"StartedAt\": \"2026-11-21T11:30:38.583841368Z\"",
				  "\"StartedAt\": \"0001-01-01T00:00:00Z\"")));
	ck_assert_int_eq(container(json), 0);
	ck_assert_int_eq(got.started_ms, 0);
	ck_assert_str_eq(got.started, "0001-01-01T00:00:00Z");
	free(json);
}
END_TEST

START_TEST(bounds_the_strings)
{
	static const struct {
		const char *part, *key;
		size_t size;
	} rows[] = {
		{ "\"Id\": \"" ID "\"", "Id", sizeof(got.id) },
		{ "\"Name\": \"/real-data-1\"", "Name", sizeof(got.name) },
		{ "\"Image\": \"" IMAGE "\"", "Image", sizeof(got.revision) },
		{ "\"Image\": \"127.0.0.1:5000/svc:v1.0.0\"", "Image",
		    sizeof(got.reference) },
		{ "\"StartedAt\": \"2026-11-21T11:30:38.583841368Z\"", "StartedAt",
		    sizeof(got.started) },
	};
	char by[1024], x[1024];
	const char *json;

	memset(x, 'x', sizeof(x));
	snprintf(by, sizeof(by), "\"%s\": \"%.*s\"", rows[_i].key, (int)rows[_i].size - 1,
	    x);
	json = with(running, rows[_i].part, by);
	ck_assert_int_eq(container(json), 0);
	snprintf(by, sizeof(by), "\"%s\": \"%.*s\"", rows[_i].key, (int)rows[_i].size, x);
	json = with(running, rows[_i].part, by);
	not_understood(json);
}
END_TEST

/* NetworkSettings; an address that is too long for one is not taken */
static const struct {
	const char *networks, *address;
} networks[] = {
	{ "{}", "" },
	{ "null", "" },
	{ "[]", "" },
	{ "{\"host\": {\"IPAddress\": \"\", \"GlobalIPv6Address\": \"\"}}", "" },
	{ "{\"host\": null}", "" },
	{ "{\"a\": {\"IPAddress\": 7}}", "" },
	{ "{\"a\": {\"IPAddress\": \"172.18.0.2\", \"GlobalIPv6Address\": \"\"}}",
	    "172.18.0.2" },
	{ "{\"a\": {\"IPAddress\": \"\", \"GlobalIPv6Address\": \"fd00::2\"}}",
	    "fd00::2" },
	{ "{\"a\": {\"IPAddress\": \"\"}, \"b\": {\"IPAddress\": \"10.0.0.3\"}}",
	    "10.0.0.3" },
	{ "{\"a\": {\"IPAddress\": \"123456789012345678901234567890123456789012345678\"}}",
	    "" },
};

START_TEST(takes_the_address)
{
	char by[512];

	ck_assert_int_eq(container(running), 0);
	ck_assert_str_eq(got.address, "");
	snprintf(by, sizeof(by), "\"NetworkSettings\": {\"Networks\": %s}, \"State\"",
	    networks[_i].networks);
	ck_assert_int_eq(container(with(running, "\"State\"", by)), 0);
	ck_assert_str_eq(got.address, networks[_i].address);
}
END_TEST

static const struct {
	const char *part, *by;
} spoiled[] = {
	{ "\"Id\"", "\"ID\"" },
	{ "\"Id\": \"" ID "\"", "\"Id\": \"\"" },
	{ "\"Id\": \"" ID "\"", "\"Id\": \"a\\u0000b\"" },
	{ "\"Id\": \"" ID "\"", "\"Id\": 7" },
	{ "\"Id\": \"" ID "\"", "\"Id\": null" },
	{ "\"Id\": \"" ID "\"", "\"Id\": [\"a\"]" },
	{ "\"Image\": \"" IMAGE "\"", "\"Image\": \"\"" },
	{ "\"Image\": \"" IMAGE "\"", "\"Image\": {}" },
	{ "\"Image\": \"" IMAGE "\"", "\"Imago\": \"" IMAGE "\"" },
	{ "\"Config\": {", "\"Configuration\": {" },
	{ "\"State\": {", "\"Stale\": {" },
	{ "\"State\": {", "\"State\": null, \"x\": {" },
};

START_TEST(refuses_what_is_spoiled)
{
	const char *json = with(running, spoiled[_i].part, spoiled[_i].by);

	not_understood(json);
}
END_TEST

/* A NUL in a string that is not used is accepted. */
START_TEST(takes_a_nul_in_a_label)
{
	const char *json = with(running, "\"com.docker.compose.project\": \"real\"",
	    "\"note\": \"a\\u0000b\"");

	ck_assert_msg(container(json) == 0, "%s", f.what);
	ck_assert_str_eq(got.id, ID);
}
END_TEST

/* A container with a bad status is accepted, but it is not running. */
static const struct {
	const char *part, *by;
} poorer[] = {
	{ "\"Status\": \"running\"", "\"Status\": 1" },
	{ "\"Status\": \"running\"", "\"Status\": \"running\\u0000\"" },
	{ "\"Status\": \"running\"", "\"Status\": null" },
};

START_TEST(takes_no_sign_for_running)
{
	const char *json = with(running, poorer[_i].part, poorer[_i].by);

	ck_assert_int_eq(container(json), 0);
	ck_assert_int_ne(got.state, INSTANCE_RUNNING);
}
END_TEST

START_TEST(takes_a_service)
{
	ck_assert_msg(services(config, "data") == 0, "%s", f.what);
	ck_assert_str_eq(project, "demo");
	ck_assert_str_eq(service.reference, "127.0.0.1:5000/demo:v1.0.0");
	ck_assert_uint_eq(service.n_depends, 2);
	ck_assert_str_eq(service.depends[0].service, "cache");
	ck_assert(!service.depends[0].completes);
	ck_assert_str_eq(service.depends[1].service, "db");
	ck_assert(service.depends[1].completes);
	ck_assert_uint_eq(service.n_ports, 1);
	ck_assert_str_eq(service.ports[0].target, "8080");
	ck_assert_str_eq(service.ports[0].published, "8081");
	ck_assert_str_eq(service.shared, "");
	ck_assert_str_eq(service.network_mode, "");
	ck_assert_int_eq(services(config, "cache"), 0);
	ck_assert_uint_eq(service.n_ports, 0);
	ck_assert_str_eq(service.reference, "redis:7");
	ck_assert_uint_eq(service.n_depends, 0);
}
END_TEST

static const struct {
	const char *name, *part, *by, *word;
} faulty[] = {
	{ "data", "\"command\": null,\n      \"depends_on\"",
	    "\"scale\": 2, \"depends_on\"", "the compose file scales service data to 2" },
	{ "data", "\"command\": null,\n      \"depends_on\"",
	    "\"scale\": 0, \"depends_on\"", "the compose file scales service data to 0" },
	{ "data", "\"command\": null,\n      \"depends_on\"",
	    "\"deploy\": {\"replicas\": 3}, \"depends_on\"",
	    "the compose file scales service data to 3" },
	{ "none", "demo", "demo", "the compose file has no service none" },
	{ "", "demo", "demo", "the compose file has no service " },
	{ "built", "demo", "demo", "service built of the compose file has no image" },
	{ "data", "\"services\"", "\"service\"", "the compose file has no service data" },
	{ "data", "\"services\": {", "\"services\": [], \"x\": {",
	    "the compose file has no service data" },
	{ "data", "\"services\": {", "\"services\": null, \"x\": {",
	    "the compose file has no service data" },
	{ "data", "\"data\": {", "\"data\": null, \"x\": {",
	    "service data of the compose file has no image" },
	{ "data", "\"data\": {", "\"data\": \"x\", \"x\": {",
	    "service data of the compose file has no image" },
	{ "data", "\"image\": \"127.0.0.1:5000/demo:v1.0.0\"", "\"image\": \"\"",
	    "service data of the compose file has no image" },
	{ "data", "\"image\": \"127.0.0.1:5000/demo:v1.0.0\"", "\"image\": 7",
	    "service data of the compose file has no image" },
	{ "data", "\"name\": \"demo\"", "\"name\": \"\"", "cannot understand" },
	{ "data", "\"name\": \"demo\"", "\"name\": 7", "cannot understand" },
	{ "data", "\"name\": \"demo\"", "\"nam\": \"demo\"", "cannot understand" },
};

START_TEST(tells_what_a_service_lacks)
{
	const char *json = with(config, faulty[_i].part, faulty[_i].by);

	ck_assert_int_eq(services(json, faulty[_i].name), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strncmp(f.what, faulty[_i].word, strlen(faulty[_i].word)) == 0,
	    "%s", f.what);
	ck_assert_str_ne(f.next, "");
}
END_TEST

/* The old form (a list), and values that are neither form. */
static const struct {
	const char *depends;
	size_t n;
} depends[] = {
	{ "{}", 0 },
	{ "null", 0 },
	{ "7", 0 },
	{ "\"db\"", 0 },
	{ "{\"db\": null}", 1 },
	{ "{\"a\": {}, \"b\": {}, \"c\": {}}", 3 },
};

START_TEST(takes_what_it_depends_on)
{
	char json[512];

	snprintf(json, sizeof(json),
	    "{\"name\": \"p\", \"services\": {\"data\": {\"image\": "
	    "\"i\", \"depends_on\": %s}}}",
	    depends[_i].depends);
	ck_assert_msg(services(json, "data") == 0, "%s", f.what);
	ck_assert_uint_eq(service.n_depends, depends[_i].n);
}
END_TEST

/* Ports as TARGET<PUBLISHED, then what is shared, then the network and the address. */
static const struct {
	const char *members, *want;
} surroundings[] = {
	{ "\"x\": 1", "||" },
	{ "\"ports\": null, \"volumes\": {}, \"network_mode\": 7", "||" },
	{ "\"ports\": [{\"target\": 80}]", "80<||" },
	{ "\"ports\": [{\"target\": 80, \"published\": \"8081-8082\", \"protocol\": \"tcp\"},"
	  " {\"target\": 443, \"published\": \"8443\"}]",
	    "80<8081-8082 443<8443||" },
	{ "\"ports\": [{\"target\": 53, \"published\": \"53\", \"protocol\": \"udp\"},"
	  " {\"target\": 80, \"published\": \"53\", \"protocol\": \"tcp\"}]",
	    "80<53||" },
	{ "\"volumes\": [{\"type\": \"volume\", \"source\": \"data\", \"target\": \"/d\"},"
	  " {\"type\": \"tmpfs\", \"target\": \"/t\"}, {\"type\": \"volume\", \"target\": \"/a\"},"
	  " {\"type\": \"bind\", \"source\": \"/srv/files\", \"target\": \"/f\"}]",
	    "|data, /srv/files|" },
	{ "\"network_mode\": \"host\"", "||host" },
	{ "\"networks\": {\"a\": null, \"b\": {}, \"c\": {\"aliases\": [\"x\"]}}", "||" },
	{ "\"networks\": {\"a\": {\"ipv4_address\": \"10.0.0.9\"}, \"b\": null}",
	    "||10.0.0.9" },
	{ "\"networks\": {\"a\": {\"ipv6_address\": \"fd00::9\"}}", "||fd00::9" },
	{ "\"network_mode\": \"service:db\"", "||service:db" },
};

START_TEST(takes_its_surroundings)
{
	char json[1024], seen[512] = "";
	size_t i;

	snprintf(json, sizeof(json),
	    "{\"name\": \"p\", \"services\": {\"data\": {\"image\": \"i\", %s}}}",
	    surroundings[_i].members);
	ck_assert_msg(services(json, "data") == 0, "%s", f.what);
	for (i = 0; i < service.n_ports; i++)
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%s<%s",
		    i == 0 ? "" : " ", service.ports[i].target,
		    service.ports[i].published);
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "|%s|%s%s",
	    service.shared, service.network_mode, service.address);
	ck_assert_str_eq(seen, surroundings[_i].want);
}
END_TEST

START_TEST(bounds_its_surroundings)
{
	char json[8192] = "{\"name\": \"p\", \"services\": {\"data\": {\"image\": \"i\"",
	     *at;
	int i;

	for (i = 0; i < 60; i++) {
		at = json + strlen(json);
		snprintf(at, sizeof(json) - (size_t)(at - json), "%s{\"target\": %d}",
		    i == 0 ? ", \"ports\": [" : ", ", i);
	}
	for (i = 0; i < 60; i++) {
		at = json + strlen(json);
		snprintf(at, sizeof(json) - (size_t)(at - json),
		    "%s{\"source\": \"volume%d\"}", i == 0 ? "], \"volumes\": [" : ", ",
		    i);
	}
	strcat(json, "]}}}");
	ck_assert_int_eq(services(json, "data"), 0);
	ck_assert_uint_eq(service.n_ports, PORTS_MAX);
	ck_assert_uint_eq(strlen(service.shared), sizeof(service.shared) - 1);
}
END_TEST

/* `scale` wins. */
START_TEST(takes_a_scale_of_one)
{
	ck_assert_int_eq(
	    services("{\"name\": \"p\", \"services\": {\"data\": {\"image\": \"i\", "
		     "\"scale\": 1, \"deploy\": {\"replicas\": 2}}}}",
		"data"),
	    0);
}
END_TEST

START_TEST(bounds_what_it_depends_on)
{
	char json[4096] = "{\"name\": \"p\", \"services\": {\"data\": {\"image\": \"i\", "
			  "\"depends_on\": {",
	     *at;
	int i;

	for (i = 0; i < 40; i++) {
		at = json + strlen(json);
		snprintf(at, sizeof(json) - (size_t)(at - json), "%s\"s%d\": {}",
		    i == 0 ? "" : ", ", i);
	}
	strcat(json, "}}}}");
	ck_assert_int_eq(services(json, "data"), 0);
	ck_assert_uint_eq(service.n_depends, DEPENDS_MAX);
}
END_TEST

START_TEST(bounds_the_reference)
{
	char json[2048], x[1024];

	memset(x, 'x', sizeof(x));
	snprintf(json, sizeof(json),
	    "{\"name\": \"p\", \"services\": {\"data\": "
	    "{\"image\": \"%.*s\"}}}",
	    REFERENCE_MAX - 1, x);
	ck_assert_int_eq(services(json, "data"), 0);
	snprintf(json, sizeof(json),
	    "{\"name\": \"p\", \"services\": {\"data\": "
	    "{\"image\": \"%.*s\"}}}",
	    REFERENCE_MAX, x);
	ck_assert_int_eq(services(json, "data"), -1);
	snprintf(json, sizeof(json),
	    "{\"name\": \"%.*s\", \"services\": {\"data\": "
	    "{\"image\": \"i\"}}}",
	    127, x);
	ck_assert_int_eq(services(json, "data"), 0);
	snprintf(json, sizeof(json),
	    "{\"name\": \"%.*s\", \"services\": {\"data\": "
	    "{\"image\": \"i\"}}}",
	    128, x);
	ck_assert_int_eq(services(json, "data"), -1);
}
END_TEST

static const struct {
	const char *text;
	int64_t ms;
} times[] = {
	{ "1970-01-01T00:00:01Z", 1000 },
	{ "1970-01-02T00:00:00Z", 86400000 },
	{ "2000-02-29T23:59:59Z", INT64_C(951868799000) },
	{ "2026-11-21T10:50:54Z", INT64_C(1795258254000) },
	{ "2026-11-21T10:50:54.5Z", INT64_C(1795258254500) },
	{ "2026-11-21T10:50:54.05Z", INT64_C(1795258254050) },
	{ "2026-11-21T10:50:54.123Z", INT64_C(1795258254123) },
	{ "2026-11-21T10:50:54.1239Z", INT64_C(1795258254123) },
	{ "2026-11-21T10:50:54.86284916Z", INT64_C(1795258254862) },
	{ "2026-11-21T10:50:54.000000001Z", INT64_C(1795258254000) },
	{ "2026-11-21T10:50:54.99999999999999999999999999Z", INT64_C(1795258254999) },
	{ "2038-01-19T03:14:08Z", INT64_C(2147483648000) },
	{ "0001-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59Z", 0 },
	{ "", 0 },
	{ "Z", 0 },
	{ "2026", 0 },
	{ "2026-11-21", 0 },
	{ "2026-11-21T10:50", 0 },
	{ "2026-11-21T10:50:54", 0 },
	{ "2026-11-21T10:50:54.123", 0 },
	{ "2026-11-21T10:50:54+00:00", 0 },
	{ "2026-11-21T10:50:54.123+01:00", 0 },
	{ "2026-11-21 10:50:54Z", 0 },
	{ "2026-11-21T10:50:54z", 0 },
	{ "2026-11-21T10:50:54,5Z", 0 },
	{ "2026-13-21T10:50:54Z", 0 },
	{ "2026-11-32T10:50:54Z", 0 },
	{ "2026-11-21T25:50:54Z", 0 },
	{ "2026-11-21T10:60:54Z", 0 },
	{ "x2026-11-21T10:50:54Z", 0 },
	{ "never", 0 },
	{ "1795258254", 0 },
	{ "\xff", 0 },
};

START_TEST(reads_the_time)
{
	ck_assert_msg(inspect_time(times[_i].text) == times[_i].ms, "%s: %lld",
	    times[_i].text, (long long)inspect_time(times[_i].text));
}
END_TEST

/* The time is UTC in any time zone. */
START_TEST(reads_the_time_anywhere)
{
	ck_assert_int_eq(setenv("TZ", "Pacific/Auckland", 1), 0);
	ck_assert_int_eq(inspect_time("2026-11-21T10:50:54Z"), INT64_C(1795258254000));
}
END_TEST

static const struct {
	const char *text;
	bool enough; /* for 2.23 */
} versions[] = {
	{ "Docker Compose version v2.26.1\n", true },
	{ "Docker Compose version 2.26.1-4\n", true },
	{ "Docker Compose version v2.23.0\n", true },
	{ "Docker Compose version v2.23.0-desktop.1\n", true },
	{ "Docker Compose version v2.23\n", true },
	{ "Docker Compose version v2.100.0\n", true },
	{ "Docker Compose version v5.0.1\n", true },
	{ "Docker Compose version v3.0.0\n", true },
	{ "Docker Compose version v10.1.0\n", true },
	{ "2.26.1", true },
	{ "Docker Compose version v2.22.9\n", false },
	{ "Docker Compose version v2.22.99\n", false },
	{ "Docker Compose version v2.3.0\n", false },
	{ "Docker Compose version v2.0.0\n", false },
	{ "Docker Compose version v1.29.2\n", false },
	{ "docker-compose version 1.29.2, build unknown\n", false },
	{ "Docker Compose version v2\n", false },
	{ "Docker Compose version v5\n", false },
	{ "Docker Compose version dev\n", false },
	{ "Docker Compose version v\n", false },
	{ "", false },
	{ "\n", false },
	{ "docker: 'compose' is not a docker command.\n", false },
	{ "v2,26", false },
	{ "v2..26", false },
	{ "v2.x", false },
};

START_TEST(compares_versions)
{
	ck_assert_msg(inspect_compose_is(versions[_i].text, 2, 23) == versions[_i].enough,
	    "%s", versions[_i].text);
}
END_TEST

START_TEST(survives_huge_versions)
{
	(void)inspect_compose_is("v99999999999999999999.99999999999999999999", 2, 23);
	(void)inspect_compose_is("v2.99999999999999999999", 2, 23);
	ck_assert(!inspect_compose_is("v0.99999999999999999999", 2, 23));
	ck_assert(!inspect_compose_is("v2.-99999999999999999999", 2, 23));
}
END_TEST

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* GET /images/ID/json: what is taken of it, "DIGESTS COMMIT" */
static const struct {
	const char *digests, *commit, *means;
} images[] = {
	{ "[]", "\"\"", "0 " },
	{ "null", "null", "0 " },
	{ "[\"r:5/demo@sha256:" HEX64 "\"]", "\"abc1234\"", "1 abc1234" },
	{ "[\"r:5/other@sha256:" HEX64 "\", \"r:5/demo@sha256:" HEX64 "\"]",
	    "\"" HEX64 "\"", "1 " HEX64 },
	{ "[\"r:5/demo2@sha256:" HEX64 "\", \"r:5/demo:v1@sha256:" HEX64 "\"]",
	    "\"unknown\"", "0 " },
	{ "[\"r:5/demo@sha256:" HEX64 "0\", \"r:5/demo@sha256:"
	  "\"]",
	    "\"abc123\"", "0 " },
	{ "[\"r:5/demo@sha512:" HEX64 "\", 7, \"r:5/demo\"]", "\"" HEX64 "0\"", "0 " },
	{ "[\"r:5/demo@sha256:\\u001b" HEX64 "\", \"r:5/demo@\"]", "\"abc1234 \"", "0 " },
};

static void
identify(const char *digests, const char *commit, struct identity *id)
{
	char text[8192];
	json_t *doc;

	snprintf(text, sizeof(text),
	    "{\"RepoDigests\": %s, \"Config\": {\"Labels\": {"
	    "\"org.opencontainers.image.revision\": %s}}}",
	    digests, commit);
	doc = inspect_load(text, strlen(text));
	ck_assert_ptr_nonnull(doc);
	inspect_identity(doc, "r:5/demo", id);
	json_decref(doc);
}

START_TEST(takes_an_identity)
{
	struct identity id;
	char means[100];

	identify(images[_i].digests, images[_i].commit, &id);
	snprintf(means, sizeof(means), "%zu %s", id.n, id.commit);
	ck_assert_str_eq(means, images[_i].means);
	ck_assert_str_eq(id.repository, "r:5/demo");
	if (id.n > 0)
		ck_assert_str_eq(id.digest[0], "sha256:" HEX64);
}
END_TEST

START_TEST(bounds_the_digests)
{
	char digests[4096] = "[\"\"";
	struct identity id;
	int i;

	for (i = 0; i < 2 * DIGESTS_MAX; i++)
		strcat(digests, ", \"r:5/demo@sha256:" HEX64 "\"");
	strcat(digests, "]");
	identify(digests, "\"\"", &id);
	ck_assert_uint_eq(id.n, DIGESTS_MAX);
	inspect_identity(NULL, "r:5/demo", &id);
	ck_assert_uint_eq(id.n, 0);
}
END_TEST

Suite *
inspect_suite(void)
{
	Suite *s = suite_create("inspect");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_checked_fixture(core, setup, NULL);
	tcase_add_test(core, takes_a_container);
	tcase_add_loop_test(core, knows_the_states, 0, N(states));
	tcase_add_test(core, takes_what_went_wrong);
	tcase_add_test(core, takes_a_service);
	tcase_add_loop_test(core, tells_what_a_service_lacks, 0, N(faulty));
	tcase_add_loop_test(core, takes_the_address, 0, N(networks));
	tcase_add_loop_test(core, takes_what_it_depends_on, 0, N(depends));
	tcase_add_loop_test(core, takes_its_surroundings, 0, N(surroundings));
	tcase_add_loop_test(core, reads_the_time, 0, N(times));
	tcase_add_test(core, reads_the_time_anywhere);
	tcase_add_loop_test(core, compares_versions, 0, N(versions));
	tcase_add_loop_test(core, takes_an_identity, 0, N(images));
	suite_add_tcase(s, core);

	tcase_add_checked_fixture(limits, setup, NULL);
	tcase_add_loop_test(limits, bounds_the_strings, 0, 5);
	tcase_add_test(limits, bounds_the_digests);
	tcase_add_test(core, takes_a_scale_of_one);
	tcase_add_test(limits, bounds_what_it_depends_on);
	tcase_add_test(limits, bounds_the_reference);
	tcase_add_test(limits, bounds_its_surroundings);
	tcase_add_test(limits, survives_huge_versions);
	suite_add_tcase(s, limits);

	tcase_add_checked_fixture(hostile, setup, NULL);
	tcase_set_timeout(hostile, 30);
	tcase_add_loop_test(hostile, refuses_what_is_spoiled, 0, N(spoiled));
	tcase_add_test(hostile, takes_a_nul_in_a_label);
	tcase_add_loop_test(hostile, takes_no_sign_for_running, 0, N(poorer));
	suite_add_tcase(s, hostile);
	return s;
}
