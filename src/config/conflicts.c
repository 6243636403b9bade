#include "config/conflicts.h"

#include "sys/file.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The real paths of a target: the same file may have several names. */
struct places {
	char state[PATH_MAX], lock[PATH_MAX], env_file[PATH_MAX], compose_dir[PATH_MAX];
};

/*
 * The project as compose names it: what is set, or the folder of the first compose file
 * (NormalizeProjectName() of compose-go).  A `name` in that file is not read.
 */
static void
project_name(const struct target *t, char out[NAME_MAX + 1])
{
	const char *path = t->compose_files[0] == '\0' ? t->compose_dir
						       : t->compose_files;
	size_t end = strcspn(path, ":"), at, n = 0;
	char c;

	if (t->project[0] != '\0') {
		path = t->project;
		end = strlen(path);
	} else if (path == t->compose_files)
		while (path[end - 1] != '/')
			end--;
	while (end > 0 && path[end - 1] == '/')
		end--;
	for (at = end; at > 0 && path[at - 1] != '/';)
		at--;
	for (; at < end && n < NAME_MAX; at++) {
		c = (char)tolower((unsigned char)path[at]);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (n > 0 && (c == '_' || c == '-')))
			out[n++] = c;
	}
	out[n] = '\0';
}

static bool
share_project(const struct target *a, const struct places *of_a, const struct target *b,
    const struct places *of_b)
{
	char name_a[NAME_MAX + 1], name_b[NAME_MAX + 1];

	/* equal folders of two homes may have compose files that name the projects */
	if (a->project[0] == '\0' && b->project[0] == '\0')
		return strcmp(of_a->compose_dir, of_b->compose_dir) == 0;
	project_name(a, name_a);
	project_name(b, name_b);
	return strcmp(name_a, name_b) == 0;
}

/* The service that both have, of the same compose project; NULL: there is none. */
static const char *
common_service(struct target *a, const struct places *of_a, struct target *b,
    const struct places *of_b)
{
	size_t i, j;

	if (!share_project(a, of_a, b, of_b))
		return NULL;
	for (i = 0; i < a->n_services; i++)
		for (j = 0; j < b->n_services; j++)
			if (strcmp(a->service[i].name, b->service[j].name) == 0)
				return a->service[i].name;
	return NULL;
}

/* `line` is that of the section of `b`. */
static int
check_pair(const char *path, unsigned line, struct target *a, const struct places *of_a,
    struct target *b, const struct places *of_b, struct fault *f)
{
	const char *what, *service = "", *next = "give each a folder of its own";

	if (strcmp(of_a->state, of_b->state) == 0)
		what = "state folder";
	else if (strcmp(of_a->lock, of_b->lock) == 0)
		what = "lock";
	else if (strcmp(of_a->env_file, of_b->env_file) == 0 &&
	    strcmp(a->variable, b->variable) == 0) {
		what = "env_file and variable";
		next = "give each a variable of its own";
	} else if ((service = common_service(a, of_a, b, of_b)) != NULL) {
		what = "service ";
		next = "a service belongs to one target only";
	} else
		return 0;
	return sections_fault(f, path, line, next, "targets %s and %s have the same %s%s",
	    a->name, b->name, what, service);
}

int
conflicts_check(struct config *c, const struct sections *file, struct fault *f)
{
	struct places *p = calloc(c->n, sizeof(*p));
	size_t i, j;
	int rc = 0;

	if (p == NULL)
		return fault_memory(f);
	for (i = 0; i < c->n && c->n > 1 && rc == 0; i++) {
		file_real_path(c->target[i].state, p[i].state);
		file_real_path(c->target[i].lock, p[i].lock);
		file_real_path(c->target[i].env_file, p[i].env_file);
		file_real_path(c->target[i].compose_dir, p[i].compose_dir);
		for (j = 0; j < i && rc == 0; j++)
			rc = check_pair(file->path, file->section[i + 1].line,
			    &c->target[j], &p[j], &c->target[i], &p[i], f);
	}
	free(p);
	return rc;
}
