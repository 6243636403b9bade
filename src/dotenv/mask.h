/*
 * mask.h: text from elsewhere, with the values of .env masked.
 *
 * docker, compose and a daemon quote values of .env in what they print, a container
 * in its log, a service in its health answer.  A value is masked as it stands in the
 * file and as compose resolves it (compose-go dotenv/parser.go: quotes, escapes, the
 * parts between two references), each of its lines, and each word of it: letters,
 * digits, '_', '.', '+', '-'; and all of these as JSON and Go quote them.  Less than
 * six bytes are not masked, since no text would stay readable.  Comments count, but for
 * the plain words of prose.  The values of `variable` and of compose's own
 * COMPOSE_PROJECT_NAME, COMPOSE_FILE and COMPOSE_PROFILES stay readable.
 */
#ifndef DOTENV_MASK_H
#define DOTENV_MASK_H

#include "sys/fault.h"

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>

struct mask {
	/* private: */
	const char *path, *variable; /* the caller's */
	struct stat seen;            /* of the file when it was last read */
	struct mask_secret {
		char *bytes;
		size_t len;
	} * list; /* of all contents seen so far */
	size_t n, room;
	bool failed; /* not all of it could be kept */
};

/*
 * `env_file` and `variable` must outlive the mask.  A file that cannot be read masks
 * nothing.  FAULT_HOST: out of memory; then nothing is owned.
 */
int mask_load(struct mask *, const char *env_file, const char *variable,
    struct fault *) MUST_CHECK;

#define MASK_SHOW_MAX 4096

/*
 * Writes `len` raw bytes of `src` into `dst`: masked first, then cut and escaped as by
 * text_escape(); `size` is 16 to MASK_SHOW_MAX.  `cut`: the text went on, so that the
 * beginning of a value at its end is masked, too.  A .env that changed is read again,
 * and its earlier values stay masked.  A mask of NULL masks nothing.  Returns `dst`.
 */
char *mask_show(struct mask *, char *dst, size_t size, const char *src, size_t len,
    bool cut);

void mask_free(struct mask *);

#endif
