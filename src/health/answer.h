/*
 * answer.h: the head of an HTTP answer, byte by byte.  RFC 9112.  No I/O.
 */
#ifndef HEALTH_ANSWER_H
#define HEALTH_ANSWER_H

#include "health/http.h"

/* What has come so far; zero it before the first byte. */
struct head {
	size_t len;      /* bytes in buf */
	size_t at;       /* those looked at */
	size_t line;     /* where the current line begins */
	size_t lines;    /* whole ones of the current head */
	int status;      /* of the current head */
	uint64_t length; /* as the current head announces it */
	size_t body;     /* once it ended: bytes worth waiting for */
	char buf[HTTP_HEAD_MAX];
};

enum next {
	NEXT_MORE, /* the head goes on */
	NEXT_BODY, /* the head ended; the body begins at head->at */
	NEXT_END   /* the answer is said */
};

/* Looks at the bytes of buf that came since. */
enum next answer_scan(struct head *, struct http_answer *);

/* Says how it ended, in words; always NEXT_END. */
enum next answer_say(struct http_answer *, enum http_end, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
