/*
 * world.h: a host to crash in: a home, a fake engine, a service that follows it; programs that run there, and what must hold once they ended.
 */
#ifndef CRASH_WORLD_H
#define CRASH_WORLD_H

#include "tree.h"

#include <limits.h>
#include <stdbool.h>

enum mock { SILENT, MEMORY }; /* the stub of a blind engine; the fake engine */

/*
 * Versions are letters: `a` is sha-aaaaaaa with image sha256:aaaa…, so that
 * every digit in a file is a time, a pid or a size.  In the starting tree a, b
 * and c were deployed in this order; c runs.
 */
struct scenario {
	const char *name;
	const char *words[2]; /* the request */
	char to;              /* the version that is gone to, from `c` */
	int clean;            /* exit code when nothing interferes */
	bool both;            /* with the silent mock too */
	bool verb;            /* a deploy or rollback, not a recovery */
	/* a recovery: the request that is killed, and the call, to get there */
	const char *killed[2];
	const char *after[2]; /* at the call behind the Nth of this, with each mock */
	unsigned nth[2];
};

#define VERSION_OLD 'c'
#define VERSION_BAD 'e' /* never healthy */
#define VERSION_NEXT 'f'

struct world {
	char dir[PATH_MAX / 2]; /* home and engine are in dir/t */
	const char *top; /* engine, bin/docker, silent/docker, short.so, service, … */
	char program[PATH_MAX];
	enum mock mock;
	pid_t service, server;
	unsigned port;
	bool script; /* what runs is the plain script */
	bool loud;   /* tells what is run and what it says */
	bool full;   /* looks at equal aftermaths again */
	/* what the last check found */
	const char *label;
	unsigned wrongs;
};

#define RUN_TIMED_OUT (-1000) /* else the exit code, or minus a signal */

void world_open(struct world *, const char *top, const char *name);
void world_close(struct world *);

/* The mock as it is to be; the service with the silent one does `word`. */
void world_behave(struct world *, const char *word);
void world_found(struct world *, enum mock); /* nothing was deployed yet */

/* The folder in `top` of the docker that it has. */
const char *world_docker(const struct world *);

/* Runs argv there, with `extra` (NULL or one assignment) in its environment. */
int world_run(struct world *, const char *const *argv, const char *extra);

/* The program with a request of one or two words, under `strace` options. */
int world_ask(struct world *, const char *const *strace, const char *const *words,
    const char *extra);
int world_script(struct world *, const char *const *strace, char version);

/* Waits for what the last run left behind; at once: it may not have left any. */
void world_drain(struct world *, bool at_once);

/* One line on stdout, and the count. */
void world_wrong(struct world *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The letter in .env; '?' and a violation where it is neither version, whole. */
char world_env(struct world *, const struct scenario *);

/* .env says that version, and it is what runs (with a memory). */
void world_serves(struct world *, char version, const char *when);

/* What an exit code says must be so. */
void world_judge_exit(struct world *, const struct scenario *, int rc);

/*
 * recover, rollback, deploy: all that must hold after a kill or a fault.  `before`
 * is the tree that the scenario began with, `rc` how it ended (minus a signal).
 */
void world_aftermath(struct world *, const struct scenario *, const struct tree *before,
    int rc);
void world_script_aftermath(struct world *, const struct scenario *);

#endif
