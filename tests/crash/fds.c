#define _GNU_SOURCE
#include "fds.h"

#include "list.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Descriptors that calls of the trace returned and no close() closed. */
void
fds_program(struct world *w)
{
	bool open[1024] = { false };
	char path[PATH_MAX], line[4096], names[1024][32], name[24], *equals;
	int a, b, fd;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", w->dir);
	if ((f = fopen(path, "re")) == NULL)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (!list_name(line, name) || (equals = strrchr(line, '=')) == NULL)
			continue;
		fd = atoi(equals + 1);
		if (strcmp(name, "pipe2") == 0 && fd == 0 &&
		    sscanf(line, "pipe2([%d, %d]", &a, &b) == 2) {
			open[a] = open[b] = true;
			strcpy(names[a], name);
			strcpy(names[b], name);
		} else if (strcmp(name, "close") == 0 &&
		    sscanf(line, "close(%d)", &a) == 1) {
			open[a] = false;
		} else if (fd > 2 && fd < 1024 &&
		    (strcmp(name, "openat") == 0 || strcmp(name, "socket") == 0 ||
			strcmp(name, "signalfd4") == 0 ||
			strstr(line, "F_DUPFD") != NULL ||
			strncmp(name, "dup", 3) == 0)) {
			open[fd] = true;
			strcpy(names[fd], name);
		}
	}
	fclose(f);
	/* the descriptors of signals and of syslog stay open */
	for (fd = 3; fd < 1024; fd++)
		if (open[fd] && strcmp(names[fd], "signalfd4") != 0 &&
		    strcmp(names[fd], "socket") != 0)
			world_wrong(w, "descriptor %d of %s is left open", fd, names[fd]);
}

/*
 * A docker that lists its descriptors.  Two are its shell's: 10 is the script, and the
 * lowest free one reads the folder.
 */
void
fds_docker(struct world *w, const struct scenario *s)
{
	char path[PATH_MAX + 32], extra[2 * PATH_MAX], line[512];
	size_t most;
	unsigned n, last;
	FILE *f;
	char *at;
	char script[256];
	int len;

	len = snprintf(script, sizeof(script),
	    "#!/bin/sh\n"
	    "echo \"$1 $2 : \"/proc/$$/fd/* >>\"${0%%/*}/seen\"\n"
	    "exec \"${0%%/*}/../%s/docker\" \"$@\"\n",
	    world_docker(w));
	snprintf(path, sizeof(path), "%s/fdbin/docker", w->top);
	put_file(path, 0755, script, (size_t)len);
	snprintf(extra, sizeof(extra), "PATH=%s/fdbin:/usr/bin:/bin", w->top);
	(void)world_ask(w, NULL, s->words, extra);
	world_drain(w, true);
	snprintf(path, sizeof(path), "%s/fdbin/seen", w->top);
	if ((f = fopen(path, "re")) == NULL) {
		world_wrong(w, "docker was not called");
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		bool moves = strncmp(line, "compose pull", 12) == 0 ||
		    strncmp(line, "compose up", 10) == 0 ||
		    strncmp(line, "image tag", 9) == 0 || strncmp(line, "rm", 2) == 0;

		most = moves ? 6 : 5;
		for (n = 0, last = 0, at = line; (at = strstr(at, "/fd/")) != NULL;
		     at += 4)
			if (n++, atoi(at + 4) != 10)
				last = (unsigned)atoi(at + 4) > last
				    ? (unsigned)atoi(at + 4)
				    : last;
		if (n > most || last > most - 2)
			world_wrong(w, "docker inherited descriptors: %s", line);
	}
	fclose(f);
	unlink(path);
}
