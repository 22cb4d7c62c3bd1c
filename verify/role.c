/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.c: see role.h: starting a worker, speaking to it, ending it. Must never
 * wait for a worker beyond the deadline, nor leave one behind.
 */
#include "verify/role_int.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define WORKER_SOCK   3   /* CV_WORKER_SOCK of worker.h */
#define NR_PIDFD_OPEN 434 /* the same on all architectures */

/* How long a worker that has said DONE may take to go by itself; a sanitizer
 * looks for leaks first. */
#define GO_MS   (CV_SANITIZED ? 5000 : 50)
#define DEAD_MS 50 /* ... and one that has closed its socket, to be asked why */

const char *
cv_role_name(enum cv_role_kind kind)
{
	switch (kind) {
	case CV_ROLE_TRUST:
		return "trust";
	case CV_ROLE_CONTENTS:
		return "contents";
	case CV_ROLE_FETCH:
		return "fetch";
	case CV_ROLE_IMPORT:
		return "import";
	}
	return "unknown";
}

unsigned
cv_role_sandbox(const struct cv_role *r)
{
	return r->sandbox;
}

int
cv_role_landlock(const struct cv_role *r)
{
	return r->landlock;
}

/* ---- where the programs are ---- */

static bool
has_workers(const char *dir)
{
	char path[PATH_MAX + 32];

	cv_text_fmt(path, sizeof(path), "%s/clawverify-trust", dir);
	return access(path, X_OK) == 0;
}

/* beside_us: the directory of this program, or the libexec directory that belongs
 * to it where it was installed, wherever that is now (DESTDIR). */
static bool
beside_us(char *out, size_t n)
{
	static const char bin[] = "/bin", libexec[] = "/libexec/clawverify";
	ssize_t len = readlink("/proc/self/exe", out, n);
	char *slash;

	if (len <= 0 || (size_t)len + sizeof(libexec) >= n)
		return false;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || slash == out)
		return false;
	*slash = '\0';
	if (has_workers(out))
		return true;
	len = slash - out;
	if ((size_t)len <= strlen(bin) || strcmp(slash - strlen(bin), bin) != 0)
		return false;
	memcpy(slash - strlen(bin), libexec, sizeof(libexec));
	return has_workers(out);
}

int
cv_role_dir(char *out, size_t n, struct cv_err *e)
{
	if (beside_us(out, n))
		return 0;
	if (strlen(CV_LIBEXECDIR) >= n)
		return cv_fail(e, CV_R_BUG, "no room for the name of a directory");
	memcpy(out, CV_LIBEXECDIR, sizeof(CV_LIBEXECDIR));
	if (!has_workers(out))
		return cv_fail(
			e, CV_R_CONFIG,
			"the worker programs (clawverify-trust and others) are neither beside "
			"this program nor in %s: is the installation complete?",
			CV_LIBEXECDIR);
	return 0;
}

/* ---- starting ---- */

static int
set_actions(posix_spawn_file_actions_t *fa, int sock, bool keep_stderr)
{
	/* The socket first: it may itself be one of the descriptors 0 to 2. */
	if (posix_spawn_file_actions_adddup2(fa, sock, WORKER_SOCK) != 0)
		return -1;
	for (int fd = 0; fd <= 2; fd++)
		if ((fd != 2 || !keep_stderr) &&
		    posix_spawn_file_actions_addopen(fa, fd, "/dev/null", O_RDWR, 0) != 0)
			return -1;
	return posix_spawn_file_actions_addclosefrom_np(fa, WORKER_SOCK + 1) == 0 ? 0 : -1;
}

static int
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;

	if (sigfillset(&all) != 0 || sigemptyset(&none) != 0 ||
	    posix_spawnattr_setsigdefault(attr, &all) != 0 ||
	    posix_spawnattr_setsigmask(attr, &none) != 0 || posix_spawnattr_setpgroup(attr, 0) != 0)
		return -1;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETPGROUP) == 0
		       ? 0
		       : -1;
}

/* The strings are only read; posix_spawn wants them writable, as exec does. */
static char **
unconst(const char *const *strings)
{
	char **p;

	memcpy(&p, &strings, sizeof(p));
	return p;
}

