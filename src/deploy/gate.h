/*
 * gate.h: is it what was asked for, is it healthy, did it settle?  The same
 * gate stands before a deploy counts and before a rollback does.
 */
#ifndef DEPLOY_GATE_H
#define DEPLOY_GATE_H

#include "deploy/session.h"
#include "health/http.h"

struct gate {
	/* asked */
	const char *image;  /* the id that must run; "" when nothing is known */
	const char *before; /* the container that ran before; "" for none */
	int64_t since;      /* when `up` began; 0 when it did not run now */
	bool stoppable;     /* INT and TERM end the wait */
	/* told */
	char container[IMAGE_ID_MAX]; /* the one that was looked at; "" for none */
	unsigned tries;               /* windows used */
	bool stopped;                 /* a signal ended the wait: nothing is judged */
	struct http_answer answer;    /* the last one; why is "" when none was asked */
};

/*
 * Passes when exactly one container of the service is there, running, of
 * that image, answers, has run as long as it must without a restart, and
 * answers once more.  FAULT_FAILED with the reason, or FAULT_HOST when the
 * engine could not be asked.
 */
int gate_pass(struct session *, struct gate *, struct fault *) MUST_CHECK;

/* At most this many containers of one service are looked at. */
#define GATE_CONTAINERS_MAX 8

#endif
