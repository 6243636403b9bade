#include "deploy/session.h"

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

static int
check_files(const char *env_file, const char *lock, struct fault *f)
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
		return fault_set(f, FAULT_HOST, "see TWILIGHT_HOME and its owner",
		    "cannot look at env file %s: %s", safe, strerror(errno));
	/* the lock's words would be written over it */
	if (stat(lock, &at) == 0 && at.st_dev == st.st_dev && at.st_ino == st.st_ino)
		return fault_set(f, FAULT_HOST, "name another file",
		    "TWILIGHT_LOCK is the env file %s", safe);
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

int
session_open(struct session *s, const struct target *t, const struct progress *progress,
    const struct who *who, const char *what, struct fault *f)
{
	char holder[256];

	memset(s, 0, sizeof(*s));
	s->target = t;
	s->progress = progress;
	s->who = who;
	s->dirfd = s->lockfd = -1;
	s->began = clock_ms();
	session_now(s->time, sizeof(s->time));
	if (url_parse(&s->url, t->health_url, f) == -1 ||
	    check_files(t->env_file, t->lock, f) == -1)
		return -1;
	s->dirfd = folder_open(t->state, true, f);
	if (s->dirfd == -1)
		return -1;
	snprintf(holder, sizeof(holder), "%s by %s, pid %ld, since %s", what, who->actor,
	    (long)getpid(), s->time);
	s->lockfd = lock_take(t->lock, holder, f);
	if (s->lockfd == -1) {
		session_close(s);
		return -1;
	}
	return 0;
}

void
session_close(struct session *s)
{
	lock_release(s->lockfd);
	if (s->dirfd != -1)
		close(s->dirfd);
	s->dirfd = s->lockfd = -1;
}
