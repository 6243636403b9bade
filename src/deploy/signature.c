#include "deploy/signature.h"

#include "sys/childenv.h"
#include "sys/file.h"
#include "sys/run.h"
#include "sys/text.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMESPACE "twilight-deploy"
#define FILE_NAME "signature"
#define LIMIT_MS 10000

static char path_only[] = "PATH=/usr/local/bin:/usr/bin:/bin";
static char *const env[] = { path_only, NULL };

int
signature_trusts(const char *file, struct fault *f)
{
	static const char next[] = "see ALLOWED SIGNERS in ssh-keygen(1), and signed_by";
	struct stat st;

	if (stat(file, &st) == -1)
		return fault_set(f, FAULT_HOST, next,
		    "cannot read the allowed signers, %.200s: %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_HOST,
		    "chown and chmod it, as the configuration",
		    "others may write the allowed signers, %.200s", file);
	return 0;
}

/* A file without a name that holds the text. */
static int
open_text(const char *text, struct fault *f)
{
	int fd = memfd_create("signed", MFD_CLOEXEC);

	if (fd != -1 && file_write(fd, text, strlen(text)) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	fault_set(f, FAULT_HOST, "free some memory",
	    "cannot pass a text to ssh-keygen: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

/* *good: it exited with 0.  run_free() is due in every case. */
static int
ask_keygen(const char *const *argv, const char *text, struct run_result *res, bool *good,
    struct fault *f)
{
	char path[PATH_MAX];
	struct run r = { .kind = RUN_LOOK,
		.path = path,
		.argv = argv,
		.env = env,
		.limit_ms = LIMIT_MS,
		.out_fd = -1,
		.hold_fd = -1 };
	int rc;

	memset(res, 0, sizeof(*res));
	*good = false;
	if (env_find("ssh-keygen", env, path, sizeof(path), f) == -1 ||
	    (r.in_fd = open_text(text, f)) == -1)
		return -1;
	rc = run_child(&r, res, f);
	close(r.in_fd);
	if (rc == 0 && res->end != RUN_EXITED)
		return fault_set(f, FAULT_HOST, "see the system log",
		    "ssh-keygen did not end by itself");
	*good = rc == 0 && res->status == 0;
	return rc;
}

/* *good: the key of the signature has this name, may sign for us, and signed the text. */
static int
verify_for(const struct signers *s, const char *sig_file, const char *principal,
    const char *text, bool *good, struct fault *f)
{
	const char *const argv[] = { "ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I",
		principal, "-s", sig_file, "-f", s->file, NULL };
	struct run_result res;
	int rc = ask_keygen(argv, text, &res, good, f);

	run_free(&res);
	return rc;
}

/* ssh-keygen prints the names of the first line with the key. */
static int
find_signer(const struct signers *s, const char *sig_file, const char *text, char *who,
    size_t size, struct fault *f)
{
	const char *const argv[] = { "ssh-keygen", "-Y", "find-principals", "-s",
		sig_file, "-f", s->file, NULL };
	struct run_result res;
	bool good;
	int rc = ask_keygen(argv, "", &res, &good, f);

	good = good && res.out != NULL;
	if (good) {
		res.out[strcspn(res.out, ",\n")] = '\0';
		rc = verify_for(s, sig_file, res.out, text, &good, f);
	}
	if (good)
		text_escape(who, size, res.out, strlen(res.out));
	run_free(&res);
	return rc;
}

int
signature_signer(const struct signers *s, const char *sig, const char *text, char *who,
    size_t size, struct fault *f)
{
	char path[PATH_MAX + sizeof(FILE_NAME)], *armored;
	int len, rc;

	who[0] = '\0';
	len = asprintf(&armored,
	    "-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n", sig);
	if (len == -1)
		return fault_memory(f);
	rc = file_replace(s->dirfd, FILE_NAME, armored, (size_t)len);
	free(armored);
	if (rc == -1)
		return fault_set(f, FAULT_HOST, "check the disk of the state folder",
		    "cannot write the signature: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/" FILE_NAME, s->state);
	rc = find_signer(s, path, text, who, size, f);
	(void)!unlinkat(s->dirfd, FILE_NAME, 0);
	return rc;
}

void
signature_sweep(int dirfd)
{
	file_sweep(dirfd, FILE_NAME);
	(void)!unlinkat(dirfd, FILE_NAME, 0);
}
