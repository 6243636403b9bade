/*
 * request.h: one line from the network, to a struct.  Reject, never repair.
 *
 *   request = verb [ SP word ] *( SP extra )
 *   extra   = "--json" / "--wait" / "seq=" 1*DIGIT
 *
 * At most REQUEST_MAX bytes of printable ASCII, words parted by single
 * spaces, none at either end, no quoting; the verb, whether it takes a word
 * and which extras, each once, are those of the table.
 */
#ifndef REQUEST_REQUEST_H
#define REQUEST_REQUEST_H

#include "state/version.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 256
#define REQUEST_SEQ_MAX 999999999999999 /* fits a JSON reader's double too */

enum verb {
	VERB_DEPLOY,
	VERB_ROLLBACK,
	VERB_STATUS,
	VERB_HISTORY,
	VERB_RECOVER,
	VERB_VERSION,
	VERB_HELP,
	VERB__MAX
};

struct request {
	enum verb verb;
	char word[TAG_MAX]; /* the tag or topic; "" where there is none */
	unsigned count;     /* history: how many */
	int64_t seq;        /* deploy: the order of pushes; 0 where none was said */
	bool json;          /* the record on stdout, all else on stderr */
	bool wait;          /* status: until nothing is under way */
};

/*
 * Parses `line` of `len` bytes.  FAULT_REFUSED "invalid tag: …" for an empty
 * line and for a deploy without a tag, "invalid request: …" for the rest.
 * The tag's own rules are tag_check()'s.
 */
int request_parse(struct request *, const char *line, size_t len,
    struct fault *) MUST_CHECK;

const char *verb_name(enum verb);
const char *verb_usage(enum verb); /* with its words: "deploy TAG" */
const char *verb_text(enum verb);  /* what it does */

/* May be asked for over the network where no --allow says otherwise? */
bool verb_is_open(enum verb);

/* By name; VERB__MAX when there is none. */
enum verb verb_find(const char *name, size_t len);

#endif
