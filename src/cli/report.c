#include "cli/hooks.h"
#include "cli/people.h"
#include "cli/records.h"
#include "cli/status.h"
#include "health/probe.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static void
describe_health(const struct status *s, size_t i, char *out, size_t size)
{
	const struct observed *o = &s->survey.seen.part[i];
	bool looked = s->survey.observed && s->survey.observes;

	if (looked && o->n == 0)
		(void)strlcpy(out, "DOWN, no container", size);
	else if (looked && o->running == 0)
		snprintf(out, size, "DOWN, %s (exit %lld)",
		    engine_state_name(o->instance.state),
		    (long long)o->instance.exit_code);
	else if (!s->asked[i])
		(void)strlcpy(out, looked ? "running" : "unknown", size);
	else if (http_healthy(&s->answer[i]))
		(void)strlcpy(out, "healthy", size);
	else
		snprintf(out, size, "NOT HEALTHY (%s)", s->answer[i].why);
}

/* "v1.2.0, up 3 h, deployed 3 h ago by ci" */
static void
describe_version(const struct status *s, size_t i, char *out, size_t size)
{
	const struct observed *o = &s->survey.seen.part[i];
	const struct record *good = &s->good;
	const struct part *p = release_part(&good->to, o->service);
	char tag[TAG_MAX], age[PEOPLE_SHORT], who[PEOPLE_WHO_MAX];
	size_t n;

	out[0] = '\0';
	if (!s->survey.observed || (s->survey.observes && o->instance.id[0] == '\0'))
		return;
	(void)survey_tag(&s->survey, i, tag);
	n = (size_t)snprintf(out, size, "%s", tag[0] == '\0' ? "an unknown image" : tag);
	if (o->instance.state == INSTANCE_RUNNING && o->instance.started_ms > 0)
		n += (size_t)snprintf(out + n, size - n, ", up %s",
		    people_age(o->instance.started_ms / 1000, s->now, age));
	if (o->instance.restarts > 0)
		n += (size_t)snprintf(out + n, size - n, " (%lld restarts)",
		    (long long)o->instance.restarts);
	if (good->id[0] == '\0' || p == NULL || strcmp(good->to.tag, tag) != 0 ||
	    strcmp(p->revision, o->instance.revision) != 0)
		return;
	snprintf(out + n, size - n, ", %s %s ago by %s",
	    good->outcome == OUTCOME_ADOPTED ? "found" : "deployed",
	    people_age(people_time(good->time), s->now, age),
	    people_who(&good->who, who));
}

static void
show_services(struct output *o, const struct status *s)
{
	char health[200], version[400];
	size_t i;

	for (i = 0; i < s->target->n_services; i++) {
		describe_health(s, i, health, sizeof(health));
		describe_version(s, i, version, sizeof(version));
		output_row(o, s->target->service[i].name, "%s%s%s", health,
		    version[0] == '\0' ? "" : ", ", version);
	}
}

void
report_status(struct output *o, const struct status *s, bool named)
{
	const char *none = s->why.kind == FAULT_NONE ? "no other known-good version"
						     : "unknown";
	char text[600];

	if (named)
		output_row(o, "target", "%s", s->target->name);
	if (s->frozen)
		output_row(o, "frozen", "%s",
		    freeze_text(&s->freeze, text, sizeof(text)));
	show_services(o, s);
	if (s->last.id[0] != '\0')
		records_last(o, &s->last, s->now);
	else
		output_row(o, "last", "%s",
		    s->recorded ? "nothing was deployed yet" : "unknown");
	output_row(o, "can roll back to", "%s",
	    s->survey.rollback[0] != '\0' ? s->survey.rollback : none);
	output_row(o, "in flight", "%s",
	    status_flight_text(&s->flight, s->now, text, sizeof(text)));
	if (!survey_drift(&s->survey, text, sizeof(text)))
		(void)strlcpy(text,
		    s->survey.observed && s->survey.observes ? "none" : "unknown",
		    sizeof(text));
	output_row(o, "drift", "%s", text);
}

void
report_plan(struct output *o, const struct target *t)
{
	size_t i;

	if (t->pre_deploy[0] != '\0')
		output_row(o, "pre-deploy job", "%s", t->pre_deploy);
	for (i = 0; i < t->n_services; i++)
		if (target_rehearses(t, i))
			output_row(o, "rehearse", "%s, if it is replaced",
			    t->service[i].name);
	for (i = 0; i < t->n_services; i++)
		if (t->service[i].drain_url[0] != '\0')
			output_row(o, "drain", "%s, if it is replaced",
			    t->service[i].name);
	if (t->restart[0] != '\0')
		output_row(o, "restart", "%s", t->restart);
	hooks_plan(o, t);
}

/* ---- JSON ---- */

