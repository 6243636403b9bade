#include "cli/report.h"

#include "deploy/deploy.h"
#include "engine/compose.h"
#include "health/probe.h"
#include "state/folder.h"
#include "state/ledger.h"
#include "state/lock.h"
#include "sys/deadline.h"

#include <bsd/string.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW "%-10s "
#define LOOK_MS 200 /* between two looks at the lock */
#define BEAT_MS 15000

static const char *
short_id(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon == NULL ? id : colon + 1;
}

void
report_record(struct output *o, const struct record *r)
{
	char *text = record_json(r);

	output_json(o, text == NULL ? "{}" : text);
	free(text);
}

struct listing {
	struct output *o;
	unsigned left;
	bool json;
};

static bool
history_line(void *arg, const struct record *r)
{
	struct listing *l = arg;

	if (l->left == 0)
		return false;
	l->left--;
	if (l->json)
		report_record(l->o, r);
	else
		output_line(l->o, "%s  %-8s  %s -> %s  %s (%d)  by %s  %lld ms%s%s",
		    r->time, r->verb, r->from.tag[0] == '\0' ? "-" : r->from.tag,
		    r->to.tag, outcome_name(r->outcome), r->code, r->who.actor,
		    (long long)r->total_ms, r->why[0] == '\0' ? "" : "  ", r->why);
	return true;
}

int
report_history(struct output *o, const struct target *t, unsigned count, bool json,
    struct fault *f)
{
	struct listing l = { o, count, json };
	int dirfd = folder_open(t->state, false, f), rc;

	if (dirfd == -1)
		return f->kind == FAULT_NONE ? 0 : -1;
	rc = history_walk(dirfd, history_line, &l, f);
	close(dirfd);
	return rc;
}

/*
 * What was begun and has no end: 1, and its journal.  One that the history
 * knows is over (state/journal.h), whatever was left of it.
 */
static int
unfinished(int dirfd, struct journal *j, struct fault *f)
{
	int rc = dirfd == -1 ? 0 : journal_read(dirfd, j, f), known;

	if (rc != 1)
		return rc;
	known = history_has(dirfd, j->id, f);
	return known == -1 ? -1 : !known;
}

static void
show_under_way(struct output *o, const struct target *t, int dirfd)
{
	char holder[256];
	struct fault f = { 0 };
	struct journal j;
	int rc = unfinished(dirfd, &j, &f);

	if (lock_held(t->lock, holder, sizeof(holder)))
		output_line(o, ROW "%s",
		    "deploy:", holder[0] == '\0' ? "running" : holder);
	else if (rc == 1)
		output_line(o,
		    ROW "the %s of %s was interrupted (at: %s); the next "
			"request or `recover` mends it",
		    "deploy:", j.verb, j.to.tag, journal_step_name(j.step));
	else if (rc == -1)
		output_line(o, ROW "%s", "deploy:", f.what);
	else
		output_line(o, ROW "none under way", "deploy:");
}

static bool
last_line(void *arg, const struct record *r)
{
	output_line(arg, ROW "%s %s %s: %s (%d)%s%s", "last:", r->time, r->verb,
	    r->to.tag, outcome_name(r->outcome), r->code, r->why[0] == '\0' ? "" : ", ",
	    r->why);
	return false;
}

/* What `rollback` would choose, as far as the ledger knows. */
static void
show_way_back(struct output *o, int dirfd, const struct version *running)
{
	struct version list[2];
	struct fault f = { 0 };
	size_t n = 0, i;

	if (dirfd == -1 || ledger_proven(dirfd, false, list, 2, &n, &f) == -1)
		return;
	for (i = 0; i < n; i++)
		if (running->image[0] != '\0' ? strcmp(list[i].image, running->image) != 0
					      : strcmp(list[i].tag, running->tag) != 0) {
			output_line(o, ROW "%s", "rollback:", list[i].tag);
			return;
		}
	output_line(o, ROW "no proven version to go to", "rollback:");
}

