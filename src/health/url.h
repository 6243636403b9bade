/*
 * url.h: the health URL, parsed once.  RFC 3986, http only, no user
 * information, no fragment.
 */
#ifndef HEALTH_URL_H
#define HEALTH_URL_H

#include "sys/fault.h"

#define URL_HOST_MAX 256
#define URL_PATH_MAX 1024

struct url {
	char host[URL_HOST_MAX];          /* without the brackets of an IPv6 literal */
	char port[6];                     /* decimal, "80" when none was given */
	char path[URL_PATH_MAX];          /* begins with '/', query included */
	char authority[URL_HOST_MAX + 8]; /* for the Host field, as given */
};

/*
 * FAULT_HOST if it is not such a URL.  The message has the URL without its query, or not
 * at all if it may have a password.
 */
int url_parse(struct url *, const char *text, struct fault *) MUST_CHECK;

#endif
