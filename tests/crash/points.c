/*
 * points: kills twilight-deploy, and fails it, at every system call, with fake engines.
 *
 * The points come from one run without faults under strace: each call of the program,
 * identified by its name and its number among the calls of that name.  Each point gets a
 * fresh world and one of these:
 *
 *   kill     SIGKILL when the call is entered; entering call N is the state after N-1
 *   fault    the call fails with each errno that it can have (from main's close_range on:
 *            earlier calls are the loader's)
 *   signal   TERM at each third call, INT and HUP at about each 30th
 *   short    the N-th read, write, send or receive moves half of its bytes, or all of
 *            them move one byte (needs a dynamically linked program)
 *   fds      no descriptor is open at the end, and docker inherits none
 *   script   SIGKILL at each 5th call of tests/bench/plain-deploy.sh, for comparison
 *
 * Afterwards this must hold:
 *
 *   at once      the exit code is true: 0 only if the new version runs, else the old one;
 *                no hang; no child or lock is left; .env has its old or new bytes
 *   `recover`    ends with 0 or 1; the version of .env runs; the history has the outcome
 *                once, valid records only, and the earlier ones; no journal or temporary
 *                file is left
 *   `rollback`   goes to the version that was known-good before
 *   `deploy`     of another version works
 *   freeze       what it was or what was asked; a frozen target refuses a deploy, and
 *                `unfreeze` ends that
 *
 * What happens after a kill depends only on the files, and most calls leave the same ones.
 * So each state of the files is checked once (tree.h says which are equal); FULL=1 checks
 * every point.
 */
#define _GNU_SOURCE
#include "fds.h"
#include "list.h"
#include "world.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct scenario scenarios[] = {
	{ .name = "deploy",
	    .words = { "deploy", "sha-ddddddd" },
	    .to = 'd',
	    .verb = true },
	{ .name = "failing",
	    .words = { "deploy", "sha-eeeeeee" },
	    .to = VERSION_BAD,
	    .clean = 1,
	    .verb = true },
	{ .name = "rollback", .words = { "rollback" }, .to = 'b', .verb = true },
	/* recovery of a deploy that was killed after the swap, */
	{ .name = "recover-swapped",
	    .words = { "recover" },
	    .to = 'd',
	    .clean = 1,
	    .first = { "deploy", "sha-ddddddd" },
	    .after = { "renameat", "renameat", "renameat" },
	    .nth = { [SILENT] = 3, [MEMORY] = 3, [ALL] = 6 } },
	/* … when it was healthy, */
	{ .name = "recover-healthy",
	    .words = { "recover" },
	    .to = 'd',
	    .first = { "deploy", "sha-ddddddd" },
	    .after = { "renameat", "connect", "connect" },
	    .nth = { [SILENT] = 4, [MEMORY] = 3, [ALL] = 3 } },
	/* … while it was reverted, */
	{ .name = "recover-back",
	    .words = { "recover" },
	    .to = VERSION_BAD,
	    .clean = 1,
	    .first = { "deploy", "sha-eeeeeee" },
	    .after = { "renameat", "renameat", "renameat" },
	    .nth = { [SILENT] = 5, [MEMORY] = 4, [ALL] = 7 } },
	/* … and of a rollback */
	{ .name = "recover-rollback",
	    .from = MEMORY,
	    .words = { "recover" },
	    .to = 'b',
	    .first = { "rollback" },
	    .after = { [MEMORY] = "renameat", [ALL] = "renameat" },
	    .nth = { [MEMORY] = 3, [ALL] = 4 } },
	{ .name = "rehearse",
	    .from = ALL,
	    .words = { "deploy", "sha-ddddddd" },
	    .to = 'd',
	    .verb = true,
	    .rehearse = true },
	{ .name = "rejected",
	    .from = ALL,
	    .words = { "deploy", "sha-eeeeeee" },
	    .to = VERSION_BAD,
	    .clean = 1,
	    .verb = true,
	    .rehearse = true },
	/* recovery of a deploy that was killed beside its candidates */
	{ .name = "recover-candidate",
	    .from = ALL,
	    .words = { "recover" },
	    .to = 'd',
	    .clean = 1,
	    .rehearse = true,
	    .first = { "deploy", "sha-ddddddd" },
	    .after = { [ALL] = "connect" },
	    .nth = { [ALL] = 1 },
	    .renames = 4 },
	{ .name = "freeze",
	    .from = ALL,
	    .words = { "freeze", "it moves" },
	    .to = 'c',
	    .freeze = true },
	{ .name = "unfreeze",
	    .from = ALL,
	    .words = { "unfreeze" },
	    .to = 'c',
	    .freeze = true,
	    .first = { "freeze", "it moves" } },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static const char *const kind_names[] = { "kill", "fault", "signal", "short", "fds",
	"script" };
