#include "engine/compose/api.h"

#include "engine/compose/inspect.h"
#include "state/member.h"
#include "sys/deadline.h"
#include "sys/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 1.41 is engine 20.10, 1.51 is 28.5: the oldest and the newest that were tested. */
#define OLDEST 41
#define NEWEST 51

#define ATTEMPT_MS 10000 /* one attempt; an engine under load takes seconds */
#define PAUSE_MS 50      /* after the first failed attempt; then twice as long */
#define PAUSE_MAX_MS 1000
#define NOTE_MS 2000 /* of waiting before it is reported */
#define BODY_MAX (32 * 1024 * 1024)

/* One read: what is asked, and how the last attempt ended. */
struct question {
	const char *target;
	const char *key; /* of a string that the answer must have; NULL: it is a list */
	int64_t limit_ms, began, deadline, pause;
	bool reported;
	struct http_answer answer;
	char *body;
	size_t len;
};

void
api_init(struct api *a, int64_t limit_ms, struct mask *mask,
    const struct progress *progress)
{
	memset(a, 0, sizeof(*a));
	a->limit_ms = limit_ms;
	a->mask = mask;
	a->progress = progress;
	http_init(&a->http, a->path);
}

void
api_close(struct api *a)
{
	http_close(&a->http);
}

void
api_append(char *out, size_t size, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/:";
	size_t len = strlen(out);

	for (; *text != '\0' && len + 4 < size; text++)
		if (strchr(plain, *text) != NULL) {
			out[len++] = *text;
			out[len] = '\0';
		} else
			len += (size_t)snprintf(out + len, size - len, "%%%02X",
			    (unsigned char)*text);
}

/* The engine's reason, masked: {"message": "…"}; "" for none. */
static const char *
engine_message(const struct api *a, const struct question *q, char *out, size_t size)
{
	json_t *doc = inspect_load(q->body, q->len);
	const char *s = member_text(doc, "message");

	mask_show(a->mask, out, size, s, strlen(s), false);
	json_decref(doc);
	return out;
}

static int
no_answer(const struct api *a, const struct question *q, struct fault *f)
{
	const char *next = "check it: systemctl status docker";
	char path[160], said[200];

	if (q->answer.error == EACCES)
		next = "add this user to the group `docker`, then log in again";
	else if (q->answer.error == ENOENT || q->answer.error == ECONNREFUSED)
		next = "start it: systemctl start docker";
	engine_message(a, q, said, sizeof(said));
	return fault_set(f, FAULT_HOST, next,
	    "the Docker engine at %s does not answer: %s%s%s",
	    text_escape(path, sizeof(path), a->path, strlen(a->path)), q->answer.why,
	    said[0] == '\0' ? "" : ": ", said);
}

/* Before the first answer, an engine that is not there is not waited for. */
static bool
may_repeat(const struct api *a, const struct question *q)
{
	int error = q->answer.error;

	if (error == ENAMETOOLONG)
		return false;
	/* EACCES: a starting engine binds its socket before its group may use it */
	if (a->version[0] == '\0' &&
	    (error == EACCES || error == ENOENT || error == ECONNREFUSED))
		return false;
	return deadline_left(q->deadline) > 0;
}

static void
wait_to_repeat(const struct api *a, struct question *q)
{
	int64_t left = deadline_left(q->deadline);
	int64_t ms = q->pause < left ? q->pause : left;
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	if (!q->reported && clock_ms() - q->began >= NOTE_MS) {
		q->reported = true;
		progress_say(a->progress, SAY_NOTE, "waiting for the Docker engine: %s",
		    q->answer.why);
	}
	nanosleep(&ts, NULL);
	q->pause = q->pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : q->pause * 2;
}

static void
attempt(struct api *a, struct question *q)
{
	int64_t ms = q->limit_ms / 3 < ATTEMPT_MS ? q->limit_ms / 3 : ATTEMPT_MS;
	char path[API_TARGET_MAX + 32];

	free(q->body);
	snprintf(path, sizeof(path), "%s%s%s", a->version[0] == '\0' ? "" : "/v",
	    a->version, q->target);
	http_fetch(&a->http, path, deadline_in(ms), BODY_MAX, &q->answer, &q->body,
	    &q->len);
}

/*
 * Did the engine answer?  5xx and 429 are its failures, not answers.  501 is one: a
 * logging driver that cannot read (moby daemon/logger, ErrReadLogsNotSupported).
 */
static bool
answered(const struct question *q)
{
	int status = q->answer.status;

	return q->answer.end == HTTP_ANSWER && (status < 500 || status == 501) &&
	    status != 429;
}

