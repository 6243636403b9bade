/*
 * MUST
 *
 *  - see every assignment that compose sees, and no other: a quote may span lines,
 *    whatever variable it belongs to;
 *  - refuse what two readers may read differently.
 */
#include "dotenv/scan.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define FIX_LINE "correct that line: NAME=value, or # before a comment"

/* Of the name in $NAME and ${NAME}. */
#define REFERENCE                    \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static const struct dotenv_error
    bad_name = { "not the name of a variable; compose refuses the file", FIX_LINE },
    spaced_name = { "a space in the name of a variable; compose refuses the file",
	    FIX_LINE },
    no_value = { "the last line has no '='; compose refuses the file", FIX_LINE },
    unclosed = { "a quote is opened here and never closed",
	    "close the quote, then try again" };

/* ---- characters: the functions return how many bytes one has at `p`, or 0 ---- */

struct range {
	unsigned first, last;
};

static const struct range blanks[] = { { 0x85, 0x85 }, { 0xa0, 0xa0 } };

/* White space that compose accepts only around statements and after values. */
static const struct range wide_spaces[] = { { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 } };

/*
 * Compose accepts letters and numbers of every script (Go's unicode package).  These
 * are letters in every version of it; others are refused.
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

/* The code point of two or three bytes at `p`; 0 for another length. */
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
	/* three bytes for a code point that needs two are not UTF-8 */
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

/* A newline is not blank. */
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

void
dotenv_skip_blanks(struct dotenv_scan *s)
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

/* False: no statement follows. */
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

/* A blank must follow: "exportNAME" is a name. */
static void
skip_export(struct dotenv_scan *s)
{
	static const char word[] = "export";
	const size_t n = sizeof(word) - 1;

	if ((size_t)(s->end - s->p) <= n || memcmp(s->p, word, n) != 0 ||
	    strchr(" \t\n\f\r", s->p[n]) == NULL)
		return;
	s->p += n;
	dotenv_skip_blanks(s);
}

/* Reads a name, up to its separator. */
static const struct dotenv_error *
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
			return &bad_name;
		divided = divided || spaced;
		a->name_len = (size_t)(s->p + n - a->name);
	}
	if (s->p == s->end)
		return &no_value;
	return divided ? &spaced_name : NULL;
}

static const struct dotenv_error *
read_separator(struct dotenv_scan *s, struct dotenv_statement *a)
{
	if (*s->p == '\n')
		return NULL;
	if (a->name_len == 0)
		return &bad_name;
	a->separator = *s->p++;
	return NULL;
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

static const struct dotenv_error *
read_quoted(struct dotenv_scan *s, struct dotenv_statement *a)
{
	bool escaped = false;

	a->quote = *s->p++;
	a->at = s->p;
	for (; s->p < s->end; s->p++) {
		if (*s->p == a->quote && !escaped) {
			a->end = s->p++;
			return NULL;
		}
		/* compose does so in single quotes too */
		escaped = !escaped && *s->p == '\\';
		s->line += *s->p == '\n';
	}
	a->end = s->end;
	return &unclosed;
}

bool
dotenv_value(struct dotenv_scan *s, struct dotenv_statement *a)
{
	dotenv_skip_blanks(s);
	if (s->p < s->end && (*s->p == '"' || *s->p == '\''))
		s->error = read_quoted(s, a);
	else {
		a->at = s->p;
		skip_to_newline(s);
		a->end = plain_end(a->at, s->p);
	}
	return s->error == NULL;
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
	s->error = read_name(s, a);
	if (s->error == NULL)
		s->error = read_separator(s, a);
	if (s->error == NULL && a->separator != '\0')
		return dotenv_value(s, a);
	return s->error == NULL;
}

/* ---- values ---- */

/* The code point, below 256, of the three octal digits of "\0ddd" at `p`; else 0. */
static unsigned
octal_code(const char *p, const char *end)
{
	unsigned code = 0;
	int i;

	if (end - p < 4 || *p != '0')
		return 0;
	for (i = 1; i < 4; i++) {
		if (p[i] < '0' || p[i] > '7')
			return 0;
		code = code * 8 + (unsigned)(p[i] - '0');
	}
	return code < 256 ? code : 0;
}

/* Appends what the escape at `*p`, after its backslash, stands for; moves `*p`. */
static char *
resolve_escape(const struct dotenv_statement *v, const char **p, char *out)
{
	static const char from[] = "abfnrtv\\$", to[] = "\a\b\f\n\r\t\v\\$";
	const char c = *(*p)++, *known = v->quote == '"' ? strchr(from, c) : NULL;
	unsigned code = v->quote == '"' ? octal_code(*p - 1, v->end) : 0;

	if (code != 0) {
		*p += 3;
		if (code >= 0x80)
			*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(code < 0x80 ? code : 0x80 | (code & 0x3f));
	} else if (v->quote == '"' && c == '0')
		/* compose removes the 0 before it sees that no octal code follows */
		*out++ = '\\';
	else if (known != NULL)
		*out++ = to[known - from];
	else {
		if (c != v->quote)
			*out++ = '\\';
		*out++ = c;
	}
	return out;
}

/* Skips "{NAME:-" or "NAME", up to literal text. */
static const char *
skip_reference(const char *p, const char *end)
{
	const bool braces = *p == '{';

	p += braces;
	while (p < end && strchr(REFERENCE, *p) != NULL)
		p++;
	while (braces && p < end && strchr(":-+?", *p) != NULL)
		p++;
	return p;
}

void
dotenv_resolve(const struct dotenv_statement *v, char *room,
    void (*part)(void *, const char *), void *arg)
{
	const bool refers = v->quote != '\'';
	const char *p = v->at;
	char *out = room;
	unsigned open = 0;

	while (p < v->end) {
		const char c = *p++, next = (char)(p < v->end ? *p : '\0');
		const bool begins = refers && c == '$' && next != '$' && next != '\0';

		if (c == '\\' && v->quote != '\0' && next != '\0')
			out = resolve_escape(v, &p, out);
		else if (begins || (open > 0 && c == '}')) {
			*out = '\0';
			part(arg, room);
			out = room;
			open += begins ? next == '{' : -1U;
			p = begins ? skip_reference(p, v->end) : p;
		} else {
			*out++ = c;
			p += refers && c == '$' && next == '$';
		}
	}
	*out = '\0';
	part(arg, room);
}
