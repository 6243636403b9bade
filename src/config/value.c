/*
 * The text of a value is checked and set, or refused; it is never repaired.
 */
#include "config/keys.h"

#include "health/url.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define SEPARATORS " ,\t"
#define MUST_MAX 160
#define NAME_SIZE (64 + SERVICE_MAX) /* of a key */
_Static_assert(SERVICES_MAX == 8, "as names_must() says");
#define NAME_MUST "letters, digits, '_'; '.' and '-' after the first character"

/* "PATH:LINE: ", or nothing for the environment. */
static const char *
place(const struct origin *o, char *to, size_t size)
{
	char safe[200];

	to[0] = '\0';
	if (o->path != NULL)
		snprintf(to, size,
		    "%s:%u: ", text_escape(safe, sizeof(safe), o->path, strlen(o->path)),
		    o->line);
	return to;
}

/* As it is named where the value comes from. */
static const char *
name_of(const struct key *k, const struct origin *o, char to[NAME_SIZE])
{
	bool dotted = k->scope == SCOPE_SERVICE && o->service != NULL;

	snprintf(to, NAME_SIZE, "%s%s%s",
	    o->path == NULL && k->env != NULL ? k->env : k->name, dotted ? "." : "",
	    dotted ? o->service : "");
	return to;
}

int
value_wrong(const struct key *k, const char *value, const struct origin *o,
    const char *must, struct fault *f)
{
	char safe[128], at[224], name[NAME_SIZE];

	return fault_set(f, FAULT_HOST, "`help settings` lists them",
	    "%sbad setting %s=%s: must be %s", place(o, at, sizeof(at)),
	    name_of(k, o, name), text_escape(safe, sizeof(safe), value, strlen(value)),
	    must);
}

/* Digits, with `fraction` up to three decimals, in thousandths; -1: it is no number. */
static int64_t
decimal(const char *s, bool fraction, const char **end)
{
	int64_t n = 0, scale = 100;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n > INT64_MAX / 10000 - 1)
			return -1;
		n = n * 10 + (*s - '0');
	}
	if (fraction) {
		n *= 1000;
		if (*s == '.' && s[1] >= '0' && s[1] <= '9')
			for (s++; *s >= '0' && *s <= '9' && scale > 0; s++, scale /= 10)
				n += (*s - '0') * scale;
	}
	*end = s;
	return n;
}

static int64_t
suffix(const char **end)
{
	static const char units[] = "KMG";
	const char *unit = **end == '\0' ? NULL : strchr(units, **end);

	if (unit == NULL)
		return 1;
	(*end)++;
	return INT64_C(1) << (10 * (unit - units + 1));
}

/* The functions that set a field return what the value must be; NULL: it is set. */
static const char *
set_number(const struct key *k, void *field, const char *value, char must[MUST_MAX])
{
	int64_t unit = k->kind == VALUE_SECONDS ? 1000 : 1, n, factor;
	bool size = k->kind == VALUE_SIZE;
	const char *end = "";

	n = decimal(value, k->kind == VALUE_SECONDS, &end);
	factor = n >= 0 && size ? suffix(&end) : 1;
	if (size && (n < 0 || *end != '\0' || n > INT64_MAX / factor))
		return "a number of bytes such as 500M or 2G";
	n *= factor;
	snprintf(must, MUST_MAX, "a number from %lld to %lld", (long long)k->min,
	    (long long)k->max);
	if (n < 0 || *end != '\0' || n < k->min * unit || (!size && n > k->max * unit))
		return must;
	memcpy(field, &n, sizeof(n));
	return NULL;
}

static const char *
set_flag(void *field, const char *value)
{
	int64_t yes = strcmp(value, "yes") == 0;

	memcpy(field, &yes, sizeof(yes));
	return yes || strcmp(value, "no") == 0 ? NULL : "yes or no";
}

/* Names of services and projects, as compose's schema allows them. */
static bool
is_name(const char *s, size_t len)
{
	return *s != '-' && *s != '.' && strspn(s, LETTERS DIGITS "_.-") >= len;
}

