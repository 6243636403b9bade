#include "request/extra.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <string.h>

/* Only digits: strtonum(3) also takes a sign and blanks. */
bool
extra_number(const char *digits, size_t len, int64_t max, int64_t *n)
{
	char word[20];
	const char *why;

	if (len == 0 || len >= sizeof(word))
		return false;
	memcpy(word, digits, len);
	word[len] = '\0';
	if (strspn(word, "0123456789") != len)
		return false;
	*n = strtonum(word, 1, max, &why);
	return why == NULL;
}

static bool
is_hex(const char *s, size_t len, size_t min, size_t max)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] == '\0' || strchr("0123456789abcdef", s[i]) == NULL)
			return false;
	return len >= min && len <= max;
}

const char *
extra_seq(struct request *r, const char *value, size_t len)
{
	return extra_number(value, len, REQUEST_SEQ_MAX, &r->seq)
	    ? NULL
	    : "request: seq= takes a number from 1 to 999999999999999";
}

/* The request is all zeros: a copy ends with a NUL. */
const char *
extra_target(struct request *r, const char *value, size_t len)
{
	if (len == 0 || len >= sizeof(r->target))
		return "request: target= takes the name of a target";
	memcpy(r->target, value, len);
	return NULL;
}

const char *
extra_digest(struct request *r, const char *value, size_t len)
{
	static const char prefix[] = "sha256:";
	size_t n = sizeof(prefix) - 1;

	if (len < n || memcmp(value, prefix, n) != 0 ||
	    !is_hex(value + n, len - n, 64, 64))
		return "request: digest= takes sha256: and 64 digits, 0-9 and a-f";
	memcpy(r->digest, value, len);
	return NULL;
}

const char *
extra_commit(struct request *r, const char *value, size_t len)
{
	if (!is_hex(value, len, 7, sizeof(r->commit) - 1))
		return "request: commit= takes 7 to 64 digits, 0-9 and a-f";
	memcpy(r->commit, value, len);
	return NULL;
}

const char *
extra_sig(struct request *r, const char *value, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (value[i] == '\0' ||
		    (!isalnum((unsigned char)value[i]) &&
			strchr("+/=", value[i]) == NULL))
			break;
	if (len == 0 || i < len || len >= sizeof(r->sig))
		return "request: sig= takes the body of an ssh signature, in one line";
	memcpy(r->sig, value, len);
	return NULL;
}

const char *
extra_for(struct request *r, const char *value, size_t len)
{
	static const struct {
		char name;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (len > 0 && value[len - 1] == units[i].name &&
		    extra_number(value, len - 1, REQUEST_FOR_MAX / units[i].seconds,
			&r->lasts)) {
			r->lasts *= units[i].seconds;
			return NULL;
		}
	return "request: for= takes a number with s, m, h or d, at most 365d";
}
