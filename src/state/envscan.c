/*
 * envscan.c: the assignments in the text of a .env file.
 *
 * This MUST
 *
 *  - see every assignment that compose sees and none that it does not, so a
 *    quote is followed over lines also where the variable is not ours;
 *  - refuse what two readers may read in two ways, rather than choose;
 *  - never show what the file holds: a line has a number.
 *
 * The grammar is that of compose (compose-go, dotenv/parser.go).  A statement
 * begins after white space and comments; it is a name up to '=', ':' or the
 * end of the line, then a value, up to its closing quote or the end of the
 * line; what follows a closing quote is the next statement.
 */
#include "state/envscan.h"

#include "state/envchar.h"

#include <stdbool.h>
#include <string.h>

enum wrong {
	RIGHT,
	WRONG_NUL,
	WRONG_NAME,
	WRONG_SPACE,
	WRONG_NOTHING,
	WRONG_UNCLOSED,
	WRONG_BARE,
	WRONG_DOLLAR,
	WRONG_ESCAPE,
	WRONG_LINES,
	WRONG_BYTES,
	WRONG_LONG,
	WRONG_AFTER,
	WRONG_AGAIN,
	WRONG__MAX
};

/* Of the whole file, then of the line with our key; what comes after "PATH:LINE: ". */
static const struct {
	const char *what;
	const char *next;
} wrongs[WRONG__MAX] = {
	[WRONG_NUL] = { "a NUL byte",
	    "save the file as plain UTF-8 text, then try again" },
	[WRONG_NAME] = { "not the name of a variable; compose refuses the file",
	    "mend that line: NAME=value, or # before a comment" },
	[WRONG_SPACE] = { "a space in the name of a variable; compose refuses the file",
	    "mend that line: NAME=value, or # before a comment" },
	[WRONG_NOTHING] = { "the last line has no '='; compose refuses the file",
	    "mend that line: NAME=value, or # before a comment" },
	[WRONG_UNCLOSED] = { "a quote is opened here and never closed",
	    "close the quote, then try again" },
	[WRONG_BARE] = { "names the variable but assigns nothing",
	    "write NAME=value on that line, or remove it" },
	[WRONG_DOLLAR] = { "the value has a '$', it is computed from others",
	    "write the version itself on that line" },
	[WRONG_ESCAPE] = { "the value has a backslash",
	    "write the version itself on that line, without escapes" },
	[WRONG_LINES] = { "the value goes over several lines",
	    "write the version on one line" },
	[WRONG_BYTES] = { "the value is not plain: only letters, digits and _.@:/+- may be in it",
	    "write the version itself on that line; a comment needs ' #' before it" },
	[WRONG_LONG] = { "the value is too long for a version",
	    "write the version itself on that line" },
	[WRONG_AFTER] = { "text after the closing quote of the value",
	    "leave only the value, or a comment after it, on that line" },
	[WRONG_AGAIN] = { "the variable is assigned a second time",
	    "leave one assignment of it in the file, then try again" },
};

/* What is left to read. */
struct scan {
	const char *p;
	const char *end;
	unsigned line; /* of p, from 1 */
};

static void
skip_blanks(struct scan *s)
{
	size_t n;

	while (s->p < s->end && (n = envchar_blank(s->p, s->end)) > 0)
		s->p += n;
}

static void
skip_line(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

/* Goes to the next statement; false: there is none. */
static bool
next_statement(struct scan *s)
{
	size_t n;

	while (s->p < s->end) {
		if (*s->p == '\n') {
			s->p++;
			s->line++;
		} else if ((n = envchar_space(s->p, s->end)) > 0)
			s->p += n;
		else if (*s->p == '#')
			skip_line(s);
		else
			return true;
	}
	return false;
}

/* "exportNAME" is a name like another: a blank must follow. */
static void
skip_export(struct scan *s)
{
	static const char word[] = "export";
	const size_t n = sizeof(word) - 1;

	if ((size_t)(s->end - s->p) <= n || memcmp(s->p, word, n) != 0 ||
	    strchr(" \t\n\f\r", s->p[n]) == NULL)
		return;
	s->p += n;
	skip_blanks(s);
}

/* Reads a name and what parts it from its value. */
static enum wrong
read_name(struct scan *s, struct envscan_value *a)
{
	bool spaced = false, parted = false;
	size_t n;

	a->name = s->p;
	a->name_len = 0;
	a->line = s->line;
	for (; s->p < s->end && strchr("=:\n", *s->p) == NULL; s->p += n) {
		if ((n = envchar_blank(s->p, s->end)) > 0) {
			spaced = spaced || *s->p == ' ';
			continue;
		}
		n = envchar_name(s->p, s->end);
		if (n == 0)
			return WRONG_NAME;
		parted = parted || spaced;
		a->name_len = (size_t)(s->p + n - a->name);
	}
	if (s->p == s->end)
		return WRONG_NOTHING;
	if (parted)
		return WRONG_SPACE;
	a->bare = *s->p == '\n';
	if (a->name_len == 0 && !a->bare)
		return WRONG_NAME;
	if (!a->bare)
		s->p++;
	return RIGHT;
}

/* A plain value ends before " #", and white space at its end is not of it. */
static const char *
plain_end(const char *p, const char *end)
{
	const char *last = p;
	size_t n;

	for (; p < end; p += n) {
		if (*p == ' ' && p + 1 < end && p[1] == '#')
			break;
		n = envchar_space(p, end);
		if (n == 0) {
			n = 1;
			last = p + n;
		}
	}
	return last;
}

static enum wrong
read_quoted(struct scan *s, struct envscan_value *a)
{
	const char quote = a->quote = *s->p++;
	bool escaped = false;

	a->at = s->p;
	for (; s->p < s->end; s->p++) {
		if (*s->p == quote && !escaped) {
			a->end = s->p++;
			return RIGHT;
		}
		/* a backslash keeps the quote open in single quotes, too */
		escaped = !escaped && *s->p == '\\';
		if (*s->p == '\n')
			s->line++;
	}
	return WRONG_UNCLOSED;
}

static enum wrong
read_value(struct scan *s, struct envscan_value *a)
{
	skip_blanks(s);
	if (s->p < s->end && (*s->p == '"' || *s->p == '\''))
		return read_quoted(s, a);
	a->quote = '\0';
	a->at = s->p;
	skip_line(s);
	a->end = plain_end(a->at, s->p);
	return RIGHT;
}

static bool
value_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || strchr("_.@:/+-", c) != NULL;
}

