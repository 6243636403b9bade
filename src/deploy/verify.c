/*
 * Verification, of a new release and of one that is reverted to.
 *
 * Each service is asked on its own schedule (health/probe.h); all are watched together.
 * The wait ends as soon as the engine reports, or a look shows, that an instance is no
 * longer what it was.
 */
#include "deploy/internal.h"

#include "deploy/ask.h"
#include "sys/deadline.h"
#include "sys/signals.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 300     /* between two looks at the instances */
#define WATCHED_MS 2000 /* the same while the engine reports events */
#define FIRST_BEAT_MS 1000
#define BEAT_MS 5000

/* One service under verification. */
struct subject {
	const struct part *part;
	size_t service; /* its index in the target, and so in an observation */
	struct ask ask;
	struct instance first; /* as it was when the wait began */
	int64_t restarts;      /* that do not count */
	int64_t due;           /* when it is asked next */
	bool is_new;           /* created by this run's apply */
	bool good;             /* it answered, and has yet to settle */
	bool done;
};

struct watch {
	struct session *s;
	const struct oneoffs *at; /* candidates; NULL: the services */
	struct subject subject[SERVICES_MAX];
	size_t n;
	unsigned how; /* VERIFY_… */
	int64_t since;
	int64_t began;      /* every instance ran then */
	int64_t look, beat; /* when the next one is due */
	int fd;             /* readable when the engine reports an event; -1: it cannot */
	struct verified *v;
};

/* Notes which service fails, for the evidence; always -1. */
static int
blame(const struct watch *w, const struct subject *s)
{
	struct verified *v = w->v;

	(void)strlcpy(v->service, s->part->service, sizeof(v->service));
	(void)strlcpy(v->instance, s->first.id, sizeof(v->instance));
	v->answer = s->ask.answer;
	v->of_version = ask_is_version(&s->ask);
	return -1;
}

/* "NAME: " where there are several services. */
static const char *
prefix(const struct watch *w, const struct subject *s, char out[SERVICE_MAX + 2])
{
	out[0] = '\0';
	if (w->n > 1)
		snprintf(out, SERVICE_MAX + 2, "%s: ", s->part->service);
	return out;
}

/* ---- looking ---- */

static int
look_at_one(struct watch *w, struct subject *s, struct fault *f)
{
	struct engine *e = w->s->engine;
	char buf[96], name[SERVICE_MAX + 2];
	struct instance now;
	const char *what;

	if (e->look(e, s->first.id, &now, f) == -1)
		return -1;
	what = instance_trouble(&s->first, s->restarts, &now, buf, sizeof(buf));
	if (what == NULL)
		return 0;
	fault_set(f, FAULT_FAILED, NULL, "%s%s", prefix(w, s, name), what);
	return blame(w, s);
}

static void
open_watch(struct watch *w)
{
	const char *ids[SERVICES_MAX];
	struct engine *e = w->s->engine;
	size_t i;

	for (i = 0; i < w->n; i++)
		ids[i] = w->subject[i].first.id;
	w->fd = e->watch(e, ids, w->n);
}

/*
 * Did the engine report something?  Its stream ends when the engine does: without
 * live-restore that ends every container, and a container's published ports with it.
 */
static bool
read_events(struct watch *w)
{
	struct engine *e = w->s->engine;
	bool changed;

	if (w->fd == -1)
		return false;
	changed = e->changed(e, &w->fd);
	w->v->away = w->v->away || w->fd == -1;
	return changed;
}

static int
look_at_all(struct watch *w, struct fault *f)
{
	bool changed;
	size_t i;
	int rc = 0;

	if (!w->s->engine->observes)
		return 0;
	/* before the looks, so that no event is missed */
	if (w->fd == -1)
		open_watch(w);
	for (i = 0; i < w->n && rc == 0; i++)
		rc = look_at_one(w, &w->subject[i], f);
	/* where the engine went away and came back, the stream has ended by now */
	changed = read_events(w);
	w->look = clock_ms() + (changed ? 0 : w->fd == -1 ? LOOK_MS : WATCHED_MS);
	return rc;
}

