/*
 * read.h: the value of one variable of a .env file.  What is ambiguous is refused, with
 * the number of the line and never with its content, which may be a secret.
 */
#ifndef DOTENV_READ_H
#define DOTENV_READ_H

#include "dotenv/scan.h"
#include "sys/fault.h"

#define DOTENV_VALUE_MAX 512 /* bytes of the value, NUL included */

/* Of values that are read and written: every reader takes them alike, also in quotes. */
#define DOTENV_VALUE_BYTES           \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.@:/+-"

/*
 * Reads the value of the one assignment of `variable`.  FAULT_HOST: "missing env file:
 * PATH"; "missing VARIABLE in PATH" (also for an empty value); or what is wrong.
 */
int dotenv_read(const char *path, const char *variable, char value[DOTENV_VALUE_MAX],
    struct fault *) MUST_CHECK;

/* Where the value is. */
struct dotenv_place {
	size_t at;     /* its offset in the text, after an opening quote */
	size_t len;    /* only DOTENV_VALUE_BYTES, less than DOTENV_VALUE_MAX */
	unsigned line; /* of the assignment, from 1; 0: there is none */
};

/*
 * Finds the one assignment of `variable`; it may be absent, or its value empty.
 * FAULT_HOST "SHOWN:LINE: ...": compose refuses the text, or the assignment is not one
 * plain value.  `shown` is the path, safe to print.
 */
int dotenv_find(struct dotenv_place *, const char *bytes, size_t len,
    const char *variable, const char *shown, struct fault *) MUST_CHECK;

#endif
