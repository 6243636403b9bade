/*
 * fuzz.h: shared by the targets.  A target is one file: LLVMFuzzerTestOneInput() takes the
 * bytes, and MUST(…) states what must hold for the result.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* abort(): the sanitizer prints a trace, and the input is kept. */
#define MUST(what)                                              \
	do {                                                    \
		if (!(what))                                    \
			fuzz_broken(__FILE__, __LINE__, #what); \
	} while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* Is it a fault of that kind, in printable ASCII? */
bool fuzz_said(const struct fault *, enum fault_kind);
bool fuzz_printable(const char *);

/* A NUL-terminated copy, to be freed; a read past its end is detected. */
char *fuzz_string(const uint8_t *, size_t);

/* A folder for this process, in $TMPDIR. */
const char *fuzz_folder(void);
int fuzz_dirfd(void);

/* Writes a file in that folder. */
void fuzz_put(const char *name, const void *, size_t);

#endif
