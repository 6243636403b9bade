/*
 * who.h: who asks, for the record.  Nothing here grants anything.
 */
#ifndef SYS_WHO_H
#define SYS_WHO_H

struct who {
	char actor[64];  /* --actor, else LOGNAME, else the user's name */
	char key[80];    /* "SHA256:…" of the key, as ssh-keygen -l; or "" */
	char client[64]; /* the client's address; or "" */
};

/*
 * From --actor (may be NULL) and what sshd left in `env`: SSH_CONNECTION, and
 * the file named by SSH_USER_AUTH (ExposeAuthInfo, sshd_config(5)).  What is
 * missing or malformed stays empty.
 */
void who_read(struct who *, const char *actor, char *const *env);

#endif
