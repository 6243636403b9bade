/*
 * docker.h: the commands of services that are not deployed.
 */
#include "engine/docker.h"

#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

int
docker_restart(struct docker *d, const char *const *services, struct fault *f)
{
	const char *argv[SERVICES_MAX + 5] = { "docker", "compose", "restart" };
	size_t n = 3;

	for (; *services != NULL && n < SERVICES_MAX + 3; services++)
		argv[n++] = *services;
	argv[n] = "--no-deps";
	return docker_detach(d, argv, "restart", d->target->up_limit, false, f);
}

size_t
docker_add_job(struct docker *d, const char **argv, size_t n)
{
	const struct target *t = d->target;
	char text[sizeof(t->pre_deploy)];
	const char *service;
	size_t i;

	(void)strlcpy(text, t->pre_deploy, sizeof(text));
	if (text_words(text, " ", &service, 1) == 0)
		return n;
	for (i = 0; i < t->n_services; i++)
		if (strcmp(t->service[i].name, service) == 0)
			return n;
	(void)strlcpy(d->job, service, sizeof(d->job));
	argv[n] = d->job;
	return n + 1;
}

/*
 * Without --rm: only the container tells how the job ended.  Compose resolves its image
 * by our environment; its own environment may come from .env, which still has the old
 * value, so the new one is given to it too.  Compose drops the restart policy (2.26).
 */
int
docker_run_oneoff(struct docker *d, const char *tag, const char *name, const char *label,
    const char *what, struct fault *f)
{
	const struct target *t = d->target;
	char value[DESIRED_MAX], text[sizeof(t->pre_deploy)];
	char given[sizeof(t->variable) + DESIRED_MAX + 1];
	const char *argv[JOB_WORDS_MAX + 12] = { "docker", "compose", "run", "-d",
		"--no-deps", "--name", name, "--label", label, "-e", given };

	if (target_value(t, tag, value, f) == -1 ||
	    childenv_set(&d->env, t->variable, value, f) == -1)
		return -1;
	snprintf(given, sizeof(given), "%s=%s", t->variable, value);
	(void)strlcpy(text, what, sizeof(text));
	(void)text_words(text, " ", argv + 11, JOB_WORDS_MAX);
	return docker_detach(d, argv, "run", t->up_limit, false, f);
}
