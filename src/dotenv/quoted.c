#include "dotenv/quoted.h"

#include <stdbool.h>
#include <string.h>

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

size_t
quoted_byte(const char *p, const char *end, char out[4], size_t *n)
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
		if (code >> 10 == 0x36 && end - p >= QUOTED_MAX && p[6] == '\\' &&
		    p[7] == 'u' && take_hex(p + 8, end, 4, &low) && low >> 10 == 0x37) {
			*n = to_utf8(0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff)),
			    out);
			return QUOTED_MAX;
		}
		*n = to_utf8(code, out);
		return 6;
	} else
		return 1;
	return 2;
}
