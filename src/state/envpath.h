/*
 * envpath.h: where a .env file is, for the files that make up envfile.h.
 */
#ifndef STATE_ENVPATH_H
#define STATE_ENVPATH_H

#include "sys/fault.h"

#define ENVPATH_SHOWN 360                 /* bytes of a path in a message, NUL included */
#define ENVPATH_INFIX ".twilight-deploy." /* between base name and id of a temp file */

/*
 * The file itself: one symbolic link is followed here; open it O_NOFOLLOW, so
 * that a second is refused.  NULL with errno set; owned by the caller.
 */
char *envpath_resolve(const char *path) MUST_CHECK;

/* What follows the last slash; part of `path`. */
const char *envpath_base(const char *path);

/* Opens the folder that `path` lies in; -1 with errno set. */
int envpath_folder(const char *path) MUST_CHECK;

#endif
