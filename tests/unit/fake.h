/*
 * fake.h: a host for the tests of src/deploy/: an engine that remembers, the
 * service that it runs (a loopback HTTP server in a child process, healthy or
 * not as the running image is), a home with a .env, and one request after the
 * other.
 *
 * The engine's memory is shared between processes, so that a deploy can be
 * run in a child that dies at its n-th step (fake_dies()) and mended by the
 * next one.  Steps are the calls of the engine and, through fsync(2),
 * renameat(2) and unlinkat(2), those of the disk.
 */
#ifndef UNIT_FAKE_H
#define UNIT_FAKE_H

#include "deploy/deploy.h"
#include "deploy/recover.h"

#include <stdbool.h>
#include <sys/types.h>

#define REPO "127.0.0.1:5000/demo"
#define SECOND "twilight-deploy/deploy-data"

/* How an image behaves once a container of it is started. */
enum fake_kind {
	FAKE_GOOD,     /* answers 200 */
	FAKE_SICK,     /* answers 503 */
	FAKE_SLOW,     /* answers nothing twice, then 200 */
	FAKE_WAVERS,   /* answers 200, 503 once, then 200 */
	FAKE_MUTE,     /* closes every connection */
	FAKE_DIES,     /* answers 200 once, then has ended */
	FAKE_FLAPS,    /* answers 200, and was restarted after each answer */
	FAKE_RESTARTS, /* does not get to run: restarting */
	FAKE_EXITS     /* has ended at once */
};

enum fake_fn {
	FAKE_HELLO,
	FAKE_DESCRIBE,
	FAKE_CONTAINERS,
	FAKE_INSPECT,
	FAKE_DEPENDS,
	FAKE_IMAGE,
	FAKE_NAMES,
	FAKE_ROOT,
	FAKE_LOGS,
	FAKE_PULL,
	FAKE_UP,
	FAKE_NAME,
	FAKE_UNNAME,
	FAKE_REMOVE,
	FAKE_PRUNE,
	FAKE_SETTLE,
	FAKE_DISK,
	FAKE__FNS
};

/* What happens at a call instead of, or before, what it is for. */
enum fake_act {
	FAKE_FAIL,  /* nothing is done: FAULT_FAILED */
	FAKE_HOST,  /* nothing is done: FAULT_HOST */
	FAKE_HALF,  /* `up` leaves a half-made container, the old is gone: FAULT_FAILED */
	FAKE_LATE,  /* all is done, and then FAULT_FAILED */
	FAKE_TERM,  /* SIGTERM to this process, then all is done */
	FAKE_TWINS, /* `up` makes two containers */
	FAKE_NOTHING,  /* `up` leaves none */
	FAKE_STRANGER, /* `up` makes one of another image */
	FAKE_CREATED,  /* `up` makes one that is not started */
	FAKE_CLOCK,    /* `up` goes well, and then the wall clock is set forth */
	FAKE_EDIT,     /* somebody writes v9 into .env, then all is done */
	FAKE_SPOIL,    /* the same below the line that is there, then all is done */
	FAKE_LOSE,     /* somebody removes image c, then all is done */
	FAKE_FULL      /* from here on .env cannot be replaced; all is done */
};

struct fake_image {
	char id[IMAGE_ID_MAX];
	enum fake_kind kind;
	bool here;
};

struct fake_rule {
	enum fake_fn fn;
	unsigned first, last; /* which calls of it, from 1 */
	enum fake_act act;
};

struct fake_call {
	enum fake_fn fn;
	char what[640]; /* "pull v2" */
	char step[16];  /* of the journal on disk, "-" without one */
	char value[64]; /* in .env */
	int records;    /* in the history */
};

#define FAKE_MAX 32
#define FAKE_CALLS 512

/* All of it is shared with the children. */
struct fake {
	struct engine engine;
	char home[64];
	struct fake_image images[FAKE_MAX];
	struct image_name registry[FAKE_MAX]; /* ref is a tag */
	struct image_name names[FAKE_MAX];    /* an empty ref is a free slot */
	struct container list[FAKE_MAX];      /* a state of GONE is a free slot */
	unsigned answers[FAKE_MAX];           /* of each since it was started */
	unsigned serial;                      /* makes ids and times differ */
	unsigned asked;                       /* requests that came over HTTP */
	char root[128];
	char served[TAG_MAX]; /* of the last `up`, on a silent engine */
	char fixed[REF_MAX];  /* what describe() says, whatever the tag */
	bool depends_down;
	bool spare;    /* nothing dangling is pruned: too young */
	bool quiet;    /* what hello() sets `silent` to */
	bool env_full; /* .env cannot be replaced: ENOSPC */
	struct fake_rule rules[8];
	unsigned n_rules;
	unsigned count[FAKE__FNS];
	unsigned steps, dies_at;
	struct fake_call log[FAKE_CALLS];
	unsigned n_log;
};

