/*
 * A .env file: a swap changes the bytes of the value and no other; swapping
 * back gives the file that was; a refusal names a line of it.
 */
#include "fuzz.h"
#include "state/envfile.h"
#include "state/envscan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "TWILIGHT_VERSION"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:/+-"

static unsigned
line_of(const char *bytes, size_t at)
{
	unsigned line = 1;
	size_t i;

	for (i = 0; i < at; i++)
		line += bytes[i] == '\n';
	return line;
}

static void
found(const struct envscan *s, const char *bytes, size_t len)
{
	char value[ENVSCAN_VALUE_MAX] = "";

	MUST(s->at <= len && s->len <= len - s->at && s->len < sizeof(value));
	memcpy(value, bytes + s->at, s->len);
	MUST(strspn(value, PLAIN) == s->len);
	MUST(s->line == line_of(bytes, s->at));
	/* its name is on that line, before it */
	MUST(s->at > sizeof(KEY) - 1 &&
	    memmem(bytes, s->at, KEY, sizeof(KEY) - 1) != NULL);
	MUST(memchr(bytes, '\0', len) == NULL);
}

static void
holds(const struct envfile *e, const struct envscan *was, const char *bytes, size_t len,
    const char *value)
{
	size_t n = strlen(value), rest = len - was->at - was->len;

	MUST(e->at == was->at && e->line == was->line && e->value_len == n);
	MUST(strcmp(e->value, value) == 0 && e->len == len - was->len + n);
	MUST(memcmp(e->bytes, bytes, e->at) == 0 &&
	    memcmp(e->bytes + e->at, value, n) == 0);
	MUST(memcmp(e->bytes + e->at + n, bytes + was->at + was->len, rest) == 0);
}

/* On disk, as a deploy and its way back do it. */
static void
swap(const struct envscan *was, const char *bytes, size_t len)
{
	char path[128], old[ENVFILE_VALUE_MAX];
	struct fault f = { 0 };
	struct envfile e;

	snprintf(path, sizeof(path), "%s/.env", fuzz_folder());
	fuzz_put(".env", bytes, len);
	MUST(envfile_read(&e, path, KEY, &f) == 0);
	memcpy(old, e.value, sizeof(old));
	holds(&e, was, bytes, len, old);
	MUST(envfile_replace(&e, "sha-0123abc", "id", &f) == 0);
	envfile_free(&e);
	MUST(envfile_read(&e, path, KEY, &f) == 0);
	holds(&e, was, bytes, len, "sha-0123abc");
	MUST(envfile_replace(&e, old, "id", &f) == 0);
	envfile_free(&e);
	MUST(envfile_read(&e, path, KEY, &f) == 0);
	MUST(e.len == len && memcmp(e.bytes, bytes, len) == 0);
	envfile_free(&e);
}

/* "F:LINE: words", and the line is one of the file. */
static void
refused(const struct fault *f, const char *bytes, size_t len)
{
	char *rest;
	unsigned long line;

	MUST(fuzz_said(f, FAULT_HOST) && f->next[0] != '\0');
	MUST(strncmp(f->what, "F:", 2) == 0);
	line = strtoul(f->what + 2, &rest, 10);
	MUST(line >= 1 && line <= line_of(bytes, len) && strncmp(rest, ": ", 2) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *bytes = malloc(len); /* no NUL behind it */
	struct fault f = { 0 };
	struct envscan s;

	MUST(bytes != NULL || len == 0);
	memcpy(bytes, data, len);
	if (envscan_find(&s, bytes, len, KEY, "F", &f) == -1)
		refused(&f, bytes, len);
	else {
		if (s.line != 0)
			found(&s, bytes, len);
		if (s.len > 0)
			swap(&s, bytes, len);
	}
	free(bytes);
	return 0;
}
