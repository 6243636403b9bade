/*
 * answer.h: a parser of the head of an HTTP answer.  RFC 9112.  No I/O.
 */
#ifndef HEALTH_ANSWER_H
#define HEALTH_ANSWER_H

#include "health/body.h"
#include "sys/fault.h"

enum http_end {
	HTTP_ANSWER,  /* a whole head of HTTP/1.0 or 1.1; see status */
	HTTP_REFUSED, /* no address accepted the connection */
	HTTP_CLOSED,  /* connected, ended without a whole answer */
	HTTP_TIMEOUT, /* the deadline passed */
	HTTP_GARBAGE, /* what came is not HTTP, or is too long */
	HTTP_NONAME,  /* the name has no address */
	HTTP_ERROR,   /* a failure on this side: no descriptors, no memory */
	HTTP__MAX
};

#define HTTP_HEAD_MAX (16 * 1024) /* status lines and fields */
#define HTTP_BODY_KEPT 512        /* the first bytes of a body, as evidence */

struct http_answer {
	enum http_end end;
	int status; /* 200..599 with HTTP_ANSWER, else 0 */
	int error;  /* errno of a connection that failed, else 0 */
	char body
	    [HTTP_BODY_KEPT]; /* raw, without framing; or the start of what is not HTTP */
	size_t body_len;
	char why[160]; /* the reason in words: one printable line */
};

/* What has come so far; zeroed before the first byte. */
struct head {
	size_t len;       /* bytes in buf */
	size_t at;        /* bytes that were parsed */
	size_t line;      /* offset of the current line */
	size_t lines;     /* whole lines of the current head */
	int status;       /* of the current head */
	uint64_t length;  /* as the current head announces it */
	bool chunked;     /* its transfer coding is chunked, and nothing else */
	bool coded;       /* it has another transfer coding */
	bool closes;      /* the connection ends with this answer */
	struct body body; /* once the head ended: how its body is framed */
	char buf[HTTP_HEAD_MAX];
};

enum next {
	NEXT_MORE, /* the head goes on */
	NEXT_BODY, /* the head ended; the body begins at head->at */
	NEXT_END   /* the answer is complete: see http_answer */
};

/* Parses the new bytes of buf. */
enum next answer_scan(struct head *, struct http_answer *);

/* Sets how it ended, and the reason.  Always NEXT_END. */
enum next answer_say(struct http_answer *, enum http_end, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
