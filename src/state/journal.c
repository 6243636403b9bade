/*
 *   none --> PREPARE --> DRAIN --> APPLY --> VERIFY --> none   committed
 *               |  \      /  |       |         |
 *               |   \    /   |       v         v
 *               |    `--`----+--> REVERT <----'
 *               |            |       |
 *               v            v       v
 *             none         none    none              discarded; reverted, or neither
 *                                                    release could be verified
 *
 * Between PREPARE and DRAIN there is PRE_DEPLOY if there is a pre-deploy job, and CANDIDATE
 * if a service is rehearsed; they end as PREPARE does.
 * A rollback begins at DRAIN; without a service to drain there is no DRAIN.
 * REVERT follows PREPARE and DRAIN if an `up` at boot has started what was prepared, or what
 * served has ended.
 *
 * MUST: a phase is on the disk before it begins.
 * MUST: the history has the deploy's id before the journal is cleared.  So a journal
 *       whose id is in the history is out of date.
 * MUST: REVERT is the last phase.
 * MUST NOT: contain anything of .env but the value of the variable.
 */
#include "state/journal.h"

#include "state/member.h"
#include "sys/file.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL "journal"
/* all strings at their longest, every byte escaped as \u00XX */
#define JOURNAL_SIZE_MAX (256 * 1024)

static const struct {
	const char *name, *old; /* in format 1; NULL: it had none */
} phases[PHASE__MAX] = {
	[PHASE_PREPARE] = { "prepare", "pull" },
	[PHASE_PRE_DEPLOY] = { "pre-deploy", NULL },
	[PHASE_CANDIDATE] = { "candidate", NULL },
	[PHASE_DRAIN] = { "drain", NULL },
	[PHASE_APPLY] = { "apply", "swap" },
	[PHASE_VERIFY] = { "verify", "verify" },
	[PHASE_REVERT] = { "revert", "rolling back" },
};

static const char by_hand[] = "correct .env and the containers by hand, "
			      "then remove the file `journal` from the state folder";

const char *
phase_name(enum phase phase)
{
	return phase < PHASE__MAX ? phases[phase].name : "unknown";
}

static char *
journal_text(const struct journal *j)
{
	json_t *doc = json_pack("{si ss ss ss ss sI ss}", "v", FORMAT_MAX, "id", j->id,
	    "verb", record_verb_name(j->verb), "phase", phase_name(j->phase), "engine",
	    j->engine, "seq", (json_int_t)j->seq, "time", j->time);
	char *text = NULL;

	if (json_object_set_new(doc, "who", member_of_who(&j->who)) == 0 &&
	    json_object_set_new(doc, "from", member_of_release(&j->from, MEMBER_ALL)) ==
		0 &&
	    json_object_set_new(doc, "to", member_of_release(&j->to, MEMBER_ALL)) == 0)
		text = json_dumps(doc, JSON_INDENT(1));
	json_decref(doc);
	return text;
}

/*
 * The folder is synced after the rename.  If that failed, a first journal is in place,
 * perhaps not durably, and the next request would recover a deploy that never began.  So
 * it is removed.
 */
static int
not_durable(int dirfd, bool first, int error, struct fault *f)
{
	if (first && file_remove(dirfd, JOURNAL) == -1)
		return fault_set(f, FAULT_HOST,
		    "check the disk of the state folder; the next request recovers it",
		    "the journal could neither be written durably (%s) nor be removed (%s)",
		    strerror(error), strerror(errno));
	return fault_set(f, FAULT_HOST, "check the disk of the state folder",
	    "cannot write the journal in the state folder: %s", strerror(error));
}

