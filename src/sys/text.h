/*
 * text.h: bytes from elsewhere, made safe to show; words that resemble each other.
 */
#ifndef SYS_TEXT_H
#define SYS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes `len` bytes of `src` into `dst` as printable ASCII: control bytes,
 * backslashes and all above 126 become C escapes (vis(3)); what does not fit
 * is cut and ends in "...".  `size` is at least 16.  Returns `dst`.
 */
char *text_escape(char *dst, size_t size, const char *src, size_t len);

/*
 * How many edits (a byte inserted, removed, replaced, or two neighbours swapped)
 * make `b` of `a`.  Where one is longer than TEXT_WORD_MAX, the length of the longer.
 */
#define TEXT_WORD_MAX 63
unsigned text_distance(const char *a, const char *b);

/* Near enough to `word` to be suggested instead of it? */
bool text_is_near(const char *word, unsigned distance);

#endif
