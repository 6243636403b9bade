/*
 * mask.h: foreign text, with the values of .env masked.
 *
 * docker, compose and its daemon quote values of .env in what they print, a container
 * in its log, a service in its health answer.  Masked are: a value as it is in the file
 * and as compose resolves it, each of its lines, and each of its words (letters, digits,
 * '_', '.', '+', '-'), and all of these as JSON and Go quote them.  Values in comments
 * count too, but plain words of prose do not.
 *
 * Not masked, because otherwise no text would be readable: values and words of less than
 * 6 bytes.  But a whole value of 3 to 5 bytes is masked, where it is a word of its own,
 * if its variable's name has PASS, PWD, SECRET, TOKEN, KEY or CRED in it.
 * The values of `variable`, `variables` and of compose's own COMPOSE_PROJECT_NAME, COMPOSE_FILE and
 * COMPOSE_PROFILES stay readable.
 */
#ifndef DOTENV_MASK_H
#define DOTENV_MASK_H

#include "sys/fault.h"

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>

struct mask {
	/* private: */
	const char *path, *variable, *variables; /* the caller's */
	struct stat seen;                        /* of the file when it was last read */
	struct mask_secret {
		char *bytes;
		size_t len; /* less than 6: only as a word of its own */
	} * list;           /* of all contents seen so far */
	size_t n;
	bool failed; /* out of memory: the list is not complete */
};

/*
 * `variables` has names that are separated by ' '.  All must outlive the mask.  A file
 * that cannot be read masks nothing.  FAULT_HOST: out of memory; then nothing is owned.
 */
int mask_load(struct mask *, const char *env_file, const char *variable,
    const char *variables, struct fault *) MUST_CHECK;

#define MASK_SHOW_MAX 4096

/*
 * Writes `len` raw bytes of `src` into `dst`: masked, then cut and escaped as
 * text_escape() does; `size` is 16 to MASK_SHOW_MAX.  `cut`: the text went on, so the
 * beginning of a value at its end is masked too.  A .env that has changed is read again;
 * its earlier values stay masked.  The mask may be NULL: nothing is masked.  Returns
 * `dst`.
 */
char *mask_show(struct mask *, char *dst, size_t size, const char *src, size_t len,
    bool cut);

void mask_free(struct mask *);

#endif
