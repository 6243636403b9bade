/*
 * call.h: one call of docker, for the files of this folder.
 */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "engine/compose.h"

/* A look: its output, whatever its exit code; a fault when it did not exit. */
int call_any(struct compose *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/* The same, and another exit code than 0 is a fault too. */
int call_look(struct compose *, const char *const *argv, struct run_result *,
    struct fault *) MUST_CHECK;

/* What call_any() runs, for those who want it another way. */
struct run call_run(const struct compose *, const char *const *argv);

/*
 * The fault that all looks share: what docker said, without secrets; `next` is
 * what to do where it ended by itself, NULL for the usual words.
 */
int call_fault(const char *const *argv, const struct run_result *, struct compose *,
    const char *next, struct fault *);

/* The output as a string, never NULL. */
const char *call_output(const struct run_result *);

/* A call that moves names or containers (engine/mover.h). */
int call_move(struct compose *, const char *const *argv, const char *word,
    int64_t limit_ms, bool stoppable, struct fault *) MUST_CHECK;

#endif
