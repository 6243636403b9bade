/*
 * dotenv SEED CASES [FILE...]: compares our reading of .env files with compose's.  Runs in a
 * folder with a compose.yml, and writes .env there.
 *
 * It tests the rows of envrows.h, the FILEs, and CASES random files from SEED, with compose
 * before and after our swap:
 *
 *   - we refuse what compose refuses;
 *   - the value that we read is the value that compose reads;
 *   - after the swap compose reads the new value, and every other variable as before (unless
 *     it refers to ours);
 *   - the value of every other variable is masked whole, unless it refers to others.
 *
 * We may refuse what compose accepts: two assignments, an interpolated value.
 */
#include "../unit/envrows.h"
#include "dotenv/edit.h"
#include "dotenv/mask.h"
#include "sys/file.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define NEW "sha-0123abc"
#define REFERENCE "registry.example:5000/a/b_c:sha-0123abc@sha256:" NEW

static struct {
	unsigned taken, refused, only_us, masked, wrong;
} count;

static void
put_env(const char *bytes, size_t len)
{
	FILE *fp = fopen(".env", "w");

	if (fp == NULL || fwrite(bytes, 1, len, fp) != len || fclose(fp) != 0)
		exit(2);
}

/* The configuration that compose reads; NULL if it refuses. */
static json_t *
ask_compose(void)
{
	FILE *fp = popen("docker compose config --format json 2>compose.err", "r");
	json_t *doc, *service = NULL;

	if (fp == NULL)
		exit(2);
	doc = json_loadf(fp, 0, NULL);
	if (pclose(fp) == 0)
		service = json_incref(
		    json_object_get(json_object_get(doc, "services"), "a"));
	json_decref(doc);
	return service;
}

static bool
sees(const json_t *service, const char *value)
{
	char image[DOTENV_VALUE_MAX + 8];
	const char *is = json_string_value(json_object_get(service, "image"));

	snprintf(image, sizeof(image), "x:%s", value);
	return is != NULL && strcmp(is, image) == 0;
}

/* All variables except ours and those that refer to it. */
static bool
others_are_same(const json_t *before, const json_t *after)
{
	json_t *a = json_deep_copy(json_object_get(before, "environment"));
	json_t *b = json_deep_copy(json_object_get(after, "environment"));
	const char *key, *value;
	json_t *item;
	void *next;
	bool same;

	if (a == NULL || b == NULL)
		return a == b;
	json_object_del(a, K);
	json_object_del(b, K);
	json_object_foreach_safe (b, next, key, item) {
		value = json_string_value(item);
		if (value != NULL && strstr(value, NEW) != NULL) {
			json_object_del(a, key);
			json_object_del(b, key);
		}
	}
	same = json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return same;
}

static void
wrong(const char *what, const char *bytes, size_t len)
{
	size_t i;

	count.wrong++;
	printf("%s:\n    ", what);
	for (i = 0; i < len; i++)
		if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\')
			putchar(bytes[i]);
		else
			printf("\\x%02x", (unsigned char)bytes[i]);
	putchar('\n');
}

static void
swap(const char *value, const char *new, const json_t *before, const char *bytes,
    size_t len)
{
	struct fault f = { 0 };
	json_t *after;

	if (dotenv_replace(".env", K, value, new, "x", &f) == -1) {
		wrong(f.what, bytes, len);
		return;
	}
	after = ask_compose();
	if (after == NULL || !sees(after, new))
		wrong("compose does not see the new value", bytes, len);
	else if (!others_are_same(before, after))
		wrong("compose sees another variable changed", bytes, len);
	json_decref(after);
}

/* `config` doubles each '$' of a value. */
static char *
undouble(const char *value)
{
	char *copy = strdup(value), *to = copy;
	const char *at;

	if (copy == NULL)
		exit(2);
	for (at = value; *at != '\0'; at++) {
		*to++ = *at;
		at += at[0] == '$' && at[1] == '$';
	}
	*to = '\0';
	return copy;
}

static void
mask(struct mask *m, const char *value, const char *version, const char *bytes,
    size_t len)
{
	static const char blanks[] = " \t\r\n";
	char *whole = undouble(value), *text = whole + strspn(whole, blanks);
	char shown[MASK_SHOW_MAX];
	size_t n = strlen(text);

	while (n > 0 && strchr(blanks, text[n - 1]) != NULL)
		n--;
	mask_show(m, shown, sizeof(shown), text, n, false);
	if (n >= 6 && n < sizeof(shown) - 4 && strncmp(text, version, n) != 0) {
		count.masked++;
		if (strspn(shown, "*") != n || shown[n] != '\0')
			wrong("a value is not masked", bytes, len);
	}
	free(whole);
}