/* posix_spawn is clone(CLONE_VM | CLONE_VFORK) in the C library: it copies no
 * page tables, and nothing of ours runs in the child before exec. */
static int
spawn(struct cv_role *r, const char *path, int sock)
{
	static const char *const nothing[] = { NULL };
	const char *const argv[] = { path, NULL };
	const char *const *env = r->kind == CV_ROLE_FETCH ? r->o.env : NULL;
	bool keep_stderr = CV_SANITIZED || (r->o.flags & CV_ROLE_STDERR) != 0;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc = ENOMEM;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return ENOMEM;
	}
	if (set_actions(&fa, sock, keep_stderr) == 0 && set_attributes(&attr) == 0)
		rc = posix_spawn(&r->pid, path, &fa, &attr, unconst(argv),
				 unconst(env != NULL ? env : nothing));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	if (rc != 0)
		r->pid = 0;
	return rc;
}

static int
launch(struct cv_role *r, struct cv_err *e)
{
	cv_auto(cv_closep) int theirs = -1;
	char path[PATH_MAX];
	int pair[2], rc;

	cv_text_fmt(path, sizeof(path), "%s/clawverify-%s", r->o.dir, cv_role_name(r->kind));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return cv_fail_errno(e, "the %s worker: socket", cv_role_name(r->kind));
	r->sock = pair[0];
	theirs = pair[1];
	rc = spawn(r, path, theirs);
	errno = rc;
	if (rc == ENOMEM || rc == EAGAIN || rc == EMFILE || rc == ENFILE)
		return cv_fail_errno(e, "cannot start %s", path);
	if (rc != 0) {
		cv_fail_errno(e, "cannot start %s", path);
		return cv_fail(e, CV_R_WORKER,
			       "cannot start %s (error %d): is the installation "
			       "complete?",
			       path, rc);
	}
	/* Our child, not reaped: the number cannot be another's. */
	r->pidfd = (int)syscall(NR_PIDFD_OPEN, r->pid, 0);
	return 0;
}

/* ---- what a worker says about its end ---- */

