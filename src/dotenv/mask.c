/*
 * mask.c: MUST
 *
 *  - compare raw bytes, before anything is cut or escaped;
 *  - mask too much rather than too little: a line that compose refuses counts.
 */
#include "dotenv/mask.h"

#include "dotenv/quoted.h"
#include "dotenv/scan.h"
#include "sys/file.h"
#include "sys/text.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define WORD LETTERS DIGITS "_.+-"
#define NAME LETTERS DIGITS "_.-"
#define SHORTEST 6
#define CUT_SHORTEST 3   /* of the beginning of a value */
#define PLAIN_LONGEST 14 /* "authentication" */
#define NAME_LONGEST 31  /* what is longer may be a line of a key */

/* One reading of the file. */
struct load {
	struct mask *m;
	const char *version; /* the value that stays readable */
	size_t version_len;
};

static bool
keep_copy(struct mask *m, const char *text, size_t len)
{
	const size_t room = m->room == 0 ? 64 : 2 * m->room;
	void *grown;

	if (m->n == m->room) {
		grown = reallocarray(m->list, room, sizeof(*m->list));
		if (grown == NULL)
			return false;
		m->list = grown;
		m->room = room;
	}
	if ((m->list[m->n].bytes = malloc(len)) == NULL)
		return false;
	memcpy(m->list[m->n].bytes, text, len);
	m->list[m->n++].len = len;
	return true;
}

/* Blanks around a value are not part of it: they may be lost on the way. */
static void
add_secret(struct load *l, const char *text, size_t len)
{
	for (; len > 0 && strchr(" \t\r\n", *text) != NULL; len--)
		text++;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len < SHORTEST ||
	    (len == l->version_len && memcmp(text, l->version, len) == 0))
		return;
	if (!keep_copy(l->m, text, len))
		l->m->failed = true;
}

/* "connection", "Note:", "127.0.0.1": not a password, and needed by the reader. */
static bool
is_plain(const char *word, size_t len)
{
	if (strspn(word, DIGITS ".") >= len)
		return memchr(word, '.', len) != NULL;
	return len <= PLAIN_LONGEST && strchr(LETTERS, word[0]) != NULL &&
	    1 + strspn(word + 1, LOWER ".-") >= len;
}

/* Each word of `text`; of prose only those that are not plain. */
static void
add_words(struct load *l, const char *text, bool prose)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strcspn(text, WORD);
		len = strspn(text, WORD);
		if (len > 0 && !(prose && is_plain(text, len)))
			add_secret(l, text, len);
	}
}

/* A value, or a part of one: whole, its lines and its words. */
static void
add_value(struct load *l, const char *value)
{
	size_t line;

	add_secret(l, value, strlen(value));
	add_words(l, value, false);
	if (strpbrk(value, "\r\n") == NULL)
		return;
	for (; *value != '\0'; value += line + (value[line] != '\0')) {
		line = strcspn(value, "\r\n");
		add_secret(l, value, line);
	}
}

/* Does this name's value stay readable?  Every line of compose quotes the project. */
static bool
is_readable(const struct mask *m, const char *name, size_t len)
{
	const char *const names[] = { m->variable, "COMPOSE_PROJECT_NAME", "COMPOSE_FILE",
		"COMPOSE_PROFILES" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* ---- as compose reads it ---- */

/* The code point of "\0ddd" in octal, below 256; 0 where it is not one. */
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

/* Appends what a backslash in quotes stands for to `out`; `*p` is behind it. */
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
		/* compose has taken the 0 away before it sees the mistake */
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

/* Skips "{NAME:-" or "NAME", up to the literal text. */
static const char *
skip_reference(const char *p, const char *end)
{
	const bool braces = *p == '{';

	p += braces;
	while (p < end && strchr(LETTERS DIGITS "_", *p) != NULL)
		p++;
	while (braces && p < end && strchr(":-+?", *p) != NULL)
		p++;
	return p;
}

/* The value as compose resolves it, in parts where it refers to other variables. */
static void
add_parts(struct load *l, const struct dotenv_statement *v, char *room)
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
			add_value(l, room);
			out = room;
			open += begins ? next == '{' : -1U;
			p = begins ? skip_reference(p, v->end) : p;
		} else {
			*out++ = c;
			p += refers && c == '$' && next == '$';
		}
	}
	*out = '\0';
	add_value(l, room);
}

static void
add_assignment(struct load *l, const struct dotenv_statement *v)
{
	size_t len = (size_t)(v->end - v->at);
	char *room;

	if (is_readable(l->m, v->name, v->name_len))
		return;
	if ((room = malloc(len + 1)) == NULL) {
		l->m->failed = true;
		return;
	}
	memcpy(room, v->at, len);
	room[len] = '\0';
	add_value(l, room);
	if (strpbrk(room, "$\\") != NULL)
		add_parts(l, v, room);
	freezero(room, len + 1);
}

/* ---- line by line, for what compose does not read: comments, mistakes ---- */

