/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cred_helper.c: one question to a docker credential helper (the protocol of
 * docker-credential-helpers: "get", the server on stdin, JSON on stdout). Must
 * never run a program that its configuration did not name in full.
 */
#include "verify/cred_int.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/json.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define HELPER_MS      30000 /* even without a deadline */
#define END_MS         1000  /* between its last word and its end */
#define NR_PIDFD_OPEN  434   /* the same on all architectures */
#define NAME_MAX_BYTES 64
#define NOT_FOUND      "credentials not found in native keychain"

/* A helper under way. */
struct helper {
	const char *name;
	pid_t pid; /* and its process group; 0: none */
	int out;
	struct cv_cred_wait wait;
	struct cv_buf said;
};

static bool
good_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n;
}

/* The program in the absolute directories of $PATH; an empty or relative entry
 * would let the present directory choose what is run. */
static int
find_program(char *out, size_t size, const struct cv_cred_env *env, const char *name,
	     struct cv_err *e)
{
	const char *p = env->path == NULL ? "" : env->path;
	size_t n;

	for (; *p != '\0'; p += n + (p[n] == ':' ? 1 : 0)) {
		n = strcspn(p, ":");
		if (p[0] != '/' || n + NAME_MAX_BYTES + 32 >= size)
			continue;
		cv_text_fmt(out, size, "%.*s/docker-credential-%s", (int)n, p, name);
		if (access(out, X_OK) == 0)
			return 0;
	}
	return cv_fail(e, CV_R_DENIED,
		       "credentials: the helper docker-credential-%s is not in the search path",
		       name);
}

static char **
unconst(const char *const *strings)
{
	char **p;

	memcpy(&p, &strings, sizeof(p));
	return p;
}

static int
set_up(posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr, int in, int out)
{
	sigset_t all, none;

	if (sigfillset(&all) != 0 || sigemptyset(&none) != 0 ||
	    posix_spawn_file_actions_adddup2(fa, in, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(fa, out, 1) != 0 ||
	    posix_spawn_file_actions_addopen(fa, 2, "/dev/null", O_RDWR, 0) != 0 ||
	    posix_spawn_file_actions_addclosefrom_np(fa, 3) != 0 ||
	    posix_spawnattr_setsigdefault(attr, &all) != 0 ||
	    posix_spawnattr_setsigmask(attr, &none) != 0 || posix_spawnattr_setpgroup(attr, 0) != 0)
		return -1;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETPGROUP) == 0
		       ? 0
		       : -1;
}

static int
spawn(struct helper *h, const char *path, const struct cv_cred_env *env, int in, int out)
{
	const char *const argv[] = { path, "get", NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc = ENOMEM;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return ENOMEM;
	}
	if (set_up(&fa, &attr, in, out) == 0)
		rc = posix_spawn(&h->pid, path, &fa, &attr, unconst(argv), env->helper_env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0)
		h->pid = 0;
	return rc;
}

/* The question is in the pipe before the program runs: it is short, and nobody
 * has to wait for a helper that does not read. */
static int
launch(struct helper *h, const struct cv_cred_env *env, const char *server, struct cv_err *e)
{
	cv_auto(cv_closep) int in = -1, question = -1, out = -1;
	char path[4096];
	int a[2], b[2], rc;

	if (find_program(path, sizeof(path), env, h->name, e) != 0)
		return -1;
	if (pipe2(a, O_CLOEXEC) != 0)
		return cv_fail_errno(e, "credentials: pipe");
	in = a[0];
	question = a[1];
	if (pipe2(b, O_CLOEXEC) != 0)
		return cv_fail_errno(e, "credentials: pipe");
	h->out = b[0];
	out = b[1];
	if (in <= 2 || out <= 2)
		return cv_fail(e, CV_R_BUG, "a standard descriptor is closed");
	if (cv_write_all(question, server, strlen(server), "credentials", e) != 0)
		return -1;
	rc = spawn(h, path, env, in, out);
	errno = rc;
	if (rc == ENOMEM || rc == EAGAIN || rc == EMFILE || rc == ENFILE)
		return cv_fail_errno(e, "credentials: cannot start %s", path);
	if (rc != 0)
		return cv_fail(e, CV_R_DENIED, "credentials: cannot start %s (error %d)", path, rc);
	return 0;
}

