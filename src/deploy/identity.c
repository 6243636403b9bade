/*
 * Is what was fetched what the request means?  Asked before anything that runs is
 * touched: an image that is refused here is discarded.
 */
#include "deploy/internal.h"

#include "deploy/signature.h"
#include "health/version.h"
#include "request/tag.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

int
identity_possible(const struct deploy *d, struct fault *f)
{
	const struct request *r = d->asked;
	const char *signers = d->s->target->signed_by;

	if (d->s->engine->identify == NULL &&
	    (r->digest[0] != '\0' || r->commit[0] != '\0' || signers[0] != '\0'))
		return fault_set(f, FAULT_HOST,
		    "deploy without digest=, commit= and the setting signed_by",
		    "the engine %s cannot tell which image it fetched",
		    d->s->engine->name);
	if (signers[0] == '\0') {
		if (r->sig[0] != '\0')
			progress_say(d->s->progress, SAY_WARN,
			    "sig= is not checked: the setting signed_by is empty");
		return 0;
	}
	if (signature_trusts(signers, f) == -1)
		return -1;
	if (r->sig[0] != '\0')
		return 0;
	return fault_set(f, FAULT_REFUSED,
	    "sign it, and add sig=", "%s is not signed, and this target requires it",
	    r->word);
}

/* Both references end in the tag. */
static int
one_repository(const struct part *a, const struct part *b, struct fault *f)
{
	if (strcmp(a->reference, b->reference) == 0)
		return 0;
	return fault_set(f, FAULT_HOST,
	    "make each repository a target, or remove signed_by",
	    "one signature cannot be of two repositories: services %s and %s", a->service,
	    b->service);
}

int
identity_signable(const struct deploy *d, struct fault *f)
{
	const struct release *r = &d->j.to;
	struct engine *e = d->s->engine;
	struct part job;
	size_t i;

	if (e->identify == NULL)
		return 0;
	if (e->job_part(e, r, &job, f) == -1)
		return -1;
	if (d->s->target->signed_by[0] == '\0')
		return 0;
	for (i = 1; i < r->n; i++)
		if (one_repository(&r->part[0], &r->part[i], f) == -1)
			return -1;
	return job.service[0] == '\0' ? 0 : one_repository(&r->part[0], &job, f);
}

static bool
has_digest(const struct part *p, const struct identity *id, const char *digest)
{
	size_t i;

	for (i = 0; i < id->n; i++)
		if (strcmp(id->digest[i], digest) == 0)
			return true;
	/* containerd's image store */
	return strcmp(p->revision, digest) == 0;
}

int
identity_of(const struct session *s, struct part *p, const char *digest,
    struct identity *id, struct fault *f)
{
	if (s->engine->identify(s->engine, p, id, f) == -1)
		return -1;
	if (digest[0] != '\0' && has_digest(p, id, digest))
		(void)strlcpy(p->digest, digest, sizeof(p->digest));
	else
		(void)strlcpy(p->digest, id->n == 0 ? "" : id->digest[0],
		    sizeof(p->digest));
	return 0;
}

/* ---- digest= ---- */

static int
check_digest(const struct deploy *d, const struct part *p, struct fault *f)
{
	const char *asked = d->asked->digest;

	if (asked[0] == '\0' || strcmp(p->digest, asked) == 0)
		return 0;
	if (p->digest[0] == '\0')
		return fault_set(f, FAULT_REFUSED, "push the image to a registry",
		    "the image of service %s has no digest of a registry, not %s",
		    p->service, asked);
	return fault_set(f, FAULT_REFUSED,
	    "see which image the registry has under the tag",
	    "the image of service %s is %s, not %s", p->service, p->digest, asked);
}

/* ---- the commit ---- */

static int
check_commit(const struct part *p, const struct identity *id, const char *want,
    const char *who_says, struct fault *f)
{
	if (strncmp(id->commit, want, strlen(want)) == 0)
		return 0;
	return fault_set(f, FAULT_REFUSED,
	    "push the image of that commit; its build sets org.opencontainers.image.revision",
	    "the image of service %s was built from commit %s, %s %s", p->service,
	    id->commit, who_says, want);
}

static int
check_commits(const struct deploy *d, const struct part *p, const struct identity *id,
    struct fault *f)
{
	const struct target *t = d->s->target;
	const char *of_tag = version_hex(tag_bare(d->j.to.tag, t->tag_prefix));
	const char *asked = d->asked->commit;

