/*
 * MUST: nothing of a file that others may write is used.
 */
#include "config/sections.h"

#include "config/config.h"
#include "config/inifile.h"
#include "sys/file.h"
#include "sys/text.h"

#include <sys/stat.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_target_name(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name), plain = strspn(name, first);

	if (plain == 0 || len >= TARGET_NAME_MAX || strcmp(name, "all") == 0)
		return false;
	for (; plain < len; plain++)
		if (strchr(first, name[plain]) == NULL &&
		    strchr("_.-", name[plain]) == NULL)
			return false;
	return true;
}

/* The text between brackets: "target NAME". */
static int
add_section(void *arg, unsigned line, const char *text, struct fault *f)
{
	static const char kind[] = "target";
	struct sections *file = arg;
	struct section *s = &file->section[file->n];
	const char *name = text + strcspn(text, " \t");
	size_t len = (size_t)(name - text), i;
	char safe[100], next[64] = "write [target NAME]";

	text_escape(safe, sizeof(safe), text, strlen(text));
	if (len != sizeof(kind) - 1 || memcmp(text, kind, len) != 0)
		return inifile_fault(f, file->path, line, next, "unknown section [%s]",
		    safe);
	name += strspn(name, " \t");
	if (!is_target_name(name))
		return inifile_fault(f, file->path, line,
		    "a name has at most 63 letters, digits, '_', '.', '-'; `all` is none",
		    "[%s] is not a target with a valid name", safe);
	for (i = 1; i < file->n; i++)
		if (strcmp(file->section[i].name, name) == 0)
			return inifile_fault(f, file->path, line, "join the two sections",
			    "a second [%s]; the first is in line %u", safe,
			    file->section[i].line);
	if (file->n == 1 + TARGETS_MAX)
		return inifile_fault(f, file->path, line, "divide them among hosts",
		    "more than %d targets", TARGETS_MAX);
	(void)strlcpy(s->name, name, sizeof(s->name));
	s->line = line;
	file->n++;
	return 0;
}

static int
unknown_key(const struct sections *file, unsigned line, const char *name, struct fault *f)
{
	const char *near = key_nearest(name, false);
	char safe[100], next[128];

	snprintf(next, sizeof(next), "did you mean %s? `help settings` lists the keys",
	    near);
	return inifile_fault(f, file->path, line,
	    near == NULL ? "`help settings` lists the keys" : next, "unknown key %s",
	    text_escape(safe, sizeof(safe), name, strlen(name)));
}

const struct item *
section_item(const struct section *s, const struct key *k, const char *service)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->item[i].key == k && strcmp(s->item[i].service, service) == 0)
			return &s->item[i];
	return NULL;
}

static int
add_item(void *arg, unsigned line, const char *name, const char *value, struct fault *f)
{
	struct sections *file = arg;
	struct section *s = &file->section[file->n - 1];
	const struct key *k = key_find(name);
	const struct item *first;
	const char *service;
	struct item *it;
	char safe[100];

	if (k == NULL)
		return unknown_key(file, line, name, f);
	text_escape(safe, sizeof(safe), name, strlen(name));
	service = key_is_of_service(k) ? key_service(name) : "";
	if (k->section && file->n == 1)
		return inifile_fault(f, file->path, line, "move it below [target NAME]",
		    "%s is a setting of one target, not of all", safe);
	first = section_item(s, k, service);
	if (first != NULL)
		return inifile_fault(f, file->path, line, "remove one of them",
		    "%s is set twice; the first is in line %u", safe, first->line);
	if (s->n == SECTION_ITEMS || strlen(service) >= SERVICE_MAX)
		return inifile_fault(f, file->path, line,
		    "remove those that are not of a service of the target",
		    s->n == SECTION_ITEMS ? "too many settings" : "too long a key");
	it = &s->item[s->n];
	it->key = k;
	it->line = line;
	(void)strlcpy(it->service, service, sizeof(it->service));
	it->value = strdup(value);
	if (it->value == NULL)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	s->n++;
	return 0;
}

/* A file that others may write would let them name the folders and the health URL. */
static int
check_trust(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_HOST, "name a file", "%s: not a regular file",
		    path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(f, FAULT_HOST, "chown it to root",
		    "%s: its owner is neither root nor the user that runs this", path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_HOST, "chmod go-w it",
		    "%s: others than its owner may write it", path);
	return 0;
}

static int
read_trusted(int fd, const char *path, char **bytes, size_t *len, struct fault *f)
{
	if (check_trust(fd, path, f) == -1)
		return -1;
	if (file_read_fd(fd, SECTIONS_BYTES_MAX, bytes, len) == 0)
		return 0;
	if (errno == EFBIG)
		return fault_set(f, FAULT_HOST, "shorten it", "%s: more than 1 MiB",
		    path);
	return fault_set(f, FAULT_HOST, "try again", "cannot read %s: %s", path,
	    strerror(errno));
}

int
sections_load(struct sections *file, const char *path, struct fault *f)
{
	const struct inifile_sink sink = { add_section, add_item, file };
	const char *name = path == NULL ? CONFIG_PATH : path;
	char safe[200], *bytes = NULL;
	size_t len;
	int fd, rc;

	file->n = 1;
	text_escape(safe, sizeof(safe), name, strlen(name));
	if (strlcpy(file->path, name, sizeof(file->path)) >= sizeof(file->path))
		return fault_set(f, FAULT_HOST, "name a shorter one", "%s: too long",
		    safe);
	/* a symlink is followed: what is trusted is what was opened */
	fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT && path == NULL) {
		file->path[0] = '\0';
		return 0;
	}
	if (fd == -1)
		return fault_set(f, FAULT_HOST, "it must be there and readable",
		    "cannot read %s: %s", safe, strerror(errno));
	rc = read_trusted(fd, safe, &bytes, &len, f);
	close(fd);
	if (rc == 0)
		rc = inifile_parse(file->path, bytes, len, &sink, f);
	free(bytes);
	return rc;
}

void
sections_free(struct sections *file)
{
	size_t i, j;

	for (i = 0; i < file->n; i++)
		for (j = 0; j < file->section[i].n; j++)
			free(file->section[i].item[j].value);
	file->n = 0;
}
