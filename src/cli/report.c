#include "cli/report.h"

#include "deploy/deploy.h"
#include "engine/compose.h"
#include "health/probe.h"
#include "state/folder.h"
#include "state/ledger.h"
#include "state/lock.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

const char *
report_nothing(const struct target *t, char *out, size_t size)
{
	char safe[256];

	snprintf(out, size, "nothing was ever deployed: no history in %s",
	    text_escape(safe, sizeof(safe), t->state, strlen(t->state)));
	return out;
}

int
report_history(struct output *o, const struct target *t, unsigned count, bool json,
    struct fault *f)
{
	struct listing l = { o, count, json };
	int dirfd = folder_open(t->state, false, f), rc = 0;
	char none[300];

	if (dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	if (dirfd != -1) {
		rc = history_walk(dirfd, history_line, &l, f);
		close(dirfd);
	}
	if (rc == 0 && l.left == count)
		output_say(o, SAY_NOTE, report_nothing(t, none, sizeof(none)));
	return rc;
}

int
report_unfinished(int dirfd, struct journal *j, struct fault *f)
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
	bool held = lock_held(t->lock, holder, sizeof(holder));
	int rc = held ? 0 : report_unfinished(dirfd, &j, &f);

	/* it may have begun between the two looks */
	if (rc == 1)
		held = lock_held(t->lock, holder, sizeof(holder));
	if (held)
		output_line(o, REPORT_ROW "%s",
		    "deploy:", holder[0] == '\0' ? "running" : holder);
	else if (rc == 1)
		output_line(o,
		    REPORT_ROW "the %s of %s was interrupted (at: %s); the next "
			       "request or `recover` mends it",
		    "deploy:", j.verb, j.to.tag, journal_step_name(j.step));
	else if (rc == -1)
		output_line(o, REPORT_ROW "%s", "deploy:", f.what);
	else
		output_line(o, REPORT_ROW "none under way", "deploy:");
}

void
report_last(struct output *o, const struct record *r)
{
	output_line(o, REPORT_ROW "%s %s %s: %s (%d)%s%s", "last:", r->time, r->verb,
	    r->to.tag, outcome_name(r->outcome), r->code, r->why[0] == '\0' ? "" : ", ",
	    r->why);
}

/* What was adopted was found running: as in `status --wait`, nobody deployed it then. */
static bool
last_line(void *arg, const struct record *r)
{
	if (r->outcome == OUTCOME_ADOPTED)
		return true;
	report_last(arg, r);
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
			output_line(o, REPORT_ROW "%s", "rollback:", list[i].tag);
			return;
		}
	output_line(o, REPORT_ROW "no proven version to go to", "rollback:");
}

static void
show_container(struct output *o, const struct container *c, const char *value)
{
	const char *what;
	char tag[TAG_MAX];

	deploy_tag_of(c->ref, tag);
	what = tag[0] == '\0' ? c->ref : tag;
	if (c->state == CONTAINER_RUNNING)
		output_line(o, REPORT_ROW "%s  image %.12s  since %.19sZ  restarts %lld",
		    "runs:", what, short_id(c->image), c->started,
		    (long long)c->restarts);
	else
		output_line(o,
		    REPORT_ROW "nothing: the container of %s is down (exit %lld)",
		    "runs:", what, (long long)c->exit_code);
	if (tag[0] != '\0' && strcmp(tag, value) != 0)
		output_line(o, REPORT_ROW ".env says %s, but %s runs", "drift:", value,
		    tag);
}

/* Its containers tell the project; without one, compose does. */
static int
find_service(struct engine *e, const char *value, struct fault *f)
{
	struct service service;
	bool found;

	if (e->locate(e, &found, f) == -1)
		return -1;
	return found ? 0 : e->describe(e, value, &service, f);
}

/* Fills `running` with what runs, as far as it can be told. */
static int
show_engine(struct output *o, struct compose *c, const char *value,
    struct version *running, struct fault *f)
{
	struct container list[GATE_CONTAINERS_MAX];
	struct engine *e = &c->engine;
	size_t n, i;

	if (e->connect(e, f) == -1)
		return -1;
	if (e->blind) {
		output_line(o, REPORT_ROW "not known: the engine is blind", "runs:");
		(void)strlcpy(running->tag, value, sizeof(running->tag));
		return 0;
	}
	if (find_service(e, value, f) == -1 ||
	    e->containers(e, list, GATE_CONTAINERS_MAX, &n, f) == -1)
		return -1;
	if (n == 0)
		output_line(o,
		    REPORT_ROW "nothing: service %s of project %s has no container",
		    "runs:", c->target->service, c->project);
	for (i = 0; i < n; i++) {
		show_container(o, &list[i], value);
		/* a rollback takes one that has ended for what runs, too */
		if (list[i].state == CONTAINER_RUNNING ||
		    (running->image[0] == '\0' && list[i].state != CONTAINER_CREATED))
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
	output_line(o, REPORT_ROW "%s: %s", "health:", answer.why,
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
	output_line(o, REPORT_ROW "%s", ".env:", e.value);
	show_under_way(o, t, dirfd);
	if (dirfd != -1 && history_walk(dirfd, last_line, o, &none) == -1)
		output_line(o, REPORT_ROW "%s", "last:", none.what);
	rc = compose_open(&c, t, env, dirfd, NULL, f);
	if (rc == 0) {
		rc = show_engine(o, &c, e.value, &running, f);
		compose_close(&c);
	}
	if (rc == 0)
		show_way_back(o, dirfd, &running);
	envfile_free(&e);
	/* it needs no docker, and is what one wants to know where that does not answer */
	return show_health(o, t, f) == -1 ? -1 : rc;
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
