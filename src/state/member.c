#include "state/member.h"

#include <bsd/string.h>
#include <stddef.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define AT(m) offsetof(struct part, m), sizeof(((struct part *)0)->m)

static const struct {
	const char *key;
	size_t at, size;
	enum member_depth depth;
	bool optional; /* an earlier program did not write it */
} part_strings[] = {
	{ "service", AT(service), MEMBER_IDENTITY, false },
	{ "reference", AT(reference), MEMBER_IDENTITY, false },
	{ "revision", AT(revision), MEMBER_IDENTITY, false },
	{ "digest", AT(digest), MEMBER_IDENTITY, true },
	{ "instance", AT(instance), MEMBER_ALL, false },
	{ "previous", AT(previous), MEMBER_ALL, false },
	{ "desired", AT(desired), MEMBER_ALL, false },
};

static json_t *
whole_or_none(json_t *doc, bool whole)
{
	if (whole)
		return doc;
	json_decref(doc);
	return NULL;
}

static json_t *
member_of_part(const struct part *p, enum member_depth depth)
{
	json_t *doc = json_object();
	bool whole = true;
	size_t i;

	for (i = 0; i < N(part_strings); i++)
		if (part_strings[i].depth <= depth &&
		    json_object_set_new(doc, part_strings[i].key,
			json_string((const char *)p + part_strings[i].at)) == -1)
			whole = false;
	if (depth == MEMBER_ALL &&
	    json_object_set_new(doc, "served", json_boolean(p->served)) == -1)
		whole = false;
	return whole_or_none(doc, whole);
}

json_t *
member_of_release(const struct release *r, enum member_depth depth)
{
	json_t *doc = json_object(), *services = json_array();
	bool whole = json_object_set_new(doc, "tag", json_string(r->tag)) == 0 &&
	    json_object_set(doc, "services", services) == 0;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (json_array_append_new(services, member_of_part(&r->part[i], depth)) ==
		    -1)
			whole = false;
	json_decref(services);
	return whole_or_none(doc, whole);
}

json_t *
member_of_who(const struct who *who)
{
	return json_pack("{ss ss ss ss}", "actor", who->actor, "key", who->key, "client",
	    who->client, "trigger", trigger_name(who->trigger));
}

/* A string with a NUL in it would be read as a shorter one. */
static bool
is_text(const json_t *value)
{
	return json_is_string(value) &&
	    strlen(json_string_value(value)) == json_string_length(value);
}

const char *
member_value(const json_t *value)
{
	return is_text(value) ? json_string_value(value) : "";
}

const char *
member_text(const json_t *obj, const char *key)
{
	return member_value(json_object_get(obj, key));
}

bool
member_string(const json_t *obj, const char *key, char *out, size_t size)
{
	const json_t *value = json_object_get(obj, key);

	if (is_text(value) && strlcpy(out, json_string_value(value), size) < size)
		return true;
	out[0] = '\0';
	return false;
}

static bool
read_part(const json_t *obj, enum member_depth depth, struct part *p)
{
	size_t i;

	for (i = 0; i < N(part_strings); i++)
		if (part_strings[i].depth <= depth &&
		    !member_string(obj, part_strings[i].key,
			(char *)p + part_strings[i].at, part_strings[i].size) &&
		    !(part_strings[i].optional &&
			json_object_get(obj, part_strings[i].key) == NULL))
			return false;
	p->served = json_is_true(json_object_get(obj, "served"));
	return depth == MEMBER_IDENTITY ||
	    json_is_boolean(json_object_get(obj, "served"));
}

/* Format 1 has {"tag", "image", "ref"}, all empty if nothing ran. */
static bool
read_only_part(const json_t *obj, struct release *r)
{
	struct part *p = &r->part[0];
	bool good = member_string(obj, "image", p->revision, sizeof(p->revision)) &&
	    member_string(obj, "ref", p->reference, sizeof(p->reference));

	r->n = r->tag[0] != '\0' || p->revision[0] != '\0' || p->reference[0] != '\0';
	return good;
}

bool
member_release(const json_t *obj, const char *key, int format, enum member_depth depth,
    struct release *r)
{
	const json_t *from = json_object_get(obj, key), *services, *part;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (!member_string(from, "tag", r->tag, sizeof(r->tag)))
		return false;
	if (format == 1)
		return read_only_part(from, r);
	services = json_object_get(from, "services");
	if (!json_is_array(services) || json_array_size(services) > SERVICES_MAX)
		return false;
	json_array_foreach (services, i, part)
		if (!read_part(part, depth, &r->part[r->n++]))
			return false;
	return true;
}

bool
member_verb(const json_t *obj, enum record_verb *verb)
{
	const char *s = json_string_value(json_object_get(obj, "verb"));
	int i;

	for (i = 0; s != NULL && i < RECORD_VERB__MAX; i++)
		if (strcmp(s, record_verb_name((enum record_verb)i)) == 0) {
			*verb = (enum record_verb)i;
			return true;
		}
	return false;
}

int64_t
member_integer(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

bool
member_who(const json_t *obj, struct who *who)
{
	const json_t *from = json_object_get(obj, "who");
	bool actor = member_string(from, "actor", who->actor, sizeof(who->actor));
	bool key = member_string(from, "key", who->key, sizeof(who->key));
	bool client = member_string(from, "client", who->client, sizeof(who->client));

	/* an earlier program did not write it, a newer one may know others */
	who->trigger = trigger_find(member_text(from, "trigger"));
	if (who->trigger == TRIGGER__MAX)
		who->trigger = TRIGGER_UNKNOWN;
	return actor && key && client;
}

json_t *
member_of_timing(const struct timing *t)
{
	json_t *ms = json_pack("{sI}", "total", (json_int_t)t->total);
	int i;

	for (i = 0; i < PHASE__MAX; i++)
		(void)json_object_set_new(ms, phase_name((enum phase)i),
		    json_integer(t->phase[i]));
	return ms;
}

void
member_timing(const json_t *ms, int format, struct timing *t)
{
	static const char *const old[PHASE__MAX] = { [PHASE_PREPARE] = "pull",
		[PHASE_APPLY] = "up",
		[PHASE_VERIFY] = "health" };
	const char *name;
	int i;

	for (i = 0; i < PHASE__MAX; i++) {
		name = format == 1 ? old[i] : phase_name((enum phase)i);
		t->phase[i] = name == NULL ? 0 : member_integer(ms, name);
	}
	t->total = member_integer(ms, "total");
}
