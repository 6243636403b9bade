/*
 * liar.h: a server on a loopback address that sends what a script says, in a child
 * process.  It serves one connection at a time.
 */
#ifndef UNIT_LIAR_H
#define UNIT_LIAR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum liar_end {
	LIAR_CLOSE, /* close(2), after all of the request was read */
	LIAR_RESET, /* RST, SO_LINGER with 0 */
	LIAR_HALF,  /* shutdown(2) of what it sends, then waits for the peer */
	LIAR_HANG,  /* waits until the peer is gone */
	LIAR_DROP   /* RST with the request unread, without an answer */
};

#define LIAR_ENDLESS ((size_t)-1)

/* It sends `text`, then `more` `times` times, then `last`. */
struct liar_script {
	const char *text;
	size_t len; /* 0: strlen(text) */
	const char *more;
	size_t times;
	const char *last;
	size_t chunk;      /* bytes per send(2); 0: all */
	unsigned pause_ms; /* between two chunks */
	enum liar_end end;
	bool deaf; /* answers without reading */
	bool echo; /* sends the request as the body */
};

struct liar {
	pid_t pid;
	char port[6];
};

/* False where the host has no such family.  `host` is a numeric address. */
bool liar_start(struct liar *, const char *host, const struct liar_script *);
void liar_stop(struct liar *);

/*
 * A socket on `host` and `port` ("0" for any, then written back): connections are refused,
 * and no other process gets the port.  -1 and errno where the host has no such address.
 */
int liar_bind(const char *host, char port[6]);

/* The same, listening, but nobody accepts. */
int liar_listen(const char *host, char port[6], int backlog);

#endif
