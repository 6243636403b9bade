/*
 * The verbs freeze and unfreeze.  They take no lock: a deploy that has passed its check
 * goes on.
 */
#include "deploy/deploy.h"

#include "state/folder.h"

#include <bsd/string.h>
#include <string.h>
#include <unistd.h>

int
freeze_run(const struct target *t, const struct who *who, const char *reason,
    int64_t seconds, struct freeze *z, struct fault *f)
{
	time_t now = time(NULL);
	int dirfd, rc;

	memset(z, 0, sizeof(*z));
	(void)strlcpy(z->reason, reason, sizeof(z->reason));
	z->who = *who;
	session_time(now, z->time, sizeof(z->time));
	if (seconds > 0)
		session_time(now + (time_t)seconds, z->until, sizeof(z->until));
	if (engine_check_owner(t, f) == -1)
		return -1;
	dirfd = folder_open(t->state, true, f);
	if (dirfd == -1)
		return -1;
	rc = freeze_write(dirfd, z, f);
	close(dirfd);
	return rc;
}

int
unfreeze_run(const struct target *t, struct freeze *z, bool *was, struct fault *f)
{
	struct fault damaged = { 0 };
	char now[32];
	int dirfd, rc;

	*was = false;
	if (engine_check_owner(t, f) == -1)
		return -1;
	dirfd = folder_open(t->state, false, f);
	if (dirfd == -1)
		return f->kind == FAULT_NONE ? 0 : -1;
	session_now(now, sizeof(now));
	/* a damaged file froze the target, too */
	if (freeze_read(dirfd, now, z, was, &damaged) == -1)
		*was = true;
	rc = freeze_clear(dirfd, f);
	close(dirfd);
	return rc;
}