/* A comment that assigns nothing is prose. */
static void
add_line(struct load *l, const char *line)
{
	const bool comment = line[strspn(line, " \t")] == '#';
	const char *text = line + (comment ? strspn(line, " \t#") : 0);
	struct dotenv_statement a;
	struct dotenv_scan s;
	bool assigns;

	dotenv_begin(&s, text, strlen(text));
	(void)dotenv_next(&s, &a);
	assigns = a.at != NULL && a.name_len <= NAME_LONGEST &&
	    strspn(a.name, NAME) >= a.name_len && !(comment && a.separator == ':');
	if (assigns && is_readable(l->m, a.name, a.name_len))
		return;
	if (!assigns) {
		dotenv_begin(&s, text, strlen(text));
		(void)dotenv_value(&s, &a);
	}
	if (assigns || !comment)
		add_secret(l, a.at, (size_t)(a.end - a.at));
	add_words(l, assigns ? a.at : text, comment && !assigns);
}

/* ---- the file ---- */

static void
add_text(struct mask *m, char *bytes, size_t len)
{
	struct load l = { .m = m };
	struct dotenv_place found;
	struct dotenv_statement a;
	struct dotenv_scan s;
	struct fault f = { 0 };
	char *line, *rest = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] == '\0')
			bytes[i] = '\n';
	if (dotenv_find(&found, bytes, len, m->variable, "", &f) == 0) {
		l.version = bytes + found.at;
		l.version_len = found.len;
	}
	dotenv_begin(&s, bytes, len);
	while (dotenv_next(&s, &a))
		if (a.separator != '\0')
			add_assignment(&l, &a);
	/* last: this splits the text */
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(&l, line);
}

/* Reads the file if it is not as it was. */
static void
read_changed(struct mask *m)
{
	char real[PATH_MAX], *bytes;
	struct stat st, *seen = &m->seen;
	size_t len;

	if (stat(m->path, &st) == -1 ||
	    (st.st_dev == seen->st_dev && st.st_ino == seen->st_ino &&
		st.st_size == seen->st_size &&
		st.st_ctim.tv_sec == seen->st_ctim.tv_sec &&
		st.st_ctim.tv_nsec == seen->st_ctim.tv_nsec))
		return;
	if (realpath(m->path, real) == NULL ||
	    file_read(AT_FDCWD, real, DOTENV_MAX, &bytes, &len) == -1)
		return;
	*seen = st;
	add_text(m, bytes, len);
	freezero(bytes, len);
}

int
mask_load(struct mask *m, const char *env_file, const char *variable, struct fault *f)
{
	memset(m, 0, sizeof(*m));
	m->path = env_file;
	m->variable = variable;
	read_changed(m);
	if (!m->failed)
		return 0;
	mask_free(m);
	return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
}

/* How many bytes are the value in quotes or, where they were cut, its beginning. */
static size_t
match_quoted(const struct mask_secret *s, const char *text, size_t len, bool cut)
{
	const char *p = text, *end = text + len;
	size_t done = 0, n;
	char out[4];

	while (done < s->len && p < end) {
		/* half an escape, it may be */
		if (cut && done >= CUT_SHORTEST && *p == '\\' && end - p < QUOTED_MAX)
			return len;
		p += quoted_byte(p, end, out, &n);
		if (n > s->len - done || memcmp(out, s->bytes + done, n) != 0)
			return 0;
		done += n;
	}
	return done == s->len || (cut && done >= CUT_SHORTEST) ? (size_t)(p - text) : 0;
}

/* How many bytes are a value or, where the text was cut, the beginning of one. */
static size_t
longest_match(const struct mask *m, const char *text, size_t len, bool cut)
{
	const struct mask_secret *s;
	size_t best = 0, n;

	for (s = m->list; s < m->list + m->n; s++) {
		n = s->len <= len ? s->len : cut && len >= CUT_SHORTEST ? len : 0;
		if (n > best && *text == *s->bytes && memcmp(text, s->bytes, n) == 0)
			best = n;
		if (*text == *s->bytes || *text == '\\') {
			n = match_quoted(s, text, len, cut);
			best = n > best ? n : best;
		}
	}
	return best;
}

char *
mask_show(struct mask *m, char *dst, size_t size, const char *src, size_t len, bool cut)
{
	char raw[MASK_SHOW_MAX];
	size_t n_raw = len, until = 0, i, n;

	if (m == NULL)
		return text_escape(dst, size, src, len);
	read_changed(m);
	/* text_escape() uses less than its size, and marks a cut */
	if (n_raw > size)
		n_raw = size;
	if (n_raw > sizeof(raw))
		n_raw = sizeof(raw);
	for (i = 0; i < n_raw; i++) {
		n = longest_match(m, src + i, len - i, cut);
		if (i + n > until)
			until = i + n;
		raw[i] = (char)(i < until ? '*' : src[i]);
	}
	return text_escape(dst, size, raw, n_raw);
}

void
mask_free(struct mask *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		freezero(m->list[i].bytes, m->list[i].len);
	free(m->list);
	memset(m, 0, sizeof(*m));
}
