#include "cli/people.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t
people_time(const char *rfc3339)
{
	struct tm tm = { 0 };
	const char *end = strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&tm);
}

const char *
people_age(int64_t then, int64_t now, char out[PEOPLE_SHORT])
{
	static const struct {
		int64_t below, unit; /* seconds */
		const char *name;
	} units[] = {
		{ 120, 1, "s" },
		{ 120 * 60, 60, "min" },
		{ 48 * 3600, 3600, "h" },
		{ 730 * 86400LL, 86400, "d" },
		{ INT64_MAX, 365 * 86400LL, "y" },
	};
	int64_t age = now > then ? now - then : 0;
	size_t i = 0;

	if (then < 0) {
		(void)strlcpy(out, "?", PEOPLE_SHORT);
		return out;
	}
	while (age >= units[i].below)
		i++;
	snprintf(out, PEOPLE_SHORT, "%lld %s", (long long)(age / units[i].unit),
	    units[i].name);
	return out;
}

const char *
people_who(const struct who *w, char out[PEOPLE_WHO_MAX])
{
	bool usual = w->trigger == TRIGGER_UNKNOWN || w->trigger == TRIGGER_SSH ||
	    w->trigger == TRIGGER_PROMPT;

	snprintf(out, PEOPLE_WHO_MAX, "%s%s%s%s", w->actor, usual ? "" : " (",
	    usual ? "" : trigger_name(w->trigger), usual ? "" : ")");
	return out;
}

const char *
people_took(int64_t ms, char out[PEOPLE_SHORT])
{
	if (ms < 0)
		ms = 0;
	if (ms < 60000)
		snprintf(out, PEOPLE_SHORT, "%lld.%lld s", (long long)(ms / 1000),
		    (long long)(ms % 1000 / 100));
	else
		(void)people_age(0, ms / 1000, out);
	return out;
}

const char *
people_cut(const char *text, size_t width, char *out, size_t size)
{
	if (strlcpy(out, text, size) <= width)
		return out;
	memcpy(out + width - 2, "..", 3);
	return out;
}

const char *
people_reason(const char *why, char *out, size_t size)
{
	static const char head[] = "not deployed: ";
	char *end;

	if (strncmp(why, head, strlen(head)) == 0)
		why += strlen(head);
	(void)strlcpy(out, why, size);
	/* records of 0.1 have the outcome after this */
	end = strstr(out, "; ");
	if (end != NULL)
		*end = '\0';
	return out;
}

#define SUCCESS_TAG 24 /* columns; the lines above have the whole tag */

const char *
people_success(const struct record *r, const char *target, char *out, size_t size)
{
	const char *did = "deployed";
	char took[PEOPLE_SHORT], was[TAG_MAX + 16] = " (nothing ran before)",
					       undo[128] = "", tag[TAG_MAX];

	if (r->outcome == OUTCOME_RECOVERED)
		did = "completed the interrupted deploy of";
	else if (r->verb == RECORD_ROLLBACK)
		did = "rolled back to";
	if (r->from.tag[0] != '\0') {
		snprintf(was, sizeof(was), " (was %s)",
		    people_cut(r->from.tag, SUCCESS_TAG, tag, sizeof(tag)));
		if (!release_same(&r->from, &r->to) && r->verb == RECORD_DEPLOY)
			snprintf(undo, sizeof(undo), "; to go back: rollback%s%s",
			    target == NULL ? "" : " target=",
			    target == NULL ? "" : target);
	}
	snprintf(out, size, "%s %s%s in %s%s", did,
	    people_cut(r->to.tag, SUCCESS_TAG, tag, sizeof(tag)), was,
	    people_took(r->ms.total, took), undo);
	return out;
}