static void
show_container(struct output *o, const struct container *c, const char *value)
{
	const char *what;
	char tag[TAG_MAX];

	deploy_tag_of(c->ref, tag);
	what = tag[0] == '\0' ? c->ref : tag;
	if (c->state != CONTAINER_RUNNING)
		what = "nothing, the container is down";
	output_line(o, ROW "%s  image %.12s  since %.19sZ  restarts %lld", "runs:", what,
	    short_id(c->image), c->started, (long long)c->restarts);
	if (tag[0] != '\0' && strcmp(tag, value) != 0)
		output_line(o, ROW ".env says %s, but %s runs", "drift:", value, tag);
}

/* Fills `running` with what runs, as far as it can be told. */
static int
show_engine(struct output *o, struct compose *c, const char *value,
    struct version *running, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = &c->engine;
	struct service service;
	size_t n, i;

	if (e->hello(e, f) == -1)
		return -1;
	if (e->silent) {
		output_line(o, ROW "not known: docker tells nothing", "runs:");
		(void)strlcpy(running->tag, value, sizeof(running->tag));
		return 0;
	}
	if (e->describe(e, value, &service, f) == -1 ||
	    e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	if (n == 0)
		output_line(o, ROW "nothing: service %s of project %s has no container",
		    "runs:", c->target->service, service.project);
	for (i = 0; i < n && i < GATE_CONTAINERS_MAX; i++) {
		show_container(o, &list[i], value);
		if (list[i].state == CONTAINER_RUNNING)
			memcpy(running->image, list[i].image, IMAGE_ID_MAX);
	}
	return 0;
}

static int
show_health(struct output *o, const struct target *t, struct fault *f)
{
	struct http_answer answer;
	struct url url;

	if (url_parse(&url, t->health_url, f) == -1)
		return -1;
	http_get(&url, deadline_in(PROBE_ANSWER_MS), &answer);
	output_line(o, ROW "%s: %s", "health:", answer.why,
	    http_healthy(&answer) ? "healthy" : "not healthy");
	return 0;
}

static int
show_all(struct output *o, const struct target *t, char *const *env, int dirfd,
    struct fault *f)
{
	struct version running = { 0 };
	struct fault none = { 0 };
	struct envfile e;
	struct compose c;
	int rc;

	if (envfile_read(&e, t->env_file, TARGET_VARIABLE, f) == -1)
		return -1;
	output_line(o, ROW "%s", ".env:", e.value);
	show_under_way(o, t, dirfd);
	if (dirfd != -1 && history_walk(dirfd, last_line, o, &none) == -1)
		output_line(o, ROW "%s", "last:", none.what);
	rc = compose_open(&c, t, env, dirfd, NULL, f);
	if (rc == 0) {
		rc = show_engine(o, &c, e.value, &running, f);
		compose_close(&c);
	}
	show_way_back(o, dirfd, &running);
	envfile_free(&e);
	return rc == -1 ? -1 : show_health(o, t, f);
}

int
report_status(struct output *o, const struct target *t, char *const *env, struct fault *f)
{
	int dirfd = folder_open(t->state, false, f), rc;

	if (dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	rc = show_all(o, t, env, dirfd, f);
	if (dirfd != -1)
		close(dirfd);
	return rc;
}

struct follow {
	char holder[256];        /* of the lock, when it was first seen */
	char id[JOURNAL_ID_MAX]; /* the last that this holder began; "" not known */
	bool theirs;             /* another one has the lock by now */
	enum journal_step told;  /* JOURNAL__MAX: none yet */
	int64_t beat;            /* when to say again that it lasts */
};

static void
tell_step(struct follow *w, struct output *o, int dirfd)
{
	struct fault f = { 0 };
	struct journal j;
	char line[200];

	if (dirfd == -1 || journal_read(dirfd, &j, &f) != 1)
		return;
	if (!w->theirs)
		(void)strlcpy(w->id, j.id, sizeof(w->id));
	if (j.step == w->told && clock_ms() < w->beat)
		return;
	snprintf(line, sizeof(line), "%s of %s, at: %s", j.verb, j.to.tag,
	    journal_step_name(j.step));
	output_say(o, SAY_NOTE, line);
	w->told = j.step;
	w->beat = clock_ms() + BEAT_MS;
}

/*
 * The next deploy may begin before we look again: then it is over when the
 * history has it.  (If it was killed the next one mends it first.)
 */
static bool
lasts(struct follow *w, const struct target *t, int dirfd)
{
	char now[sizeof(w->holder)];
	struct fault f = { 0 };

	if (!lock_held(t->lock, now, sizeof(now)))
		return false;
	/* it writes its words a moment after it has the lock */
	if (w->holder[0] == '\0')
		(void)strlcpy(w->holder, now, sizeof(w->holder));
	w->theirs = strcmp(now, w->holder) != 0;
	return !w->theirs || w->id[0] == '\0' || history_has(dirfd, w->id, &f) != 1;
}

/* Waits a little; false once nobody reads us: the lock may be held for ever. */
static bool
is_read(void)
{
	/* nothing is asked for: a reader that left is told all the same */
	struct pollfd pfd = { .fd = STDOUT_FILENO };

	return poll(&pfd, 1, LOOK_MS) != 1;
}

static void
follow(struct follow *w, struct output *o, const struct target *t, int dirfd)
{
	w->told = JOURNAL__MAX;
	if (!lock_held(t->lock, w->holder, sizeof(w->holder)))
		return;
	output_line(o, ROW "%s", "deploy:", w->holder[0] == '\0' ? "running" : w->holder);
	do
		tell_step(w, o, dirfd);
	while (is_read() && lasts(w, t, dirfd));
}

struct ending {
	const char *id; /* "" for the newest */
	struct record r;
};

/* What was adopted was found running: nobody deployed it then. */
static bool
is_ending(void *arg, const struct record *r)
{
	struct ending *e = arg;

	if (r->outcome == OUTCOME_ADOPTED ||
	    (e->id[0] != '\0' && strcmp(r->id, e->id) != 0))
		return true;
	e->r = *r;
	return false;
}

static int
tell_ending(struct output *o, const struct record *r, struct fault *f)
{
	(void)last_line(o, r);
	return r->code == 0 ? 0
			    : fault_set(f, (enum fault_kind)r->code, NULL, "%s", r->why);
}

/* The one with this id; where there is none, or "" was said, the newest. */
static int
how_it_ended(struct output *o, int dirfd, const char *id, struct fault *f)
{
	struct ending e = { .id = id };
	struct journal j;
	int rc;

	if (*id != '\0' && history_walk(dirfd, is_ending, &e, f) == -1)
		return -1;
	if (e.r.id[0] != '\0')
		return tell_ending(o, &e.r, f);
	rc = unfinished(dirfd, &j, f);
	if (rc == 1)
		return fault_set(f, FAULT_UNVERIFIED, "say `recover`, or deploy again",
		    "the %s of %s was interrupted (at: %s)", j.verb, j.to.tag,
		    journal_step_name(j.step));
	e.id = "";
	if (rc == -1 || history_walk(dirfd, is_ending, &e, f) == -1)
		return -1;
	if (e.r.id[0] != '\0')
		return tell_ending(o, &e.r, f);
	output_line(o, ROW "nothing was ever deployed", "last:");
	return 0;
}

int
report_wait(struct output *o, const struct target *t, struct fault *f)
{
	int dirfd = folder_open(t->state, false, f), rc;
	struct follow w = { .id = "" };

	if (dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	follow(&w, o, t, dirfd);
	/* it may have been made by what was followed */
	if (dirfd == -1)
		dirfd = folder_open(t->state, false, f);
	if (dirfd == -1)
		return f->kind == FAULT_NONE ? 0 : -1;
	rc = how_it_ended(o, dirfd, w.id, f);
	close(dirfd);
	return rc;
}
