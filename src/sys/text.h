/*
 * text.h: foreign bytes made safe to print; similar words.
 */
#ifndef SYS_TEXT_H
#define SYS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes `len` bytes of `src` into `dst` as printable ASCII: control bytes, backslashes
 * and bytes above 126 become C escapes (vis(3)).  What does not fit is cut and ends in
 * "...".  `size` is at least 16.  Returns `dst`.
 */
char *text_escape(char *dst, size_t size, const char *src, size_t len);

/*
 * Splits `text` in place at the bytes of `separators`.  Returns the number of words, at
 * most `max`; the rest is ignored.
 */
size_t text_words(char *text, const char *separators, const char **words, size_t max);

/* A number of bytes for people, rounded down: "12 MiB", "3 KiB", "0 bytes". */
#define TEXT_SIZE_MAX 32
char *text_size(char dst[TEXT_SIZE_MAX], int64_t bytes);

/*
 * The number of edits (insert, remove or replace a byte, swap two neighbours) from `a`
 * to `b`.  If one is longer than TEXT_WORD_MAX, the length of the longer one.
 */
#define TEXT_WORD_MAX 63
unsigned text_distance(const char *a, const char *b);

/* Is a word at this distance similar enough to be suggested for `word`? */
bool text_is_near(const char *word, unsigned distance);

#endif
