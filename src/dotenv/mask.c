/*
 * MUST
 *
 *  - compare raw bytes, before anything is cut or escaped;
 *  - mask too much rather than too little: a line that compose refuses counts.
 */
#include "dotenv/mask.h"

#include "dotenv/read.h"
#include "sys/file.h"
#include "sys/text.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define WORD LETTERS DIGITS "_.+-"
#define NAME LETTERS DIGITS "_.-"
#define BLANKS " \t\r\n"
#define SHORTEST 6       /* bytes of a value, or of a word of one */
#define SHORTEST_NAMED 3 /* of a value whose name says that it is secret */
#define CUT_SHORTEST 3   /* of the beginning of a value */
#define PLAIN_LONGEST 14 /* "authentication" */
#define NAME_LONGEST 31  /* longer ones may be lines of a key */
#define QUOTED_MAX 12    /* "\ud83d\ude00" */

/* One reading of the file. */
struct load {
	struct mask *m;
	const char *version; /* the value that stays readable */
	size_t version_len;
	size_t shortest;
};

/* ---- what is masked ---- */

static bool
keep_copy(struct mask *m, const char *text, size_t len)
{
	void *grown;

	/* it has room up to the next power of two */
	if ((m->n & (m->n - 1)) == 0) {
		grown = reallocarray(m->list, m->n == 0 ? 1 : 2 * m->n, sizeof(*m->list));
		if (grown == NULL)
			return false;
		m->list = grown;
	}
	if ((m->list[m->n].bytes = malloc(len)) == NULL)
		return false;
	memcpy(m->list[m->n].bytes, text, len);
	m->list[m->n++].len = len;
	return true;
}

/* Blanks around a value may get lost, so they are not part of it. */
static void
add_secret(struct load *l, const char *text, size_t len)
{
	for (; len > 0 && strchr(BLANKS, *text) != NULL; len--)
		text++;
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	if (len < l->shortest ||
	    (len == l->version_len && memcmp(text, l->version, len) == 0))
		return;
	if (!keep_copy(l->m, text, len))
		l->m->failed = true;
}

/* "connection", "Note:", "127.0.0.1": not a password, and useful to the reader. */
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
		if (len >= SHORTEST && !(prose && is_plain(text, len)))
			add_secret(l, text, len);
	}
}

/* A value, or a part of one: whole, its lines and its words. */
static void
add_value(void *arg, const char *value)
{
	struct load *l = arg;
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

/* Does the value of this name stay readable?  Compose prints its project everywhere. */
static bool
is_readable(const struct mask *m, const char *name, size_t len)
{
	const char *const lists[] = { m->variable, m->variables,
		"COMPOSE_PROJECT_NAME COMPOSE_FILE COMPOSE_PROFILES" };
	const char *at;
	size_t i, n;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (at = lists[i]; *at != '\0'; at += n + (at[n] == ' ')) {
			n = strcspn(at, " ");
			if (n == len && memcmp(at, name, n) == 0)
				return true;
		}
	return false;
}

static size_t
shortest_of(const char *name, size_t len)
{
	static const char *const parts[] = { "PASS", "PWD", "SECRET", "TOKEN", "KEY",
		"CRED" };
	char copy[64];
	size_t i;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, name);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasestr(copy, parts[i]) != NULL)
			return SHORTEST_NAMED;
	return SHORTEST;
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
	l->shortest = shortest_of(v->name, v->name_len);
	add_value(l, room);
	l->shortest = SHORTEST;
	if (strpbrk(room, "$\\") != NULL)
		dotenv_resolve(v, room, add_value, l);
	freezero(room, len + 1);
}

/* What compose does not read: comments and mistakes.  A comment without '=' is prose. */
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
	if (assigns)
		l->shortest = shortest_of(a.name, a.name_len);
	if (assigns || !comment)
		add_secret(l, a.at, (size_t)(a.end - a.at));
	l->shortest = SHORTEST;
	add_words(l, assigns ? a.at : text, comment && !assigns);
}

static void
add_text(struct mask *m, char *bytes, size_t len)
{
	struct load l = { .m = m, .shortest = SHORTEST };
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
	/* last: it splits the text */
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(&l, line);
}

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
mask_load(struct mask *m, const char *env_file, const char *variable,
    const char *variables, struct fault *f)
{
	memset(m, 0, sizeof(*m));
	m->path = env_file;
	m->variable = variable;
	m->variables = variables;
	read_changed(m);
	if (!m->failed)
		return 0;
	mask_free(m);
	return fault_memory(f);
}

/* ---- text as JSON (RFC 8259 7) and Go's %q quote it ---- */

static bool
read_hex(const char *p, const char *end, size_t digits, unsigned *code)
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
encode_utf8(unsigned code, char out[4])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;

	for (i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(n == 1 ? code : (0xf00U >> n & 0xf0) | code);
	return n;
}

/* The byte or escape at `p`: what it stands for, *n bytes.  Returns its length. */
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
	if (p[1] != '\0' && (known = strchr(from, p[1])) != NULL) {
		out[0] = to[known - from];
		return 2;
	}
	if (p[1] == 'x' && read_hex(p + 2, end, 2, &code)) {
		out[0] = (char)code;
		return 4;
	}
	if (p[1] != 'u' || !read_hex(p + 2, end, 4, &code))
		return 1;
	if (code >> 10 == 0x36 && end - p >= QUOTED_MAX && p[6] == '\\' && p[7] == 'u' &&
	    read_hex(p + 8, end, 4, &low) && low >> 10 == 0x37) {
		*n = encode_utf8(0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff)), out);
		return QUOTED_MAX;
	}
	*n = encode_utf8(code, out);
	return 6;
}

/* ---- masking ---- */

/* The length of the quoted secret at `p` or, with `cut`, of its beginning; else 0. */
static size_t
match_quoted(const struct mask_secret *s, const char *text, const char *end, bool cut)
{
	const char *p = text;
	size_t done = 0, n;
	char out[4];

	while (done < s->len && p < end) {
		/* perhaps half of an escape */
		if (cut && done >= CUT_SHORTEST && *p == '\\' && end - p < QUOTED_MAX)
			return (size_t)(end - text);
		p += unquote(p, end, out, &n);
		if (n > s->len - done || memcmp(out, s->bytes + done, n) != 0)
			return 0;
		done += n;
	}
	return done == s->len || (cut && done >= CUT_SHORTEST) ? (size_t)(p - text) : 0;
}

/* Is the short secret at `p` a word of its own? */
static bool
is_word(const struct mask_secret *s, const char *text, const char *p, const char *end)
{
	const char *after = p + s->len;

	return (p == text || !isalnum((unsigned char)p[-1])) &&
	    (after >= end || !isalnum((unsigned char)*after));
}

/* How many bytes at `p` are a secret or, with `cut`, the beginning of one. */
static size_t
longest_match(const struct mask *m, const char *text, const char *p, const char *end,
    bool cut)
{
	const struct mask_secret *s;
	size_t best = 0, len = (size_t)(end - p), n;

	for (s = m->list; s < m->list + m->n; s++) {
		if (*p != *s->bytes && *p != '\\')
			continue;
		n = s->len <= len ? s->len : cut && len >= CUT_SHORTEST ? len : 0;
		if (n > best && memcmp(p, s->bytes, n) == 0 &&
		    (s->len >= SHORTEST || is_word(s, text, p, end)))
			best = n;
		n = s->len < SHORTEST ? 0 : match_quoted(s, p, end, cut);
		best = n > best ? n : best;
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
		n = longest_match(m, src, src + i, src + len, cut);
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
