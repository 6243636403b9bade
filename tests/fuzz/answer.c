/*
 * The head of an HTTP answer; the first byte is the size of the packets.  The result does
 * not depend on the packets, and a second, slower reader accepts every accepted head.
 */
#include "fuzz.h"
#include "health/answer.h"

#include <stdlib.h>
#include <string.h>

struct verdict {
	enum next next;
	struct http_answer answer;
	struct head head;
};

static void
hear(struct verdict *v, const uint8_t *data, size_t len, size_t packet)
{
	size_t n;

	memset(v, 0, sizeof(*v));
	while (v->next == NEXT_MORE && v->head.len < len) {
		n = len - v->head.len < packet ? len - v->head.len : packet;
		memcpy(v->head.buf + v->head.len, data + v->head.len, n);
		v->head.len += n;
		v->next = answer_scan(&v->head, &v->answer);
		MUST(v->head.at <= v->head.len && v->head.line <= v->head.len);
	}
}

/* The start of the line that ends before `end`. */
static const char *
line_ahead(const char *begin, const char *end)
{
	const char *p = end - 1;

	while (p > begin && p[-1] != '\n')
		p--;
	return p;
}

static bool
is_empty(const char *line)
{
	return line[0] == '\n' || (line[0] == '\r' && line[1] == '\n');
}

/* Backwards: an empty line, fields, then the status line that was read. */
static void
accepted(const struct head *h)
{
	const char *line = line_ahead(h->buf, h->buf + h->at), *first;

	MUST(is_empty(line));
	do {
		first = line;
		line = first == h->buf ? first : line_ahead(h->buf, first);
	} while (first != h->buf && !is_empty(line));
	MUST(memcmp(first, "HTTP/1.", 7) == 0 && atoi(first + 9) == h->status);
	MUST(h->status >= 200 && h->status <= 599);
	MUST(memchr(h->buf, '\0', h->at) == NULL && memchr(h->buf, 033, h->at) == NULL);
	/* before it only interim answers */
	if (first != h->buf)
		MUST(memcmp(h->buf, "HTTP/1.", 7) == 0 && h->buf[9] == '1');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct verdict whole, cut;

	if (len < 2 || len - 1 > HTTP_HEAD_MAX)
		return 0;
	hear(&whole, data + 1, len - 1, len);
	hear(&cut, data + 1, len - 1, data[0] == 0 ? 1 : data[0]);
	MUST(whole.next == cut.next && whole.answer.end == cut.answer.end);
	MUST(fuzz_printable(whole.answer.why) && fuzz_printable(cut.answer.why));
	MUST((whole.next == NEXT_END) == (whole.answer.why[0] != '\0'));
	if (whole.next != NEXT_BODY)
		return 0;
	MUST(whole.head.at == cut.head.at && whole.head.status == cut.head.status &&
	    whole.head.body.framing == cut.head.body.framing &&
	    whole.head.body.left == cut.head.body.left);
	accepted(&whole.head);
	return 0;
}
