/*
 * docker.h: docker's command line and the target's .env, for the engines that
 * use them.
 *
 * Compose gets all its settings in the environment, so that the command line is
 * the one that an operator types, with flags behind it.  docker is found on PATH.
 */
#ifndef ENGINE_DOCKER_H
#define ENGINE_DOCKER_H

#include "engine/engine.h"
#include "engine/mover.h"
#include "sys/childenv.h"

struct docker {
	const struct target *target;
	const struct progress *progress;
	struct childenv env;
	struct mask mask;
	struct mover mover;
	char path[PATH_MAX];          /* of docker */
	char files[2 * PATH_MAX + 2]; /* COMPOSE_FILE */
};

/*
 * `dirfd` is the state folder.  FAULT_HOST where docker or a compose file is
 * missing.  On failure nothing is owned; else docker_close() it.
 */
int docker_open(struct docker *, const struct target *, char *const *env, int dirfd,
    const struct progress *, struct fault *) MUST_CHECK;
void docker_close(struct docker *);

/* A command that only looks: its output, whatever its exit code. */
int docker_run(struct docker *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/* The same, and another exit code than 0 is a fault too. */
int docker_look(struct docker *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/*
 * The same in two steps, so that another command runs meanwhile.  What docker_begin()
 * began, docker_end() ends, once.
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
 * The fault that all of them share: what docker printed, masked; `next` is what to do
 * where it exited by itself, NULL for the usual words.  Always -1.
 */
int docker_fault(const char *const *argv, const struct run_result *, struct docker *,
    const char *next, struct fault *);

/* The output as a string, never NULL. */
const char *docker_output(const struct run_result *);

/* A command that moves references or containers (engine/mover.h). */
int docker_move(struct docker *, const char *const *argv, const char *word,
    int64_t limit_ms, bool stoppable, struct fault *) MUST_CHECK;

/* The version that compose is to see, whatever .env says. */
int docker_set_version(struct docker *, const char *tag, struct fault *) MUST_CHECK;

/* `docker compose pull` of all services. */
int docker_pull(struct docker *, const char *tag, struct fault *) MUST_CHECK;

/* `docker compose up -d` of the services named, NULL at their end. */
#define UP_DEPENDS 1U  /* what they depend on too */
#define UP_RECREATE 2U /* even if they look as they should */
int docker_up(struct docker *, const char *tag, const char *const *services, unsigned how,
    struct fault *) MUST_CHECK;

/* The variable's value in .env. */
int docker_desired(struct docker *, char out[DESIRED_MAX], struct fault *) MUST_CHECK;

/*
 * Replaces the value `from` by `to`.  Another value is one that a person wrote: it
 * stays, with FAULT_HOST; where `tolerant` is set, with a warning only.
 */
int docker_desire(struct docker *, const char *from, const char *to, bool tolerant,
    struct fault *) MUST_CHECK;

/* Removes dangling images older than a week, anybody's, where the settings allow it. */
int docker_prune(struct docker *, struct fault *) MUST_CHECK;

/* What a killed run left: its detached command ends, its files beside .env go. */
int docker_reap(struct docker *, struct fault *) MUST_CHECK;

/* Can .env be replaced?  Also removes what a killed run left beside it. */
int docker_check_env(struct docker *, struct fault *) MUST_CHECK;

#endif
