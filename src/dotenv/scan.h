/*
 * scan.h: the parser of compose's .env syntax, as compose-go's dotenv/parser.go has it.
 * Pure: no input and no output.
 *
 * A statement begins after white space and comments.  It is a name up to '=', ':' or
 * the end of the line, then a value up to its closing quote or the end of the line.
 * After a closing quote the next statement begins.
 */
#ifndef DOTENV_SCAN_H
#define DOTENV_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define DOTENV_MAX (1024 * 1024) /* bytes of a file */

/* Why a text is refused, and what to do.  Neither quotes the text: it has secrets. */
struct dotenv_error {
	const char *what, *next;
};

/* One statement, as pointers into the text. */
struct dotenv_statement {
	const char *name;
	size_t name_len;
	char separator; /* '=' or ':'; NUL: a name without a value */
	char quote;     /* around the value: ' or "; NUL: none */
	const char *at; /* the value, without quotes and comment */
	const char *end;
	unsigned line; /* of the name, from 1 */
};

/* The text that is left to read. */
struct dotenv_scan {
	const char *p, *end;
	unsigned line;                    /* of p, from 1 */
	const struct dotenv_error *error; /* of the last statement; NULL: none */
};

/* There must be no NUL in `bytes`. */
void dotenv_begin(struct dotenv_scan *, const char *bytes, size_t len);

/*
 * Reads the next statement.  False at the end of the text, and with `error` set at a
 * statement that compose refuses.  If a quote is not closed, the value is all that
 * follows the quote; after another error `at` is NULL.
 */
bool dotenv_next(struct dotenv_scan *, struct dotenv_statement *);

/* Reads a value alone, as if a name and '=' preceded it. */
bool dotenv_value(struct dotenv_scan *, struct dotenv_statement *);

/* White space on this line, which may surround a name and precede a value. */
void dotenv_skip_blanks(struct dotenv_scan *);

/*
 * Resolves the escapes and references of a value.  Calls `part` for each literal text
 * between two references to other variables, and for the default of a reference.
 * `room` holds the bytes of the value and a NUL.
 */
void dotenv_resolve(const struct dotenv_statement *, char *room,
    void (*part)(void *arg, const char *text), void *arg);

#endif
