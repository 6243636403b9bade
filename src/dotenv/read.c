/*
 * MUST: quote nothing of the text in a message but the name of the variable.
 */
#include "dotenv/read.h"

#include "dotenv/file.h"

#include <stdio.h>
#include <string.h>

static const struct dotenv_error
    has_nul = { "a NUL byte", "save the file as plain UTF-8 text, then try again" },
    no_assignment = { "names the variable but assigns nothing",
	    "write NAME=value on that line, or remove it" },
    second_assignment = { "the variable is assigned a second time",
	    "leave one assignment of it in the file, then try again" },
    has_dollar = { "the value has a '$' and depends on another variable",
	    "write the value itself on that line" },
    has_escape = { "the value has a backslash",
	    "write the value itself on that line, without escapes" },
    has_lines = { "the value spans several lines", "write it on one line" },
    not_plain = { "the value is not plain: only letters, digits and _.@:/+- are allowed",
	    "write the value itself on that line; a comment needs ' #' before it" },
    too_long = { "the value is too long", "write a shorter one on that line" },
    has_rest = { "text after the closing quote of the value",
	    "leave only the value, or a comment after it, on that line" };

static const struct dotenv_error *
judge_value(const struct dotenv_statement *a)
{
	const size_t len = (size_t)(a->end - a->at);
	const char *p;

	if (memchr(a->at, '$', len) != NULL)
		return &has_dollar;
	if (memchr(a->at, '\\', len) != NULL)
		return &has_escape;
	if (memchr(a->at, '\n', len) != NULL)
		return &has_lines;
	for (p = a->at; p < a->end; p++)
		if (strchr(DOTENV_VALUE_BYTES, *p) == NULL)
			return &not_plain;
	return len < DOTENV_VALUE_MAX ? NULL : &too_long;
}

/* After a closing quote compose begins a new statement, which people do not expect. */
static const struct dotenv_error *
judge_rest(const struct dotenv_scan *s)
{
	struct dotenv_scan rest = *s;

	dotenv_skip_blanks(&rest);
	if (rest.p == rest.end || *rest.p == '\n' || *rest.p == '#')
		return NULL;
	return &has_rest;
}

static const struct dotenv_error *
judge_assignment(const struct dotenv_scan *s, const struct dotenv_statement *a,
    const struct dotenv_place *found)
{
	const struct dotenv_error *error;

	if (a->separator == '\0')
		return &no_assignment;
	if (found->line != 0)
		return &second_assignment;
	error = judge_value(a);
	return error == NULL && a->quote != '\0' ? judge_rest(s) : error;
}

static const struct dotenv_error *
search_variable(struct dotenv_place *found, const char *bytes, size_t len,
    const char *variable, unsigned *line)
{
	const size_t n = strlen(variable);
	struct dotenv_statement a;
	struct dotenv_scan s;
	const struct dotenv_error *error;

	dotenv_begin(&s, bytes, len);
	while (dotenv_next(&s, &a)) {
		if (a.name_len != n || memcmp(a.name, variable, n) != 0)
			continue;
		*line = a.line;
		error = judge_assignment(&s, &a, found);
		if (error != NULL)
			return error;
		*found = (struct dotenv_place){ (size_t)(a.at - bytes),
			(size_t)(a.end - a.at), a.line };
	}
	*line = a.line;
	return s.error;
}

/* The parser needs a text without NUL. */
static const struct dotenv_error *
search_nul(const char *bytes, size_t len, unsigned *line)
{
	const char *nul = memchr(bytes, '\0', len), *p;

	if (nul == NULL)
		return NULL;
	for (*line = 1, p = bytes; p < nul; p++)
		*line += *p == '\n';
	return &has_nul;
}

int
dotenv_find(struct dotenv_place *found, const char *bytes, size_t len,
    const char *variable, const char *shown, struct fault *f)
{
	unsigned line = 0;
	const struct dotenv_error *error;

	memset(found, 0, sizeof(*found));
	error = search_nul(bytes, len, &line);
	if (error == NULL)
		error = search_variable(found, bytes, len, variable, &line);
	if (error == NULL)
		return 0;
	return fault_set(f, FAULT_HOST, error->next, "%s:%u: %s", shown, line,
	    error->what);
}

int
dotenv_file_value(struct dotenv_file *e, const char *variable, struct dotenv_place *place,
    char value[DOTENV_VALUE_MAX], struct fault *f)
{
	char next[160];

	if (dotenv_file_load(e, f) == -1 ||
	    dotenv_find(place, e->bytes, e->len, variable, e->shown, f) == -1)
		return -1;
	snprintf(next, sizeof(next), "write the version that runs now into it: %s=...",
	    variable);
	if (place->len == 0)
		return fault_set(f, FAULT_HOST, next, "missing %s in %s", variable,
		    e->shown);
	memcpy(value, e->bytes + place->at, place->len);
	value[place->len] = '\0';
	return 0;
}

int
dotenv_read(const char *path, const char *variable, char value[DOTENV_VALUE_MAX],
    struct fault *f)
{
	struct dotenv_place place;
	struct dotenv_file e;
	int result = -1;

	/* without a lock: because of the rename it is the old file or the new one */
	if (dotenv_file_open(&e, path, f) == 0)
		result = dotenv_file_value(&e, variable, &place, value, f);
	dotenv_file_close(&e);
	return result;
}
