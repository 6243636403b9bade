/*
 * quoted.h: text as JSON (RFC 8259 7) and Go's %q quote it.
 */
#ifndef DOTENV_QUOTED_H
#define DOTENV_QUOTED_H

#include <stddef.h>

#define QUOTED_MAX 12 /* "\ud83d\ude00" */

/*
 * What begins at `p`, a byte or an escape: its bytes into `out`, *n of them.  Returns
 * how long it is.
 */
size_t quoted_byte(const char *p, const char *end, char out[4], size_t *n);

#endif
