/*
 * MUST: compare raw bytes, before anything is cut or escaped.
 * MUST: mask too much rather than too little: a line that compose refuses counts.
 */
#include "state/mask.h"

#include "state/envscan.h"
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
#define ESCAPE_MAX 12    /* "\ud83d\ude00" */
#define FILE_MAX (1024 * 1024)

/* One reading of the file. */
struct load {
	struct mask *m;
	const char *version; /* the value that stays readable */
	size_t version_len;
};

/* Blanks around a value may be lost on the way, and say nothing. */
static void
add(struct load *l, const char *text, size_t len)
{
	struct mask *m = l->m;
	size_t room = m->room == 0 ? 64 : 2 * m->room;
	void *grown;

	for (; len > 0 && strchr(" \t\r\n", *text) != NULL; len--)
		text++;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len < SHORTEST ||
	    (len == l->version_len && memcmp(text, l->version, len) == 0))
		return;
	if (m->n == m->room) {
		if ((grown = reallocarray(m->list, room, sizeof(*m->list))) == NULL) {
			m->failed = true;
			return;
		}
		m->list = grown;
		m->room = room;
	}
	if ((m->list[m->n].bytes = malloc(len)) == NULL) {
		m->failed = true;
		return;
	}
	memcpy(m->list[m->n].bytes, text, len);
	m->list[m->n++].len = len;
}

/* "connection", "Note:", "127.0.0.1": nobody's password, and needed to understand. */
static bool
is_plain(const char *word, size_t len)
{
	if (strspn(word, DIGITS ".") >= len)
		return memchr(word, '.', len) != NULL;
	return len <= PLAIN_LONGEST && strchr(LETTERS, word[0]) != NULL &&
	    1 + strspn(word + 1, LOWER ".-") >= len;
}

/* Each word of `text`; of prose without those that are plain. */
static void
add_words(struct load *l, const char *text, bool prose)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strcspn(text, WORD);
		len = strspn(text, WORD);
		if (len > 0 && !(prose && is_plain(text, len)))
			add(l, text, len);
	}
}

/* A value, or a part of one: whole, its lines and its words. */
static void
add_value(struct load *l, const char *value)
{
	size_t line;

	add(l, value, strlen(value));
	add_words(l, value, false);
	if (strpbrk(value, "\r\n") == NULL)
		return;
	for (; *value != '\0'; value += line + (value[line] != '\0')) {
		line = strcspn(value, "\r\n");
		add(l, value, line);
	}
}

/* Does this name's value stay readable?  Every line of compose's has the project. */
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

/* "\0ddd", a code point below 256 in octal; 0 where it is none. */
static unsigned
octal(const char *p, const char *end)
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

/* What a backslash in quotes does; `*p` is behind it.  Appends to `out`. */
static char *
take_escape(const struct envscan_value *v, const char **p, char *out)
{
	static const char from[] = "abfnrtv\\$", to[] = "\a\b\f\n\r\t\v\\$";
	const char c = *(*p)++, *known = v->quote == '"' ? strchr(from, c) : NULL;
	unsigned code = v->quote == '"' ? octal(*p - 1, v->end) : 0;

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

/* Goes over "{NAME:-" or "NAME", up to what stands for itself. */
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

/* Adds what compose makes of the value, in parts where it refers to others. */
static void
add_parts(struct load *l, const struct envscan_value *v, char *room)
{
	const bool refers = v->quote != '\'';
	const char *p = v->at;
	char *out = room;
	unsigned open = 0;

	while (p < v->end) {
		const char c = *p++, next = (char)(p < v->end ? *p : '\0');
		const bool begins = refers && c == '$' && next != '$' && next != '\0';

		if (c == '\\' && v->quote != '\0' && next != '\0')
			out = take_escape(v, &p, out);
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
add_assignment(void *arg, const struct envscan_value *v)
{
	struct load *l = arg;
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

/* Where the value begins, of what is commented out too; the line where it has no name. */
static char *
value_of(const struct mask *m, char *line, bool comment)
{
	char *name = line + strspn(line, comment ? " \t#" : " \t"), *end;
	size_t len;

	if (strncmp(name, "export ", 7) == 0)
		name += 7 + strspn(name + 7, " \t");
	len = strspn(name, NAME);
	end = name + len + strspn(name + len, " \t");
	if (len == 0 || len > NAME_LONGEST || (*end != '=' && (comment || *end != ':')))
		return line;
	return is_readable(m, name, len) ? end + strlen(end) : end + 1;
}

/* Without quotes and comment. */
static void
add_bare(struct load *l, const char *text)
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
	add(l, text, len);
}

/* A comment that assigns nothing is prose. */
static void
add_line(struct load *l, char *line)
{
	bool comment = line[strspn(line, " \t")] == '#';
	char *value = value_of(l->m, line, comment);
	bool prose = comment && value == line;

	if (!prose)
		add_bare(l, value);
	add_words(l, value, prose);
}

/* ---- the file ---- */

static void
read_bytes(struct mask *m, char *bytes, size_t len)
{
	struct load l = { .m = m };
	struct envscan found;
	struct fault f = { 0 };
	char *line, *rest = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] == '\0')
			bytes[i] = '\n';
	if (envscan_find(&found, bytes, len, m->variable, "", &f) == 0) {
		l.version = bytes + found.at;
		l.version_len = found.len;
	}
	envscan_each(bytes, len, add_assignment, &l);
	/* last, for it takes the lines apart */
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(&l, line);
}

/* Reads the file if it is not as it was. */
static void
refresh(struct mask *m)
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
	    file_read(AT_FDCWD, real, FILE_MAX, &bytes, &len) == -1)
		return;
	*seen = st;
	read_bytes(m, bytes, len);
	freezero(bytes, len);
}

