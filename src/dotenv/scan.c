/*
 * scan.c: MUST
 *
 *  - see every assignment that compose sees and no other: a quote is followed over
 *    lines whatever variable it belongs to;
 *  - refuse what two readers may read differently;
 *  - quote nothing of the text in a message.
 */
#include "dotenv/scan.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define FIX_LINE "fix that line: NAME=value, or # before a comment"

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
};

/* First what concerns the whole file, then the assignment of the variable. */
static const struct {
	const char *what; /* behind "PATH:LINE: " */
	const char *next;
} wrongs[] = {
	[WRONG_NUL] = { "a NUL byte",
	    "save the file as plain UTF-8 text, then try again" },
	[WRONG_NAME] = { "not the name of a variable; compose refuses the file",
	    FIX_LINE },
	[WRONG_SPACE] = { "a space in the name of a variable; compose refuses the file",
	    FIX_LINE },
	[WRONG_NOTHING] = { "the last line has no '='; compose refuses the file",
	    FIX_LINE },
	[WRONG_UNCLOSED] = { "a quote is opened here and never closed",
	    "close the quote, then try again" },
	[WRONG_BARE] = { "names the variable but assigns nothing",
	    "write NAME=value on that line, or remove it" },
	[WRONG_DOLLAR] = { "the value has a '$', it is computed from others",
	    "write the value itself on that line" },
	[WRONG_ESCAPE] = { "the value has a backslash",
	    "write the value itself on that line, without escapes" },
	[WRONG_LINES] = { "the value spans several lines", "write it on one line" },
	[WRONG_BYTES] = { "the value is not plain: only letters, digits and _.@:/+- may be in it",
	    "write the value itself on that line; a comment needs ' #' before it" },
	[WRONG_LONG] = { "the value is too long", "write a shorter one on that line" },
	[WRONG_AFTER] = { "text after the closing quote of the value",
	    "leave only the value, or a comment after it, on that line" },
	[WRONG_AGAIN] = { "the variable is assigned a second time",
	    "leave one assignment of it in the file, then try again" },
};

/* ---- characters: each returns how many bytes it is at `p`, 0 where it is none ---- */

struct range {
	unsigned first, last;
};

static const struct range blanks[] = { { 0x85, 0x85 }, { 0xa0, 0xa0 } };

/* White space that compose accepts only around statements and behind values. */
static const struct range wide_spaces[] = { { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 } };

/*
 * Compose accepts letters and numbers of every script (Go's unicode package).
 * These are letters in every version of it; another one is refused.
 */
static const struct range letters[] = {
	{ 0xaa, 0xaa }, { 0xb5, 0xb5 }, { 0xba, 0xba },       /* Latin 1 */
	{ 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2c1 },      /* Latin Extended, IPA */
	{ 0x391, 0x3a1 }, { 0x3a3, 0x3f5 },                   /* Greek */
	{ 0x400, 0x481 }, { 0x48a, 0x52f },                   /* Cyrillic */
	{ 0x5d0, 0x5ea }, { 0x620, 0x64a }, { 0xe01, 0xe30 }, /* Hebrew, Arabic, Thai */
	{ 0x3041, 0x3096 }, { 0x30a1, 0x30fa },               /* kana */
	{ 0x3400, 0x4db5 }, { 0x4e00, 0x9fa5 }, { 0xac00, 0xd7a3 }, /* Han, Hangul */
};

/* The code point of two or three bytes that begins at `p`; 0 for any other. */
static unsigned
code_point(const char *p, const char *end, size_t *n)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned code;
	size_t i;

	*n = *u >= 0xc2 && *u <= 0xdf ? 2 : *u >= 0xe0 && *u <= 0xef ? 3 : 0;
	if (*n == 0 || *n > (size_t)(end - p))
		return 0;
	code = *n == 2 ? *u & 0x1fU : *u & 0x0fU;
	for (i = 1; i < *n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3fU);
	}
	/* three bytes for a code point that fits into two are not UTF-8 */
	return *n == 3 && code < 0x800 ? 0 : code;
}

