/*
 * MUST: parse each byte once, however the answer is split into packets.
 * MUST: put none of the peer's bytes into the reason, which is not masked.
 * Interim answers and the final one share the buffer, so that their number is bounded.
 */
#include "health/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LENGTH_NONE UINT64_MAX
#define LENGTH_WRONG (UINT64_MAX - 1)
#define LENGTH_MAX (UINT64_MAX - 2)

enum next
answer_say(struct http_answer *a, enum http_end end, const char *fmt, ...)
{
	va_list ap;

	a->end = end;
	va_start(ap, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, ap);
	va_end(ap);
	return NEXT_END;
}

/* May byte `i` of a status line be `c`?  RFC 9112 4. */
static bool
is_status_byte(size_t i, char c)
{
	static const char start[] = "HTTP/1.x    ";

	switch (i) {
	case 7:
		return c == '0' || c == '1';
	case 9:
		return c >= '1' && c <= '5';
	case 10:
	case 11:
		return c >= '0' && c <= '9';
	case 12:
		return c == ' ' || c == '\r' || c == '\n';
	default:
		return i > 12 || c == start[i];
	}
}

/* Names the protocol that it looks like.  RFC 8446 5.1, RFC 9113 3.4 and 4.1. */
static enum next
not_http(const struct head *h, struct http_answer *a)
{
	const char *p = h->buf + h->line;
	size_t len = h->len - h->line;

	if ((p[0] == 0x15 || p[0] == 0x16) && (len == 1 || p[1] == 3))
		return answer_say(a, HTTP_GARBAGE, "speaks TLS; only http is supported");
	if ((len >= 5 && memcmp(p, "PRI *", 5) == 0) ||
	    (len >= 6 && memcmp(p, "HTTP/2", 6) == 0) ||
	    (len >= 9 && memcmp(p, "\0\0", 2) == 0 &&
		memcmp(p + 3, "\4\0\0\0\0\0", 6) == 0))
		return answer_say(a, HTTP_GARBAGE,
		    "speaks HTTP/2; only HTTP/1 is supported");
	a->body_len = len < sizeof(a->body) ? len : sizeof(a->body);
	memcpy(a->body, p, a->body_len);
	return answer_say(a, HTTP_GARBAGE, "not HTTP");
}

/* RFC 9112 2.2: bare LF ends a line, bare CR is invalid; RFC 9110 5.5. */
static bool
text_byte(const struct head *h)
{
	unsigned char c = (unsigned char)h->buf[h->at];

	if (c == '\n')
		return true;
	if (h->at > h->line && h->buf[h->at - 1] == '\r')
		return false;
	return c == '\t' || c == '\r' || (c >= ' ' && c != 0x7f);
}

/* Reads a number with blanks around it; LENGTH_WRONG for none.  Returns its end. */
static const char *
read_number(const char *p, const char *end, uint64_t *n)
{
	*n = LENGTH_WRONG;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (*n == LENGTH_WRONG)
			*n = 0;
		/* the exact value of one that overflows does not matter */
		if (*n > LENGTH_MAX / 10 - 1)
			*n = LENGTH_MAX;
		else
			*n = *n * 10 + (uint64_t)(*p - '0');
	}
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/*
 * RFC 9112 6.3: the same number may be repeated, in a list or in another field.  With
 * anything else, the end of the body would be ambiguous.
 */
static void
read_length(struct head *h, const char *p, const char *end)
{
	uint64_t n;

	for (;; p++) {
		p = read_number(p, end, &n);
		if (h->length == LENGTH_NONE)
			h->length = n;
		if (h->length != n || (p < end && *p != ','))
			h->length = LENGTH_WRONG;
		if (p == end || h->length == LENGTH_WRONG)
			return;
	}
}

/* Is the field at `line` called `name`? */
static bool
is_called(const char *line, const char *colon, const char *name)
{
	return (size_t)(colon - line) == strlen(name) &&
	    strncasecmp(line, name, strlen(name)) == 0;
}

/* Is `word` the whole value, blanks aside? */
static bool
is_value(const char *p, const char *end, const char *word)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (size_t)(end - p) == strlen(word) &&
	    strncasecmp(p, word, strlen(word)) == 0;
}

/* The fields that frame the body; RFC 9112 6 and 9.6. */
static void
read_field(struct head *h, const char *line, const char *colon, const char *end)
{
	if (is_called(line, colon, "content-length"))
		read_length(h, colon + 1, end);
	else if (is_called(line, colon, "transfer-encoding")) {
		h->coded = h->coded || h->chunked || !is_value(colon + 1, end, "chunked");
		h->chunked = !h->coded;
	} else if (is_called(line, colon, "connection"))
		h->closes = h->closes || is_value(colon + 1, end, "close");
}

/* RFC 9112 5, obs-fold included (5.2): user agents read it as a space. */
static enum next
end_field(struct head *h, size_t len, struct http_answer *a)
{
	const char *line = h->buf + h->line, *colon;

	if (*line == ' ' || *line == '\t') {
		if (h->lines > 1)
			return NEXT_MORE;
		return answer_say(a, HTTP_GARBAGE,
		    "not HTTP; a blank follows "
		    "the status line");
	}
	colon = memchr(line, ':', len);
	if (colon == NULL || colon == line)
		return answer_say(a, HTTP_GARBAGE,
		    "not HTTP; a header line has "
		    "no name");
	read_field(h, line, colon, line + len);
	return NEXT_MORE;
}

/* RFC 9112 6.3, in its order. */
static enum next
end_head(struct head *h, struct http_answer *a)
{
	if (h->status == 101)
		return answer_say(a, HTTP_GARBAGE,
		    "answered 101, an upgrade that was not requested");
	if (h->status < 200) {
		h->lines = 0;
		return NEXT_MORE;
	}
	if (h->status == 204 || h->status == 304)
		body_init(&h->body, BODY_LENGTH, 0);
	else if (h->chunked)
		body_init(&h->body, BODY_CHUNKED, 0);
	else if (h->coded || h->length == LENGTH_NONE)
		body_init(&h->body, BODY_TO_CLOSE, 0);
	else if (h->length == LENGTH_WRONG)
		return answer_say(a, HTTP_GARBAGE,
		    "not HTTP; its Content-Length is "
		    "not one number");
	else
		body_init(&h->body, BODY_LENGTH, h->length);
	return NEXT_BODY;
}

/* `len` is without the line's end. */
static enum next
end_line(struct head *h, size_t len, struct http_answer *a)
{
	const char *p = h->buf + h->line;
	enum next next;

	if (h->lines == 0) {
		h->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
		h->length = LENGTH_NONE;
		h->chunked = h->coded = false;
		h->closes = p[7] == '0';
		h->lines = 1;
		return NEXT_MORE;
	}
	if (len == 0)
		return end_head(h, a);
	next = end_field(h, len, a);
	h->lines++;
	return next;
}

enum next
answer_scan(struct head *h, struct http_answer *a)
{
	enum next next = NEXT_MORE;
	size_t len;

	for (; next == NEXT_MORE && h->at < h->len; h->at++) {
		len = h->at - h->line;
		if (h->lines == 0 && !is_status_byte(len, h->buf[h->at]))
			return not_http(h, a);
		if (!text_byte(h))
			return answer_say(a, HTTP_GARBAGE,
			    "not HTTP; its headers hold "
			    "a control byte");
		if (h->buf[h->at] != '\n')
			continue;
		if (len > 0 && h->buf[h->at - 1] == '\r')
			len--;
		next = end_line(h, len, a);
		h->line = h->at + 1;
	}
	return next;
}
