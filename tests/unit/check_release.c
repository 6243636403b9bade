/*
 * check_release.c: when two releases are the same.
 */
#include "suite.h"
#include "releases.h"

#include <stdio.h>
#include <string.h>

Suite *release_suite(void);

struct release
release_of(const char *text)
{
	struct release r = { .n = 0 };
	size_t tag = strcspn(text, "=:"), name, end;
	const char *at = text + tag;

	if (strcmp(text, "-") == 0)
		return r;
	snprintf(r.tag, sizeof(r.tag), "%.*s", (int)tag, text);
	for (at += *at == ':'; *at != '\0'; at += end + (at[end] == ',')) {
		name = strcspn(at, "=");
		end = strcspn(at, ",");
		snprintf(r.part[r.n].service, SERVICE_MAX, "%.*s", (int)name, at);
		snprintf(r.part[r.n++].revision, REVISION_MAX, "%.*s",
		    (int)(end - name - 1), at + name + 1);
	}
	return r;
}

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{ "v1=A", "v1=A", true },
	{ "v1=A", "v2=A", true },
	{ "v1=A", "v1=B", false },
	{ "v1", "v1", true },
	{ "v1", "v2", false },
	{ "v1=", "v1", true },
	{ "v1=A", "v1", false },
	{ "v1", "x=v1", false },
	{ "-", "-", false },
	{ "=", "-", false },
	{ "=A", "v1=A", true },
	/* 0.1 did not record the name of the only service */
	{ "v1:web=A", "v1=A", true },
	{ "v1:web=A,worker=B", "v2:web=A,worker=B", true },
	{ "v1:web=A,worker=B", "v1:worker=B,web=A", true },
	{ "v1:c=C,a=A,b=B", "v1:b=B,c=C,a=A", true },
	{ "v1:web=A,worker=B", "v1:web=B,worker=A", false },
	{ "v1:web=A,worker=B", "v1:web=A,worker=C", false },
	{ "v1:web=A,worker=B", "v1:web=A", false },
	{ "v1:web=A,worker=A", "v1=A", false },
	{ "v1:web=A,worker=B", "v1:web=A,other=B", false },
	{ "v1:web=A,worker=", "v1:web=A,worker=", true },
	{ "v1:web=A,worker=", "v2:web=A,worker=", false },
	{ "v1:web=A,worker=", "v1:web=A,worker=B", false },
	{ ":web=A,worker=", ":web=A,worker=", false },
	{ "v1:web=,worker=", "v1", true },
};

START_TEST(compares)
{
	struct release a = release_of(pairs[_i].a), b = release_of(pairs[_i].b);

	ck_assert_msg(release_same(&a, &b) == pairs[_i].same, "%s %s", pairs[_i].a,
	    pairs[_i].b);
	ck_assert_int_eq(release_same(&b, &a), pairs[_i].same);
}
END_TEST

static const struct {
	const char *release, *service, *revision; /* NULL: no part */
} parts[] = {
	{ "v1:web=A,worker=B", "web", "A" },
	{ "v1:web=A,worker=B", "worker", "B" },
	{ "v1:web=A,worker=B", "work", NULL },
	{ "v1:worker=B,web=A", "web", "A" },
	{ "v1:web=A,worker=B", "", NULL },
	{ "v1=A", "web", NULL },
	{ "v1", "web", NULL },
	{ "-", "", NULL },
};

START_TEST(finds_the_part)
{
	struct release r = release_of(parts[_i].release);
	const struct part *p = release_part(&r, parts[_i].service);

	ck_assert_int_eq(p != NULL, parts[_i].revision != NULL);
	if (p != NULL)
		ck_assert_str_eq(p->revision, parts[_i].revision);
}
END_TEST

/* A release of 0.1 belongs to the first service alone. */
START_TEST(names_the_part_of_0_1)
{
	struct release r = release_of("v1=A");

	release_name_parts(&r, "web");
	ck_assert_ptr_nonnull(release_part(&r, "web"));
	ck_assert_ptr_null(release_part(&r, "worker"));
	r = release_of("v1:worker=B");
	release_name_parts(&r, "web");
	ck_assert_ptr_null(release_part(&r, "web"));
}
END_TEST

/* All strings at their longest; the last byte of each counts. */
START_TEST(compares_the_longest)
{
	struct release a = { .n = SERVICES_MAX }, b;
	char key[RELEASE_KEY_MAX];
	size_t i;

	memset(a.tag, 't', TAG_MAX - 1);
	for (i = 0; i < a.n; i++) {
		memset(a.part[i].service, (int)('a' + i), SERVICE_MAX - 1);
		memset(a.part[i].revision, (int)('a' + i), REVISION_MAX - 1);
	}
	a.part[0].revision[0] = '\0';
	b = a;
	ck_assert(release_same(&a, &b));
	b.part[7].revision[REVISION_MAX - 2] = 'x';
	ck_assert(!release_same(&a, &b));
	b = a;
	b.tag[TAG_MAX - 2] = 'x';
	ck_assert(!release_same(&a, &b));
	memset(a.part[0].revision, 'r', REVISION_MAX - 1);
	memset(key, 'k', sizeof(key));
	ck_assert_uint_eq(strlen(release_key(&a, key)), RELEASE_KEY_MAX - TAG_MAX);
}
END_TEST

Suite *
release_suite(void)
{
	static const struct unit_test tests[] = { CASE("Core"), EACH(compares, N(pairs)),
		EACH(finds_the_part, N(parts)), ONCE(names_the_part_of_0_1),
		CASE("Limits"), ONCE(compares_the_longest) };

	return unit_suite("release", NULL, NULL, tests, N(tests));
}