int
mask_load(struct mask *m, const char *env_file, const char *variable, struct fault *f)
{
	memset(m, 0, sizeof(*m));
	m->path = env_file;
	m->variable = variable;
	refresh(m);
	if (!m->failed)
		return 0;
	mask_free(m);
	return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
}

/* `digits` hexadecimal digits; false where there are less. */
static bool
take_hex(const char *p, const char *end, size_t digits, unsigned *code)
{
	static const char all[] = "0123456789abcdef0123456789ABCDEF";
	const char *at;

	*code = 0;
	for (; digits > 0; digits--, p++) {
		if (p == end || *p == '\0' || (at = strchr(all, *p)) == NULL)
			return false;
		*code = *code << 4 | (unsigned)((at - all) & 0xf);
	}
	return true;
}

static size_t
to_utf8(unsigned code, char out[4])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;

	for (i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(n == 1 ? code : (0xf00U >> n & 0xf0) | code);
	return n;
}

/*
 * What begins at `p`, a byte or an escape of JSON (RFC 8259 7) or of Go's %q: its
 * bytes into `out`, *n of them.  Returns how long it is.
 */
static size_t
unquote(const char *p, const char *end, char out[4], size_t *n)
{
	static const char from[] = "\"\\/'nrtbfva", to[] = "\"\\/'\n\r\t\b\f\v\a";
	const char *known;
	unsigned code, low;

	*n = 1;
	out[0] = *p;
	if (*p != '\\' || end - p < 2)
		return 1;
	if (p[1] != '\0' && (known = strchr(from, p[1])) != NULL)
		out[0] = to[known - from];
	else if (p[1] == 'x' && take_hex(p + 2, end, 2, &code)) {
		out[0] = (char)code;
		return 4;
	} else if (p[1] == 'u' && take_hex(p + 2, end, 4, &code)) {
		if (code >> 10 == 0x36 && end - p >= ESCAPE_MAX && p[6] == '\\' &&
		    p[7] == 'u' && take_hex(p + 8, end, 4, &low) && low >> 10 == 0x37) {
			*n = to_utf8(0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff)),
			    out);
			return ESCAPE_MAX;
		}
		*n = to_utf8(code, out);
		return 6;
	} else
		return 1;
	return 2;
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
		if (cut && done >= CUT_SHORTEST && *p == '\\' && end - p < ESCAPE_MAX)
			return len;
		p += unquote(p, end, out, &n);
		if (n > s->len - done || memcmp(out, s->bytes + done, n) != 0)
			return 0;
		done += n;
	}
	return done == s->len || (cut && done >= CUT_SHORTEST) ? (size_t)(p - text) : 0;
}

/* How many bytes are a value or, where the text was cut, the beginning of one. */
static size_t
match(const struct mask *m, const char *text, size_t len, bool cut)
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
	size_t take = len, until = 0, i, n;

	if (m == NULL)
		return text_escape(dst, size, src, len);
	refresh(m);
	/* text_escape() takes less than its size, and marks that it did */
	if (take > size)
		take = size;
	if (take > sizeof(raw))
		take = sizeof(raw);
	for (i = 0; i < take; i++) {
		n = match(m, src + i, len - i, cut);
		if (i + n > until)
			until = i + n;
		raw[i] = (char)(i < until ? '*' : src[i]);
	}
	return text_escape(dst, size, raw, take);
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
