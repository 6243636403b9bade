#include "deploy/survey.h"

#include "deploy/internal.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* What runs, as far as a rollback compares it. */
static void
fill_running(const struct survey *s, struct release *r)
{
	const struct observed *o;
	size_t i;

	for (i = 0; i < s->seen.n; i++) {
		o = &s->seen.part[i];
		(void)strlcpy(r->part[i].service, o->service, SERVICE_MAX);
		(void)strlcpy(r->part[i].revision, o->instance.revision, REVISION_MAX);
	}
	r->n = s->seen.n;
	if (r->n > 0)
		(void)survey_tag(s, 0, r->tag);
}

int
survey_run(struct session *look, const struct record *good, struct survey *s,
    struct fault *f)
{
	struct deploy d = { .s = look, .wish = "" };

	s->target = look->target;
	s->good = good;
	s->observes = look->engine->observes;
	s->observed = look->engine->observe(look->engine, &s->seen, f) == 0;
	if (!s->observed)
		return -1;
	if (look->dirfd == -1)
		return 0;
	fill_running(s, &d.j.from);
	if (choose_release(&d, f) == 0)
		(void)strlcpy(s->rollback, d.j.to.tag, sizeof(s->rollback));
	else if (f->kind == FAULT_REFUSED)
		fault_clear(f);
	return f->kind == FAULT_NONE ? 0 : -1;
}

const char *
survey_tag(const struct survey *s, size_t i, char tag[TAG_MAX])
{
	const struct instance *now = &s->seen.part[i].instance;
	const struct part *p;

	if (!s->observes) {
		tag[0] = '\0';
		(void)target_tag_of(s->target, s->seen.part[i].desired, tag);
		return tag;
	}
	release_tag_of(now->reference, tag);
	p = release_part(&s->good->to, s->seen.part[i].service);
	/* docker shows an id once the reference names another image */
	if (tag[0] == '\0' && p != NULL && now->revision[0] != '\0' &&
	    strcmp(p->revision, now->revision) == 0)
		(void)strlcpy(tag, s->good->to.tag, TAG_MAX);
	return tag;
}

static bool
service_drifts(const struct survey *s, size_t i, char *out, size_t size)
{
	const struct observed *o = &s->seen.part[i];
	const struct part *p = release_part(&s->good->to, o->service);
	const char *desired = o->desired;
	char tag[TAG_MAX], wanted[TAG_MAX];
	bool formed = target_tag_of(s->target, desired, wanted);

	if (formed)
		desired = wanted;
	if (o->instance.id[0] == '\0')
		return false;
	if (o->running > 1)
		snprintf(out, size, "%s runs in %zu containers", o->service, o->running);
	else if (strcmp(survey_tag(s, i, tag), desired) != 0 || !formed)
		snprintf(out, size, "%s is %s, but %s runs %s", s->target->variable,
		    desired, o->service, tag[0] == '\0' ? "another image" : tag);
	else if (s->good->id[0] != '\0' && p != NULL && p->revision[0] != '\0' &&
	    strcmp(p->revision, o->instance.revision) != 0)
		snprintf(out, size, "%s runs %s%s, but %s was deployed last", o->service,
		    strcmp(tag, s->good->to.tag) == 0 ? "another image of " : "", tag,
		    s->good->to.tag);
	else
		return false;
	return true;
}

bool
survey_drift(const struct survey *s, char *out, size_t size)
{
	size_t i;

	out[0] = '\0';
	if (!s->observed || !s->observes)
		return false;
	for (i = 0; i < s->seen.n; i++)
		if (service_drifts(s, i, out, size))
			return true;
	return false;
}
