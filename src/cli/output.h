/*
 * output.h: prints lines.  Results go to stdout, progress goes to stderr.
 *
 * A line is written whole, whatever its length; up to PIPE_BUF bytes in one write.
 * Every byte that is not printable ASCII is printed as \ooo; JSON has its own escapes.
 *
 * A slow reader must not block us while we hold a lock.  A reader that stalls loses
 * lines; one that stalls in the middle of a line, or has closed, loses all later lines.
 * The history and syslog have the result.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "sys/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
	bool verbose;        /* print SAY_DETAIL, too */
	bool json;           /* stdout is for JSON: other results go to stderr */
	bool droppable;      /* a lock is held: lines may be lost */
	int gone[3];         /* by descriptor: errno of the last write; 0: it is open */
	int64_t began;       /* clock_ms(): notes show the time since then; 0: no time */
	int64_t patience_ms; /* how much longer to wait for a stalled reader, in all */
};

void output_init(struct output *);

/* The progress callback; `arg` is the struct output. */
void output_say(void *arg, enum say, const char *line);

/*
 * "twilight-deploy: WHAT" on stderr, then a line each for `now` and `next`.  `about` is
 * the name of a target, or NULL.
 */
void output_fault(struct output *, const char *about, const struct fault *);

/* One JSON document as a line of stdout. */
void output_json(struct output *, const char *text);

/* One formatted line on stdout; on stderr if stdout is for JSON. */
void output_line(struct output *, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define OUTPUT_LABEL 18 /* columns of a row before its text */

/*
 * The same as "LABEL: text", in rows of PEOPLE_COLUMNS: the text is wrapped at ", ", else
 * cut.  NULL is an empty label.
 */
void output_row(struct output *, const char *label, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
