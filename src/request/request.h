/*
 * request.h: one line from the network, to a struct.  It is taken as it is or
 * refused, never repaired.
 *
 *   request = verb [ SP word ] *( SP extra )
 *   extra   = "--json" / "--wait" / "--check" / "--start"
 *           / "seq=" 1*DIGIT / "target=" NAME
 *
 * At most REQUEST_MAX bytes of printable ASCII, one space between two words, none
 * at either end, no quoting; the verb, whether it takes a word and which extras,
 * each once, are those of the table.  "--help" and "-h" alone are `help`, and behind
 * a verb `help VERB`.
 */
#ifndef REQUEST_REQUEST_H
#define REQUEST_REQUEST_H

#include "config/target.h"
#include "state/release.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 256
#define REQUEST_SEQ_MAX 999999999999999 /* a JSON reader's double holds it too */

enum verb {
	VERB_DEPLOY,
	VERB_PLAN,
	VERB_VERIFY,
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
	char word[TAG_MAX];           /* the tag or topic; "" where there is none */
	char target[TARGET_NAME_MAX]; /* "" where none was named */
	unsigned count;               /* history: how many */
	int64_t seq;                  /* deploy: the order of pushes; 0: none was given */
	bool json;                    /* the answer as JSON on stdout */
	bool wait;                    /* status: until nothing is in flight */
	bool check;                   /* status: for monitors */
	bool start;                   /* recover: then start what is desired */
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
const char *verb_text(enum verb);  /* what it does, in a line */
bool verb_takes_tag(enum verb);

/* May be asked for over the network where no --allow says otherwise? */
bool verb_is_open(enum verb);

/* May be asked for whatever --allow says? */
bool verb_is_harmless(enum verb);

/* By name; VERB__MAX when there is none. */
enum verb verb_find(const char *name, size_t len);

#endif
