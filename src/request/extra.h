/*
 * extra.h: the values of a request's options.  Internal to src/request.
 */
#ifndef REQUEST_EXTRA_H
#define REQUEST_EXTRA_H

#include "request/request.h"

/* Each sets a member of the request.  Returns what the value must be; NULL: it is set. */
const char *extra_seq(struct request *, const char *value, size_t len);
const char *extra_target(struct request *, const char *value, size_t len);
const char *extra_digest(struct request *, const char *value, size_t len);
const char *extra_commit(struct request *, const char *value, size_t len);
const char *extra_sig(struct request *, const char *value, size_t len);
const char *extra_for(struct request *, const char *value, size_t len);

/* A number from 1 to `max`, of digits only. */
bool extra_number(const char *digits, size_t len, int64_t max, int64_t *n);

#endif
