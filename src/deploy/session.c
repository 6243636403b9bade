#include "deploy/session.h"

#include "deploy/deploy.h"
#include "state/folder.h"
#include "state/lock.h"
#include "sys/deadline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
session_time(time_t when, char *out, size_t size)
{
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void
session_now(char *out, size_t size)
{
	session_time(time(NULL), out, size);
}

static int
parse_if_set(struct url *u, const char *text, struct fault *f)
{
	return text[0] == '\0' ? 0 : url_parse(u, text, f);
}

static int
parse_urls(struct session *s, struct fault *f)
{
	const struct service *service = s->target->service;
	size_t i;

	for (i = 0; i < s->target->n_services; i++)
		if (parse_if_set(&s->url[i], service[i].health_url, f) == -1 ||
		    parse_if_set(&s->version_url[i], service[i].version_url, f) == -1)
			return -1;
	return 0;
}

static void
session_init(struct session *s, const struct target *t, const struct progress *progress,
    const struct who *who)
{
	memset(s, 0, sizeof(*s));
	s->target = t;
	s->progress = progress;
	s->who = who;
	s->dirfd = s->lockfd = -1;
	s->began = clock_ms();
	session_now(s->time, sizeof(s->time));
}

int
session_look(struct session *s, const struct target *t, char *const *env,
    const struct progress *progress, const struct who *who, struct fault *f)
{
	session_init(s, t, progress, who);
	if (parse_urls(s, f) == -1)
		return -1;
	s->dirfd = folder_open(t->state, false, f);
	if (s->dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	if (engine_open(&s->engine, t, env, s->dirfd, progress, f) == 0)
		return 0;
	session_close(s);
	return -1;
}

static int
open_locked(struct session *s, char *const *env, const char *what, struct fault *f)
{
	char holder[256];

	s->dirfd = folder_open(s->target->state, true, f);
	if (s->dirfd == -1)
		return -1;
	snprintf(holder, sizeof(holder), "%s by %s, pid %ld, since %s", what,
	    s->who->actor, (long)getpid(), s->time);
	s->lockfd = lock_take(s->target->lock, holder, f);
	return s->lockfd == -1
	    ? -1
	    : engine_open(&s->engine, s->target, env, s->dirfd, s->progress, f);
}

int
session_open(struct session *s, const struct target *t, char *const *env,
    const struct progress *progress, const struct who *who, const char *what,
    struct fault *f)
{
	session_init(s, t, progress, who);
	if (parse_urls(s, f) == 0 && engine_check_owner(t, f) == 0 &&
	    open_locked(s, env, what, f) == 0)
		return 0;
	recover_later(t, s->lockfd != -1, f);
	session_close(s);
	return -1;
}

void
session_close(struct session *s)
{
	engine_close(s->engine);
	lock_release(s->lockfd);
	if (s->dirfd != -1)
		close(s->dirfd);
	s->engine = NULL;
	s->dirfd = s->lockfd = -1;
}
