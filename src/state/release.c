#include "state/release.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

const struct part *
release_part(const struct release *r, const char *service)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->part[i].service, service) == 0)
			return &r->part[i];
	return NULL;
}

bool
release_part_same(const struct part *a, const struct part *b)
{
	return strcmp(a->reference, b->reference) == 0 &&
	    strcmp(a->revision, b->revision) == 0;
}

bool
release_is_resolved(const struct release *r)
{
	size_t i;

	for (i = 0; i < r->n && r->part[i].revision[0] != '\0'; i++)
		continue;
	return r->n > 0 && i == r->n;
}

static void
sort_by_service(const struct release *r, const struct part *sorted[SERVICES_MAX])
{
	size_t i, k;

	for (i = 0; i < r->n; i++) {
		for (k = i; k > 0; k--) {
			if (strcmp(sorted[k - 1]->service, r->part[i].service) <= 0)
				break;
			sorted[k] = sorted[k - 1];
		}
		sorted[k] = &r->part[i];
	}
}

const char *
release_key(const struct release *r, char key[RELEASE_KEY_MAX])
{
	const struct part *sorted[SERVICES_MAX];
	size_t i, known = 0, len = 0;

	sort_by_service(r, sorted);
	for (i = 0; i < r->n; i++) {
		/* sort_by_service() sets all n: NOLINTNEXTLINE(clang-analyzer-core.*) */
		known += sorted[i]->revision[0] != '\0';
		len += (size_t)snprintf(key + len, RELEASE_KEY_MAX - len, "%s=%s\n",
		    r->n == 1 ? "" : sorted[i]->service, sorted[i]->revision);
	}
	if (known == 0)
		len = 0;
	if (known == 0 || known < r->n)
		(void)strlcpy(key + len, r->tag, RELEASE_KEY_MAX - len);
	if (r->tag[0] == '\0' && known < r->n)
		key[0] = '\0';
	return key;
}

bool
release_same(const struct release *a, const struct release *b)
{
	char key[RELEASE_KEY_MAX], other[RELEASE_KEY_MAX];

	return *release_key(a, key) != '\0' && strcmp(key, release_key(b, other)) == 0;
}

void
release_name_parts(struct release *r, const char *service)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->part[i].service[0] == '\0')
			(void)strlcpy(r->part[i].service, service,
			    sizeof(r->part[i].service));
}

void
release_tag_of(const char *reference, char tag[TAG_MAX])
{
	const char *end = reference + strcspn(reference, "@");
	const char *colon = memrchr(reference, ':', (size_t)(end - reference));
	size_t len;

	tag[0] = '\0';
	/* a colon before a slash precedes a port; "sha256:..." is an id */
	if (colon == NULL || strchr(colon, '/') != NULL ||
	    strncmp(reference, "sha256:", 7) == 0)
		return;
	len = (size_t)(end - colon) - 1;
	if (len >= TAG_MAX)
		return;
	memcpy(tag, colon + 1, len);
	tag[len] = '\0';
}