/* The one instance, of the right revision. */
static int
find_one(struct watch *w, struct subject *s, const struct observed *o, struct fault *f)
{
	char buf[160], name[SERVICE_MAX + 2];
	const char *what = instance_mismatch(s->part, o, buf, sizeof(buf));

	s->first = o->instance;
	if (what == NULL)
		return 0;
	fault_set(f, FAULT_FAILED, NULL, "%s%s", prefix(w, s, name), what);
	return blame(w, s);
}

static const struct oneoff *
candidate_of(const struct watch *w, const char *service)
{
	size_t i;

	for (i = 0; i < w->at->n; i++)
		if (strcmp(w->at->list[i].service, service) == 0)
			return &w->at->list[i];
	return NULL;
}

/* It is asked at its own address. */
static int
find_candidate(struct watch *w, struct subject *s, struct fault *f)
{
	const struct oneoff *candidate = candidate_of(w, s->part->service);
	struct engine *e = w->s->engine;
	char next[SERVICE_MAX + 40];
	struct observed o = { 0 };

	if (e->look(e, candidate->instance, &o.instance, f) == -1)
		return -1;
	o.n = o.instance.state != INSTANCE_GONE;
	s->is_new = true;
	/* one that does not run has no address either, and a better reason */
	if (o.instance.state == INSTANCE_RUNNING && o.instance.address[0] == '\0' &&
	    ask_has_url(&s->ask)) {
		snprintf(next, sizeof(next), "use strategy.%s = recreate",
		    s->part->service);
		return fault_set(f, FAULT_HOST, next,
		    "the candidate of service %s has no address on its networks",
		    s->part->service);
	}
	ask_at(&s->ask, o.instance.address, e->candidate_port(e, s->service));
	return find_one(w, s, &o, f);
}

static int
find_all(struct watch *w, const struct release *before, struct fault *f)
{
	struct engine *e = w->s->engine;
	struct observation o;
	const struct part *old;
	struct subject *s;
	size_t i;

	if (!e->observes)
		return 0;
	if (w->at == NULL && e->observe(e, &o, f) == -1)
		return -1;
	for (i = 0; i < w->n; i++) {
		s = &w->subject[i];
		if (w->at != NULL) {
			if (find_candidate(w, s, f) == -1)
				return -1;
			continue;
		}
		if (find_one(w, s, &o.part[s->service], f) == -1)
			return -1;
		old = release_part(before, s->part->service);
		s->is_new = old == NULL || strcmp(old->instance, s->first.id) != 0;
		/* one that existed before may have been restarted long ago */
		if (!s->is_new)
			s->restarts = s->first.restarts;
	}
	return look_at_all(w, f);
}

/* ---- asking ---- */

/* Milliseconds until the instance has run for health_settle. */
static int64_t
unsettled(const struct watch *w, const struct subject *s)
{
	int64_t settle = w->s->target->health_settle, age, seen = clock_ms() - w->began;
	struct timespec now;

	if (!w->s->engine->observes)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - s->first.started_ms;
	/* the wall clock may be set at any time: keep the age between two that are sure */
	if (w->since != 0 && s->is_new && age > clock_ms() - w->since)
		age = clock_ms() - w->since;
	if (age < seen)
		age = seen;
	return age >= settle ? 0 : settle - age;
}

static int
spent(struct watch *w, struct subject *s, struct fault *f)
{
	char url[200], name[SERVICE_MAX + 2];

	/* a container that has ended is the better reason */
	if (look_at_all(w, f) == -1)
		return -1;
	fault_set(f, FAULT_FAILED, NULL, "%s%s: %s, after %u tries", prefix(w, s, name),
	    ask_url(&s->ask, url, sizeof(url)), s->ask.answer.why, s->ask.probe.window);
	return blame(w, s);
}

/* The first good answer counts from health_settle on; the next one ends the wait. */
static void
take_good(const struct watch *w, struct subject *s)
{
	int64_t wait = unsettled(w, s);

	s->done = s->good && wait == 0;
	s->good = true;
	s->due = clock_ms() + wait;
}

