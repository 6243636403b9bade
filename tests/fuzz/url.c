/* A health URL: an accepted one can be part of a request and, printed, is the same URL. */
#include "fuzz.h"
#include "health/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool
is_host(const char *s)
{
	struct in6_addr in6;

	return s[0] != '\0' &&
	    (s[strspn(s, NAME)] == '\0' || inet_pton(AF_INET6, s, &in6) == 1);
}

static bool
is_port(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0' && s[0] != '0' && s[0] != '\0' &&
	    atoi(s) <= 65535;
}

static bool
is_graphic(const char *s)
{
	return fuzz_printable(s) && strchr(s, ' ') == NULL;
}

static void
accepted(const struct url *u, const char *text)
{
	char again[sizeof(u->authority) + sizeof(u->path) + 8];
	struct fault f = { 0 };
	struct url v;

	MUST(is_host(u->host) && is_port(u->port) && u->path[0] == '/');
	MUST(is_graphic(u->path) && is_graphic(u->authority));
	MUST(strpbrk(u->authority, "@/?#") == NULL && strchr(u->path, '#') == NULL);
	snprintf(again, sizeof(again), "http://%s%s", u->authority, u->path);
	MUST(url_parse(&v, again, &f) == 0 && memcmp(u, &v, sizeof(v)) == 0);
	/* the text itself, except for the case of the scheme and an empty path */
	MUST(strlen(again) - strlen(text) <= 1);
	MUST(strncmp(again + 7, text + 7, strlen(u->authority)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = fuzz_string(data, len);
	struct fault f = { 0 };
	const char *at;
	struct url u;

	if (url_parse(&u, text, &f) == 0)
		accepted(&u, text);
	else {
		MUST(fuzz_said(&f, FAULT_HOST) && f.next[0] != '\0');
		/* without the parts that may hold a password or a token */
		at = strchr(text, '@');
		MUST(at == NULL || strlen(at) < 12 || strstr(f.what, at) == NULL);
		at = strchr(text, '?');
		MUST(at == NULL || strlen(at) < 12 || strstr(f.what, at) == NULL);
	}
	free(text);
	return 0;
}
