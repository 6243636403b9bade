/*
 * output.h: what the caller sees.  Results on stdout, progress on stderr.
 *
 * A line is written whole, however long it is; up to PIPE_BUF bytes in one write.
 * Bytes that are not printable ASCII become \ooo, whoever they are from; in JSON
 * they have its own escapes already.
 *
 * While a lock is held nobody who reads us may hold us up: a reader that
 * stalls loses lines, one that stalls in the middle of one or left loses all that
 * follow.  What is lost is in the history and in syslog.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "sys/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
	bool verbose;   /* SAY_DETAIL too */
	bool json;      /* stdout is for the record: all talk goes to stderr */
	bool droppable; /* a lock is held */
	int gone[3];    /* by descriptor: errno of the write that was the last; EPIPE:
				its reader has left */
	int64_t began;  /* sys/deadline.h: notes show the time since; 0: they do not */
	int64_t patience_ms; /* how much longer a stalled reader is waited for, in all */
};

void output_init(struct output *);

/* The progress callback; `arg` is the struct output. */
void output_say(void *arg, enum say, const char *line);

/*
 * "twilight-deploy: WHAT" on stderr, and a line each for what is so now and what to do
 * next.  `about` is a target's name, NULL where it need not be named.
 */
void output_fault(struct output *, const char *about, const struct fault *);

/* One document of JSON on a line of stdout. */
void output_json(struct output *, const char *text);

/* One formatted line on stdout; on stderr where stdout is for JSON. */
void output_line(struct output *, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define OUTPUT_LABEL 18 /* columns of a row before its text */

/*
 * The same as a row of a report: the label (NULL: as above), ':', and the text, cut at
 * PEOPLE_COLUMNS.
 */
void output_row(struct output *, const char *label, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
