#include "health/said.h"

#include <bsd/string.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 128

/* The member at the path; NULL where there is none. */
static const json_t *
member_at(const json_t *doc, const char *path)
{
	char buf[PATH_SIZE], *rest = buf, *name;

	if (strlcpy(buf, path, sizeof(buf)) >= sizeof(buf))
		return NULL;
	while (doc != NULL && (name = strsep(&rest, ".")) != NULL)
		doc = json_object_get(doc, name);
	return doc;
}

static bool
copy_value(const json_t *value, char *out, size_t size)
{
	char *text;
	bool fits;

	if (json_is_string(value))
		return json_string_length(value) == strlen(json_string_value(value)) &&
		    strlcpy(out, json_string_value(value), size) < size;
	if (value == NULL || json_is_object(value) || json_is_array(value))
		return false;
	text = json_dumps(value, JSON_ENCODE_ANY);
	fits = text != NULL && strlcpy(out, text, size) < size;
	free(text);
	return fits;
}

bool
said_value(const char *body, size_t len, const char *path, char *out, size_t size)
{
	json_t *doc = json_loadb(body, len, 0, NULL);
	bool said = copy_value(member_at(doc, path), out, size);

	json_decref(doc);
	return said;
}

bool
said_so(const char *body, size_t len, const char *claim)
{
	size_t name = strcspn(claim, "=");
	char path[PATH_SIZE], value[512];

	if (name >= sizeof(path) || claim[name] == '\0')
		return false;
	(void)strlcpy(path, claim, name + 1);
	return said_value(body, len, path, value, sizeof(value)) &&
	    strcmp(value, claim + name + 1) == 0;
}