static const char *const mock_names[] = { "silent", "memory", "all" };

struct row {
	atomic_uint points, passed, failed, missed, states;
};

#define SEEN (1u << 16)

/* Shared by the workers. */
struct shared {
	atomic_uint next;
	struct row row[KIND__MAX][SCENARIOS][MOCKS];
	_Atomic uint64_t seen[SEEN];
};

static struct points points;
static struct tree before[SCENARIOS][MOCKS];
static struct shared *shared;
static const char *only, *except;

/* ---- one point ---- */

static void
begin(struct world *w, const struct point *p)
{
	const struct scenario *s = &scenarios[p->scenario];
	char path[PATH_MAX];

	w->mock = p->mock;
	w->rehearse = s->rehearse;
	snprintf(path, sizeof(path), "%s/t", w->dir);
	tree_write(&before[p->scenario][p->mock], path);
	if (p->mock == SILENT)
		/* the two tries of the new version fail, then the old one answers */
		world_behave(w, s->to == VERSION_BAD && s->verb ? "after=3" : "healthy");
}

static void
look_afterwards(struct world *w, const struct point *p, int rc)
{
	struct row *row = &shared->row[p->kind][p->scenario][p->mock];
	char path[PATH_MAX];
	struct tree t;
	uint64_t hash;
	unsigned i, wrongs = w->wrongs;

	snprintf(path, sizeof(path), "%s/t", w->dir);
	tree_read(&t, path);
	hash = tree_hash(&t, p->scenario * 8u + p->mock * 2u + (rc == 0));
	tree_free(&t);
	for (i = (unsigned)hash % SEEN; shared->seen[i] != 0; i = (i + 1) % SEEN)
		if (shared->seen[i] == hash && !w->full)
			return;
	row->states++;
	world_aftermath(w, &scenarios[p->scenario], &before[p->scenario][p->mock], rc);
	/* two workers may check the same state at the same time */
	if (w->wrongs == wrongs)
		shared->seen[i] = hash;
}

/* Was the Nth call of that name made? */
static bool
was_reached(const char *path, const struct point *p)
{
	FILE *f = fopen(path, "re");
	char line[512], name[24];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += list_name(line, name) && strcmp(name, p->call) == 0;
	if (f != NULL)
		fclose(f);
	return n >= p->nth;
}

/* Runs it under strace with one call changed; false if the call was not reached. */
static bool
strike(struct world *w, const struct point *p, int *rc)
{
	char trace[64], inject[96], log[PATH_MAX];
	const char *const options[] = { "-o", log, "-e", trace, "-e", "signal=none", "-e",
		inject, NULL };

	snprintf(log, sizeof(log), "%s/trace", w->dir);
	unlink(log);
	snprintf(trace, sizeof(trace), "trace=%s", p->call);
	if (p->kind == FAULT)
		snprintf(inject, sizeof(inject), "inject=%s:%s=%s:when=%u", p->call,
		    p->error[0] == 'E' ? "error" : "retval", p->error, p->nth);
	else
		snprintf(inject, sizeof(inject), "inject=%s:signal=%s:when=%u", p->call,
		    p->kind == SIGNAL ? p->error : "KILL", p->nth);
	if (p->kind == SCRIPT)
		*rc = world_script(w, options, scenarios[p->scenario].to);
	else
		*rc = world_ask(w, options, scenarios[p->scenario].words, NULL);
	if (access(log, F_OK) == -1)
		errx(2, "%s: strace does not run: see %s/out", w->label, w->dir);
	return p->kind == KILL || p->kind == SCRIPT ? *rc == -SIGKILL
						    : was_reached(log, p);
}

/* Runs it with the shim's settings; true if the call was reached. */
static bool
shorten(struct world *w, const struct point *p, int *rc)
{
	char extra[3 * PATH_MAX], log[PATH_MAX];
	long calls = 0;
	FILE *f;

	snprintf(log, sizeof(log), "%s/short", w->dir);
	unlink(log);
	snprintf(extra, sizeof(extra), "SHORT=%s %u %s", p->call, p->nth, log);
	*rc = world_ask(w, NULL, scenarios[p->scenario].words, extra);
	if ((f = fopen(log, "re")) == NULL)
		return false;
	if (fscanf(f, "%ld", &calls) != 1)
		calls = 0;
	fclose(f);
	return calls > 0;
}

