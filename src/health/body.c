/*
 * MUST: read each byte once, however the stream is split.
 * MUST: limit a chunk's size to 16 hexadecimal digits: more do not fit into 64 bits.
 */
#include "health/body.h"

#include <string.h>

#define DIGITS_MAX 16

void
body_init(struct body *b, enum body_framing framing, uint64_t length)
{
	memset(b, 0, sizeof(*b));
	b->framing = framing;
	b->left = framing == BODY_LENGTH ? length : 0;
	b->done = framing == BODY_LENGTH && length == 0;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 9112 7.1: chunk-size; 0 is the last chunk, and a trailer follows. */
static void
end_size(struct body *b)
{
	b->bad = b->digits == 0;
	b->digits = 0;
	b->part = b->left == 0 ? PART_TRAILER : PART_DATA;
}

static void
take_size(struct body *b, char c)
{
	int digit = hex(c);

	if (digit >= 0 && b->digits < DIGITS_MAX) {
		b->left = b->left << 4 | (uint64_t)digit;
		b->digits++;
	} else if (c == '\n')
		end_size(b);
	else if (digit < 0 && (c == ';' || c == '\r' || c == ' ' || c == '\t'))
		b->part = PART_EXTENSION;
	else
		b->bad = true;
}

/* One byte of the framing. */
static void
take_framing(struct body *b, char c)
{
	switch (b->part) {
	case PART_SIZE:
		take_size(b, c);
		break;
	case PART_EXTENSION: /* up to the end of the line; 7.1.1: ignored */
		if (c == '\n')
			end_size(b);
		break;
	case PART_DATA_END:
		if (c == '\n')
			b->part = PART_SIZE;
		else if (c != '\r')
			b->bad = true;
		break;
	case PART_TRAILER: /* fields, ignored, up to an empty line */
		if (c == '\n' && b->digits == 0)
			b->done = true;
		else if (c == '\n')
			b->digits = 0;
		else if (c != '\r')
			b->digits++;
		break;
	case PART_DATA:
		break;
	}
}

/* How many of the next `len` bytes are data of the body or of the current chunk? */
static size_t
data_length(const struct body *b, size_t len)
{
	return b->framing == BODY_TO_CLOSE || b->left > len ? len : (size_t)b->left;
}

size_t
body_decode(struct body *b, char *buf, size_t len)
{
	size_t in = 0, out = 0, n;

	while (in < len && !b->done && !b->bad) {
		if (b->framing == BODY_CHUNKED && b->part != PART_DATA) {
			take_framing(b, buf[in++]);
			continue;
		}
		n = data_length(b, len - in);
		memmove(buf + out, buf + in, n);
		in += n;
		out += n;
		if (b->framing == BODY_TO_CLOSE)
			continue;
		b->left -= n;
		if (b->left > 0)
			continue;
		if (b->framing == BODY_LENGTH)
			b->done = true;
		else
			b->part = PART_DATA_END;
	}
	return out;
}