/* Wait at most ms for the process to end. True if it did (or none can tell). */
static bool
gone(const struct cv_role *r, int ms)
{
	struct pollfd p = { .fd = r->pidfd, .events = POLLIN };
	int64_t until = cv_mono_ms() + ms;
	int rc;

	if (r->pidfd < 0)
		return false;
	do
		rc = poll(&p, 1, cv_mono_left(until));
	while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* The socket is closed and no DONE came. How it ended is for people only. */
static int
died(struct cv_role *r, struct cv_err *e)
{
	const char *name = cv_role_name(r->kind);
	siginfo_t info = { 0 };

	if (cv_mono_left(r->o.deadline) == 0)
		return cv_fail(e, CV_R_DEADLINE, "the %s worker: out of time", name);
	if (!gone(r, DEAD_MS) ||
	    waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 ||
	    info.si_pid == 0)
		return cv_fail(e, CV_R_WORKER, "the %s worker closed its socket", name);
	if (info.si_code == CLD_EXITED)
		return cv_fail(e, CV_R_WORKER,
			       "the %s worker ended (exit status %d) before it had answered", name,
			       info.si_status);
	return cv_fail(e, CV_R_WORKER, "the %s worker died of signal %d%s before it had answered",
		       name, info.si_status,
		       info.si_status == SIGSYS ? " (a system call that it may not use)" : "");
}

/* Receive one frame; every one counts. */
int
cv_role_receive(struct cv_role *r, struct cv_err *e)
{
	int rc = cv_frame_recv(r->sock, &r->in, r->o.deadline, r->o.cancel_fd, e);

	if (rc == 0)
		return died(r, e);
	if (rc < 0)
		return cv_fail_within(e, "the %s worker", cv_role_name(r->kind));
	if (++r->frames > CV_MAX_WORKER_FRAMES)
		return cv_fail(e, CV_R_WORKER, "the %s worker sent more than %d frames",
			       cv_role_name(r->kind), CV_MAX_WORKER_FRAMES);
	return 0;
}

int
cv_role_breach(const struct cv_role *r, struct cv_err *e, const char *what)
{
	return cv_fail(e, CV_R_WORKER, "the %s worker broke the protocol: %s",
		       cv_role_name(r->kind), what);
}

/* An accessor of the frame failed: the worker's fault. */
int
cv_role_whole(const struct cv_role *r, struct cv_err *e)
{
	return cv_frame_done(&r->in, cv_role_name(r->kind), e);
}

static int
hello(struct cv_role *r, struct cv_err *e)
{
	uint64_t flags;

	if (cv_role_receive(r, e) != 0)
		return -1;
	if (r->in.kind != CV_K_HELLO)
		return cv_role_breach(r, e, "it did not begin with HELLO");
	flags = cv_frame_u64(&r->in, CV_TAG_SANDBOX, 2 * CV_SBX_SANITIZER - 1);
	r->landlock = (int)cv_frame_u64(&r->in, CV_TAG_VALUE, 1000);
	r->sandbox = (unsigned)flags;
	return cv_role_whole(r, e);
}

int
cv_role_spawn(struct cv_role **ret, enum cv_role_kind kind, const struct cv_role_opts *opts,
	      struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return cv_fail_memory(e);
	r->kind = kind;
	r->o = *opts;
	r->sock = r->pidfd = -1;
	if (launch(r, e) != 0)
		return -1;
	*ret = cv_steal(r);
	return 0;
}

int
cv_role_greet(struct cv_role *r, struct cv_err *e)
{
	if (hello(r, e) != 0)
		return -1;
	r->idle = true;
	return 0;
}

int
cv_role_start(struct cv_role **ret, enum cv_role_kind kind, const struct cv_role_opts *opts,
	      struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = NULL;

	if (cv_role_spawn(&r, kind, opts, e) != 0 || cv_role_greet(r, e) != 0)
		return -1;
	*ret = cv_steal(r);
	return 0;
}

bool
cv_role_usable(const struct cv_role *r)
{
	return r->idle && !r->broken;
}

/* ---- speaking ---- */

struct cv_out *
cv_role_frame(struct cv_role *r, enum cv_kind kind)
{
	int left = cv_mono_left(r->o.deadline);

	cv_out_start(&r->out, (uint8_t)kind);
	if (kind == CV_K_TASK)
		r->items = 0;
	else if (kind == CV_K_ITEM)
		r->items++;
	if (kind == CV_K_TASK) /* past is not none: cv_role_send will say so */
		cv_out_u64(&r->out, CV_TAG_DEADLINE, left < 0 ? 0 : (uint64_t)left);
	return &r->out;
}

int
cv_role_send_frame(struct cv_role *r, const struct cv_out *o, struct cv_err *e)
{
	if (r->broken)
		return cv_fail(e, CV_R_WORKER, "the %s worker has failed before",
			       cv_role_name(r->kind));
	r->idle = false;
	if (cv_frame_send(r->sock, o, r->o.deadline, r->o.cancel_fd, e) == 0)
		return 0;
	r->broken = true;
	if (e != NULL && e->reason == CV_R_WORKER)
		return died(r, e);
	return cv_fail_within(e, "the %s worker", cv_role_name(r->kind));
}

int
cv_role_send(struct cv_role *r, struct cv_err *e)
{
	return cv_role_send_frame(r, &r->out, e);
}

void
cv_role_end(struct cv_role **rp)
{
	struct cv_role *r = *rp;
	int saved = errno;

	if (r == NULL)
		return;
	*rp = NULL;
	cv_closep(&r->sock);
	if (r->pid != 0) {
		if (!r->idle || !gone(r, GO_MS))
			(void)kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	cv_closep(&r->pidfd);
	cv_frame_clear(&r->in);
	free(r);
	errno = saved;
}

int
cv_role_bytes(struct cv_blob *ret, struct cv_span bytes, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = memfd_create("clawverify", MFD_CLOEXEC);

	if (fd < 0)
		return cv_fail_errno(e, "memfd_create");
	if (cv_write_all(fd, bytes.p, bytes.n, "memfd", e) != 0)
		return -1;
	*ret = (struct cv_blob){ .fd = fd, .off = 0, .len = bytes.n };
	fd = -1;
	return 0;
}
