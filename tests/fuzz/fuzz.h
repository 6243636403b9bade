/*
 * fuzz.h: what the targets share.  A target is one file: LLVMFuzzerTestOneInput()
 * takes the bytes, and MUST(…) says what has to hold of whatever came of them.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The sanitizer's trace tells from where; the input is kept. */
#define MUST(what)                                              \
	do {                                                    \
		if (!(what))                                    \
			fuzz_broken(__FILE__, __LINE__, #what); \
	} while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* Is it a fault of that kind, said in printable ASCII? */
bool fuzz_said(const struct fault *, enum fault_kind);
bool fuzz_printable(const char *);

/* A NUL-terminated copy, to be freed: one byte too far is seen. */
char *fuzz_string(const uint8_t *, size_t);

/* A folder of this process's own, in $TMPDIR. */
const char *fuzz_folder(void);
int fuzz_dirfd(void);

/* Puts bytes into a file of that folder. */
void fuzz_put(const char *name, const void *, size_t);

#endif
