#include "health/version.h"

#include "health/said.h"

#include <bsd/string.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HEX "0123456789abcdef"
#define SHORT 7 /* digits of a commit that git shows by default */

const char *
version_hex(const char *tag)
{
	const char *digits = strncmp(tag, "sha-", 4) == 0 ? tag + 4 : tag;
	size_t len = strlen(digits);

	if (strspn(digits, HEX) != len)
		return "";
	if (digits == tag)
		return len == 40 || len == 64 ? digits : "";
	return len >= SHORT ? digits : "";
}

void
version_of(struct version *v, const char *tag, const char *commit)
{
	const char *hex = version_hex(tag);

	(void)strlcpy(v->tag, tag, sizeof(v->tag));
	v->hex = *hex != '\0';
	if (v->hex)
		(void)strlcpy(v->text, hex, sizeof(v->text));
	else if (strpbrk(tag, "0123456789") != NULL)
		(void)strlcpy(v->text,
		    tag + (tag[0] == 'v' && isdigit((unsigned char)tag[1])),
		    sizeof(v->text));
	else {
		v->hex = true;
		snprintf(v->text, sizeof(v->text), "%.*s", SHORT, commit);
	}
}

/* Could the byte go on a version: a letter or digit, or one before which stands `sep`? */
static bool
goes_on(const char *at, size_t left, const char *separators)
{
	if (left > 0 && isalnum((unsigned char)at[0]))
		return true;
	return left > 1 && at[0] != '\0' && strchr(separators, at[0]) != NULL &&
	    isalnum((unsigned char)at[1]);
}

/* Is what stands before it the end of a longer word?  A "v" before a number is not. */
static bool
comes_before(const char *body, const char *at)
{
	size_t n = (size_t)(at - body);

	if (n > 0 && at[-1] == 'v' && isdigit((unsigned char)at[0]))
		return n > 1 && isalnum((unsigned char)at[-2]);
	if (n > 0 && isalnum((unsigned char)at[-1]))
		return true;
	return n > 1 && at[-1] == '.' && isdigit((unsigned char)at[-2]);
}

static bool
occurs(const char *body, size_t len, const char *text, bool hex)
{
	size_t n = strlen(text), left;
	const char *at = body, *end = body + len;

	while ((at = memmem(at, (size_t)(end - at), text, n)) != NULL) {
		left = (size_t)(end - at) - n;
		if (!comes_before(body, at) && (hex || !goes_on(at + n, left, ".-")))
			return true;
		at++;
	}
	return false;
}

/* Replaces %t and %h; false where it does not fit. */
static bool
expand(const struct version *v, const char *form, char *out, size_t size)
{
	char one[2] = "";
	const char *with;

	out[0] = '\0';
	for (; *form != '\0'; form++) {
		one[0] = *form;
		with = one;
		if (form[0] == '%' && (form[1] == 't' || form[1] == 'h'))
			with = *++form == 't' ? v->tag : v->text;
		if (strlcat(out, with, size) >= size)
			return false;
	}
	return true;
}

static bool
form_occurs(const struct version *v, const char *form, const char *body, size_t len)
{
	size_t n = strlen(form);
	char text[512];

	return expand(v, form, text, sizeof(text)) &&
	    occurs(body, len, text, v->hex && strcmp(form + n - 2, "%h") == 0);
}

static bool
member_is(const struct version *v, const char *path, const char *body, size_t len)
{
	char value[512];
	const char *said = value;

	if (!said_value(body, len, path, value, sizeof(value)))
		return false;
	if (v->hex) {
		said += strncmp(said, "sha-", 4) == 0 ? 4 : 0;
		return strncmp(said, v->text, strlen(v->text)) == 0;
	}
	return strcmp(said, v->tag) == 0 || strcmp(said, v->text) == 0 ||
	    (said[0] == 'v' && strcmp(said + 1, v->text) == 0);
}

bool
version_is_said(const struct version *v, const char *expect, const char *body, size_t len)
{
	if (v->text[0] == '\0')
		return true;
	if (expect[0] == '\0')
		return occurs(body, len, v->text, v->hex);
	if (strstr(expect, "%t") != NULL || strstr(expect, "%h") != NULL)
		return form_occurs(v, expect, body, len);
	return member_is(v, expect, body, len);
}
