/*
 * scan.h: the syntax of compose's .env files, as compose-go's dotenv/parser.go reads
 * it.  Pure: no input and no output.
 *
 * A statement begins after white space and comments.  It is a name up to '=', ':' or
 * the end of the line, then a value up to its closing quote or the end of the line.
 * What follows a closing quote is the next statement.
 */
#ifndef DOTENV_SCAN_H
#define DOTENV_SCAN_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>

#define DOTENV_MAX (1024 * 1024) /* bytes of a file */
#define DOTENV_VALUE_MAX 512     /* bytes of an edited variable's value, NUL included */

/* Of values that are read and written: the same to every reader, quoted or not. */
#define DOTENV_VALUE_BYTES           \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.@:/+-"

/* One statement, as it stands in the text. */
struct dotenv_statement {
	const char *name;
	size_t name_len;
	char separator; /* '=' or ':'; NUL: a name without a value */
	char quote;     /* around the value: ' or "; NUL for none */
	const char *at; /* the value, without quotes and comment */
	const char *end;
	unsigned line; /* of the name, from 1 */
};

/* What is left to read. */
struct dotenv_scan {
	const char *p, *end;
	unsigned line;  /* of p, from 1 */
	unsigned wrong; /* private: why the last statement was refused */
};

/* There must be no NUL in `bytes`. */
void dotenv_begin(struct dotenv_scan *, const char *bytes, size_t len);

/*
 * Reads the next statement.  False at the end of the text and at a statement that
 * compose refuses; where that is a quote without its end, the value is all that
 * follows the quote, else `at` is NULL.
 */
bool dotenv_next(struct dotenv_scan *, struct dotenv_statement *);

/* Reads a value alone, as if its name came before it. */
bool dotenv_value(struct dotenv_scan *, struct dotenv_statement *);

/* The value of a variable that may be edited. */
struct dotenv_place {
	size_t at;     /* where it begins in the text, quotes not included */
	size_t len;    /* only DOTENV_VALUE_BYTES, less than DOTENV_VALUE_MAX */
	unsigned line; /* of the assignment, from 1; 0: there is none */
};

/*
 * Finds the one assignment of `variable`; it may be absent, or its value empty.
 * FAULT_HOST "SHOWN:LINE: ..." where compose refuses the text, or where the assignment
 * is not one plain value; `shown` is the path, safe to show.  No message quotes the
 * text: it may hold secrets.
 */
int dotenv_find(struct dotenv_place *, const char *bytes, size_t len,
    const char *variable, const char *shown, struct fault *) MUST_CHECK;

#endif