/* A host with one target, and what its last request came to. */
struct rig {
	struct fake *fake;
	pid_t server;
	struct target target;
	struct progress progress;
	struct who who;
	struct session s;
	struct fault f;
	char said[16384];          /* all that was told, a line each */
	struct record history[64]; /* the oldest first; rig_history() fills it */
	size_t records;
};

/*
 * .env says v1, a healthy container of image "a" runs from it; the registry
 * has v1 = a, v2 = b, v3 = c, all healthy, and bad = d, that answers 503.
 * `settings` are further TWILIGHT_ lines, NULL at the end, or NULL.
 */
void rig_open(struct rig *, char *const *settings);

/* The same without container, name and image: nothing was ever deployed. */
void rig_open_bare(struct rig *, char *const *settings);
void rig_close(struct rig *);

/*
 * A request as the program runs it: lock, hello, recover, then `verb` (which
 * is "deploy", "rollback" or "recover").  The kind of its fault.
 */
enum fault_kind rig_run(struct rig *, const char *verb, const char *tag);
enum fault_kind rig_deploy(struct rig *, const char *tag);
enum fault_kind rig_recover(struct rig *);

/* Runs it in a child that dies before step `n`; false when it ended before. */
bool rig_run_killed(struct rig *, const char *verb, const char *tag, unsigned n);

/* The state folder for a moment, to plant or to read what is in it. */
void rig_plant_journal(struct rig *, const struct journal *);
void rig_plant_record(struct rig *, const struct record *);
bool rig_journal(struct rig *, struct journal *);
void rig_history(struct rig *);
void rig_write_env(struct rig *, const char *value);

/* Asserts on what is there; `where` goes into the message. */
#define rig_env_is(r, v) rig_env_at(r, v, __FILE__, __LINE__)
#define rig_runs(r, image) rig_runs_at(r, image, __FILE__, __LINE__)
#define rig_name_is(r, ref, image) rig_name_at(r, ref, image, __FILE__, __LINE__)
#define rig_last_is(r, outcome, code) rig_last_at(r, outcome, code, __FILE__, __LINE__)
#define rig_kind_is(r, got, want) rig_kind_at(r, got, want, __FILE__, __LINE__)
void rig_env_at(struct rig *, const char *value, const char *file, int line);
void rig_runs_at(struct rig *, const char *image, const char *file, int line);
void rig_name_at(struct rig *, const char *ref, const char *image, const char *file,
    int line);
void rig_last_at(struct rig *, enum outcome, int code, const char *file, int line);
void rig_kind_at(struct rig *, enum fault_kind got, enum fault_kind want,
    const char *file, int line);
void rig_ids_are_unique(struct rig *);

/* ---- the engine ---- */

/* "sha256:" and 64 times the letter (0-9a-f), in a buffer of its own. */
const char *fake_id(char letter);

/* Makes it known to the registry as `tag`; an image may have many. */
void fake_push(struct fake *, const char *tag, char letter, enum fake_kind);

/* It is on the host, by that name ("" for none). */
void fake_have(struct fake *, const char *ref, char letter);
void fake_lose(struct fake *, char letter);
void fake_forget_name(struct fake *, const char *ref);

/* A container made from `ref`; of the image given.  Its place in the list. */
struct container *fake_start(struct fake *, const char *ref, char letter,
    const char *name, enum container_state);

void fake_on(struct fake *, enum fake_fn, unsigned nth, enum fake_act);
void fake_from(struct fake *, enum fake_fn, unsigned first, enum fake_act);
void fake_calm(struct fake *); /* forgets rules, log and counts */

/* The image id behind a name or id, "" for none. */
const char *fake_image_of(const struct fake *, const char *ref);

/* The one container that runs; NULL when there is none or more than one. */
const struct container *fake_running(const struct fake *);
unsigned fake_containers(const struct fake *);

/* The n-th call of `fn` in the log, from 1; NULL when there is none. */
const struct fake_call *fake_call(const struct fake *, enum fake_fn, unsigned n);
const char *fake_fn_name(enum fake_fn);

#endif