static bool
do_point(struct world *w, const struct point *p)
{
	const struct scenario *s = &scenarios[p->scenario];
	bool reached;
	int rc;

	begin(w, p);
	reached = p->kind == SHORT ? shorten(w, p, &rc) : strike(w, p, &rc);
	world_drain(w, rc >= 0 && p->kind != SCRIPT);
	if (p->kind == SCRIPT) {
		if (reached)
			world_script_aftermath(w, s);
		return reached;
	}
	/* the exit code must be true also if the call was not reached */
	if (p->kind == SIGNAL && rc < 0 && rc > RUN_TIMED_OUT && !p->armed)
		rc = -SIGKILL;
	else if (rc != -SIGKILL || p->kind != KILL)
		world_judge_exit(w, s, rc);
	if (reached && world_env(w, s) != '?')
		look_afterwards(w, p, rc);
	return reached;
}

static void
name_point(const struct point *p, char *out, size_t size)
{
	snprintf(out, size, "%s %s %s %s:%u%s%s", kind_names[p->kind],
	    scenarios[p->scenario].name, mock_names[p->mock], p->call, p->nth,
	    p->error[0] == '\0' ? "" : ":", p->error);
}

static void
count(struct world *w, const struct point *p, bool reached)
{
	struct row *row = &shared->row[p->kind][p->scenario][p->mock];

	row->points++;
	if (w->wrongs > 0)
		row->failed++;
	else if (reached)
		row->passed++;
	else
		row->missed++;
}

static void
work(const char *top, const char *program, unsigned number)
{
	struct world w = { .loud = getenv("LOUD") != NULL,
		.full = getenv("FULL") != NULL };
	char name[32], label[160];
	unsigned i, tries;
	bool reached;

	snprintf(name, sizeof(name), "w%u", number);
	snprintf(w.program, sizeof(w.program), "%s", program);
	world_open(&w, top, name);
	while ((i = shared->next++) < points.n) {
		name_point(&points.list[i], label, sizeof(label));
		w.label = label;
		w.wrongs = 0;
		/* the number of polls and reads depends on timing */
		for (tries = 0, reached = false; !reached && tries < 3 && w.wrongs == 0;
		     tries++)
			reached = do_point(&w, &points.list[i]);
		count(&w, &points.list[i], reached);
	}
	world_close(&w);
}

/* ---- the starting states ---- */

static void
must(struct world *w, const char *verb, const char *word, int want)
{
	const char *const words[] = { verb, word };
	int rc = world_ask(w, NULL, words, NULL);

	if (rc != want)
		errx(2, "%s %s: exit %d, where %d is right; see %s/out", verb,
		    word == NULL ? "" : word, rc, want, w->dir);
	world_drain(w, true);
}

static void
lay_ground(struct world *w, enum mock mock, struct tree *t)
{
	char path[PATH_MAX];

	world_found(w, mock);
	must(w, "deploy", "sha-aaaaaaa", 0);
	must(w, "deploy", "sha-bbbbbbb", 0);
	must(w, "deploy", "sha-ccccccc", 0);
	snprintf(path, sizeof(path), "%s/t", w->dir);
	tree_read(t, path);
}

static int
watch(struct world *w, const struct scenario *s, const char *const *words,
    struct trace *t)
{
	char log[PATH_MAX];
	const char *const options[] = { "-o", log, NULL };
	int rc;

	snprintf(log, sizeof(log), "%s/trace", w->dir);
	rc = words == NULL ? world_script(w, options, s->to)
			   : world_ask(w, options, words, NULL);
	world_drain(w, true);
	list_trace(t, log);
	return rc;
}

/*
 * The index of the call after the Nth of that name.  Names other than renameat are counted
 * from one renameat, the last if it is 0: how often they come before depends on timing.
 */
static size_t
behind(const struct trace *t, const char *name, unsigned nth, unsigned renames)
{
	size_t i, begin = 0;
	unsigned n = 0;

	for (i = 0; strcmp(name, "renameat") != 0 && i < t->n; i++)
		if (strcmp(t->call[i].call, "renameat") == 0 &&
		    (renames == 0 || n++ < renames))
			begin = i;
	for (i = begin; i + 1 < t->n; i++)
		if (strcmp(t->call[i].call, name) == 0 && --nth == 0)
			return i + 1;
	return t->n;
}

