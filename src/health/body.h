/*
 * body.h: a decoder of the framing of an HTTP body.  RFC 9112, sections 6 and 7.  No I/O.
 */
#ifndef HEALTH_BODY_H
#define HEALTH_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum body_framing {
	BODY_TO_CLOSE, /* ends with the connection */
	BODY_LENGTH,   /* Content-Length */
	BODY_CHUNKED   /* Transfer-Encoding: chunked */
};

enum body_part { PART_SIZE, PART_EXTENSION, PART_DATA, PART_DATA_END, PART_TRAILER };

struct body {
	enum body_framing framing;
	uint64_t left; /* bytes of data to come: of the body, or of this chunk */
	bool done;     /* the whole body has come */
	bool bad;      /* the framing is wrong; nothing after it can be read */
	/* private: */
	enum body_part part;
	size_t digits; /* of the chunk's size, or bytes of the trailer line */
};

/* `length` counts only for BODY_LENGTH. */
void body_init(struct body *, enum body_framing, uint64_t length);

/*
 * Removes the framing from the `len` bytes at `buf` in place, and returns the number of
 * data bytes left.  The body may be split between calls anywhere.  Bytes after its end
 * are dropped.
 */
size_t body_decode(struct body *, char *buf, size_t len);

#endif
