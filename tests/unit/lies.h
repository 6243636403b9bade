/*
 * lies.h: a table of answers of a peer, with the expected verdicts.
 */
#ifndef UNIT_LIES_H
#define UNIT_LIES_H

#include "health/http.h"
#include "liar.h"

struct lie {
	const char *name;
	const char *because; /* RFC and section, or our own reason */
	enum http_end end;
	int status;
	bool healthy;
	const char *why; /* a part of it */
	struct liar_script script;
	bool six; /* it listens on ::1 and nowhere else */
};

extern const struct lie lies[];
extern const size_t lies_count;

#endif
