/*
 * list.h: the points of a scenario, from a trace of a run without faults.
 */
#ifndef CRASH_LIST_H
#define CRASH_LIST_H

#include "world.h"

enum kind { KILL, FAULT, SIGNAL, SHORT, FDS, SCRIPT, KIND__MAX };

struct point {
	enum kind kind;
	enum mock mock;
	unsigned scenario;
	unsigned nth;
	char call[24];
	char error[16]; /* or the signal */
	bool armed;     /* signals are blocked by then and must not end it */
};

struct points {
	struct point *list;
	size_t n;
	bool sample; /* a subset, the same each time */
};

/* The calls of a run, in order; nth starts at 1 for each name. */
struct trace {
	struct point *call;
	size_t n;
	size_t begin; /* the first call of main() */
};

/* The name of the call in a line of strace's output; false if it has none. */
bool list_name(const char *line, char out[24]);

void list_trace(struct trace *, const char *path);

/* The points of kill, fault and signal; of the other modes. */
void list_calls(struct points *, const struct trace *, unsigned scenario, enum mock);
void list_shorts(struct points *, unsigned data, unsigned closes, unsigned scenario,
    enum mock);
void list_script(struct points *, const struct trace *, unsigned scenario, enum mock);

#endif