/* Runs the request and kills it after the Nth call of that name; false if too late. */
static bool
interrupt_once(struct world *w, const struct scenario *s, const char *inject)
{
	const char *const options[] = { "-o", "/dev/null", "-e", inject, NULL };
	char journal[PATH_MAX];
	int rc;

	if (w->mock == SILENT)
		world_behave(w, s->to == VERSION_BAD ? "after=3" : "healthy");
	rc = world_ask(w, options, s->first, NULL);
	world_drain(w, false);
	snprintf(journal, sizeof(journal), "%s/t/home/.twilight-deploy/journal", w->dir);
	return rc == -SIGKILL && access(journal, F_OK) == 0;
}

/*
 * The home after a kill behind the Nth call of that name.  The number of calls before it
 * depends on timing, so a kill may come too late and is then repeated.
 */
static void
interrupt(struct world *w, const struct scenario *s, struct tree *t)
{
	unsigned nth = s->nth[w->mock];
	char inject[96], path[PATH_MAX];
	const struct file *f;
	struct trace clean;
	int tries = 0;
	size_t i;

	snprintf(path, sizeof(path), "%s/t", w->dir);
	tree_read(t, path);
	do {
		if (tries++ == 10)
			errx(2, "%s: the first run leaves no journal", s->name);
		if (w->mock == SILENT)
			world_behave(w, s->to == VERSION_BAD ? "after=3" : "healthy");
		(void)watch(w, s, s->first, &clean);
		tree_write(t, path);
		i = behind(&clean, s->after[w->mock], nth, s->renames);
		if (i == clean.n)
			errx(2, "%s: there is no %s:%u", s->name, s->after[w->mock], nth);
		snprintf(inject, sizeof(inject), "inject=%s:signal=KILL:when=%u",
		    clean.call[i].call, clean.call[i].nth);
		free(clean.call);
		if (interrupt_once(w, s, inject))
			break;
		tree_write(t, path);
	} while (true);
	tree_free(t);
	tree_read(t, path);
	f = tree_find(t, "engine/containers");
	if (s->rehearse && (f == NULL || strstr(f->bytes, "-candidate-") == NULL))
		errx(2, "%s: the first run leaves no candidate", s->name);
}

/* The home after the first request, if there is one. */
static void
precede(struct world *w, const struct scenario *s, struct tree *t)
{
	char path[PATH_MAX];

	if (s->first[0] != NULL)
		must(w, s->first[0], s->first[1], 0);
	snprintf(path, sizeof(path), "%s/t", w->dir);
	tree_read(t, path);
}

static unsigned
shim_calls(struct world *w, const struct point *p, const char *word)
{
	struct point none = *p;
	char log[PATH_MAX];
	unsigned n = 0;
	FILE *f;
	int rc;

	none.kind = SHORT;
	strcpy(none.call, word);
	begin(w, &none);
	if (shorten(w, &none, &rc)) {
		snprintf(log, sizeof(log), "%s/short", w->dir);
		if ((f = fopen(log, "re")) != NULL) {
			if (fscanf(f, "%u", &n) != 1)
				n = 0;
			fclose(f);
		}
	}
	world_drain(w, true);
	return n;
}

static void
clean_runs(struct world *w, unsigned i, enum mock mock)
{
	const struct scenario *s = &scenarios[i];
	struct point p = { .kind = FDS, .scenario = i, .mock = mock };
	char label[160];
	struct trace t;
	int rc;

	name_point(&p, label, sizeof(label));
	w->label = label;
	w->wrongs = 0;
	begin(w, &p);
	if ((rc = watch(w, s, s->words, &t)) != s->clean)
		errx(2, "%s %s: exit %d, where %d is right; see %s/out", s->name,
		    mock_names[mock], rc, s->clean, w->dir);
	fds_program(w);
	list_calls(&points, &t, i, mock);
	free(t.call);
	if (!s->freeze) {
		begin(w, &p);
		fds_docker(w, s);
	}
	count(w, &p, true);
	list_shorts(&points, shim_calls(w, &p, "none"), shim_calls(w, &p, "close"), i,
	    mock);
	/* the script knows no phases */
	if (mock == ALL || !s->verb || strcmp(s->words[0], "deploy") != 0)
		return;
	begin(w, &p);
	if ((rc = watch(w, s, NULL, &t)) != s->clean)
		errx(2, "%s %s: the script exits with %d, where %d is right; see %s/out",
		    s->name, mock_names[mock], rc, s->clean, w->dir);
	list_script(&points, &t, i, mock);
	free(t.call);
}

