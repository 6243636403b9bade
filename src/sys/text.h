/*
 * text.h: bytes from elsewhere, made safe to show.
 */
#ifndef SYS_TEXT_H
#define SYS_TEXT_H

#include <stddef.h>

/*
 * Writes `len` bytes of `src` into `dst` as printable ASCII: control bytes,
 * backslashes and all above 126 become C escapes (vis(3)); what does not fit
 * is cut and ends in "...".  `size` is at least 16.  Returns `dst`.
 */
char *text_escape(char *dst, size_t size, const char *src, size_t len);

#endif