/* Is it a value that means the same to every reader, and in quotes or not? */
static enum wrong
judge_value(const struct envscan_value *a)
{
	const size_t len = (size_t)(a->end - a->at);
	const char *p;

	if (memchr(a->at, '$', len) != NULL)
		return WRONG_DOLLAR;
	if (memchr(a->at, '\\', len) != NULL)
		return WRONG_ESCAPE;
	if (memchr(a->at, '\n', len) != NULL)
		return WRONG_LINES;
	for (p = a->at; p < a->end; p++)
		if (!value_byte(*p))
			return WRONG_BYTES;
	return len < ENVSCAN_VALUE_MAX ? RIGHT : WRONG_LONG;
}

/* Compose goes on with a new statement there; people read it otherwise. */
static enum wrong
judge_rest(const struct scan *s)
{
	struct scan rest = *s;

	skip_blanks(&rest);
	return rest.p == rest.end || *rest.p == '\n' || *rest.p == '#' ? RIGHT
								       : WRONG_AFTER;
}

static enum wrong
take(struct envscan *found, const char *bytes, const struct scan *s,
    const struct envscan_value *a)
{
	enum wrong w;

	if (found->line != 0)
		return WRONG_AGAIN;
	if ((w = judge_value(a)) != RIGHT)
		return w;
	if (a->quote != '\0' && (w = judge_rest(s)) != RIGHT)
		return w;
	found->line = a->line;
	found->at = (size_t)(a->at - bytes);
	found->len = (size_t)(a->end - a->at);
	return RIGHT;
}

/* Goes first: all that follows relies on there being none. */
static enum wrong
find_nul(const char *bytes, size_t len, unsigned *line)
{
	const char *nul = memchr(bytes, '\0', len);
	const char *p;

	if (nul == NULL)
		return RIGHT;
	for (*line = 1, p = bytes; p < nul; p++)
		*line += *p == '\n';
	return WRONG_NUL;
}

static bool
is_named(const struct envscan_value *a, const char *key)
{
	return a->name_len == strlen(key) && memcmp(a->name, key, a->name_len) == 0;
}

static struct scan
begin(const char *bytes, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";
	const bool marked = len >= 3 && memcmp(bytes, bom, 3) == 0;

	return (struct scan){ bytes + (marked ? 3 : 0), bytes + len, 1 };
}

static enum wrong
read_statement(struct scan *s, struct envscan_value *a)
{
	enum wrong w;

	skip_export(s);
	w = read_name(s, a);
	return w != RIGHT || a->bare ? w : read_value(s, a);
}

static enum wrong
find(struct envscan *found, const char *bytes, size_t len, const char *key,
    unsigned *line)
{
	struct scan s = begin(bytes, len);
	struct envscan_value a;
	enum wrong w = RIGHT;

	while (w == RIGHT && next_statement(&s)) {
		w = read_statement(&s, &a);
		*line = a.line;
		if (w == RIGHT && is_named(&a, key))
			w = a.bare ? WRONG_BARE : take(found, bytes, &s, &a);
	}
	return w;
}

void
envscan_each(const char *bytes, size_t len,
    void (*each)(void *arg, const struct envscan_value *), void *arg)
{
	struct scan s = begin(bytes, len);
	struct envscan_value a;

	while (next_statement(&s) && read_statement(&s, &a) == RIGHT)
		if (!a.bare)
			each(arg, &a);
}

int
envscan_find(struct envscan *found, const char *bytes, size_t len, const char *key,
    const char *shown, struct fault *f)
{
	unsigned line = 0;
	enum wrong w;

	memset(found, 0, sizeof(*found));
	w = find_nul(bytes, len, &line);
	if (w == RIGHT)
		w = find(found, bytes, len, key, &line);
	if (w == RIGHT)
		return 0;
	return fault_set(f, FAULT_HOST, wrongs[w].next, "%s:%u: %s", shown, line,
	    wrongs[w].what);
}
