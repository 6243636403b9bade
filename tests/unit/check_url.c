#include "health/url.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *url_suite(void);

static const struct {
	const char *text, *host, *port, *path, *authority;
} good[] = {
	{ "http://localhost", "localhost", "80", "/", "localhost" },
	{ "http://localhost/", "localhost", "80", "/", "localhost" },
	{ "http://localhost:8080/health", "localhost", "8080", "/health",
	    "localhost:8080" },
	{ "HTTP://LocalHost:8080", "LocalHost", "8080", "/", "LocalHost:8080" },
	{ "http://127.0.0.1:1/a/b?c=d&e=f", "127.0.0.1", "1", "/a/b?c=d&e=f",
	    "127.0.0.1:1" },
	{ "http://h?q=1", "h", "80", "/?q=1", "h" },
	{ "http://h:65535?q", "h", "65535", "/?q", "h:65535" },
	{ "http://[::1]:8080/x", "::1", "8080", "/x", "[::1]:8080" },
	{ "http://[::1]", "::1", "80", "/", "[::1]" },
	{ "http://[2001:db8::192.0.2.1]/", "2001:db8::192.0.2.1", "80", "/",
	    "[2001:db8::192.0.2.1]" },
	{ "http://my_service-1.example.com./", "my_service-1.example.com.", "80", "/",
	    "my_service-1.example.com." },
	{ "http://h:00080/", "h", "80", "/", "h:00080" },
	{ "http://h//a/../b;c?d?e", "h", "80", "//a/../b;c?d?e", "h" },
	{ "http://h/%2e%00", "h", "80", "/%2e%00", "h" },
	{ "http://h/https://x:1/", "h", "80", "/https://x:1/", "h" },
};

static const struct {
	const char *text, *word;
} bad[] = {
	{ "", "http://" },
	{ "http", "http://" },
	{ "http:/localhost/", "http://" },
	{ "localhost:8080/health", "http://" },
	{ "//localhost/", "http://" },
	{ "ftp://localhost/", "http://" },
	{ "file:///etc/passwd", "http://" },
	{ "http://", "no host" },
	{ "http:///path", "no host" },
	{ "http://:80/", "no host" },
	{ "http://?q", "no host" },
	{ "http://::1/", "no host" },
	{ "http://host:/", "port" },
	{ "http://host:0/", "port" },
	{ "http://host:00000/", "port" },
	{ "http://host:65536/", "port" },
	{ "http://host:99999/", "port" },
	{ "http://host:000080/", "port" },
	{ "http://host:4294967376/", "port" },
	{ "http://host:18446744073709551696/", "port" },
	{ "http://host:+80/", "port" },
	{ "http://host:-1/", "port" },
	{ "http://host:8o/", "port" },
	{ "http://host:80:80/", "port" },
	{ "http://host: 80/", "visible" },
	{ "http://[::1/", "']'" },
	{ "http://[::1]80/", "':'" },
	{ "http://[::1]x:80/", "':'" },
	{ "http://[]/", "IPv6" },
	{ "http://[::g]/", "IPv6" },
	{ "http://[127.0.0.1]/", "IPv6" },
	{ "http://[fe80::1%25eth0]/", "IPv6" },
	{ "http://[[::1]]/", "IPv6" },
	{ "http://::1]/", "no host" },
	{ "http://a]b/", "no name" },
	{ "http://a%20b/", "no name" },
	{ "http://a\\b/", "no name" },
	{ "http://a,b/", "no name" },
	{ "http://$(id)/", "no name" },
	{ "http://host/#top", "fragment" },
	{ "http://host#top", "fragment" },
	{ "http://host/a?b#c", "fragment" },
	{ "http://host/a b", "visible" },
	{ " http://host/", "visible" },
	{ "http://host/ ", "visible" },
	{ "http://host/\t", "visible" },
	{ "http://host/\r\nX: y", "visible" },
	{ "http://host\r\n/", "visible" },
	{ "http://host/\n", "visible" },
	{ "http://host/\x7f", "visible" },
	{ "http://host/\x1b[2J", "visible" },
	{ "http://h\xc3\xb6st/", "visible" },
	{ "http://host/\xff", "visible" },
	{ "http://user@host/", "user" },
	{ "http://user:secret@host/", "user" },
	{ "http://@host/", "user" },
	{ "http://host:80@evil/", "user" },
};

static void
refused(const char *text, const char *word)
{
	struct fault f = { 0 };
	struct url u;
	const char *p;

	ck_assert_msg(url_parse(&u, text, &f) == -1, "took \"%s\"", text);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_msg(strstr(f.what, word) != NULL,
	    "\"%s\": \"%s\" does not tell of \"%s\"", text, f.what, word);
	ck_assert_str_ne(f.next, "");
	for (p = f.what; *p != '\0'; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "unprintable: %s", f.what);
}

START_TEST(takes)
{
	struct fault f = { 0 };
	struct url u;

	ck_assert_msg(url_parse(&u, good[_i].text, &f) == 0, "%s: %s", good[_i].text,
	    f.what);
	ck_assert_int_eq(f.kind, FAULT_NONE);
	ck_assert_str_eq(u.host, good[_i].host);
	ck_assert_str_eq(u.port, good[_i].port);
	ck_assert_str_eq(u.path, good[_i].path);
	ck_assert_str_eq(u.authority, good[_i].authority);
}
END_TEST

