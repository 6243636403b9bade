/*
 * list.h: which points there are, from a trace of a clean run.
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
	bool armed;     /* signals are data by then: they may not end it */
};

struct points {
	struct point *list;
	size_t n;
	bool sample; /* a part of them, the same ones each time */
};

/* The calls of a run, in order; nth counts from 1 for each name. */
struct trace {
	struct point *call;
	size_t n;
	size_t begin; /* the first call that is main's own */
};

/* The name of the call in a line of strace's; false where it is none. */
bool list_name(const char *line, char out[24]);

void list_trace(struct trace *, const char *path);

/* kill, fault, signal; the others. */
void list_calls(struct points *, const struct trace *, unsigned scenario, enum mock);
void list_shorts(struct points *, unsigned data, unsigned closes, unsigned scenario,
    enum mock);
void list_script(struct points *, const struct trace *, unsigned scenario, enum mock);

#endif
