/*
 * request.h: parses one line from the network into a struct.  A line is accepted
 * as it is or refused, never repaired.
 *
 *   request = verb [ SP word ] *( SP extra )
 *           / "freeze" *( SP extra ) SP reason
 *   extra   = "--json" / "--wait" / "--check" / "--start"
 *           / "seq=" 1*DIGIT / "target=" NAME
 *           / "digest=sha256:" 64HEX / "commit=" 7*64HEX / "sig=" BASE64
 *           / "for=" 1*DIGIT ( "s" / "m" / "h" / "d" )
 *
 * A line has at most REQUEST_MAX bytes of printable ASCII, one space between two
 * words, no space at either end, and no quoting.  The table of verbs says whether a
 * verb takes a word, and which extras; each extra may be given once.  The
 * reason is the rest of the line, and does not begin with a word that looks like an
 * extra.  "--help" and "-h" alone are `help`; after a verb they are `help VERB`.
 */
#ifndef REQUEST_REQUEST_H
#define REQUEST_REQUEST_H

#include "config/target.h"
#include "state/freeze.h"
#include "state/release.h"
#include "sys/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 1024
#define REQUEST_FOR_MAX (365 * 86400)   /* seconds */
#define REQUEST_SEQ_MAX 999999999999999 /* exact in the double of a JSON reader */

enum verb {
	VERB_DEPLOY,
	VERB_PLAN,
	VERB_VERIFY,
	VERB_ROLLBACK,
	VERB_STATUS,
	VERB_HISTORY,
	VERB_RECOVER,
	VERB_FREEZE,
	VERB_UNFREEZE,
	VERB_VERSION,
	VERB_HELP,
	VERB__MAX
};

struct request {
	enum verb verb;
	char word[TAG_MAX];           /* the tag or topic; "": none */
	char target[TARGET_NAME_MAX]; /* "": none was named */
	unsigned count;               /* history: how many records */
	int64_t seq;                  /* deploy: the order of pushes; 0: none */
	char digest[DIGEST_MAX];      /* deploy: what the tag must mean; "": not said */
	char commit[65];              /* deploy: what it must be built from, its digits */
	char sig[900]; /* deploy: a signature (deploy/signature.h); or "" */
	bool json;     /* the answer is JSON on stdout */
	bool wait;     /* status: wait for the deploy in progress */
	bool check;    /* status: one line for monitors */
	bool start;    /* recover: then start what is desired */
	int64_t lasts; /* freeze: seconds; 0: until `unfreeze` */
	char reason[FREEZE_REASON_MAX]; /* freeze */
};

/*
 * Parses `line` of `len` bytes.  FAULT_REFUSED "invalid tag: …" for an empty line and
 * for a deploy without a tag, "invalid request: …" for the rest; `verb` (VERB__MAX:
 * unknown) and `json` are set then, too.  tag_check() checks the tag itself.
 */
int request_parse(struct request *, const char *line, size_t len,
    struct fault *) MUST_CHECK;

const char *verb_name(enum verb);
const char *verb_usage(enum verb); /* "deploy TAG [seq=N] …" */
const char *verb_text(enum verb);  /* one line for `help` */
bool verb_takes_tag(enum verb);

/* Does it need a name where the caller may use several targets, as no tag chooses? */
bool verb_needs_name(enum verb);

/* May a request from the network use it without --allow? */
bool verb_is_open(enum verb);

/* May every request use it, whatever --allow says? */
bool verb_is_harmless(enum verb);

/* By name; VERB__MAX for an unknown one. */
enum verb verb_find(const char *name, size_t len);

#endif