START_TEST(refuses)
{
	refused(bad[_i].text, bad[_i].word);
}
END_TEST

START_TEST(https_has_its_own_words)
{
	struct fault f = { 0 };
	struct url u;

	ck_assert_int_eq(url_parse(&u, "hTTps://h/", &f), -1);
	ck_assert_int_eq(f.kind, FAULT_HOST);
	ck_assert_str_eq(f.what, "the URL is https; only http is supported");
	ck_assert_str_eq(f.next, "probe the container's own port over http");
}
END_TEST

START_TEST(shows_what_it_refuses)
{
	struct fault f = { 0 };
	struct url u;

	ck_assert_int_eq(url_parse(&u, "http://h\a/", &f), -1);
	ck_assert_ptr_nonnull(strstr(f.what, "http://h\\a/"));
}
END_TEST

START_TEST(shows_no_secret)
{
	struct fault f = { 0 };
	struct url u;

	ck_assert_int_eq(url_parse(&u, "http://me:sesame@h/", &f), -1);
	ck_assert_ptr_null(strstr(f.what, "sesame"));
	fault_clear(&f);
	ck_assert_int_eq(url_parse(&u, "ftp://me:sesame@h/", &f), -1);
	ck_assert_ptr_null(strstr(f.what, "sesame"));
	fault_clear(&f);
	ck_assert_int_eq(url_parse(&u, "http://h:x/?token=sesame", &f), -1);
	ck_assert_ptr_null(strstr(f.what, "sesame"));
}
END_TEST

START_TEST(bounds_the_host)
{
	char text[4096], host[2048];
	struct fault f = { 0 };
	struct url u;

	memset(host, 'a', sizeof(host));
	host[URL_HOST_MAX - 1] = '\0';
	snprintf(text, sizeof(text), "http://%s:65535/", host);
	ck_assert_int_eq(url_parse(&u, text, &f), 0);
	ck_assert_str_eq(u.host, host);
	ck_assert_uint_eq(strlen(u.authority), strlen(host) + 6);

	host[URL_HOST_MAX - 1] = 'a';
	host[URL_HOST_MAX] = '\0';
	snprintf(text, sizeof(text), "http://%s/", host);
	refused(text, "too long a host");
	host[URL_HOST_MAX] = 'a';
	host[sizeof(host) - 1] = '\0';
	snprintf(text, sizeof(text), "http://%s/", host);
	refused(text, "too long a host");
	memset(host, ':', sizeof(host) - 1);
	host[URL_HOST_MAX + 3] = '\0';
	snprintf(text, sizeof(text), "http://[%s]/", host);
	refused(text, "too long a host");
}
END_TEST

START_TEST(bounds_the_path)
{
	char text[2 * URL_PATH_MAX] = "http://h/";
	const size_t head = strlen("http://h");
	struct fault f = { 0 };
	struct url u;

	memset(text + head + 1, 'p', URL_PATH_MAX - 2);
	ck_assert_int_eq(url_parse(&u, text, &f), 0);
	ck_assert_uint_eq(strlen(u.path), URL_PATH_MAX - 1);
	text[head + URL_PATH_MAX - 1] = 'p';
	refused(text, "too long a path");
	/* with the '/' that is put before it, a query is one longer */
	text[head] = '?';
	text[head + URL_PATH_MAX - 1] = '\0';
	refused(text, "too long a path");
	memset(text + head + 1, 'p', sizeof(text) - head - 2);
	refused(text, "too long a path");
}
END_TEST

START_TEST(survives_every_byte_everywhere)
{
	char text[] = "http://[::1]:80/p?q";
	const size_t len = strlen(text);
	struct fault f = { 0 };
	struct url u;
	size_t i;
	int c;

	for (i = 0; i < len; i++)
		for (c = 0; c < 256; c++) {
			char saved = text[i];

			text[i] = (char)c;
			fault_clear(&f);
			if (url_parse(&u, text, &f) == 0) {
				ck_assert_int_eq(u.path[0], '/');
				ck_assert_str_ne(u.host, "");
			} else
				ck_assert_int_eq(f.kind, FAULT_HOST);
			text[i] = saved;
		}
}
END_TEST

Suite *
url_suite(void)
{
	Suite *s = suite_create("url");
	TCase *core = tcase_create("Core");
	TCase *limits = tcase_create("Limits");
	TCase *hostile = tcase_create("Hostile");

	tcase_add_loop_test(core, takes, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_test(core, https_has_its_own_words);
	tcase_add_test(core, shows_what_it_refuses);
	tcase_add_test(limits, bounds_the_host);
	tcase_add_test(limits, bounds_the_path);
	tcase_add_loop_test(hostile, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(hostile, shows_no_secret);
	tcase_add_test(hostile, survives_every_byte_everywhere);
	suite_add_tcase(s, core);
	suite_add_tcase(s, limits);
	suite_add_tcase(s, hostile);
	return s;
}
