/*
 * inih does too much by default: it cuts a value at " ;" and at 192 bytes, joins
 * indented lines, and gives its handler neither line numbers nor empty sections.  So
 * next_line() checks and counts the lines and handles the sections; inih sees only
 * blank lines, comments and settings.
 *
 * MUST: use nothing of a file that others may write.
 */
#include "config/sections.h"

#include "sys/file.h"
#include "sys/text.h"

#include <sys/stat.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_FIRST                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct reader {
	struct sections *file;
	const char *at, *end;
	unsigned line;
	struct fault *fault;
};

int
sections_fault(struct fault *f, const char *path, unsigned line, const char *next,
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
bad_line(const struct reader *r, const char *what, const char *next)
{
	return sections_fault(r->fault, r->file->path, r->line, next, "%s", what);
}

/* ---- sections ---- */

static bool
is_target_name(const char *name)
{
	return *name != '\0' && strchr(NAME_FIRST, *name) != NULL &&
	    name[strspn(name, NAME_FIRST "_.-")] == '\0' &&
	    strlen(name) < TARGET_NAME_MAX && strcmp(name, "all") != 0;
}

/* The text between brackets: "target NAME". */
static int
add_section(const struct reader *r, const char *text)
{
	static const char kind[] = "target";
	struct sections *file = r->file;
	struct section *s = &file->section[file->n];
	size_t len = strcspn(text, " \t"), i;
	const char *name = text + len + strspn(text + len, " \t");
	char safe[100];

	text_escape(safe, sizeof(safe), text, strlen(text));
	if (len != sizeof(kind) - 1 || memcmp(text, kind, len) != 0)
		return sections_fault(r->fault, file->path, r->line,
		    "write [target NAME]", "unknown section [%s]", safe);
	if (!is_target_name(name))
		return sections_fault(r->fault, file->path, r->line,
		    "use 1 to 63 letters, digits, '_', '.', '-', and not `all`",
		    "[%s] is not a target with a valid name", safe);
	for (i = 1; i < file->n; i++)
		if (strcmp(file->section[i].name, name) == 0)
			return sections_fault(r->fault, file->path, r->line,
			    "merge the two sections",
			    "a second [%s]; the first is in line %u", safe,
			    file->section[i].line);
	if (file->n == 1 + TARGETS_MAX)
		return sections_fault(r->fault, file->path, r->line,
		    "divide them among hosts", "more than %d targets", TARGETS_MAX);
	(void)strlcpy(s->name, name, sizeof(s->name));
	s->line = r->line;
	file->n++;
	return 0;
}

static int
read_section(const struct reader *r, const char *s, size_t len)
{
	char text[SECTIONS_LINE_MAX];

	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (len < 2 || s[len - 1] != ']')
		return bad_line(r, "a section without ']' at its end",
		    "write [target NAME]");
	memcpy(text, s + 1, len - 2);
	text[len - 2] = '\0';
	return add_section(r, text);
}

/* ---- settings ---- */

const struct item *
section_item(const struct section *s, const struct key *k, const char *service)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->item[i].key == k && strcmp(s->item[i].service, service) == 0)
			return &s->item[i];
	return NULL;
}