static bool
is_choice(const char *choices, const char *value)
{
	const char *at = choices;
	size_t len;

	for (; *at != '\0'; at += strspn(at, ", ")) {
		len = strcspn(at, ", ");
		if (len == strlen(value) && memcmp(at, value, len) == 0 &&
		    strcmp(value, "or") != 0)
			return true;
		at += len;
	}
	return false;
}

/* Of this form target_tag_of() finds the tag again. */
static bool
is_format(const char *value)
{
	size_t len = strlen(value);

	return len >= 2 && strcmp(value + len - 2, "%t") == 0 &&
	    strspn(value, LETTERS DIGITS "_.@:/+-") == len - 2 &&
	    (len == 2 || (len > 3 && value[len - 3] == ':'));
}

static bool
is_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s >= 0 && *s < ' ') || *s == '\x7f')
			return false;
	return true;
}

/* None is empty; ':' and ',' are separators for compose. */
static bool
is_paths(const char *value)
{
	return strpbrk(value, ",\n") == NULL && value[0] != ':' &&
	    strstr(value, "::") == NULL &&
	    (value[0] == '\0' || value[strlen(value) - 1] != ':');
}

/* Names of services, at most SERVICES_MAX. */
static const char *
names_must(const char *value)
{
	size_t len, n = 0;

	for (value += strspn(value, SEPARATORS); *value != '\0';
	     value += len + strspn(value + len, SEPARATORS)) {
		len = strcspn(value, SEPARATORS);
		if (!is_name(value, len))
			return NAME_MUST;
		if (n++ == SERVICES_MAX)
			return "a list of at most 8 services";
	}
	return NULL;
}

static bool
is_variable(const char *s, size_t len)
{
	return strspn(s, LETTERS "_") > 0 && strspn(s, LETTERS DIGITS "_") >= len;
}

/* As sys/childenv.h separates them. */
static bool
are_variables(const char *s)
{
	size_t len;

	for (s += strspn(s, " ,"); *s != '\0'; s += len + strspn(s + len, " ,")) {
		len = strcspn(s, " ,");
		if (!is_variable(s, len))
			return false;
	}
	return true;
}

/* The words are separated by spaces; there is no shell, and no quoting. */
static const char *
job_must(const char *value)
{
	const char *words[JOB_WORDS_MAX + 1];
	char text[sizeof(((struct target *)NULL)->pre_deploy)];
	size_t n;

	if (strlcpy(text, value, sizeof(text)) >= sizeof(text))
		return "shorter";
	n = text_words(text, " ", words, JOB_WORDS_MAX + 1);
	if (n > JOB_WORDS_MAX)
		return "at most 16 words";
	return n == 0 || is_name(words[0], strlen(words[0]))
	    ? NULL
	    : "a service, and words of a command";
}

/* What the text must be; NULL: it is. */
static const char *
text_must(const struct key *k, const char *value)
{
	switch (k->kind) {
	case VALUE_PATH:
		if (*value != '\0' && *value != '/')
			return "an absolute path";
		/* compose's separators in COMPOSE_FILE and COMPOSE_ENV_FILES */
		return strpbrk(value, ",:\n") == NULL
		    ? NULL
		    : "a path without comma, colon and newline";
	case VALUE_PATHS:
		return is_paths(value) ? NULL : "file names with one ':' between them";
	case VALUE_NAME:
		return is_name(value, strlen(value)) ? NULL : NAME_MUST;
	case VALUE_JOB:
		return job_must(value);
	case VALUE_CLAIM:
		return *value == '\0' || strchr(value, '=') > value ? NULL
								    : "MEMBER=VALUE";
	case VALUE_NAMES:
		return names_must(value);
	case VALUE_CHOICE:
		return is_choice(k->choices, value) ? NULL : k->choices;
	case VALUE_LINE:
		return is_line(value) ? NULL : "printable text";
	case VALUE_VARIABLE:
		return is_variable(value, strlen(value))
		    ? NULL
		    : "the name of a variable: letters, digits and '_'";
	case VALUE_KEEP:
		return are_variables(value)
		    ? NULL
		    : "names of variables: letters, digits and '_'";
	case VALUE_FORMAT:
		return is_format(value) ? NULL : "%t or REGISTRY/REPO:%t";
	case VALUE_COMMAND:
		return *value == '\0' || *value == '/'
		    ? NULL
		    : "the absolute path of a program, then its arguments";
	case VALUE_PREFIX:
		return is_name(value, strlen(value)) ? NULL
						     : "the beginning of a docker tag";
	default:
		return NULL;
	}
}