/* Wait until there is something to read; -1 when it is over. */
static int
await(const struct helper *h, struct cv_err *e)
{
	struct pollfd p[2] = { { .fd = h->out, .events = POLLIN },
			       { .fd = h->wait.cancel_fd, .events = POLLIN } };
	int left = cv_mono_left(h->wait.deadline);
	int rc;

	if (left == 0)
		return cv_fail(e, CV_R_DEADLINE,
			       "credentials: docker-credential-%s did not answer in time", h->name);
	rc = poll(p, 2, left);
	if (rc < 0 && errno != EINTR)
		return cv_fail_errno(e, "credentials: waiting for a helper");
	if (rc > 0 && p[1].revents != 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	return rc > 0 && p[0].revents != 0 ? 1 : 0;
}

static int
listen_to(struct helper *h, struct cv_err *e)
{
	char piece[4096];
	ssize_t n = 1;
	int rc;

	while (n != 0) {
		if ((rc = await(h, e)) < 0)
			return -1;
		if (rc == 0)
			continue;
		n = read(h->out, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cv_fail_errno(e, "credentials: reading from a helper");
		cv_buf_add(&h->said, piece, (size_t)n);
		OPENSSL_cleanse(piece, (size_t)n);
		if (cv_buf_ok(&h->said, "the answer of a credential helper", NULL) != 0)
			return cv_fail(
				e, CV_R_DENIED,
				"credentials: docker-credential-%s says more than %llu bytes",
				h->name, CV_MAX_HELPER_OUTPUT);
	}
	return 0;
}

/* It has closed its output; an honest one is about to end. *status is its wait
 * status. One that does not end is killed, with all that it has started. */
static int
reap(struct helper *h, bool kill_it, int *status)
{
	cv_auto(cv_closep) int pidfd = -1;
	struct pollfd p = { .events = POLLIN };
	pid_t rc;

	if (h->pid == 0)
		return -1;
	pidfd = (int)syscall(NR_PIDFD_OPEN, h->pid, 0);
	p.fd = pidfd;
	if (!kill_it && pidfd >= 0)
		(void)poll(&p, 1, END_MS);
	(void)kill(-h->pid, SIGKILL); /* if it has ended: what it left in its group */
	do
		rc = waitpid(h->pid, status, 0);
	while (rc < 0 && errno == EINTR);
	h->pid = 0;
	return rc > 0 ? 0 : -1;
}

static int
understand(struct cv_cred_answer *ret, const struct helper *h, struct cv_err *e)
{
	cv_auto(cv_json_free_secret) struct cv_jdoc *doc = NULL;
	const char *user, *secret;
	struct cv_jv root;

	/* its answer may hold a secret in any place: no complaint quotes it */
	if (cv_json_parse(&doc, "answer", cv_buf_span(&h->said), 0, NULL) != 0)
		return cv_fail(e, CV_R_DENIED,
			       "credentials: docker-credential-%s did not answer in "
			       "JSON",
			       h->name);
	root = cv_json_root(doc);
	if (cv_jv_text(cv_jv_get(root, "Username"), &user, NULL) != 0 ||
	    cv_jv_str(cv_jv_get(root, "Secret"), &secret, NULL) != 0)
		return cv_fail(e, CV_R_DENIED,
			       "credentials: docker-credential-%s answered without Username and "
			       "Secret",
			       h->name);
	if (cv_cred_take(ret->secret, sizeof(ret->secret), cv_span_str(secret), "secret", e) != 0)
		return -1;
	if (strcmp(user, "<token>") == 0) {
		ret->kind = CV_CRED_IDENTITY_TOKEN;
		return 0;
	}
	if (cv_cred_take(ret->user, sizeof(ret->user), cv_span_str(user), "user name", e) != 0)
		return -1;
	ret->kind = CV_CRED_BASIC;
	return 0;
}

static int
judge(struct cv_cred_answer *ret, const struct helper *h, int status, struct cv_err *e)
{
	struct cv_span said = cv_buf_span(&h->said);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return understand(ret, h, e);
	if (WIFEXITED(status) && cv_span_has_prefix(said, NOT_FOUND))
		return 0;
	if (WIFEXITED(status))
		return cv_fail(e, CV_R_DENIED,
			       "credentials: docker-credential-%s failed (exit status %d)", h->name,
			       WEXITSTATUS(status));
	return cv_fail(e, CV_R_DENIED, "credentials: docker-credential-%s did not end by itself",
		       h->name);
}

int
cv_cred_helper(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *name,
	       const char *server, const struct cv_cred_wait *wait, struct cv_err *e)
{
	struct helper h = {
		.name = name, .out = -1, .wait = *wait, .said = CV_BUF(CV_MAX_HELPER_OUTPUT)
	};
	int64_t until = cv_mono_ms() + HELPER_MS;
	char brief[CV_TEXT_BRIEF];
	int status = -1, rc;

	if (!good_name(name))
		return cv_fail(e, CV_R_CONFIG,
			       "credentials: \"%s\" is no name of a helper, want letters, digits, "
			       "\".\", \"_\", \"-\"",
			       cv_text_brief(brief, cv_span_str(name)));
	if (h.wait.deadline == 0 || h.wait.deadline > until)
		h.wait.deadline = until;
	rc = launch(&h, env, server, e);
	if (rc == 0)
		rc = listen_to(&h, e);
	if (reap(&h, rc != 0, &status) != 0 && rc == 0)
		rc = cv_fail(e, CV_R_BUG, "credentials: a helper was lost");
	if (rc == 0)
		rc = judge(ret, &h, status, e);
	if (h.said.p != NULL)
		OPENSSL_cleanse(h.said.p, h.said.n);
	cv_buf_free(&h.said);
	cv_closep(&h.out);
	return rc;
}
