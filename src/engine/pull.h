/*
 * pull.h: why a `docker compose pull` failed, in words, from what it printed.
 *
 * Docker has no codes for this, only texts: of compose, of the engine (two of them, for
 * the classic and for the containerd image store), of the registry and of credential
 * helpers.
 */
#ifndef ENGINE_PULL_H
#define ENGINE_PULL_H

#include "state/release.h"
#include "sys/fault.h"

/*
 * The last message in the output: several lines where a registry or a helper says
 * several.  Sets its length, without the newlines at its end.
 */
const char *pull_message(const char *output, size_t len, size_t *message_len);

/*
 * Makes *f of a message that is known: FAULT_FAILED with the reason and what to do,
 * whatever it was before.  Leaves it as it is otherwise.  Where the message names no
 * registry, it is that of the release's references.
 */
void pull_explain(const char *message, const struct release *, struct fault *f);

#endif
