#include "state/mask.h"

#include "sys/file.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define WORD LETTERS DIGITS "_.+-"
#define NAME LETTERS DIGITS "_.-"
#define SHORTEST 6
#define PLAIN_LONGEST 14 /* "authentication" */
#define NAME_LONGEST 31  /* what is longer may be a line of a key */
#define FILE_MAX (1024 * 1024)

/* Where the value begins, of what is commented out too; the line where it has no name. */
static char *
value_of(char *line, bool comment)
{
	char *name = line + strspn(line, comment ? " \t#" : " \t"), *end;
	size_t len;

	if (strncmp(name, "export ", 7) == 0)
		name += 7 + strspn(name + 7, " \t");
	len = strspn(name, NAME);
	end = name + len + strspn(name + len, " \t");
	if (len == 0 || len > NAME_LONGEST || (*end != '=' && (comment || *end != ':')))
		return line;
	if (strncmp(name, "TWILIGHT_", 9) == 0 || strncmp(name, "COMPOSE_", 8) == 0)
		return end + strlen(end);
	return end + 1;
}

static void
add(struct mask *m, const char *text, size_t len)
{
	if (len < SHORTEST)
		return;
	memcpy(m->bytes + m->len, text, len);
	m->len += len;
	m->bytes[m->len++] = '\0';
}

/* The value on this line as its program gets it: a password may have no words. */
static void
add_whole(struct mask *m, const char *text)
{
	const char *comment;
	size_t len;

	text += strspn(text, " \t");
	if (*text == '"' || *text == '\'') {
		len = strcspn(text + 1, *text == '"' ? "\"\r" : "'\r");
		text++;
	} else {
		comment = strstr(text, " #");
		len = comment == NULL ? strlen(text) : (size_t)(comment - text);
		while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
			len--;
	}
	add(m, text, len);
}

/* "connection", "Note:", "127.0.0.1": nobody's password, and wanted to be read. */
static bool
is_plain(const char *word, size_t len)
{
	if (strspn(word, DIGITS ".") >= len)
		return memchr(word, '.', len) != NULL;
	return len <= PLAIN_LONGEST && strchr(LETTERS, word[0]) != NULL &&
	    1 + strspn(word + 1, LOWER ".-") >= len;
}

/* Appends the words of `text`; of prose without those that are plain. */
static void
add_words(struct mask *m, const char *text, bool prose)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strcspn(text, WORD);
		len = strspn(text, WORD);
		if (len > 0 && !(prose && is_plain(text, len)))
			add(m, text, len);
	}
}

/* A comment that assigns nothing is prose. */
static void
add_line(struct mask *m, char *line)
{
	bool comment = line[strspn(line, " \t")] == '#';
	char *value = value_of(line, comment);
	bool prose = comment && value == line;

	if (!prose)
		add_whole(m, value);
	add_words(m, value, prose);
}

int
mask_load(struct mask *m, const char *env_file, struct fault *f)
{
	char real[PATH_MAX], *bytes, *rest, *line;
	size_t len, i;

	memset(m, 0, sizeof(*m));
	if (realpath(env_file, real) == NULL ||
	    file_read(AT_FDCWD, real, FILE_MAX, &bytes, &len) == -1)
		return 0;
	/* each line at most twice: whole, and in words */
	m->bytes = malloc(2 * len + 4);
	if (m->bytes == NULL) {
		free(bytes);
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	}
	for (i = 0; i < len; i++)
		if (bytes[i] == '\0')
			bytes[i] = '\n';
	rest = bytes;
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(m, line);
	freezero(bytes, len);
	return 0;
}

void
mask_apply(const struct mask *m, char *text)
{
	const char *word;
	char *at;
	size_t i, len;

	for (i = 0; i < m->len; i += len + 1) {
		word = m->bytes + i;
		len = strlen(word);
		for (at = text; (at = strstr(at, word)) != NULL; at += len)
			memset(at, '*', len);
	}
}

void
mask_free(struct mask *m)
{
	if (m->bytes != NULL)
		explicit_bzero(m->bytes, m->len);
	free(m->bytes);
	memset(m, 0, sizeof(*m));
}
