#include "deploy/session.h"

#include "deploy/deploy.h"
#include "state/folder.h"
#include "state/lock.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <sys/stat.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
session_now(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Only the owner of the env file, and a lock that is another file. */
static int
check_owner(const char *env_file, const char *lock, struct fault *f)
{
	char safe[256], owner[64], next[200];
	const struct passwd *pw;
	struct stat st, at;

	text_escape(safe, sizeof(safe), env_file, strlen(env_file));
	if (stat(env_file, &st) == -1 && errno == ENOENT)
		return fault_set(f, FAULT_HOST,
		    "write it (deploy/env.example), or set TWILIGHT_HOME",
		    "missing env file: %s", safe);
	if (stat(env_file, &st) == -1)
		return fault_set(f, FAULT_HOST, "check its path and its owner",
		    "cannot look at env file %s: %s", safe, strerror(errno));
	/* the lock's words would be written over it */
	if (stat(lock, &at) == 0 && at.st_dev == st.st_dev && at.st_ino == st.st_ino)
		return fault_set(f, FAULT_HOST, "set `lock` to another file",
		    "the lock file is the env file %s", safe);
	if (st.st_uid == geteuid())
		return 0;
	pw = getpwuid(st.st_uid);
	if (pw == NULL)
		snprintf(owner, sizeof(owner), "'#%u'", (unsigned)st.st_uid);
	/* sudo takes none of our settings along */
	snprintf(next, sizeof(next),
	    "run it as its owner: sudo -u %s [TWILIGHT_...=...] twilight-deploy ...",
	    pw == NULL ? owner : pw->pw_name);
	return fault_set(f, FAULT_HOST, next, "%s belongs to another user", safe);
}

/* The URLs of its services; a service without one has no host. */
static int
parse_urls(struct session *s, const struct target *t, struct fault *f)
{
	size_t i;

	for (i = 0; i < t->n_services; i++)
		if (t->service[i].health_url[0] != '\0' &&
		    url_parse(&s->url[i], t->service[i].health_url, f) == -1)
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
	if (parse_urls(s, t, f) == -1)
		return -1;
	s->dirfd = folder_open(t->state, false, f);
	if (s->dirfd == -1 && f->kind != FAULT_NONE)
		return -1;
	if (engine_open(&s->engine, t, env, s->dirfd, progress, f) == 0)
		return 0;
	session_close(s);
	return -1;
}

int
session_open(struct session *s, const struct target *t, char *const *env,
    const struct progress *progress, const struct who *who, const char *what,
    struct fault *f)
{
	char holder[256];

	session_init(s, t, progress, who);
	if (parse_urls(s, t, f) == -1 || check_owner(t->env_file, t->lock, f) == -1)
		return -1;
	s->dirfd = folder_open(t->state, true, f);
	if (s->dirfd == -1)
		return -1;
	snprintf(holder, sizeof(holder), "%s by %s, pid %ld, since %s", what, who->actor,
	    (long)getpid(), s->time);
	s->lockfd = lock_take(t->lock, holder, f);
	if (s->lockfd != -1 &&
	    engine_open(&s->engine, t, env, s->dirfd, progress, f) == 0)
		return 0;
	if (s->lockfd != -1)
		recover_later(s, f);
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
