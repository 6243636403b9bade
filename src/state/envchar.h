/*
 * envchar.h: what a byte of a .env file, or a few, are to compose (compose-go,
 * dotenv/parser.go).  Each returns how many bytes it is, 0 where it is none;
 * `p` is before `end`.
 */
#ifndef STATE_ENVCHAR_H
#define STATE_ENVCHAR_H

#include <stddef.h>

/* What may surround a name and stand before a value.  A line end is no blank. */
size_t envchar_blank(const char *p, const char *end);

/* The same with the wide ones that compose takes only around statements. */
size_t envchar_space(const char *p, const char *end);

/* What may stand in a name; letters beyond ASCII where all agree that they are. */
size_t envchar_name(const char *p, const char *end);

#endif
