/*
 * envscan.h: the assignments in the text of a .env file; no input and no
 * output.  Callers want envfile.h.
 */
#ifndef STATE_ENVSCAN_H
#define STATE_ENVSCAN_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>

#define ENVSCAN_VALUE_MAX 256 /* bytes, NUL included */

struct envscan {
	size_t at;     /* where the value begins, quotes not included */
	size_t len;    /* of the value; only [A-Za-z0-9_.@:/+-] */
	unsigned line; /* of the assignment, from 1; 0: there is none */
};

/*
 * Finds the one active assignment of `key`, which may be absent or empty.
 * FAULT_HOST "SHOWN:LINE: ..." where compose would refuse the text, or where
 * the assignment is not one plain value; `shown` is the path, safe to show.
 */
int envscan_find(struct envscan *, const char *bytes, size_t len, const char *key,
    const char *shown, struct fault *) MUST_CHECK;

/* One assignment, as it stands in the text. */
struct envscan_value {
	const char *name;
	size_t name_len;
	bool bare;      /* a name and no value */
	char quote;     /* around the value: ' or "; NUL for none */
	const char *at; /* the value, without quotes and comment */
	const char *end;
	unsigned line; /* of the name */
};

/*
 * Calls `each` for every assignment of a value, in order, up to the first that
 * compose refuses.  There is no NUL in `bytes`.
 */
void envscan_each(const char *bytes, size_t len,
    void (*each)(void *arg, const struct envscan_value *), void *arg);

#endif
