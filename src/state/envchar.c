#include "state/envchar.h"

#include <string.h>

struct range {
	unsigned first, last;
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Of those that compose takes for white space, what no byte says. */
static const struct range wide[] = {
	{ 0x1680, 0x1680 },
	{ 0x2000, 0x200a },
	{ 0x2028, 0x2029 },
	{ 0x202f, 0x202f },
	{ 0x205f, 0x205f },
	{ 0x3000, 0x3000 },
};

/*
 * Compose takes letters and numbers of every script (Go's unicode package).
 * These are letters in whatever version of it; another one is refused.
 */
static const struct range letters[] = {
	{ 0xaa, 0xaa }, { 0xb5, 0xb5 }, { 0xba, 0xba },       /* Latin 1 */
	{ 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2c1 },      /* and on, IPA */
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
	/* three bytes for what two can say are no UTF-8 */
	return *n == 3 && code < 0x800 ? 0 : code;
}

/* Its length where it is of one of these, else 0. */
static size_t
of(const struct range *list, size_t size, const char *p, const char *end)
{
	unsigned code;
	size_t n, i;

	code = code_point(p, end, &n);
	for (i = 0; i < size; i++)
		if (code >= list[i].first && code <= list[i].last)
			return n;
	return 0;
}

size_t
envchar_blank(const char *p, const char *end)
{
	static const struct range narrow[] = { { 0x85, 0x85 }, { 0xa0, 0xa0 } };

	return strchr(" \t\v\f\r", *p) != NULL ? 1 : of(narrow, N(narrow), p, end);
}

size_t
envchar_space(const char *p, const char *end)
{
	size_t n = of(wide, N(wide), p, end);

	return n != 0 ? n : envchar_blank(p, end);
}

size_t
envchar_name(const char *p, const char *end)
{
	const char c = *p;

	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    strchr("_.-[]", c) != NULL)
		return 1;
	return of(letters, N(letters), p, end);
}