int
journal_write(int dirfd, const struct journal *j, struct fault *f)
{
	bool first = faccessat(dirfd, JOURNAL, F_OK, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
	char *text = journal_text(j);
	int rc, error;

	if (text == NULL)
		return fault_set(f, FAULT_HOST,
		    "make the value of the variable in .env UTF-8, or free some memory",
		    "cannot write the journal: a text in it is not UTF-8, or out of memory");
	rc = file_replace(dirfd, JOURNAL, text, strlen(text));
	error = errno;
	free(text);
	return rc == 0 ? 0 : not_durable(dirfd, first, error, f);
}

static bool
read_phase(const json_t *doc, int format, enum phase *phase)
{
	const char *s = json_string_value(
	    json_object_get(doc, format == 1 ? "step" : "phase"));
	const char *name;
	int i;

	for (i = 0; s != NULL && i < PHASE__MAX; i++) {
		name = format == 1 ? phases[i].old : phases[i].name;
		if (name == NULL || strcmp(s, name) != 0)
			continue;
		*phase = (enum phase)i;
		return true;
	}
	return false;
}

/* The other members of format 1 belong to the only part of each release. */
static bool
read_format_1(const json_t *doc, struct journal *j)
{
	const json_t *silent = json_object_get(doc, "silent");
	const json_t *served = json_object_get(doc, "served");
	struct part *from = &j->from.part[0], *to = &j->to.part[0];

	j->from.n = j->to.n = 1;
	(void)strlcpy(j->engine, json_is_true(silent) ? "blind" : "compose",
	    sizeof(j->engine));
	(void)strlcpy(to->desired, j->to.tag, sizeof(to->desired));
	if (!json_is_boolean(silent) ||
	    !member_string(doc, "container", from->instance, sizeof(from->instance)) ||
	    !member_string(doc, "displaced", to->previous, sizeof(to->previous)) ||
	    !member_string(doc, "old_value", from->desired, sizeof(from->desired)) ||
	    !member_string(doc, "actor", j->who.actor, sizeof(j->who.actor)))
		return false;
	/* 0.1.0 did not write it */
	from->served = from->instance[0] != '\0' &&
	    (served == NULL || json_is_true(served));
	return true;
}

static bool
read_format_2(const json_t *doc, struct journal *j)
{
	return member_string(doc, "engine", j->engine, sizeof(j->engine)) &&
	    member_who(doc, &j->who);
}

static bool
read_journal(const json_t *doc, int format, struct journal *j)
{
	j->seq = json_integer_value(json_object_get(doc, "seq"));
	return j->seq >= 0 && read_phase(doc, format, &j->phase) &&
	    member_verb(doc, &j->verb) &&
	    member_string(doc, "id", j->id, sizeof(j->id)) &&
	    member_string(doc, "time", j->time, sizeof(j->time)) &&
	    member_release(doc, "from", format, MEMBER_ALL, &j->from) &&
	    member_release(doc, "to", format, MEMBER_ALL, &j->to) &&
	    (format == 1 ? read_format_1(doc, j) : read_format_2(doc, j));
}

int
journal_read(int dirfd, struct journal *j, bool *found, struct fault *f)
{
	json_int_t format;
	json_t *doc;
	char *bytes;
	size_t len;

	memset(j, 0, sizeof(*j));
	*found = false;
	if (file_read(dirfd, JOURNAL, JOURNAL_SIZE_MAX, &bytes, &len) == -1) {
		if (errno == ENOENT)
			return 0;
		return fault_set(f, FAULT_HOST, by_hand, "cannot read the journal: %s",
		    strerror(errno));
	}
	doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	format = json_integer_value(json_object_get(doc, "v"));
	*found = format >= 1 && format <= FORMAT_MAX && read_journal(doc, (int)format, j);
	json_decref(doc);
	if (*found)
		return 0;
	if (format > FORMAT_MAX)
		return fault_set(f, FAULT_HOST, "use the newer program that wrote it",
		    "the journal has format %lld, this program knows %d",
		    (long long)format, FORMAT_MAX);
	return fault_set(f, FAULT_HOST, by_hand,
	    "the journal of an interrupted deploy is damaged");
}

void
journal_sweep(int dirfd)
{
	file_sweep(dirfd, JOURNAL);
}

int
journal_clear(int dirfd, struct fault *f)
{
	if (file_remove(dirfd, JOURNAL) == 0)
		return 0;
	return fault_set(f, FAULT_HOST, "check the disk of the state folder",
	    "cannot clear the journal: %s", strerror(errno));
}