	if (id->odd && (of_tag[0] != '\0' || asked[0] != '\0'))
		return fault_set(f, FAULT_REFUSED,
		    "set org.opencontainers.image.revision to the commit, or remove it",
		    "the label of the image of service %s names no commit, but %s",
		    p->service, asked[0] != '\0' ? "the request does" : "its tag does");
	if (id->commit[0] == '\0') {
		if (of_tag[0] != '\0' || asked[0] != '\0')
			progress_say(d->s->progress, SAY_NOTE,
			    "the commit of service %s is unknown: no label "
			    "org.opencontainers.image.revision",
			    p->service);
		return 0;
	}
	return check_commit(p, id, of_tag, "its tag says", f) == -1
	    ? -1
	    : check_commit(p, id, asked, "the request says", f);
}

/* ---- tags that are never moved ---- */

/* What was deployed last under the name of a part. */
struct earlier {
	const struct target *target;
	const char *tag;
	const struct part *part;
	struct part was;
	bool found;
};

static bool
find_earlier(void *arg, const struct record *r)
{
	struct earlier *e = arg;
	struct release to = r->to;
	const struct part *p;

	if (!outcome_is_good(r->outcome) || strcmp(to.tag, e->tag) != 0)
		return true;
	release_name_parts(&to, e->target->service[0].name);
	p = release_part(&to, e->part->service);
	e->found = p != NULL && p->revision[0] != '\0' &&
	    strcmp(p->reference, e->part->reference) == 0;
	if (e->found)
		e->was = *p;
	return !e->found;
}

/* An image id is not the same in another image store of docker; a digest is. */
static bool
is_same_image(const struct part *a, const struct part *b)
{
	return strcmp(a->revision, b->revision) == 0 ||
	    (a->digest[0] != '\0' && strcmp(a->digest, b->digest) == 0);
}

static const char *
name_image(const struct part *p, bool digests)
{
	return digests ? p->digest : p->revision;
}

static int
check_immutable(const struct deploy *d, const struct part *p, struct fault *f)
{
	struct earlier e = { .target = d->s->target, .tag = d->j.to.tag, .part = p };
	bool digests;

	if (d->s->dirfd == -1 || !tag_matches(e.tag, d->s->target->immutable))
		return 0;
	if (history_walk(d->s->dirfd, find_earlier, &e, f) == -1)
		return -1;
	if (!e.found || is_same_image(&e.was, p))
		return 0;
	digests = e.was.digest[0] != '\0' && p->digest[0] != '\0';
	return fault_set(f, FAULT_REFUSED,
	    "push it under a new tag; the setting `immutable` says which tags never move",
	    "%s was deployed before with another image: service %s had %s, now %s", e.tag,
	    p->service, name_image(&e.was, digests), name_image(p, digests));
}

/* ---- signatures ---- */

/* By one digest of the image. */
static int
check_signature(const struct deploy *d, const struct identity *id, struct fault *f)
{
	const struct signers signers = { d->s->target->signed_by, d->s->target->state,
		d->s->dirfd };
	char text[REFERENCE_MAX + DIGEST_MAX], who[128] = "";
	size_t i;

	/* a request that only looks has no lock: it must not write the file */
	if (signers.file[0] == '\0' || d->s->lockfd == -1)
		return 0;
	if (id->n == 0)
		return fault_set(f, FAULT_REFUSED, "push the image to a registry",
		    "the image has no digest of %s that a signature could name",
		    id->repository);
	for (i = 0; i < id->n && who[0] == '\0'; i++) {
		snprintf(text, sizeof(text), "%s@%s", id->repository, id->digest[i]);
		if (signature_signer(&signers, d->asked->sig, text, who, sizeof(who),
			f) == -1)
			return -1;
	}
	if (who[0] == '\0')
		return fault_set(f, FAULT_REFUSED,
		    "sign this text, without a newline, with an allowed key",
		    "sig= is no signature by an allowed signer of %s@%s", id->repository,
		    id->digest[0]);
	progress_say(d->s->progress, SAY_NOTE, "signed by %s", who);
	return 0;
}

static int
identify_part(struct deploy *d, struct part *p, struct identity *id, struct fault *f)
{
	if (identity_of(d->s, p, d->asked->digest, id, f) == -1 ||
	    check_digest(d, p, f) == -1 || check_commits(d, p, id, f) == -1 ||
	    check_immutable(d, p, f) == -1)
		return -1;
	return 0;
}

int
identity_check(struct deploy *d, struct fault *f)
{
	struct engine *e = d->s->engine;
	struct release *to = &d->j.to;
	struct identity id;
	struct part job;
	size_t i;

	if (e->identify == NULL)
		return 0;
	for (i = 0; i < to->n; i++) {
		if (to->part[i].revision[0] == '\0')
			continue;
		/* with a signature the other services have the same image */
		if (identify_part(d, &to->part[i], &id, f) == -1 ||
		    (i == 0 && check_signature(d, &id, f) == -1))
			return -1;
	}
	if (e->job_part(e, to, &job, f) == -1)
		return -1;
	return job.revision[0] == '\0' ? 0 : identify_part(d, &job, &id, f);
}
