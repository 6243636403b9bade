#include "sys/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

ssize_t
base64_decode(const char *text, unsigned char *out, size_t size)
{
	uint32_t bits = 0;
	unsigned held = 0;
	const char *at, *begin = text;
	size_t n = 0;

	for (; *text != '\0' && strchr("= \t\r\n", *text) == NULL; text++) {
		at = strchr(alphabet, *text);
		if (at == NULL)
			return -1;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n == size)
			return -1;
		out[n++] = (unsigned char)(bits >> held);
	}
	/* groups of four, the last one padded */
	text += strspn(text, "=");
	return (text - begin) % 4 == 0 ? (ssize_t)n : -1;
}

void
base64_encode(const unsigned char *bytes, size_t len, char *out, size_t size)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (held += 8; held >= 6 && n + 1 < size; held -= 6)
			out[n++] = alphabet[bits >> (held - 6) & 63];
	}
	if (held > 0 && n + 1 < size)
		out[n++] = alphabet[bits << (6 - held) & 63];
	out[n] = '\0';
}
