/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.c: see role.h. Must never take anything but a DONE frame with the right
 * count for the end of a task, and never wait for a worker beyond the deadline.
 */
#include "verify/role.h"
#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define WORKER_SOCK   3            /* CV_WORKER_SOCK of worker.h */
#define PIPE_PIECE    (256 * 1024) /* bytes taken from a pipe at once */
#define NR_PIDFD_OPEN 434          /* the same on all architectures */

/* How long a worker that has said DONE may take to go by itself; a sanitizer
 * looks for leaks first. */
#define GO_MS   (CV_SANITIZED ? 5000 : 50)
#define DEAD_MS 50 /* ... and one that has closed its socket, to be asked why */

struct cv_role {
	enum cv_role_kind kind;
	struct cv_role_opts o;
	pid_t pid; /* 0: none */
	int pidfd; /* -1: the kernel has none */
	int sock;
	unsigned sandbox;
	int landlock;
	bool idle;                        /* between tasks: it may go by itself */
	bool broken;                      /* failed once; nothing more is said to it */
	uint64_t frames, needs, findings; /* since its start */
	uint64_t count;                   /* FACT and FINDING frames of this task */
	struct cv_frame in;
	struct cv_out out;
	struct cv_out give;
};

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

int
cv_role_dir(char *out, size_t n, struct cv_err *e)
{
	ssize_t len = readlink("/proc/self/exe", out, n);
	char *slash;

	if (len > 0 && (size_t)len < n) {
		out[len] = '\0';
		slash = strrchr(out, '/');
		if (slash != NULL && slash != out)
			*slash = '\0';
		if (slash != NULL && has_workers(out))
			return 0;
	}
	if (strlen(CV_LIBEXECDIR) >= n)
		return cv_fail(e, CV_R_BUG, "no room for the name of a directory");
	memcpy(out, CV_LIBEXECDIR, sizeof(CV_LIBEXECDIR));
	if (!has_workers(out))
		return cv_fail(
			e, CV_R_WORKER,
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
static int
receive(struct cv_role *r, struct cv_err *e)
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

static int
breach(const struct cv_role *r, struct cv_err *e, const char *what)
{
	return cv_fail(e, CV_R_WORKER, "the %s worker broke the protocol: %s",
		       cv_role_name(r->kind), what);
}

/* An accessor of the frame failed: the worker's fault. */
static int
whole(const struct cv_role *r, struct cv_err *e)
{
	return cv_frame_done(&r->in, cv_role_name(r->kind), e);
}

static int
hello(struct cv_role *r, struct cv_err *e)
{
	uint64_t flags;

	if (receive(r, e) != 0)
		return -1;
	if (r->in.kind != CV_K_HELLO)
		return breach(r, e, "it did not begin with HELLO");
	flags = cv_frame_u64(&r->in, CV_TAG_SANDBOX, 2 * CV_SBX_SANITIZER - 1);
	r->landlock = (int)cv_frame_u64(&r->in, CV_TAG_VALUE, 1000);
	r->sandbox = (unsigned)flags;
	return whole(r, e);
}

int
cv_role_start(struct cv_role **ret, enum cv_role_kind kind, const struct cv_role_opts *opts,
	      struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return cv_fail_memory(e);
	r->kind = kind;
	r->o = *opts;
	r->sock = r->pidfd = -1;
	if (launch(r, e) != 0 || hello(r, e) != 0)
		return -1;
	r->idle = true;
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
	if (kind == CV_K_TASK) /* past is not none: cv_role_send will say so */
		cv_out_u64(&r->out, CV_TAG_DEADLINE, left < 0 ? 0 : (uint64_t)left);
	return &r->out;
}

static int
send_frame(struct cv_role *r, const struct cv_out *o, struct cv_err *e)
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
	return send_frame(r, &r->out, e);
}

/* ---- listening ---- */

static bool
may_state(enum cv_role_kind kind, const struct cv_check *check)
{
	if (kind == CV_ROLE_TRUST)
		return (check->by & CV_BY_TRUST) != 0;
	return kind == CV_ROLE_CONTENTS && (check->by & CV_BY_CONTENTS) != 0;
}

/* The reason that a field names; sets f->bad unless it is one of the evidence,
 * of not knowing or of internal trouble (exit 1, 3, 4), or `none` where that is
 * allowed. A worker has no say about the command line. */
static enum cv_reason
reason_field(struct cv_frame *f, bool none)
{
	enum cv_reason reason = cv_reason_parse(cv_frame_str(f, CV_TAG_REASON, 64));

	if (f->bad || reason >= CV_R_COUNT || cv_reason_exit(reason) == CV_EXIT_USAGE ||
	    (reason == CV_R_NONE && !none)) {
		if (!f->bad)
			f->wrong = CV_TAG_REASON;
		f->bad = true;
		return CV_R_BUG;
	}
	return reason;
}

static void
text_field(struct cv_frame *f, uint8_t tag, char *to, size_t size)
{
	const char *s;

	if (!cv_frame_has(f, tag))
		return;
	s = cv_frame_str(f, tag, size - 1);
	memcpy(to, s, strlen(s) + 1);
}

static void
read_finding(struct cv_frame *f, const struct cv_check *check, struct cv_finding *ret)
{
	enum cv_reason reason;

	if (cv_frame_has(f, CV_TAG_KIND)) {
		*ret = cv_finding_pass(check->id);
		ret->outcome = CV_NOT_APPLICABLE;
		if (cv_frame_u64(f, CV_TAG_KIND, 1) != 1 || cv_frame_has(f, CV_TAG_REASON))
			f->bad = true;
	} else {
		reason = reason_field(f, true);
		*ret = reason == CV_R_NONE ? cv_finding_pass(check->id)
					   : cv_finding_no(check->id, reason);
	}
	text_field(f, CV_TAG_EXPECTED, ret->expected, sizeof(ret->expected));
	text_field(f, CV_TAG_FOUND, ret->found, sizeof(ret->found));
	text_field(f, CV_TAG_WHERE, ret->where, sizeof(ret->where));
	text_field(f, CV_TAG_NOTE, ret->note, sizeof(ret->note));
	if (cv_frame_has(f, CV_TAG_EVIDENCE))
		ret->evidence = cv_frame_digest(f, CV_TAG_EVIDENCE);
}

static int
on_finding(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	const char *id = cv_frame_str(&r->in, CV_TAG_CHECK, 128);
	const struct cv_check *check = cv_check_find(id);
	struct cv_finding f;

	r->count++;
	if (++r->findings > CV_MAX_WORKER_FINDINGS)
		return breach(r, e, "too many findings");
	if (check == NULL || !may_state(r->kind, check))
		return breach(r, e, "a finding that it may not state");
	if (on->finding == NULL)
		return breach(r, e, "a finding in a task without any");
	read_finding(&r->in, check, &f);
	if (whole(r, e) != 0)
		return -1;
	return on->finding(on->ctx, &f, e);
}

static int
on_fact(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	r->count++;
	if (r->kind == CV_ROLE_FETCH)
		return breach(r, e, "a fact that it may not state");
	if (on->fact != NULL && on->fact(on->ctx, &r->in, e) != 0)
		return -1;
	return whole(r, e);
}

static void
close_fds(struct cv_out *o)
{
	for (unsigned i = 0; i < o->nfds; i++)
		cv_closep(&o->fds[i]);
	o->nfds = 0;
}

static int
on_need(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	uint64_t id = cv_frame_u64(&r->in, CV_TAG_ID, UINT64_MAX);
	int rc;

	if (++r->needs > CV_MAX_WORKER_NEEDS)
		return breach(r, e, "too many needs");
	if (id != r->needs || r->in.bad)
		return breach(r, e, "a need out of turn");
	if (on->need == NULL)
		return breach(r, e, "a need in a task without any");
	cv_out_start(&r->give, CV_K_GIVE);
	cv_out_u64(&r->give, CV_TAG_ID, id);
	rc = on->need(on->ctx, &r->in, &r->give, e);
	if (rc == 0)
		rc = whole(r, e);
	if (rc == 0)
		rc = send_frame(r, &r->give, e);
	if (on->close_give)
		close_fds(&r->give);
	if ((r->give.seen >> CV_TAG_SECRET & 1) != 0)
		OPENSSL_cleanse(r->give.b, sizeof(r->give.b));
	return rc;
}

static int
on_progress(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	uint64_t value = cv_frame_u64(&r->in, CV_TAG_VALUE, UINT64_MAX), total = 0;

	if (cv_frame_has(&r->in, CV_TAG_SIZE))
		total = cv_frame_u64(&r->in, CV_TAG_SIZE, UINT64_MAX);
	if (whole(r, e) != 0)
		return -1;
	if (on->progress != NULL)
		on->progress(on->ctx, value, total);
	return 0;
}

/* The worker's own words about why it could not finish. Always -1. */
static int
on_error(struct cv_role *r, const char **check, struct cv_err *e)
{
	enum cv_reason reason = reason_field(&r->in, false);
	const char *text = cv_frame_str(&r->in, CV_TAG_TEXT, CV_ERR_TEXT - 1);
	const struct cv_check *known = NULL;

	if (cv_frame_has(&r->in, CV_TAG_CHECK)) {
		known = cv_check_find(cv_frame_str(&r->in, CV_TAG_CHECK, 128));
		if (known == NULL)
			return breach(r, e, "an error with a check that is not in the catalogue");
	}
	if (whole(r, e) != 0)
		return -1;
	if (check != NULL && known != NULL)
		*check = known->id;
	r->idle = true; /* it ended the task in good order */
	return cv_fail(e, reason, "%s", text);
}

/* One frame has come: 0 go on, 1 it was DONE, -1 the task is over. */
static int
on_frame(struct cv_role *r, const struct cv_role_on *on, const char **check, struct cv_err *e)
{
	switch (r->in.kind) {
	case CV_K_FACT:
		return on_fact(r, on, e);
	case CV_K_FINDING:
		return on_finding(r, on, e);
	case CV_K_NEED:
		return on_need(r, on, e);
	case CV_K_PROGRESS:
		return on_progress(r, on, e);
	case CV_K_ERROR:
		return on_error(r, check, e);
	case CV_K_DONE:
		if (cv_frame_u64(&r->in, CV_TAG_COUNT, UINT64_MAX) != r->count || r->in.bad)
			return breach(r, e, "DONE counts other facts and findings than came");
		return 1;
	default:
		return breach(r, e, "a frame of verify's own kinds");
	}
}

/* ---- the loop ---- */

struct listen {
	struct cv_role *r;
	const struct cv_role_on *on;
	const char **check;
	uint8_t *piece; /* PIPE_PIECE bytes, if there is a pipe */
	bool done;      /* DONE has come: the socket is not read any more */
	bool pipe_open;
};

static int
one_frame(struct listen *l, struct cv_err *e)
{
	int rc;

	if (receive(l->r, e) != 0)
		return -1;
	rc = on_frame(l->r, l->on, l->check, e);
	l->done = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* All frames that are there already. */
static int
drain(struct listen *l, struct cv_err *e)
{
	struct pollfd p = { .fd = l->r->sock, .events = POLLIN };

	while (!l->done && poll(&p, 1, 0) > 0)
		if (one_frame(l, e) != 0)
			return -1;
	return 0;
}

/* Bytes are taken first and the frames after, so that no frame that was sent
 * before these bytes can still be under way; then the bytes are handed on. */
static int
one_piece(struct listen *l, struct cv_err *e)
{
	ssize_t n = read(l->on->pipe_fd, l->piece, PIPE_PIECE);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : cv_fail_errno(e, "reading a pipe");
	if (drain(l, e) != 0)
		return -1;
	if (n == 0) {
		l->pipe_open = false;
		return l->on->pipe(l->on->ctx, NULL, 0, e);
	}
	return l->on->pipe(l->on->ctx, l->piece, (size_t)n, e);
}

static int
await(struct listen *l, struct cv_err *e)
{
	struct cv_role *r = l->r;
	struct pollfd p[3] = { { .fd = l->done ? -1 : r->sock, .events = POLLIN },
			       { .fd = l->on->pipe_fd, .events = POLLIN },
			       { .fd = r->o.cancel_fd, .events = POLLIN } };
	int left = cv_mono_left(r->o.deadline);

	if (left == 0)
		return cv_fail(e, CV_R_DEADLINE, "the %s worker: out of time",
			       cv_role_name(r->kind));
	if (poll(p, 3, left) < 0)
		return errno == EINTR ? 0 : cv_fail_errno(e, "waiting for a worker");
	if (p[2].revents != 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	if (p[1].revents != 0)
		return one_piece(l, e);
	return p[0].revents != 0 ? one_frame(l, e) : 0;
}

static int
listen_all(struct listen *l, struct cv_err *e)
{
	while (!l->done || l->pipe_open)
		if ((l->pipe_open ? await(l, e) : one_frame(l, e)) != 0)
			return -1;
	return l->on->done == NULL ? 0 : l->on->done(l->on->ctx, &l->r->in, e);
}

int
cv_role_run(struct cv_role *r, const struct cv_role_on *on, const char **check, struct cv_err *e)
{
	struct listen l = { .r = r, .on = on, .check = check, .pipe_open = on->pipe_fd >= 0 };
	cv_auto(cv_freep) uint8_t *piece = NULL;

	if (check != NULL)
		*check = NULL;
	r->count = 0;
	if (l.pipe_open && (piece = malloc(PIPE_PIECE)) == NULL)
		return cv_fail_memory(e);
	l.piece = piece;
	cv_out_start(&r->out, CV_K_RUN);
	if (send_frame(r, &r->out, e) != 0)
		return -1;
	if (listen_all(&l, e) != 0 || whole(r, e) != 0) {
		r->broken = !r->idle;
		cv_frame_clear(&r->in);
		return -1;
	}
	cv_frame_clear(&r->in);
	r->idle = true;
	return 0;
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
