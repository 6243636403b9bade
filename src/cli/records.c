#include "cli/records.h"

#include "cli/people.h"
#include "state/folder.h"
#include "state/ledger.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TAG_COLUMNS 14

json_t *
records_object(const struct record *r, const char *target)
{
	char *text = record_json(r);
	json_t *doc = text == NULL ? NULL : json_loads(text, 0, NULL);

	free(text);
	if (doc != NULL)
		(void)json_object_set_new(doc, "target", json_string(target));
	return doc;
}

char *
records_text(json_t *doc)
{
	char *text = doc == NULL ? NULL
				 : json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(doc);
	return text;
}

void
records_json(struct output *o, json_t *doc)
{
	char *text = records_text(doc);

	output_json(o, text == NULL ? "{}" : text);
	free(text);
}

/* "deployed" is a confusing outcome for a rollback. */
static const char *
show_outcome(const struct record *r)
{
	return r->verb == RECORD_ROLLBACK && r->outcome == OUTCOME_DEPLOYED
	    ? "completed"
	    : outcome_name(r->outcome);
}

void
records_last(struct output *o, const struct record *r, int64_t now)
{
	char age[PEOPLE_SHORT], reason[FAULT_WHAT_MAX], tag[TAG_MAX + 32];
	char who[PEOPLE_WHO_MAX];

	output_row(o, "last", "%s %s: %s (%d), %s ago by %s", record_verb_name(r->verb),
	    people_cut(r->to.tag, 2 * TAG_COLUMNS, tag, sizeof(tag)), show_outcome(r),
	    r->code, people_age(people_time(r->time), now, age),
	    people_who(&r->who, who));
	if (r->why[0] != '\0')
		output_row(o, NULL, "%s", people_reason(r->why, reason, sizeof(reason)));
}

int
records_home(const struct target *t, struct fault *f)
{
	char safe[256];

	if (access(t->home, F_OK) == 0 || errno != ENOENT)
		return 0;
	return fault_set(f, FAULT_HOST,
	    "set `home` (TWILIGHT_HOME) to the folder that holds .env",
	    "the home of the target, %s, does not exist",
	    text_escape(safe, sizeof(safe), t->home, strlen(t->home)));
}

void
records_none(struct output *o, const struct target *t)
{
	char safe[256], line[300];

	snprintf(line, sizeof(line), "nothing was deployed yet: no history in %s",
	    text_escape(safe, sizeof(safe), t->state, strlen(t->state)));
	output_say(o, SAY_NOTE, line);
}

/* ---- history ---- */

enum column { AGE, VERB, CHANGE, OUTCOME, TOOK, BY, COLUMNS };

struct row {
	char cell[COLUMNS][64];
	char why[PEOPLE_COLUMNS + 1];
};

struct listing {
	struct output *o;
	const char *target;
	unsigned n, max;
	bool json;
	int64_t now;
	struct bad_list *bad;
	struct row *rows; /* the heading, then `max` records */
};

static void
fill_row(struct row *l, const struct record *r, bool bad, int64_t now)
{
	char from[TAG_COLUMNS + 8], to[TAG_COLUMNS + 8], reason[FAULT_WHAT_MAX];
	char who[PEOPLE_WHO_MAX];

	(void)people_age(people_time(r->time), now, l->cell[AGE]);
	(void)strlcpy(l->cell[VERB], record_verb_name(r->verb), sizeof(l->cell[VERB]));
	snprintf(l->cell[CHANGE], sizeof(l->cell[CHANGE]), "%s -> %s",
	    r->from.tag[0] == '\0'
		? "-"
		: people_cut(r->from.tag, TAG_COLUMNS, from, sizeof(from)),
	    people_cut(r->to.tag, TAG_COLUMNS, to, sizeof(to)));
	snprintf(l->cell[OUTCOME], sizeof(l->cell[OUTCOME]), "%s%s", show_outcome(r),
	    bad ? ", bad" : "");
	(void)people_took(r->ms.total, l->cell[TOOK]);
	(void)strlcpy(l->cell[BY], people_who(&r->who, who), sizeof(l->cell[BY]));
	(void)people_cut(people_reason(r->why, reason, sizeof(reason)),
	    PEOPLE_COLUMNS - 4, l->why, sizeof(l->why));
}

static bool
list_record(void *arg, const struct record *r)
{
	struct listing *l = arg;
	bool bad = ledger_is_bad(l->bad, &r->to);
	json_t *doc;

	if (l->n == l->max)
		return false;
	if (l->json) {
		l->n++;
		doc = records_object(r, l->target);
		if (doc != NULL)
			(void)json_object_set_new(doc, "bad", json_boolean(bad));
		records_json(l->o, doc);
		return true;
	}
	fill_row(&l->rows[++l->n], r, bad, l->now);
	return true;
}

/* The last column is cut to the rest of the line. */
static void
print_rows(const struct listing *l)
{
	static const char *const heading[COLUMNS] = { "AGE", "VERB", "FROM -> TO",
		"OUTCOME", "TOOK", "BY" };
	char line[2 * PEOPLE_COLUMNS], by[64];
	size_t width[COLUMNS] = { 0 }, used, i, c;

	l->rows[0].why[0] = '\0';
	for (c = 0; c < COLUMNS; c++)
		(void)strlcpy(l->rows[0].cell[c], heading[c], 64);
	for (i = 0; i <= l->n; i++)
		for (c = 0; c < COLUMNS; c++)
			if (strlen(l->rows[i].cell[c]) > width[c])
				width[c] = strlen(l->rows[i].cell[c]);
	for (i = 0; i <= l->n; i++) {
		for (c = 0, used = 0; c < BY; c++)
			used += (size_t)snprintf(line + used, sizeof(line) - used,
			    "%-*s  ", (int)width[c], l->rows[i].cell[c]);
		output_line(l->o, "%s%s", line,
		    people_cut(l->rows[i].cell[BY],
			used < PEOPLE_COLUMNS - 4 ? PEOPLE_COLUMNS - used : 4, by,
			sizeof(by)));
		if (l->rows[i].why[0] != '\0')
			output_line(l->o, "    %s", l->rows[i].why);
	}
}

int
records_show(struct output *o, const struct target *t, unsigned count, bool json,
    struct fault *f)
{
	struct listing l = { .o = o, .target = t->name, .max = count, .json = json };
	int dirfd = folder_open(t->state, false, f), rc;

	if (dirfd == -1)
		rc = f->kind != FAULT_NONE ? -1 : records_home(t, f);
	else {
		l.now = time(NULL);
		l.rows = calloc(count + 1, sizeof(*l.rows));
		rc = l.rows == NULL ? fault_memory(f) : ledger_bad(dirfd, &l.bad, f);
		if (rc == 0)
			rc = history_walk(dirfd, list_record, &l, f);
		ledger_bad_free(l.bad);
		close(dirfd);
	}
	if (rc == 0 && l.n == 0)
		records_none(o, t);
	else if (rc == 0 && !json)
		print_rows(&l);
	free(l.rows);
	return rc;
}