static void
prepare(const char *top, const char *program)
{
	struct world w = { .label = "a clean run" };
	struct tree ground[MOCKS];
	char path[PATH_MAX];
	unsigned i;
	int mock;

	snprintf(w.program, sizeof(w.program), "%s", program);
	world_open(&w, top, "first");
	snprintf(path, sizeof(path), "%s/t", w.dir);
	world_sign(&w);
	for (mock = SILENT; mock < MOCKS; mock++) {
		lay_ground(&w, (enum mock)mock, &ground[mock]);
		for (i = 0; i < SCENARIOS; i++) {
			/* a sample has one deploy of ALL: a good one with candidates */
			if (mock < scenarios[i].from ||
			    (points.sample && mock == ALL && !scenarios[i].freeze &&
				!(scenarios[i].rehearse && scenarios[i].clean == 0)))
				continue;
			tree_write(&ground[mock], path);
			w.rehearse = scenarios[i].rehearse;
			if (scenarios[i].after[mock] != NULL)
				interrupt(&w, &scenarios[i], &before[i][mock]);
			else
				precede(&w, &scenarios[i], &before[i][mock]);
			clean_runs(&w, i, (enum mock)mock);
		}
	}
	world_close(&w);
}

/* Is the point's call one of these, separated by spaces? */
static bool
among(const char *calls, const struct point *p)
{
	size_t n;

	for (; *calls != '\0'; calls += n + strspn(calls + n, " ")) {
		n = strcspn(calls, " ");
		if (n == strlen(p->call) && strncmp(calls, p->call, n) == 0)
			return true;
	}
	return false;
}

/* Is the point selected by ONLY and EXCEPT? */
static void
choose_points(void)
{
	char label[160];
	size_t i, n = 0;

	for (i = 0; i < points.n; i++) {
		name_point(&points.list[i], label, sizeof(label));
		if ((only == NULL || strstr(label, only) != NULL) &&
		    (except == NULL || !among(except, &points.list[i])))
			points.list[n++] = points.list[i];
	}
	points.n = n;
	if (n == 0)
		errx(2, "no point is called so: %s", only == NULL ? "" : only);
}

/* ---- the table ---- */

static void
print_row(enum kind k, unsigned s, enum mock m)
{
	struct row *r = &shared->row[k][s][m];

	if (r->points > 0)
		printf("%-7s %-17s %-7s %7u %7u %7u %7u %7u\n", kind_names[k],
		    scenarios[s].name, mock_names[m], r->points, r->passed, r->failed,
		    r->missed, r->states);
}

static unsigned
sum_up(void)
{
	unsigned passed = 0, failed = 0, missed = 0, k, s, m;

	printf("\n%-7s %-17s %-7s %7s %7s %7s %7s %7s\n", "", "scenario", "mock",
	    "points", "hold", "broken", "missed", "states");
	for (k = 0; k < KIND__MAX; k++)
		for (s = 0; s < SCENARIOS; s++)
			for (m = SILENT; m < MOCKS; m++) {
				struct row *r = &shared->row[k][s][m];

				print_row(k, s, m);
				if (k == SCRIPT)
					continue;
				passed += r->passed;
				failed += r->failed;
				missed += r->missed;
			}
	printf(
	    "\nscript: tests/bench/plain-deploy.sh, counted apart; missed: that call did "
	    "not come; states: aftermaths looked at\n");
	if (missed > 0)
		printf("%u points were not reached\n", missed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed;
}

int
main(int argc, char **argv)
{
	pid_t workers[64];
	unsigned i, jobs;
	char path[PATH_MAX];
	bool broken = false;
	int status;

	if (argc != 5)
		errx(2, "usage: points PROGRAM all|sample JOBS FOLDER  (see run.sh)");
	points.sample = strcmp(argv[2], "sample") == 0;
	jobs = (unsigned)atoi(argv[3]);
	if (jobs < 1 || jobs > sizeof(workers) / sizeof(workers[0]))
		errx(2, "not a number of jobs: %s", argv[3]);
	only = getenv("ONLY");
	except = getenv("EXCEPT");
	snprintf(path, sizeof(path), "%s/fdbin", argv[4]);
	if (mkdir(path, 0755) == -1)
		err(2, "%s", path);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(2, "mmap");
	prepare(argv[4], argv[1]);
	choose_points();
	printf("%zu points, %u workers\n", points.n, jobs);
	fflush(stdout);
	for (i = 0; i < jobs; i++)
		if ((workers[i] = fork()) == 0) {
			work(argv[4], argv[1], i);
			fflush(stdout);
			_exit(0);
		}
	/* engines and services are also children; they end when they are not needed */
	for (i = 0; i < jobs; i++)
		if (waitpid(workers[i], &status, 0) == -1 || status != 0) {
			printf("a worker ended with status %d\n", status);
			broken = true;
		}
	if (sum_up() > 0 || broken)
		return 1;
	return 0;
}
