/*
 * lies.h: what a peer may answer, and what we make of it; one row each.
 */
#ifndef UNIT_LIES_H
#define UNIT_LIES_H

#include "health/http.h"
#include "liar.h"

/* What `curl -f` makes of it, beside us. */
enum curl {
	CURL_AGREES,
	CURL_TAKES,   /* healthy for it, not for us */
	CURL_REFUSES, /* healthy for us, not for it */
	CURL_VARIES   /* depends on its version, or on who is faster */
};

struct lie {
	const char *name;
	const char *because; /* RFC and section, or our own reason */
	enum http_end end;
	int status;
	bool healthy;
	const char *why; /* a part of it */
	struct liar_script script;
	enum curl curl;
	bool six; /* it listens on ::1 and nowhere else */
};

extern const struct lie lies[];
extern const size_t lies_count;

#endif
