/*
 * A .env file: a swap changes only the bytes of the value; swapping back restores the file;
 * a refusal names a line of the file.
 */
#include "fuzz.h"
#include "dotenv/edit.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "TWILIGHT_VERSION"

static char path[128];

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
found(const struct dotenv_place *s, const char *bytes, size_t len)
{
	char value[DOTENV_VALUE_MAX] = "";

	MUST(s->at <= len && s->len <= len - s->at && s->len < sizeof(value));
	memcpy(value, bytes + s->at, s->len);
	MUST(strspn(value, DOTENV_VALUE_BYTES) == s->len);
	MUST(s->line == line_of(bytes, s->at));
	/* the name is on that line, before the value */
	MUST(s->at > sizeof(KEY) - 1 &&
	    memmem(bytes, s->at, KEY, sizeof(KEY) - 1) != NULL);
	MUST(memchr(bytes, '\0', len) == NULL);
}

/* The file is `bytes` with `value` in place of the old one. */
static void
holds(const struct dotenv_place *was, const char *bytes, size_t len, const char *value)
{
	const size_t n = strlen(value), rest = len - was->at - was->len;
	char *is, read[DOTENV_VALUE_MAX];
	struct fault f = { 0 };
	size_t is_len;

	MUST(dotenv_read(path, KEY, read, &f) == 0 && strcmp(read, value) == 0);
	MUST(file_read(fuzz_dirfd(), ".env", DOTENV_MAX, &is, &is_len) == 0);
	MUST(is_len == was->at + n + rest && memcmp(is, bytes, was->at) == 0 &&
	    memcmp(is + was->at, value, n) == 0 &&
	    memcmp(is + was->at + n, bytes + was->at + was->len, rest) == 0);
	free(is);
}

/* On disk, as a deploy and its rollback do it. */
static void
swap(const struct dotenv_place *was, const char *bytes, size_t len)
{
	static const char *const news[] = { "sha-0123abc", "host:5000/a/b:v1@sha256:0a" };
	char old[DOTENV_VALUE_MAX] = "";
	struct fault f = { 0 };
	size_t i;

	snprintf(path, sizeof(path), "%s/.env", fuzz_folder());
	fuzz_put(".env", bytes, len);
	memcpy(old, bytes + was->at, was->len);
	for (i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		holds(was, bytes, len, old);
		MUST(dotenv_replace(path, KEY, old, news[i], "id", &f) == 0);
		holds(was, bytes, len, news[i]);
		MUST(dotenv_replace(path, KEY, news[i], old, "id", &f) == 0);
	}
	holds(was, bytes, len, old);
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
	char *bytes = malloc(len); /* not NUL-terminated */
	struct fault f = { 0 };
	struct dotenv_place s;

	MUST(bytes != NULL || len == 0);
	memcpy(bytes, data, len);
	if (dotenv_find(&s, bytes, len, KEY, "F", &f) == -1)
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