static const char *
regex_must(const char *value, char must[MUST_MAX])
{
	size_t len = strlcpy(must, "an expression of regex(7): ", MUST_MAX);
	regex_t re;
	int rc;

	if (*value == '\0')
		return "an expression";
	rc = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);
	if (rc == 0) {
		regfree(&re);
		return NULL;
	}
	regerror(rc, &re, must + len, MUST_MAX - len);
	return must;
}

static const char *
set_text(const struct key *k, char *field, const char *value, char must[MUST_MAX])
{
	const char *wrong = k->kind == VALUE_REGEX ? regex_must(value, must)
						   : text_must(k, value);

	if (wrong == NULL && strlcpy(field, value, k->size) >= k->size)
		return "shorter";
	return wrong;
}

static const char *
set_services(struct target *t, const char *value, char must[MUST_MAX])
{
	const char *at = value + strspn(value, SEPARATORS);
	size_t len, i;

	t->n_services = 0;
	for (; *at != '\0'; at += len + strspn(at + len, SEPARATORS)) {
		struct service *s = &t->service[t->n_services];

		len = strcspn(at, SEPARATORS);
		if (!is_name(at, len))
			return NAME_MUST;
		snprintf(must, MUST_MAX, "at most %d services", SERVICES_MAX);
		if (t->n_services == SERVICES_MAX)
			return must;
		if (len >= sizeof(s->name))
			return "shorter";
		memcpy(s->name, at, len);
		s->name[len] = '\0';
		for (i = 0; i < t->n_services; i++)
			if (strcmp(t->service[i].name, s->name) == 0)
				return "a list that names a service once";
		t->n_services++;
	}
	return t->n_services > 0 ? NULL : "the name of a service";
}

static int
set_url(const struct key *k, char *field, const char *value, const struct origin *o,
    struct fault *f)
{
	struct fault wrong = { 0 };
	struct url url;
	char at[224], name[NAME_SIZE];

	memset(field, 0, k->size);
	if (*value == '\0')
		return value_wrong(k, value, o, "a URL, or none", f);
	if (strcmp(value, "none") == 0)
		return 0;
	/* its message contains no password and no query */
	if (url_parse(&url, value, &wrong) == -1)
		return fault_set(f, FAULT_HOST, wrong.next, "%s%s: %s",
		    place(o, at, sizeof(at)), name_of(k, o, name), wrong.what);
	if (strlcpy(field, value, k->size) >= k->size)
		return value_wrong(k, "http://...", o, "shorter", f);
	return 0;
}

int
value_set(const struct key *k, void *base, const char *value, const struct origin *o,
    struct fault *f)
{
	char *field = (char *)base + k->offset, room[MUST_MAX];
	const char *must;

	switch (k->kind) {
	case VALUE_URL:
		return set_url(k, field, value, o, f);
	case VALUE_NUMBER:
	case VALUE_SECONDS:
	case VALUE_SIZE:
		must = set_number(k, field, value, room);
		break;
	case VALUE_FLAG:
		must = set_flag(field, value);
		break;
	case VALUE_SERVICES:
		must = set_services(base, value, room);
		break;
	default:
		must = set_text(k, field, value, room);
		break;
	}
	if (must == NULL)
		return 0;
	/* somebody may have written NAME=SECRET */
	return value_wrong(k, k->kind == VALUE_KEEP ? "..." : value, o, must, f);
}
