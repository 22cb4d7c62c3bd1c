/* SPDX-License-Identifier: Apache-2.0 */
/* docker_image.c: the engine gets the image from the bundle and says its id.
 * Must never take the engine's word for another image's id. */
#include "verify/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "trust/base/banned.h"

#define MAX_OUTPUT (16 * 1024)

/* One run of the CLI. Its output goes to memory, so that it never waits for us. */
struct child {
	pid_t pid; /* 0: none */
	int out, err;
};

static void
child_end(struct child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
	cv_closep(&c->out);
	cv_closep(&c->err);
}

static int
actions_of(posix_spawn_file_actions_t *a, const struct child *c, int in)
{
	if (posix_spawn_file_actions_init(a) != 0)
		return -1;
	if ((in >= 0 ? posix_spawn_file_actions_adddup2(a, in, 0)
		     : posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    posix_spawn_file_actions_adddup2(a, c->out, 1) == 0 &&
	    posix_spawn_file_actions_adddup2(a, c->err, 2) == 0)
		return 0;
	posix_spawn_file_actions_destroy(a);
	return -1;
}

static int
child_start(struct child *c, const struct cv_docker *d, const struct cv_args *args, int in,
	    struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args env = { 0 };
	posix_spawn_file_actions_t actions;
	union {
		const char **words;
		char *const *exec;
	} argv, envp;
	int r;

	if (cv_args_ok(args, e) != 0 || cv_docker_env(&env, d, NULL, e) != 0)
		return -1;
	argv.words = args->v; /* exec(2) does not write to them */
	envp.words = env.v;
	c->out = memfd_create("docker-out", MFD_CLOEXEC);
	c->err = memfd_create("docker-err", MFD_CLOEXEC);
	if (c->out < 0 || c->err < 0)
		return cv_fail_errno(e, "%s", d->program);
	if (actions_of(&actions, c, in) != 0)
		return cv_fail_memory(e);
	r = posix_spawn(&c->pid, d->program, &actions, NULL, argv.exec, envp.exec);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0) {
		c->pid = 0;
		return cv_fail(e, CV_R_UNREACHABLE, "%s: cannot be executed: %s", d->program,
			       strerrordesc_np(r));
	}
	return 0;
}