static json_t *
text_or_null(const char *text)
{
	return *text == '\0' ? json_null() : json_string(text);
}

static json_t *
health_object(const struct status *s, size_t i)
{
	const struct http_answer *a = &s->answer[i];

	return s->asked[i] ? json_pack("{si ss}", "status", a->status, "why", a->why)
			   : json_null();
}

static json_t *
service_object(const struct status *s, size_t i)
{
	const struct observed *o = &s->survey.seen.part[i];
	bool looked = s->survey.observed && s->survey.observes;
	char tag[TAG_MAX] = "";

	if (s->survey.observed)
		(void)survey_tag(&s->survey, i, tag);
	return json_pack("{ss so so so so so so so sI sI}", "service",
	    s->target->service[i].name, "healthy",
	    s->asked[i] ? json_boolean(http_healthy(&s->answer[i])) : json_null(),
	    "health", health_object(s, i), "tag", text_or_null(tag), "revision",
	    text_or_null(o->instance.revision), "instance", text_or_null(o->instance.id),
	    "state",
	    looked
		? json_string(o->n == 0 ? "none" : engine_state_name(o->instance.state))
		: json_null(),
	    "started", text_or_null(o->instance.started), "restarts",
	    (json_int_t)o->instance.restarts, "instances", (json_int_t)o->running);
}

static json_t *
flight_object(const struct flight *fl)
{
	static const char *const names[] = { [FLIGHT_NONE] = "none",
		[FLIGHT_RUNNING] = "running",
		[FLIGHT_INTERRUPTED] = "interrupted",
		[FLIGHT_UNKNOWN] = "unknown" };
	const struct journal *j = &fl->journal;
	bool known = fl->has_journal;

	if (fl->state == FLIGHT_NONE)
		return json_null();
	return json_pack("{ss so so so so so so}", "state", names[fl->state], "verb",
	    text_or_null(known ? record_verb_name(j->verb) : ""), "tag",
	    text_or_null(known ? j->to.tag : ""), "phase",
	    text_or_null(known ? phase_name(j->phase) : ""), "time",
	    text_or_null(known ? j->time : ""), "by",
	    text_or_null(known ? j->who.actor : ""), "trigger",
	    text_or_null(known ? trigger_name(j->who.trigger) : ""));
}

static json_t *
record_or_null(const struct status *s, const struct record *r)
{
	return r->id[0] == '\0' ? json_null() : records_object(r, s->target->name);
}

json_t *
report_object(const struct status *s)
{
	char why[FAULT_WHAT_MAX], drift[600];
	int code = status_judge(s, why, sizeof(why));
	json_t *services = json_array();
	size_t i;

	(void)survey_drift(&s->survey, drift, sizeof(drift));
	for (i = 0; i < s->target->n_services; i++)
		(void)json_array_append_new(services, service_object(s, i));
	return json_pack("{si ss si so ss so so so so so so so so}", "v", 1, "target",
	    s->target->name, "code", code, "why", text_or_null(why), "engine",
	    s->target->engine, "desired", text_or_null(s->survey.seen.part[0].desired),
	    "drift", text_or_null(drift), "services", services, "in_flight",
	    flight_object(&s->flight), "last", record_or_null(s, &s->last), "deployed",
	    record_or_null(s, &s->good), "rollback", text_or_null(s->survey.rollback),
	    "freeze", s->frozen ? freeze_object(&s->freeze) : json_null());
}

json_t *
report_plan_object(const struct target *t)
{
	char job[4 * sizeof(t->pre_deploy)], text[sizeof(t->restart)];
	json_t *strategy = json_array(), *drain = json_array(), *restart = json_array();
	const char *words[SERVICES_MAX];
	size_t i, n;

	for (i = 0; i < t->n_services; i++)
		(void)json_array_append_new(strategy,
		    json_pack("{ss ss}", "service", t->service[i].name, "strategy",
			target_rehearses(t, i) ? "rehearse" : "recreate"));
	for (i = 0; i < t->n_services; i++)
		if (t->service[i].drain_url[0] != '\0')
			(void)json_array_append_new(drain,
			    json_string(t->service[i].name));
	(void)strlcpy(text, t->restart, sizeof(text));
	n = text_words(text, " ,\t", words, SERVICES_MAX);
	for (i = 0; i < n; i++)
		(void)json_array_append_new(restart, json_string(words[i]));
	/* escaped: it may be no UTF-8 */
	text_escape(job, sizeof(job), t->pre_deploy, strlen(t->pre_deploy));
	return json_pack("{so so so so so so}", "pre_deploy", text_or_null(job),
	    "strategy", strategy, "drain", drain, "restart", restart, "on_start",
	    hooks_object(t->on_start), "on_result", hooks_object(t->on_result));
}
