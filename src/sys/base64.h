/*
 * base64.h: RFC 4648, as far as a key's fingerprint needs it.  libc's own lies
 * in libresolv, and one more library costs every refusal a tenth of its time.
 */
#ifndef SYS_BASE64_H
#define SYS_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Decodes up to the padding, the end or a blank.  The count of bytes, or -1
 * when a byte is of another alphabet, the padding is not right, or `size` is
 * too small.
 */
ssize_t base64_decode(const char *text, unsigned char *out, size_t size);

/* Encodes without padding; `size` is at least (len * 4 + 2) / 3 + 1. */
void base64_encode(const unsigned char *bytes, size_t len, char *out, size_t size);

#endif
