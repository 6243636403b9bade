/*
 * inih, told to do less: by default it cuts a value at " ;" and at 192 bytes, joins
 * indented lines, and reports neither the number of a line to its handler nor the
 * sections to anybody.  So a reader of ours checks and counts each line and takes the
 * sections; inih only gets lines that are blank, comments or settings.
 */
#include "config/inifile.h"

#include "sys/text.h"

#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct inifile {
	const char *path, *at, *end;
	unsigned line;
	const struct inifile_sink *sink;
	struct fault *fault;
};

int
inifile_fault(struct fault *f, const char *path, unsigned line, const char *next,
    const char *fmt, ...)
{
	char what[384], safe[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(f, FAULT_HOST, next, "%s:%u: %s",
	    text_escape(safe, sizeof(safe), path, strlen(path)), line, what);
}

static int
bad_line(const struct inifile *r, const char *what, const char *next)
{
	return inifile_fault(r->fault, r->path, r->line, next, "%s", what);
}

static int
check_bytes(const struct inifile *r, const char *s, size_t len)
{
	size_t i;

	if (r->line == 1 && len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return bad_line(r, "begins with a byte order mark",
		    "save the file as UTF-8 without one");
	for (i = 0; i < len; i++) {
		if (s[i] == '\r')
			return bad_line(r, "has a carriage return",
			    "save the file with Unix line ends");
		if ((s[i] >= 0 && s[i] < ' ' && s[i] != '\t') || s[i] == '\x7f')
			return bad_line(r,
			    s[i] == '\0' ? "has a NUL byte" : "has a control byte",
			    "remove it; a configuration file is plain text");
	}
	return 0;
}

/* A line with something in it that is no comment. */
static int
check_line(const struct inifile *r, const char *s, size_t len)
{
	const char *equal = memchr(s, '=', len), *colon = memchr(s, ':', len);

	if (*s == ' ' || *s == '\t')
		return bad_line(r, "begins with white space",
		    "remove it; a value ends with its line");
	if (*s == '[')
		return 0;
	if (equal == NULL || (colon != NULL && colon < equal))
		return bad_line(r, "is not a setting", "write KEY = VALUE");
	return 0;
}

static int
take_section(const struct inifile *r, const char *s, size_t len)
{
	char text[INIFILE_LINE];

	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (len < 2 || s[len - 1] != ']')
		return bad_line(r, "a section without its ']'", "write [target NAME]");
	memcpy(text, s + 1, len - 2);
	text[len - 2] = '\0';
	return r->sink->section(r->sink->arg, r->line, text, r->fault);
}

/* fgets(3) for inih; NULL at the end and after a fault. */
static char *
next_line(char *to, int size, void *arg)
{
	struct inifile *r = arg;
	const char *s = r->at, *eol;
	size_t len, blank;

	if (s == r->end || r->fault->kind != FAULT_NONE)
		return NULL;
	eol = memchr(s, '\n', (size_t)(r->end - s));
	len = (size_t)((eol == NULL ? r->end : eol) - s);
	r->at = eol == NULL ? r->end : eol + 1;
	r->line++;
	if (size < 2 || len + 2 > (size_t)size) {
		bad_line(r, "the line is too long", "shorten it; 4 KiB are enough");
		return NULL;
	}
	if (check_bytes(r, s, len) == -1)
		return NULL;
	memcpy(to, s, len);
	memcpy(to + len, "\n", 2);
	blank = strspn(to, " \t");
	if (strchr("#;\n", to[blank]) != NULL)
		return to;
	if (check_line(r, to, len) == -1)
		return NULL;
	if (*to == '[') {
		if (take_section(r, s, len) == -1)
			return NULL;
		memcpy(to, "\n", 2);
	}
	return to;
}

static bool
has_comment(const char *value)
{
	for (; *value != '\0'; value++)
		if ((*value == ' ' || *value == '\t') &&
		    (value[1] == '#' || value[1] == ';'))
			return true;
	return false;
}

/* inih's handler: not 0 goes on. */
static int
take_setting(void *arg, const char *section, const char *name, const char *value)
{
	const struct inifile *r = arg;
	int rc;

	(void)section;
	if (*name == '\0')
		rc = bad_line(r, "has no key", "write KEY = VALUE");
	else if (has_comment(value) || *value == '#' || *value == ';')
		rc = bad_line(r, "a comment after a value",
		    "move it to a line of its own");
	else if (*value == '"' || *value == '\'')
		rc = bad_line(r, "a value in quotes", "remove the quotes");
	else
		rc = r->sink->setting(r->sink->arg, r->line, name, value, r->fault);
	return rc == 0;
}

int
inifile_parse(const char *path, const char *bytes, size_t len,
    const struct inifile_sink *sink, struct fault *f)
{
	struct inifile r = { path, bytes, bytes + len, 0, sink, f };
	int rc;

	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = INIFILE_LINE;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false;
	rc = ini_parse_stream(next_line, &r, take_setting, &r);
	if (f->kind != FAULT_NONE)
		return -1;
	if (rc == -2)
		return fault_set(f, FAULT_HOST, "free some memory", "out of memory");
	/* check_line() leaves no line that inih would refuse; its own word all the same */
	r.line = (unsigned)rc;
	return rc == 0 ? 0 : bad_line(&r, "is not a setting", "write KEY = VALUE");
}
