#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}

bool
fuzz_printable(const char *s)
{
	while (*s >= ' ' && *s <= '~')
		s++;
	return *s == '\0';
}

bool
fuzz_said(const struct fault *f, enum fault_kind kind)
{
	return f->kind == kind && f->what[0] != '\0' && fuzz_printable(f->what) &&
	    fuzz_printable(f->next);
}

char *
fuzz_string(const uint8_t *data, size_t len)
{
	char *s = malloc(len + 1);

	MUST(s != NULL);
	memcpy(s, data, len);
	s[len] = '\0';
	return s;
}

const char *
fuzz_folder(void)
{
	static char folder[256];
	const char *above = getenv("TMPDIR");

	if (folder[0] == '\0') {
		snprintf(folder, sizeof(folder), "%s/fuzz.XXXXXX",
		    above == NULL ? "/tmp" : above);
		MUST(mkdtemp(folder) != NULL);
	}
	return folder;
}

int
fuzz_dirfd(void)
{
	static int fd = -1;

	if (fd == -1)
		fd = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(fd != -1);
	return fd;
}

void
fuzz_put(const char *name, const void *bytes, size_t len)
{
	int fd = openat(fuzz_dirfd(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	MUST(fd != -1);
	MUST(write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}
