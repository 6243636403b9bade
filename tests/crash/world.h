/*
 * world.h: a host to crash in: a home, a fake engine, and a service that follows it; runs
 * programs there, and checks the result.
 */
#ifndef CRASH_WORLD_H
#define CRASH_WORLD_H

#include "tree.h"

#include <limits.h>
#include <stdbool.h>

/* The stub for the blind engine; the fake engine; the same with all that a deploy can do. */
enum mock { SILENT, MEMORY, ALL, MOCKS };

/*
 * Versions are letters: `a` is sha-aaaaaaa with image sha256:aaaa….  So every digit in a
 * file is part of a time, a pid or a size.  In the starting tree a, b and c were deployed in
 * this order; c runs.
 */
struct scenario {
	const char *name;
	const char *words[2]; /* the request */
	char to;              /* the new version, from `c` */
	int clean;            /* exit code without a fault */
	int from;             /* the first mock to do it with */
	bool verb;            /* a deploy or rollback */
	bool rehearse;        /* with this strategy */
	bool freeze;          /* freeze or unfreeze; the rest are recoveries */
	/* the request before it, and at which call it is killed */
	const char *first[2];
	const char *after[MOCKS]; /* the call after the Nth of this name; NULL: it ends */
	unsigned nth[MOCKS];
	unsigned renames; /* counted behind this renameat; 0: points.c, behind() */
};

#define VERSION_OLD 'c'
#define VERSION_BAD 'e' /* never healthy */
#define VERSION_NEXT 'f'

struct world {
	char dir[PATH_MAX / 2]; /* home and engine are in dir/t */
	const char
	    *top; /* engine, bin/docker, silent/docker, short.so, service, key, … */
	char program[PATH_MAX];
	enum mock mock;
	pid_t service, candidate, server;
	unsigned port, candidate_port;
	bool rehearse;
	bool script; /* runs the plain script */
	bool loud;   /* prints each command and its output */
	bool full;   /* checks equal states again */
	/* the result of the last check */
	const char *label;
	unsigned wrongs;
};

#define RUN_TIMED_OUT (-1000) /* else the exit code, or minus a signal */

void world_open(struct world *, const char *top, const char *name);
void world_close(struct world *);

/* Signs the images with the key in `top`: once, before the first deploy of ALL. */
void world_sign(struct world *);

/* Sets up the mock; with the silent one, the service behaves as `word` says. */
void world_behave(struct world *, const char *word);
void world_found(struct world *, enum mock); /* before any deploy */

/* The folder of its docker, below `top`. */
const char *world_docker(const struct world *);

/* Runs argv there, with `extra` (an assignment, or NULL) in its environment. */
int world_run(struct world *, const char *const *argv, const char *extra);

/*
 * Runs the program with a request of one or two words, under strace if there are options.
 * A deploy of ALL also names its image, with a signature.
 */
int world_ask(struct world *, const char *const *strace, const char *const *words,
    const char *extra);
int world_script(struct world *, const char *const *strace, char version);

/* Waits for the children that the last run left; at once: it must have left none. */
void world_drain(struct world *, bool at_once);

/* Prints a violation and counts it. */
void world_wrong(struct world *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The version's letter in .env; '?' and a violation if .env is not one of the two. */
char world_env(struct world *, const struct scenario *);

/* Checks that .env has that version and, with the fake engine, that it runs. */
void world_serves(struct world *, char version, const char *when);

/* Checks that an exit code is true. */
void world_judge_exit(struct world *, const struct scenario *, int rc);

/*
 * Checks recover, rollback and deploy after a kill or a fault.  `before` is the tree at the
 * start of the scenario, `rc` its exit code or minus its signal.
 */
void world_aftermath(struct world *, const struct scenario *, const struct tree *before,
    int rc);
void world_script_aftermath(struct world *, const struct scenario *);

#endif