/* The name of a variable, TWILIGHT_HOME, is near the key `home`. */
static const char *
nearest_key(const char *name)
{
	static const char prefix[] = "TWILIGHT_";
	char bare[64];
	size_t i;

	if (strncmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	if (strlcpy(bare, name, sizeof(bare)) >= sizeof(bare))
		return NULL;
	for (i = 0; bare[i] != '\0'; i++)
		bare[i] = (char)tolower((unsigned char)bare[i]);
	return key_nearest(bare, false);
}

static int
unknown_key(const struct reader *r, const char *name)
{
	const char *near = nearest_key(name);
	char safe[100], next[128] = "";

	if (near != NULL)
		snprintf(next, sizeof(next), "did you mean %s? ", near);
	(void)strlcat(next, "`help settings` lists the keys", sizeof(next));
	return sections_fault(r->fault, r->file->path, r->line, next, "unknown key %s",
	    text_escape(safe, sizeof(safe), name, strlen(name)));
}

static int
add_item(const struct reader *r, const char *name, const char *value)
{
	struct section *s = &r->file->section[r->file->n - 1];
	struct item *it = &s->item[s->n];
	const struct key *k = key_find(name);
	const struct item *first;
	const char *service;
	char safe[100];

	if (k == NULL)
		return unknown_key(r, name);
	service = key_service(k, name);
	first = section_item(s, k, service);
	if (first != NULL)
		return sections_fault(r->fault, r->file->path, r->line,
		    "remove one of them", "%s is set twice; the first is in line %u",
		    text_escape(safe, sizeof(safe), name, strlen(name)), first->line);
	if (s->n == KEY_ITEMS_MAX || strlen(service) >= SERVICE_MAX)
		return bad_line(r,
		    s->n == KEY_ITEMS_MAX ? "too many settings" : "the key is too long",
		    "remove settings of services that the target does not have");
	if ((it->value = strdup(value)) == NULL)
		return fault_memory(r->fault);
	it->key = k;
	it->line = r->line;
	(void)strlcpy(it->service, service, sizeof(it->service));
	s->n++;
	return 0;
}

static bool
has_comment(const char *value)
{
	const char *at = value;

	while ((at = strpbrk(at, "#;")) != NULL && at > value && at[-1] != ' ' &&
	    at[-1] != '\t')
		at++;
	return at != NULL;
}

/* inih's handler; 0 is a failure. */
static int
read_setting(void *arg, const char *section, const char *name, const char *value)
{
	const struct reader *r = arg;
	int rc;

	(void)section;
	if (*name == '\0')
		rc = bad_line(r, "has no key", "write KEY = VALUE");
	else if (has_comment(value))
		rc = bad_line(r, "a comment after a value",
		    "move it to a line of its own");
	else if (*value == '"' || *value == '\'')
		rc = bad_line(r, "a value in quotes", "remove the quotes");
	else
		rc = add_item(r, name, value);
	return rc == 0;
}

/* ---- lines ---- */

static int
check_text(const struct reader *r, const char *s, size_t len)
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

/* A line that is neither blank nor a comment nor a section. */
static int
check_setting(const struct reader *r, const char *s)
{
	if (*s == ' ' || *s == '\t')
		return bad_line(r, "begins with white space",
		    "remove it; a value ends with its line");
	/* inih also takes ':' for '=' */
	if (s[strcspn(s, "=:")] != '=')
		return bad_line(r, "is not a setting", "write KEY = VALUE");
	return 0;
}

/* fgets(3) for inih; NULL at the end and after a fault. */
static char *
next_line(char *to, int size, void *arg)
{
	struct reader *r = arg;
	const char *s = r->at, *eol;
	int rc = 0;
	size_t len;

	if (s == r->end || r->fault->kind != FAULT_NONE)
		return NULL;
	eol = memchr(s, '\n', (size_t)(r->end - s));
	len = (size_t)((eol == NULL ? r->end : eol) - s);
	r->at = eol == NULL ? r->end : eol + 1;
	r->line++;
	if (size < 2 || len + 2 > (size_t)size) {
		bad_line(r, "the line is too long", "shorten it to less than 4 KiB");
		return NULL;
	}
	if (check_text(r, s, len) == -1)
		return NULL;
	memcpy(to, s, len);
	memcpy(to + len, "\n", 2);
	if (*to == '[') {
		rc = read_section(r, s, len);
		memcpy(to, "\n", 2);
	} else if (strchr("#;\n", to[strspn(to, " \t")]) == NULL)
		rc = check_setting(r, to);
	return rc == -1 ? NULL : to;
}

static int
parse_file(struct sections *file, const char *bytes, size_t len, struct fault *f)
{
	struct reader r = { file, bytes, bytes + len, 0, f };
	int rc;

	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = SECTIONS_LINE_MAX;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false;
	rc = ini_parse_stream(next_line, &r, read_setting, &r);
	if (f->kind != FAULT_NONE)
		return -1;
	if (rc == -2)
		return fault_memory(f);
	/* check_setting() lets no line pass that inih refuses; rc is its line number */
	r.line = (unsigned)rc;
	return rc == 0 ? 0 : bad_line(&r, "is not a setting", "write KEY = VALUE");
}

/* A file without sections is the target `default`, and may have all of its keys. */
static int
check_shared(const struct sections *file, struct fault *f)
{
	const struct section *s = &file->section[0];
	char safe[SERVICE_MAX * 4 + 1];
	size_t i;

	for (i = 0; file->n > 1 && i < s->n; i++) {
		const struct item *it = &s->item[i];

		if (it->key->scope == SCOPE_SHARED)
			continue;
		text_escape(safe, sizeof(safe), it->service, strlen(it->service));
		return sections_fault(f, file->path, it->line,
		    "move it below [target NAME]",
		    "%s%s%s is a setting of one target, not of all", it->key->name,
		    it->key->scope == SCOPE_SERVICE ? "." : "", safe);
	}
	return 0;
}

/* ---- the file ---- */

/* A file that others may write would let them name the folders and the health URL. */
static int
read_trusted(int fd, const char *path, char **bytes, size_t *len, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_HOST, "name a file", "%s: not a regular file",
		    path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(f, FAULT_HOST, "chown it to root",
		    "%s: its owner is neither root nor the user that runs this", path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_HOST, "run chmod go-w on it",
		    "%s: others than its owner may write it", path);
	if (file_read_fd(fd, SECTIONS_BYTES_MAX, bytes, len) == 0)
		return 0;
	if (errno == EFBIG)
		return fault_set(f, FAULT_HOST, "shorten it", "%s: more than 1 MiB",
		    path);
	return fault_set(f, FAULT_HOST, "try again", "cannot read %s: %s", path,
	    strerror(errno));
}

int
sections_load(struct sections *file, const char *path, bool optional, struct fault *f)
{
	char safe[200], *bytes = NULL;
	size_t len = 0;
	int fd, rc;

	file->n = 1;
	if (path == NULL)
		return 0;
	text_escape(safe, sizeof(safe), path, strlen(path));
	if (strlen(path) >= sizeof(file->path))
		return fault_set(f, FAULT_HOST, "name a shorter one", "%s: too long",
		    safe);
	/* a symlink is followed: the checks are on the open file */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT && optional)
		return 0;
	if (fd == -1)
		return fault_set(f, FAULT_HOST, "it must exist and be readable",
		    "cannot read %s: %s", safe, strerror(errno));
	(void)strlcpy(file->path, path, sizeof(file->path));
	rc = read_trusted(fd, safe, &bytes, &len, f);
	close(fd);
	if (rc == 0)
		rc = parse_file(file, bytes, len, f);
	if (rc == 0)
		rc = check_shared(file, f);
	free(bytes);
	return rc;
}

void
sections_free(struct sections *file)
{
	size_t i, j;

	for (i = 0; i < file->n; i++)
		for (j = 0; j < file->section[i].n; j++)
			free(file->section[i].item[j].value);
	file->n = 0;
}
