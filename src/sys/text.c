#include "sys/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#define LIBBSD_OPENBSD_VIS /* only strvisx(3), the same in both flavours */
#include <bsd/vis.h>

static const char dots[] = "...";

char *
text_escape(char *dst, size_t size, const char *src, size_t len)
{
	/* a byte becomes up to four: \ooo */
	size_t room = (size - sizeof(dots)) / 4;
	size_t take = len;
	char *p = dst;
	size_t i;

	/* plain text may use all of the space */
	for (i = 0; i < len && src[i] >= ' ' && src[i] <= '~' && src[i] != '\\'; i++)
		continue;
	if (i == len)
		room = size - sizeof(dots);
	if (take > room)
		take = room;
	if (i == len) {
		memcpy(p, src, take);
		p += take;
		*p = '\0';
	} else
		p += strvisx(p, src, take, VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL);
	if (take < len)
		memcpy(p, dots, sizeof(dots));
	return dst;
}

size_t
text_words(char *text, const char *separators, const char **words, size_t max)
{
	size_t n = 0;
	char *word;

	while (n < max && (word = strsep(&text, separators)) != NULL)
		if (*word != '\0')
			words[n++] = word;
	return n;
}

char *
text_size(char dst[TEXT_SIZE_MAX], int64_t bytes)
{
	int shift = bytes >= 1 << 20 ? 20 : bytes >= 1 << 10 ? 10 : 0;

	snprintf(dst, TEXT_SIZE_MAX, "%lld %s", (long long)(bytes >> shift),
	    shift == 20       ? "MiB"
		: shift == 10 ? "KiB"
			      : "bytes");
	return dst;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment, with three rows of the matrix. */
unsigned
text_distance(const char *a, const char *b)
{
	unsigned rows[3][TEXT_WORD_MAX + 1], *before = rows[0], *above = rows[1],
					     *row = rows[2], *swap;
	size_t n = strlen(a), m = strlen(b), i, j;

	if (n > TEXT_WORD_MAX || m > TEXT_WORD_MAX)
		return (unsigned)(n > m ? n : m);
	for (j = 0; j <= m; j++)
		above[j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		swap = before;
		before = above;
		above = row;
		row = swap;
	}
	return above[m];
}

bool
text_is_near(const char *word, unsigned distance)
{
	size_t len = strlen(word);

	return distance <= (len < 4 ? 1U : len < 8 ? 2U : 3U) && distance < len;
}
