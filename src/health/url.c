/*
 * The text gets into a request line, a Host field and getaddrinfo(3): what is not valid
 * there is refused, not repaired.  Each function below returns NULL, or the error as
 * words that follow "URL".
 */
#include "health/url.h"

#include "sys/text.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 1123, and '_', which compose allows in service names */
static bool
name_byte(char c)
{
	return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	    c == '.' || c == '_';
}

static bool
visible(const char *s)
{
	while (*s > ' ' && *s <= '~')
		s++;
	return *s == '\0';
}

static const char *
set_name(struct url *u, const char *s, size_t len)
{
	size_t i;

	if (len == 0)
		return "has no host";
	if (len >= sizeof(u->host))
		return "has too long a host";
	for (i = 0; i < len; i++)
		if (!name_byte(s[i]))
			return "has a host that is no name and no address";
	memcpy(u->host, s, len);
	u->host[len] = '\0';
	return NULL;
}

/* RFC 3986 3.2.2; a zone (RFC 6874) is refused */
static const char *
set_literal(struct url *u, const char *s, size_t len)
{
	struct in6_addr in6;

	if (len >= sizeof(u->host))
		return "has too long a host";
	memcpy(u->host, s, len);
	u->host[len] = '\0';
	if (inet_pton(AF_INET6, u->host, &in6) != 1)
		return "has no IPv6 address between its brackets";
	return NULL;
}

static const char *
set_port(struct url *u, const char *s, size_t len)
{
	static const char range[] = "has a port that is not 1 to 65535";
	unsigned port = 0;
	size_t i;

	if (len == 0) {
		memcpy(u->port, "80", sizeof("80"));
		return NULL;
	}
	if (*s != ':')
		return "has no ':' between host and port";
	if (len < 2 || len > sizeof(u->port))
		return range;
	for (i = 1; i < len; i++) {
		if (!digit(s[i]))
			return range;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	if (port < 1 || port > 65535)
		return range;
	snprintf(u->port, sizeof(u->port), "%hu", (unsigned short)port);
	return NULL;
}

static const char *
set_authority(struct url *u, const char *s, size_t len)
{
	const char *rest, *wrong;

	if (len >= sizeof(u->authority))
		return "has too long a host";
	if (memchr(s, '@', len) != NULL)
		return "names a user; it must not";
	memcpy(u->authority, s, len);
	u->authority[len] = '\0';
	if (len > 0 && *s == '[') {
		rest = memchr(s, ']', len);
		if (rest == NULL)
			return "has a '[' without its ']'";
		wrong = set_literal(u, s + 1, (size_t)(rest - s) - 1);
		rest++;
	} else {
		rest = memchr(s, ':', len);
		if (rest == NULL)
			rest = s + len;
		wrong = set_name(u, s, (size_t)(rest - s));
	}
	if (wrong != NULL)
		return wrong;
	return set_port(u, rest, len - (size_t)(rest - s));
}

static const char *
set_path(struct url *u, const char *s)
{
	int n;

	/* the empty path of "http://host?query" is '/' in a request */
	n = snprintf(u->path, sizeof(u->path), "%s%s", *s == '/' ? "" : "/", s);
	if (n < 0 || (size_t)n >= sizeof(u->path))
		return "has too long a path";
	return NULL;
}

static const char *
parse_url(struct url *u, const char *text)
{
	const char *wrong;
	size_t len;

	if (!visible(text))
		return "holds a byte that is not visible ASCII";
	if (strncasecmp(text, "http://", 7) != 0)
		return "does not begin with http://";
	text += 7;
	if (strchr(text, '#') != NULL)
		return "holds a fragment ('#'), which no server sees";
	len = strcspn(text, "/?");
	wrong = set_authority(u, text, len);
	return wrong != NULL ? wrong : set_path(u, text + len);
}

int
url_parse(struct url *u, const char *text, struct fault *f)
{
	static const char next[] = "write it as http://HOST[:PORT][/PATH]";
	const char *wrong;
	char shown[160];

	memset(u, 0, sizeof(*u));
	if (strncasecmp(text, "https://", 8) == 0)
		return fault_set(f, FAULT_HOST,
		    "probe the container's own port over http",
		    "the URL is https; only http is supported");
	wrong = parse_url(u, text);
	if (wrong == NULL)
		return 0;
	/* a password, or a token in the query, must not be shown */
	if (strchr(text, '@') != NULL)
		return fault_set(f, FAULT_HOST, next, "the URL %s", wrong);
	text_escape(shown, sizeof(shown), text, strcspn(text, "?"));
	return fault_set(f, FAULT_HOST, next, "the URL %s: %s", wrong, shown);
}