static int
ask_one(struct watch *w, struct subject *s, struct fault *f)
{
	enum probe_verdict v = ask_service(&s->ask);

	if (s->ask.probe.window > w->v->tries)
		w->v->tries = s->ask.probe.window;
	if (v == PROBE_SPENT)
		return spent(w, s, f);
	if (v == PROBE_GOOD) {
		take_good(w, s);
		return 0;
	}
	s->good = false;
	s->due = clock_ms() + s->ask.probe.pause_ms;
	return 0;
}

static int
verify_stopped(const struct watch *w, struct fault *f)
{
	if ((w->how & VERIFY_STOPPABLE) == 0 || deploy_stopped(f) == 0)
		return 0;
	w->v->stopped = true;
	return -1;
}

static void
report_wait(struct watch *w)
{
	const struct target *t = w->s->target;
	int64_t now = clock_ms();
	const struct subject *s;
	char url[200];
	size_t i;

	if (now < w->beat)
		return;
	w->beat = now + BEAT_MS;
	for (i = 0; i < w->n; i++) {
		s = &w->subject[i];
		if (!s->done && !s->good)
			progress_say(w->s->progress, SAY_NOTE,
			    "waiting for %s: %s (%lld of %lld s)",
			    ask_url(&s->ask, url, sizeof(url)), s->ask.answer.why,
			    (long long)((now - w->began) / 1000),
			    (long long)(t->health_tries * t->health_sleep / 1000));
	}
}

/* When the next service is to be asked; -1 when all are verified. */
static int64_t
next_due(const struct watch *w)
{
	int64_t due = -1;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (!w->subject[i].done && (due == -1 || w->subject[i].due < due))
			due = w->subject[i].due;
	return due;
}

/* Waits until `due`, and watches; ends early with a fault. */
static int
wait_watching(struct watch *w, int64_t due, struct fault *f)
{
	int64_t left;

	do {
		left = deadline_left(due);
		(void)signals_wait(left < LOOK_MS ? left : LOOK_MS, w->fd,
		    (w->how & VERIFY_STOPPABLE) != 0);
		report_wait(w);
		if (verify_stopped(w, f) == -1)
			return -1;
		if ((read_events(w) || clock_ms() >= w->look) && look_at_all(w, f) == -1)
			return -1;
	} while (deadline_left(due) > 0);
	return 0;
}

static int
ask_all(struct watch *w, struct fault *f)
{
	int64_t due;
	size_t i;

	while ((due = next_due(w)) != -1) {
		if (wait_watching(w, due, f) == -1)
			return -1;
		for (i = 0; i < w->n; i++)
			if (!w->subject[i].done && clock_ms() >= w->subject[i].due &&
			    ask_one(w, &w->subject[i], f) == -1)
				return -1;
	}
	/* the answers count only if the same instances still run */
	return look_at_all(w, f);
}

/* A service without a revision did not run: there is nothing to verify. */
static int
add_subjects(struct watch *w, const struct release *r, struct fault *f)
{
	struct subject *s;
	size_t i;

	for (i = 0; i < r->n; i++) {
		if ((w->s->engine->observes && r->part[i].revision[0] == '\0') ||
		    (w->at != NULL && candidate_of(w, r->part[i].service) == NULL))
			continue;
		s = &w->subject[w->n++];
		s->part = &r->part[i];
		s->service = i;
		if (ask_init(&s->ask, w->s, r, i, (w->how & VERIFY_VERSION) != 0, f) ==
		    -1)
			return -1;
	}
	return 0;
}

int
verify_release(struct session *s, const struct release *r, const struct oneoffs *at,
    const struct release *before, int64_t since, unsigned how, struct verified *v,
    struct fault *f)
{
	struct watch w = { .s = s,
		.at = at,
		.how = how,
		.since = since,
		.fd = -1,
		.v = v };

	memset(v, 0, sizeof(*v));
	if (add_subjects(&w, r, f) == -1 || find_all(&w, before, f) == -1 ||
	    verify_stopped(&w, f) == -1)
		return -1;
	w.began = clock_ms();
	w.beat = w.began + FIRST_BEAT_MS;
	return ask_all(&w, f);
}