static size_t
range_bytes(const struct range *list, size_t n_list, const char *p, const char *end)
{
	unsigned code;
	size_t n, i;

	code = code_point(p, end, &n);
	for (i = 0; i < n_list; i++)
		if (code >= list[i].first && code <= list[i].last)
			return n;
	return 0;
}

/* What may surround a name and precede a value.  A newline is not blank. */
static size_t
blank_bytes(const char *p, const char *end)
{
	return strchr(" \t\v\f\r", *p) != NULL ? 1
					       : range_bytes(blanks, N(blanks), p, end);
}

static size_t
space_bytes(const char *p, const char *end)
{
	const size_t n = range_bytes(wide_spaces, N(wide_spaces), p, end);

	return n != 0 ? n : blank_bytes(p, end);
}

static size_t
name_bytes(const char *p, const char *end)
{
	const char c = *p;

	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    strchr("_.-[]", c) != NULL)
		return 1;
	return range_bytes(letters, N(letters), p, end);
}

/* ---- statements ---- */

static void
skip_blanks(struct dotenv_scan *s)
{
	size_t n;

	while (s->p < s->end && (n = blank_bytes(s->p, s->end)) > 0)
		s->p += n;
}

static void
skip_to_newline(struct dotenv_scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

/* False: there is no other statement. */
static bool
skip_to_statement(struct dotenv_scan *s)
{
	size_t n;

	while (s->p < s->end) {
		if (*s->p == '\n') {
			s->p++;
			s->line++;
		} else if ((n = space_bytes(s->p, s->end)) > 0)
			s->p += n;
		else if (*s->p == '#')
			skip_to_newline(s);
		else
			return true;
	}
	return false;
}

/* "exportNAME" is a name like any other: a blank must follow. */
static void
skip_export(struct dotenv_scan *s)
{
	static const char word[] = "export";
	const size_t n = sizeof(word) - 1;

	if ((size_t)(s->end - s->p) <= n || memcmp(s->p, word, n) != 0 ||
	    strchr(" \t\n\f\r", s->p[n]) == NULL)
		return;
	s->p += n;
	skip_blanks(s);
}

/* Reads a name, up to what separates it from its value. */
static enum wrong
read_name(struct dotenv_scan *s, struct dotenv_statement *a)
{
	bool spaced = false, divided = false;
	size_t n;

	a->name = s->p;
	a->line = s->line;
	for (; s->p < s->end && strchr("=:\n", *s->p) == NULL; s->p += n) {
		if ((n = blank_bytes(s->p, s->end)) > 0) {
			spaced = spaced || *s->p == ' ';
			continue;
		}
		if ((n = name_bytes(s->p, s->end)) == 0)
			return WRONG_NAME;
		divided = divided || spaced;
		a->name_len = (size_t)(s->p + n - a->name);
	}
	if (s->p == s->end)
		return WRONG_NOTHING;
	return divided ? WRONG_SPACE : RIGHT;
}

static enum wrong
read_separator(struct dotenv_scan *s, struct dotenv_statement *a)
{
	if (*s->p == '\n')
		return RIGHT;
	if (a->name_len == 0)
		return WRONG_NAME;
	a->separator = *s->p++;
	return RIGHT;
}

/* A plain value ends before " #"; white space at its end is not part of it. */
static const char *
plain_end(const char *p, const char *end)
{
	const char *last = p;
	size_t n;

	for (; p < end; p += n) {
		if (*p == ' ' && p + 1 < end && p[1] == '#')
			break;
		n = space_bytes(p, end);
		if (n == 0) {
			n = 1;
			last = p + n;
		}
	}
	return last;
}

static enum wrong
read_quoted(struct dotenv_scan *s, struct dotenv_statement *a)
{
	bool escaped = false;

	a->quote = *s->p++;
	a->at = s->p;
	for (; s->p < s->end; s->p++) {
		if (*s->p == a->quote && !escaped) {
			a->end = s->p++;
			return RIGHT;
		}
		/* a backslash keeps the quote open in single quotes, too */
		escaped = !escaped && *s->p == '\\';
		s->line += *s->p == '\n';
	}
	a->end = s->end;
	return WRONG_UNCLOSED;
}

bool
dotenv_value(struct dotenv_scan *s, struct dotenv_statement *a)
{
	skip_blanks(s);
	if (s->p < s->end && (*s->p == '"' || *s->p == '\''))
		s->wrong = read_quoted(s, a);
	else {
		a->at = s->p;
		skip_to_newline(s);
		a->end = plain_end(a->at, s->p);
	}
	return s->wrong == RIGHT;
}

void
dotenv_begin(struct dotenv_scan *s, const char *bytes, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";
	const size_t skip = len >= 3 && memcmp(bytes, bom, 3) == 0 ? 3 : 0;

	*s = (struct dotenv_scan){ .p = bytes + skip, .end = bytes + len, .line = 1 };
}

bool
dotenv_next(struct dotenv_scan *s, struct dotenv_statement *a)
{
	memset(a, 0, sizeof(*a));
	if (!skip_to_statement(s))
		return false;
	skip_export(s);
	s->wrong = read_name(s, a);
	if (s->wrong == RIGHT)
		s->wrong = read_separator(s, a);
	if (s->wrong == RIGHT && a->separator != '\0')
		return dotenv_value(s, a);
	return s->wrong == RIGHT;
}

/* ---- the one variable ---- */

static enum wrong
judge_value(const struct dotenv_statement *a)
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
		if (strchr(DOTENV_VALUE_BYTES, *p) == NULL)
			return WRONG_BYTES;
	return len < DOTENV_VALUE_MAX ? RIGHT : WRONG_LONG;
}

