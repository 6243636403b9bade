#include "dotenv/edit.h"
#include "engine/blind.h"
#include "engine/compose/compose.h"
#include "engine/engine.h"

#include <string.h>

/* By the value of the setting `engine`. */
static const struct {
	const char *name;
	int (*open)(struct engine **, const struct target *, char *const *env, int dirfd,
	    const struct progress *, struct fault *);
} engines[] = {
	{ "compose", compose_open },
	{ "blind", blind_open },
};

/* Every engine so far keeps the desired version in .env. */
int
engine_check_owner(const struct target *t, struct fault *f)
{
	return dotenv_check_owner(t->env_file, t->lock, f);
}

int
engine_open(struct engine **e, const struct target *t, char *const *env, int dirfd,
    const struct progress *progress, struct fault *f)
{
	size_t i;

	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strcmp(engines[i].name, t->engine) == 0)
			return engines[i].open(e, t, env, dirfd, progress, f);
	return fault_set(f, FAULT_HOST, "`help settings` lists the engines",
	    "there is no engine %s", t->engine);
}

void
engine_close(struct engine *e)
{
	if (e != NULL)
		e->close(e);
}

const char *
engine_state_name(enum instance_state state)
{
	static const char *const names[INSTANCE__MAX] = {
		[INSTANCE_GONE] = "gone",
		[INSTANCE_CREATED] = "created",
		[INSTANCE_RUNNING] = "running",
		[INSTANCE_RESTARTING] = "restarting",
		[INSTANCE_PAUSED] = "paused",
		[INSTANCE_REMOVING] = "removing",
		[INSTANCE_EXITED] = "exited",
		[INSTANCE_DEAD] = "dead",
	};

	return state < INSTANCE__MAX ? names[state] : "unknown";
}
