#include "sys/text.h"

#include <bsd/string.h>
#include <string.h>

#define LIBBSD_OPENBSD_VIS /* only strvisx, which both flavours share */
#include <bsd/vis.h>

static const char dots[] = "...";

char *
text_escape(char *dst, size_t size, const char *src, size_t len)
{
	/* the worst byte becomes four: \ooo */
	size_t room = (size - sizeof(dots)) / 4;
	size_t take = len;
	char *p = dst;
	size_t i;

	/* plain text, the usual case, may use all of the space */
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