static void
mask_all(const json_t *service, const char *bytes, size_t len)
{
	json_t *all = json_object_get(service, "environment"), *value;
	const char *key, *version = json_string_value(json_object_get(all, K));
	struct fault f = { 0 };
	struct mask m;

	if (memchr(bytes, '$', len) != NULL && memmem(bytes, len, "$$", 2) == NULL)
		return;
	if (mask_load(&m, ".env", K, "", &f) == -1)
		exit(2);
	json_object_foreach (all, key, value)
		/* its JSON has U+FFFD for a byte that is not UTF-8 */
		if (strcmp(key, K) != 0 && json_is_string(value) &&
		    strstr(json_string_value(value), "\xef\xbf\xbd") == NULL)
			mask(&m, json_string_value(value), version == NULL ? "" : version,
			    bytes, len);
	mask_free(&m);
}

static void
compare_readings(const char *bytes, size_t len)
{
	char value[DOTENV_VALUE_MAX];
	struct fault f = { 0 };
	json_t *before;
	bool taken;

	put_env(bytes, len);
	before = ask_compose();
	if (before != NULL)
		mask_all(before, bytes, len);
	taken = dotenv_read(".env", K, value, &f) == 0;
	if (taken && before != NULL)
		count.taken++;
	else if (taken)
		wrong("compose refuses what we take", bytes, len);
	else if (before == NULL)
		count.refused++;
	else
		count.only_us++;
	if (taken && before != NULL) {
		if (!sees(before, value))
			wrong("compose sees another value than we do", bytes, len);
		swap(value, NEW, before, bytes, len);
		swap(NEW, REFERENCE, before, bytes, len);
	}
	json_decref(before);
}

/* Pieces that are difficult for a tokenizer, and whole lines. */
static const char *const pieces[] = {
	K,
	K "=v1",
	K ": v1\n",
	"export " K "=v1\n",
	K "='v1'",
	K "=\"v1\" # x\n",
	K "=v1 # x\n",
	"\n",
	"\n",
	"\n",
	"\n",
	"\r\n",
	"\r",
	" ",
	" ",
	"\t",
	"\v",
	"\f",
	"=",
	"=",
	":",
	"#",
	" #",
	"'",
	"'",
	"\"",
	"\"",
	"\\",
	"\\\\",
	"\\\"",
	"\\'",
	"\\n",
	"$",
	"${A}",
	"${" K "}",
	"$A",
	"A",
	"B",
	"A=1",
	"B=2\n",
	"A='x\ny'\n",
	"B=\"x\ny\"\n",
	"A='p!s@w#'",
	"B=\"",
	"C=p!s@w#",
	"\\0101",
	"\\t!b@c#",
	"export",
	"export ",
	"x",
	"v1",
	".",
	"-",
	"[",
	"]",
	"+",
	"\xc2\xa0",
	"\xc2\x85",
	"\xe3\x80\x80",
	"\xe2\x80\xa8",
	"\xef\xbb\xbf",
	"\xc3\xb6",
	"\xff",
	"\x01",
	"\x7f",
	"`",
	";",
	"{",
	"}",
	"(",
	")",
	"!",
	"%",
	",",
	"@",
	"/",
};

static size_t
make(char *out, size_t size)
{
	size_t n = 1 + (size_t)(random() % 9), len = 0;

	/* half of them start or end with an assignment */
	out[0] = '\0';
	if (random() % 4 == 0)
		len = strlcat(out, K "=v1\n", size);
	while (n-- > 0)
		len = strlcat(out, pieces[(size_t)random() % N(pieces)], size);
	if (random() % 4 == 0)
		len = strlcat(out, "\n" K "=v1", size);
	return len;
}

int
main(int argc, char **argv)
{
	char text[1024], *bytes;
	long cases;
	size_t i, len;

	if (argc < 3)
		return 2;
	for (i = 0; i < N(good); i++) {
		len = (size_t)snprintf(text, sizeof(text), "%s%s%s", good[i].before,
		    good[i].value, good[i].after);
		compare_readings(text, len);
	}
	for (i = 0; i < N(bad); i++)
		compare_readings(bad[i].text, strlen(bad[i].text));
	for (i = 3; i < (size_t)argc; i++)
		if (file_read(AT_FDCWD, argv[i], DOTENV_MAX, &bytes, &len) == 0) {
			compare_readings(bytes, len);
			free(bytes);
		}
	srandom((unsigned)strtoul(argv[1], NULL, 10));
	for (cases = strtol(argv[2], NULL, 10); cases > 0; cases--) {
		len = make(text, sizeof(text));
		compare_readings(text, len);
	}
	printf(
	    "%u taken by both, %u refused by both, %u refused by us alone, %u masked, %u wrong\n",
	    count.taken, count.refused, count.only_us, count.masked, count.wrong);
	/* a test that compared nothing has failed */
	return count.wrong > 0 || count.taken < N(good) || count.refused < 10 ||
	    count.masked == 0;
}
