/*
 * docker.h: docker's command line and the target's .env, for the engines that use them.
 *
 * Compose gets its settings in the environment.  So the command line begins as an
 * operator types it, with the flags after the services.  docker is found on PATH.
 */
#ifndef ENGINE_DOCKER_H
#define ENGINE_DOCKER_H

#include "engine/detached.h"
#include "engine/engine.h"
#include "sys/childenv.h"

struct docker {
	const struct target *target;
	const struct progress *progress;
	struct childenv env;
	struct mask mask;
	struct detached detached;
	char path[PATH_MAX];          /* of docker */
	char files[2 * PATH_MAX + 2]; /* COMPOSE_FILE */
	char job[SERVICE_MAX];        /* the service of the pre-deploy job, if not ours */
};

/*
 * `dirfd` is the state folder.  FAULT_HOST if docker or a compose file is missing.  On
 * success the caller calls docker_close(); on failure nothing is owned.
 */
int docker_open(struct docker *, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;
void docker_close(struct docker *);

/*
 * Runs a command that changes nothing, and gives its output (run_free()), whatever its
 * exit status.  FAULT_HOST if it did not run to its end within call_limit.
 */
int docker_run(struct docker *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/* The same; an exit status other than 0 is FAULT_HOST too. */
int docker_look(struct docker *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/*
 * docker_run() in two steps, so that other commands run at the same time.  Each call
 * that docker_begin() began is passed to docker_end() once.
 */
struct docker_call {
	const char *const *argv;
	struct run run;
	struct running child;
};
int docker_begin(struct docker *, struct docker_call *, const char *const *argv,
    struct fault *) MUST_CHECK;
int docker_end(struct docker *, struct docker_call *, struct run_result *,
    struct fault *) MUST_CHECK;

/*
 * Sets FAULT_HOST with the reason that docker printed, masked.  `next` is what to do if
 * it exited by itself; NULL: a general text.  Always -1.
 */
int docker_fault(const char *const *argv, const struct run_result *, struct docker *,
    const char *next, struct fault *);

/* Standard output as a string; "" for none. */
const char *docker_output(const struct run_result *);

/* Runs a detached command (engine/detached.h). */
int docker_detach(struct docker *, const char *const *argv, const char *word,
    int64_t limit_ms, bool stoppable, struct fault *) MUST_CHECK;

/* `docker compose pull` of all services; its fault says why it failed (engine/pull.h). */
int docker_pull(struct docker *, const struct release *, struct fault *) MUST_CHECK;

/* `docker compose up -d` of `services`, a list that ends with NULL; NULL: of all. */
#define UP_DEPENDS 1U  /* with the services that they depend on */
#define UP_RECREATE 2U /* also containers that have the right configuration */
int docker_up(struct docker *, const char *tag, const char *const *services, unsigned how,
    struct fault *) MUST_CHECK;

/*
 * Sets the tag of a release, and arranges its parts in the order of the target's
 * services, by name: a release of the history may have another order.
 */
void docker_arrange(const struct docker *, const char *tag, struct release *);

/* `docker compose restart` of `services`, a list that ends with NULL. */
int docker_restart(struct docker *, const char *const *services,
    struct fault *) MUST_CHECK;

/*
 * `docker compose run` of `what`, a service and words of its command, in the version
 * `tag`, with `label`.  It returns once its container runs, or is over.
 */
int docker_run_oneoff(struct docker *, const char *tag, const char *name,
    const char *label, const char *what, struct fault *) MUST_CHECK;

/* Adds its service to `argv`, unless it is one of the target; returns the new `n`. */
size_t docker_add_job(struct docker *, const char **argv, size_t n);

/* The variable's value in .env. */
int docker_desired(struct docker *, char out[DESIRED_MAX], struct fault *) MUST_CHECK;

/*
 * Replaces the value `from` with `to`.  A third value was written by a person: it stays,
 * and that is FAULT_HOST, or only a warning if `tolerant` is set.
 */
int docker_desire(struct docker *, const char *from, const char *to, bool tolerant,
    struct fault *) MUST_CHECK;

/* docker_desire() for apply: a revert goes on without .env, with a warning. */
int docker_desire_release(struct docker *, const struct release *,
    const struct release *over, bool revert, struct fault *) MUST_CHECK;

/* Removes dangling images older than a week, if the setting `prune` is `all`. */
int docker_prune(struct docker *, struct fault *) MUST_CHECK;

/* Reaps detached commands, and removes temporary files beside .env. */
int docker_reap(struct docker *, struct fault *) MUST_CHECK;

/* FAULT_HOST if .env cannot be replaced. */
int docker_check_env(struct docker *, struct fault *) MUST_CHECK;

#endif