/* Makes attempts until an answer `fits`, or the time is over. */
static int
repeat(struct api *a, struct question *q, bool (*fits)(struct question *, void *),
    void *arg, struct fault *f)
{
	q->began = clock_ms();
	q->deadline = deadline_in(q->limit_ms);
	q->pause = PAUSE_MS;
	for (;;) {
		attempt(a, q);
		if (answered(q)) {
			if (q->answer.status != 200 || fits == NULL || fits(q, arg))
				return 0;
			(void)snprintf(q->answer.why, sizeof(q->answer.why),
			    "the answer is not what the API describes");
			free(q->body);
			q->body = NULL;
			q->len = 0;
		}
		if (!may_repeat(a, q))
			return no_answer(a, q, f);
		wait_to_repeat(a, q);
	}
}

static bool
is_described(struct question *q, void *arg)
{
	json_t **doc = arg;

	*doc = inspect_load(q->body, q->len);
	if (q->key == NULL ? json_is_array(*doc)
			   : json_is_string(json_object_get(*doc, q->key)))
		return true;
	json_decref(*doc);
	*doc = NULL;
	return false;
}

/* "1.41" to 41; -1 when it is not of major version 1. */
static int
minor_of(const char *version)
{
	return strncmp(version, "1.", 2) == 0 ? atoi(version + 2) : -1;
}

static int
refused_question(const struct api *a, const struct question *q, struct fault *f)
{
	char said[300];

	return fault_set(f, FAULT_HOST, "check the log of the Docker engine",
	    "the Docker engine refuses a request (%d): %s", q->answer.status,
	    engine_message(a, q, said, sizeof(said)));
}

int
api_connect(struct api *a, struct fault *f)
{
	struct question q = { .target = "/version",
		.key = "ApiVersion",
		.limit_ms = a->limit_ms };
	json_t *doc = NULL;
	int newest, oldest, rc;
	char speaks[16];

	a->version[0] = '\0';
	rc = repeat(a, &q, is_described, &doc, f);
	newest = minor_of(member_text(doc, "ApiVersion"));
	oldest = minor_of(member_text(doc, "MinAPIVersion"));
	text_escape(speaks, sizeof(speaks), member_text(doc, "ApiVersion"),
	    strlen(member_text(doc, "ApiVersion")));
	json_decref(doc);
	if (rc == 0 && q.answer.status != 200)
		rc = refused_question(a, &q, f);
	free(q.body);
	if (rc == -1)
		return -1;
	if (newest < OLDEST)
		return fault_set(f, FAULT_HOST, "install Docker Engine 20.10 or newer",
		    "the Docker engine is too old: it has API %s, 1.%d is needed", speaks,
		    OLDEST);
	if (oldest > NEWEST)
		return fault_set(f, FAULT_HOST, "install a newer twilight-deploy",
		    "the Docker engine is too new: it has API 1.%d and later, not 1.%d",
		    oldest, NEWEST);
	snprintf(a->version, sizeof(a->version), "1.%d",
	    newest < NEWEST ? newest : NEWEST);
	return 0;
}

/* Did the engine refuse our version: was it upgraded since api_connect()? */
static bool
is_other_version(const struct question *q)
{
	return q->answer.status == 400 && q->body != NULL &&
	    strstr(q->body, "client version") != NULL;
}

/* 0: the status is 200 or 404.  The caller frees the body in any case. */
static int
ask_negotiated(struct api *a, struct question *q, bool (*fits)(struct question *, void *),
    void *arg, struct fault *f)
{
	int rc = repeat(a, q, fits, arg, f);

	if (rc == 0 && is_other_version(q)) {
		rc = api_connect(a, f);
		if (rc == 0)
			rc = repeat(a, q, fits, arg, f);
	}
	if (rc == 0 && q->answer.status != 200 &&
	    (q->answer.status != 404 || strstr(q->body, "page not found") != NULL))
		rc = refused_question(a, q, f);
	return rc;
}

int
api_get(struct api *a, const char *target, const char *key, json_t **doc, struct fault *f)
{
	struct question q = { .target = target, .key = key, .limit_ms = a->limit_ms };
	int rc;

	*doc = NULL;
	rc = ask_negotiated(a, &q, is_described, doc, f);
	free(q.body);
	return rc;
}

int
api_get_bytes(struct api *a, const char *target, int64_t limit_ms, char **body,
    size_t *len, struct fault *f)
{
	struct question q = { .target = target, .limit_ms = limit_ms };
	int rc = ask_negotiated(a, &q, NULL, NULL, f);

	*body = rc == 0 && q.answer.status == 200 ? q.body : NULL;
	*len = *body == NULL ? 0 : q.len;
	if (*body == NULL)
		free(q.body);
	return rc;
}

bool
api_stream(struct api *a, struct http *http, const char *target)
{
	struct http_answer answer;
	char path[API_TARGET_MAX + 32];

	snprintf(path, sizeof(path), "/v%s%s", a->version, target);
	http_stream(http, path, deadline_in(a->limit_ms / 3), &answer);
	if (answer.end == HTTP_ANSWER && answer.status == 200)
		return true;
	http_close(http);
	return false;
}