/* child_wait: *code is its exit code, 256 if a signal ended it. */
static int
child_wait(struct child *c, const struct cv_docker *d, int *code, struct cv_err *e)
{
	cv_auto(cv_closep) int pidfd = pidfd_open(c->pid, 0);
	int status = 0, r;

	if (pidfd < 0)
		return cv_fail_errno(e, "%s: cannot wait for it", d->program);
	do {
		struct pollfd wait[2] = { { .fd = pidfd, .events = POLLIN },
					  { .fd = d->cancel_fd, .events = POLLIN } };

		r = poll(wait, 2, cv_mono_left(d->deadline));
		if (r == 0)
			return cv_fail(e, CV_R_DEADLINE, "docker did not finish in time");
		if (r > 0 && wait[1].revents != 0)
			return cv_fail(e, CV_R_CANCELLED, "cancelled");
		if (r > 0 && wait[0].revents != 0)
			break;
	} while (r > 0 || errno == EINTR);
	while ((r = waitpid(c->pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (r < 0)
		return cv_fail_errno(e, "%s: cannot wait for it", d->program);
	c->pid = 0;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 256;
	return 0;
}

/* said: what it wrote, cut. */
static int
said(int fd, struct cv_buf *out, struct cv_err *e)
{
	off_t n = lseek(fd, 0, SEEK_END);

	if (n < 0)
		return cv_fail_errno(e, "docker: its output");
	return cv_buf_pread(out, fd, 0, n < MAX_OUTPUT ? (uint64_t)n : MAX_OUTPUT,
			    "docker's output", e);
}

/* complain: with the last words of its standard error. */
static int
complain(const struct child *c, enum cv_reason reason, const char *what, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(MAX_OUTPUT);
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(4 * MAX_OUTPUT);
	struct cv_err ignored;
	struct cv_span s;

	if (said(c->err, &text, &ignored) != 0)
		cv_buf_reset(&text);
	s = cv_buf_span(&text);
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	cv_text_safe(&safe, s, 400);
	return cv_fail(e, reason, "%s%s%s", what, safe.n > 0 ? ": " : "", cv_buf_text(&safe));
}

static void
start_args(struct cv_args *a, const struct cv_docker *d, const struct cv_bundle *b)
{
	cv_args_add(a, "%s", d->program);
	cv_args_add(a, "--config=%s", b->path);
	if (d->host != NULL)
		cv_args_add(a, "--host=%s", d->host);
}

/* reachable: so that a failing inspect can only mean "no such image". */
static int
reachable(const struct cv_docker *d, const struct cv_bundle *b, struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(child_end) struct child c = { .out = -1, .err = -1 };
	int code;

	start_args(&args, d, b);
	cv_args_add(&args, "version");
	cv_args_add(&args, "--format={{.Server.Version}}");
	if (child_start(&c, d, &args, -1, e) != 0 || child_wait(&c, d, &code, e) != 0)
		return -1;
	return code == 0 ? 0 : complain(&c, CV_R_UNREACHABLE, "the engine does not answer", e);
}

/* asked: the engine's answer to one question, which it has to answer. */
static int
asked(const struct cv_docker *d, const struct cv_args *args, struct cv_buf *out, struct cv_err *e)
{
	cv_auto(child_end) struct child c = { .out = -1, .err = -1 };
	int code;

	if (child_start(&c, d, args, -1, e) != 0 || child_wait(&c, d, &code, e) != 0)
		return -1;
	if (code != 0)
		return complain(&c, CV_R_UNREACHABLE, "the engine does not say what it can do", e);
	return said(c.out, out, e);
}

static int
limits_able(const struct cv_docker *d, const struct cv_bundle *b,
	    struct cv_control_state s[CV_CTL_COUNT], struct cv_err *e)
{
	static const enum cv_control limits[] = { CV_CTL_MEMORY, CV_CTL_CPUS, CV_CTL_PIDS };
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(MAX_OUTPUT);
	struct cv_span rest;
	size_t i;

	start_args(&args, d, b);
	cv_args_add(&args, "info");
	cv_args_add(&args, "--format={{.MemoryLimit}} {{.CPUCfsQuota}} {{.PidsLimit}} ");
	if (asked(d, &args, &out, e) != 0)
		return -1;
	rest = cv_buf_span(&out);
	for (i = 0; i < CV_COUNT(limits); i++) {
		struct cv_span word = cv_span_until(&rest, ' ');

		if (s[limits[i]].enforced && !cv_span_eq_str(word, "true"))
			s[limits[i]] = (struct cv_control_state){
				.why = "this engine cannot limit it on this host"
			};
	}
	return 0;
}

static bool
is_writable(const struct cv_launchset *l, struct cv_span path)
{
	size_t i;

	for (i = 0; i < l->nwritable; i++)
		if (cv_span_eq_str(path, l->writable[i].path))
			return true;
	return false;
}

/* in_mount: below a verified tree, which it would cover; verify refuses that, too. */
static bool
in_mount(const struct cv_launchset *l, struct cv_span path)
{
	size_t i;

	for (i = 0; i < l->nmounts; i++) {
		size_t n = strlen(l->mounts[i].target);

		if (cv_span_has_prefix(path, l->mounts[i].target) && path.n > n && path.p[n] == '/')
			return true;
	}
	return false;
}

static int
volumes_able(const struct cv_docker *d, const struct cv_bundle *b, const struct cv_digest *image,
	     struct cv_control_state s[CV_CTL_COUNT], struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(MAX_OUTPUT);
	char text[CV_DIGEST_TEXT];
	struct cv_span rest;

	start_args(&args, d, b);
	cv_args_add(&args, "image");
	cv_args_add(&args, "inspect");
	cv_args_add(&args, "--format={{range $path, $x := .Config.Volumes}}{{$path}}\n{{end}}");
	cv_args_add(&args, "%s", cv_digest_text(image, text));
	if (asked(d, &args, &out, e) != 0)
		return -1;
	rest = cv_buf_span(&out);
	while (rest.n > 0) {
		struct cv_span path = cv_span_until(&rest, '\n');

		if (path.n > 0 && !is_writable(b->set, path))
			s[CV_CTL_ROOT] = (struct cv_control_state){
				.why = "the image declares volumes, which docker makes writable"
			};
		if (in_mount(b->set, path))
			s[CV_CTL_MOUNTS] = (struct cv_control_state){
				.why = "the image declares a volume inside a verified tree"
			};
	}
	return 0;
}

int
cv_docker_able(const struct cv_docker *d, const struct cv_bundle *b, const struct cv_digest *image,
	       struct cv_control_state s[CV_CTL_COUNT], struct cv_err *e)
{
	return limits_able(d, b, s, e) != 0 || volumes_able(d, b, image, s, e) != 0 ? -1 : 0;
}

/* inspect: 1 and the id that the engine has for `want`; 0 there is none. */
static int
inspect(const struct cv_docker *d, const struct cv_bundle *b, const struct cv_digest *want,
	struct cv_digest *id, struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(child_end) struct child c = { .out = -1, .err = -1 };
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(MAX_OUTPUT);
	char text[CV_DIGEST_TEXT];
	struct cv_span s;
	int code;

	start_args(&args, d, b);
	cv_args_add(&args, "image");
	cv_args_add(&args, "inspect");
	cv_args_add(&args, "--format={{.Id}}");
	cv_args_add(&args, "%s", cv_digest_text(want, text));
	if (child_start(&c, d, &args, -1, e) != 0 || child_wait(&c, d, &code, e) != 0)
		return -1;
	if (code != 0)
		return 0;
	if (said(c.out, &out, e) != 0)
		return -1;
	s = cv_buf_span(&out);
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (cv_digest_parse(id, s, e) != 0) {
		e->reason = CV_R_UNREACHABLE;
		return cv_fail_within(e, "the engine's answer about the image");
	}
	return 1;
}

/* find: 1 the engine holds the image, 0 it does not; -1 also when what it holds
 * under that id is another one. */
static int
find(const struct cv_docker *d, const struct cv_bundle *b, struct cv_digest *id, const char **check,
     struct cv_err *e)
{
	/* Docker's own store calls an image by its configuration, containerd's by
	 * its manifest */
	const struct cv_digest *const known[] = { &b->set->image.config, &b->set->image.manifest };
	char got[CV_DIGEST_TEXT], x[CV_DIGEST_TEXT], y[CV_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < CV_COUNT(known); i++) {
		int r = inspect(d, b, known[i], id, e);

		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		if (cv_digest_eq(id, known[0]) || cv_digest_eq(id, known[1]))
			return 1;
		*check = "launch.image-mismatch";
		return cv_fail(e, CV_R_DIGEST, "the engine's image is %s, want %s or %s",
			       cv_digest_text(id, got), cv_digest_text(known[0], x),
			       cv_digest_text(known[1], y));
	}
	return 0;
}

static int
load(const struct cv_docker *d, const struct cv_bundle *b, const char **check, struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(child_end) struct child c = { .out = -1, .err = -1 };
	cv_auto(cv_closep) int ours = -1, theirs = -1;
	int pair[2], code, sent;
	struct cv_err why = { 0 };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return cv_fail_errno(e, "socketpair");
	ours = pair[0];
	theirs = pair[1];
	start_args(&args, d, b);
	cv_args_add(&args, "load");
	cv_args_add(&args, "--quiet");
	if (child_start(&c, d, &args, theirs, e) != 0)
		return -1;
	cv_closep(&theirs);
	sent = cv_docker_tar(b, ours, d->deadline, d->cancel_fd, &why);
	if (sent != 0 && why.reason != CV_R_CUTOFF) {
		*check = why.reason == CV_R_DIGEST ? "bundle.changed" : NULL;
		*e = why;
		return -1; /* the child is killed with half an archive */
	}
	cv_closep(&ours);
	if (child_wait(&c, d, &code, e) != 0)
		return -1;
	/* an engine may be content before it has read the last zeros: what it
	 * holds now is asked next */
	return code == 0 ? 0 : complain(&c, CV_R_IO, "docker load failed", e);
}

int
cv_docker_image(const struct cv_docker *d, const struct cv_bundle *b, struct cv_digest *id,
		const char **check, struct cv_err *e)
{
	char x[CV_DIGEST_TEXT], y[CV_DIGEST_TEXT];
	int r;

	*check = NULL;
	if (reachable(d, b, e) != 0)
		return -1;
	r = find(d, b, id, check, e);
	if (r != 0)
		return r > 0 ? 0 : -1;
	if (load(d, b, check, e) != 0)
		return -1;
	r = find(d, b, id, check, e);
	if (r != 0)
		return r > 0 ? 0 : -1;
	*check = "launch.image-mismatch";
	return cv_fail(e, CV_R_DIGEST, "the engine has neither %s nor %s after loading the image",
		       cv_digest_text(&b->set->image.config, x),
		       cv_digest_text(&b->set->image.manifest, y));
}