/* Behind a closing quote compose begins a new statement; people do not expect that. */
static enum wrong
judge_rest(const struct dotenv_scan *s)
{
	struct dotenv_scan rest = *s;

	skip_blanks(&rest);
	if (rest.p == rest.end || *rest.p == '\n' || *rest.p == '#')
		return RIGHT;
	return WRONG_AFTER;
}

static enum wrong
judge_assignment(const struct dotenv_scan *s, const struct dotenv_statement *a,
    const struct dotenv_place *found)
{
	enum wrong w;

	if (a->separator == '\0')
		return WRONG_BARE;
	if (found->line != 0)
		return WRONG_AGAIN;
	w = judge_value(a);
	return w == RIGHT && a->quote != '\0' ? judge_rest(s) : w;
}

static enum wrong
search_variable(struct dotenv_place *found, const char *bytes, size_t len,
    const char *variable, unsigned *line)
{
	const size_t n = strlen(variable);
	struct dotenv_statement a;
	struct dotenv_scan s;
	enum wrong w;

	dotenv_begin(&s, bytes, len);
	while (dotenv_next(&s, &a)) {
		if (a.name_len != n || memcmp(a.name, variable, n) != 0)
			continue;
		*line = a.line;
		if ((w = judge_assignment(&s, &a, found)) != RIGHT)
			return w;
		*found = (struct dotenv_place){ (size_t)(a.at - bytes),
			(size_t)(a.end - a.at), a.line };
	}
	*line = a.line;
	return (enum wrong)s.wrong;
}

/* Must come first: the scanner relies on there being none. */
static enum wrong
search_nul(const char *bytes, size_t len, unsigned *line)
{
	const char *nul = memchr(bytes, '\0', len), *p;

	if (nul == NULL)
		return RIGHT;
	for (*line = 1, p = bytes; p < nul; p++)
		*line += *p == '\n';
	return WRONG_NUL;
}

int
dotenv_find(struct dotenv_place *found, const char *bytes, size_t len,
    const char *variable, const char *shown, struct fault *f)
{
	unsigned line = 0;
	enum wrong w;

	memset(found, 0, sizeof(*found));
	w = search_nul(bytes, len, &line);
	if (w == RIGHT)
		w = search_variable(found, bytes, len, variable, &line);
	if (w == RIGHT)
		return 0;
	return fault_set(f, FAULT_HOST, wrongs[w].next, "%s:%u: %s", shown, line,
	    wrongs[w].what);
}
