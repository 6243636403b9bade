#include "deploy/ask.h"

#include "request/tag.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (64 * 1024) /* bytes of an answer that names a version */

static int
init_version(struct ask *a, const struct session *s, const struct release *r,
    const struct part *p, struct fault *f)
{
	const char *tag = tag_bare(r->tag, s->target->tag_prefix);
	struct identity id = { 0 };

	version_of(&a->version, tag, "");
	/* the tag moves, or has no number: the image says what it is */
	if (a->version.text[0] == '\0' && s->engine->identify != NULL) {
		if (s->engine->identify(s->engine, p, &id, f) == -1)
			return -1;
		version_of(&a->version, tag, id.commit);
	}
	if (a->version.text[0] == '\0')
		progress_say(s->progress, SAY_NOTE,
		    "the version of service %s is unknown: %s has no number, "
		    "and its image no commit in a label",
		    p->service, r->tag);
	return 0;
}

int
ask_init(struct ask *a, const struct session *s, const struct release *r, size_t i,
    bool version, struct fault *f)
{
	const struct target *t = s->target;

	memset(a, 0, sizeof(*a));
	a->service = &t->service[i];
	a->health = s->url[i];
	a->version_url = s->version_url[i];
	a->asked = a->service->health_url;
	probe_init(&a->probe, &a->health, (unsigned)t->health_tries, t->health_sleep);
	if (!version || a->version_url.host[0] == '\0')
		return 0;
	return init_version(a, s, r, &r->part[i], f);
}

bool
ask_has_url(const struct ask *a)
{
	return a->health.host[0] != '\0' || a->version_url.host[0] != '\0';
}

static void
move_url(struct url *url, const char *address, const char *port)
{
	if (url->host[0] == '\0')
		return;
	(void)strlcpy(url->host, address, sizeof(url->host));
	(void)strlcpy(url->port, port, sizeof(url->port));
}

void
ask_at(struct ask *a, const char *address, const char *port)
{
	move_url(&a->health, address, port);
	move_url(&a->version_url, address, port);
}

/* Sets the answer; an HTTP answer without the version counts as none. */
static void
ask_version(struct ask *a)
{
	struct http_answer *answer = &a->answer;
	char *body;
	size_t len;

	a->asked = a->service->version_url;
	http_ask("GET", &a->version_url, deadline_in(PROBE_ANSWER_MS), BODY_MAX, answer,
	    &body, &len);
	if (answer->end == HTTP_ANSWER) {
		answer->body_len = len < sizeof(answer->body) ? len
							      : sizeof(answer->body);
		memcpy(answer->body, body, answer->body_len);
		if (answer->status > 299 ||
		    !version_is_said(&a->version, a->service->version_expect, body, len))
			answer_say(answer, HTTP_GARBAGE,
			    "does not say that it runs %s (status %d)", a->version.text,
			    answer->status);
	}
	free(body);
}

enum probe_verdict
ask_service(struct ask *a)
{
	enum probe_verdict v = PROBE_GOOD;

	a->asked = a->service->health_url;
	if (a->health.host[0] != '\0')
		v = probe_ask(&a->probe, &a->answer);
	if (v != PROBE_GOOD || a->version.text[0] == '\0')
		return v;
	ask_version(a);
	return probe_judge(&a->probe, &a->answer, clock_ms());
}

bool
ask_is_version(const struct ask *a)
{
	return a->asked == a->service->version_url;
}

const char *
ask_url(const struct ask *a, char *out, size_t size)
{
	return text_escape(out, size, a->asked, strcspn(a->asked, "?"));
}
