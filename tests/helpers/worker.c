/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker for tests, good or bad by the name of the directory that it is
 * started from (a worker gets neither arguments nor environment). "good" uses
 * the worker library; all others speak by hand and do one wrong thing.
 */
#include "trust/base/checks.h"
#include "trust/base/sandbox.h"
#include "trust/base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the good one: task 1 echoes, task 2 fills a pipe, task 3 asks ---- */

struct state {
	uint64_t n;
	int out;
};

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)w;
	if (s == NULL)
		return cv_fail_memory(e);
	s->out = -1;
	*state = s;
	if (cv_frame_has(task, CV_TAG_OUT))
		s->out = cv_frame_fd(task, CV_TAG_OUT);
	if (cv_frame_has(task, CV_TAG_VALUE))
		s->n = cv_frame_u64(task, CV_TAG_VALUE, UINT64_MAX);
	return cv_frame_done(task, "task", e);
}

static int
item(struct cv_worker *w, struct cv_frame *f, void *state, struct cv_err *e)
{
	struct cv_finding finding = cv_finding_pass("sig.invalid");
	struct state *s = state;

	s->n++;
	cv_finding_where(&finding, "%s", cv_frame_str(f, CV_TAG_NAME, 100));
	return cv_w_finding(w, &finding, e);
}

static int
run_echo(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct state *s = state;
	struct cv_out *o = cv_w_fact(w, CV_F_COUNTS);
	struct cv_finding no = cv_finding_no("sig.absent", CV_R_ABSENT);
	struct cv_finding na = cv_finding_pass("oci.malformed");

	cv_out_u64(o, CV_TAG_COUNT, s->n);
	if (cv_w_send(w, e) != 0)
		return -1;
	na.outcome = CV_NOT_APPLICABLE;
	cv_finding_expected(&no, "one");
	cv_finding_found(&no, "none");
	if (cv_w_finding(w, &no, e) != 0 || cv_w_finding(w, &na, e) != 0)
		return -1;
	cv_out_str(cv_w_done_extra(w), CV_TAG_MEDIA, "text/x");
	return 0;
}

static int
run_pipe(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct state *s = state;
	char name[32];

	for (uint64_t i = 0; i < s->n; i++) {
		snprintf(name, sizeof(name), "%08llu", (unsigned long long)i);
		cv_out_str(cv_w_fact(w, CV_F_FILE), CV_TAG_NAME, name);
		if (cv_w_send(w, e) != 0 || cv_write_all(s->out, name, 8, "out", e) != 0)
			return -1;
	}
	cv_closep(&s->out);
	return 0;
}

static int
run_ask(struct cv_worker *w, void *state, struct cv_err *e)
{
	static struct cv_given g;
	char text[64];
	struct state *s = state;

	for (uint64_t i = 0; i < s->n; i++) {
		cv_out_str(cv_w_need(w, CV_N_TAG), CV_TAG_NAME, "tag");
		if (cv_w_ask(w, &g, e) != 0)
			return -1;
		snprintf(text, sizeof(text), "%d %d %llu", (int)g.status, (int)g.err.reason,
			 (unsigned long long)g.blob.len);
		cv_closep(&g.blob.fd);
		cv_out_str(cv_w_fact(w, CV_F_OBSERVED), CV_TAG_TEXT, text);
		if (cv_w_send(w, e) != 0)
			return -1;
	}
	return 0;
}

static int
run_fail(struct cv_worker *w, void *state, struct cv_err *e)
{
	(void)state;
	cv_w_check(w, "oci.malformed");
	return cv_fail(e, CV_R_MALFORMED, "as told");
}

/* What a task that was taken over would try. */
static int
run_open(struct cv_worker *w, void *state, struct cv_err *e)
{
	(void)w;
	(void)state;
	(void)e;
	return open("/etc/passwd", O_RDONLY) == -2;
}

static int
run_spin(struct cv_worker *w, void *state, struct cv_err *e)
{
	volatile uint64_t n = 0;

	(void)w;
	(void)state;
	(void)e;
	while (n != UINT64_MAX)
		n = n + 1;
	return 0;
}

static void
end(void *state)
{
	struct state *s = state;

	if (s != NULL)
		cv_closep(&s->out);
	free(s);
}

static int
good(bool many, int argc, char **argv)
{
	const struct cv_task_def tasks[] = {
		{ 1, start, item, run_echo, end }, { 2, start, NULL, run_pipe, end },
		{ 3, start, NULL, run_ask, end },  { 4, start, NULL, run_fail, end },
		{ 5, start, NULL, run_open, end }, { 6, start, NULL, run_spin, end },
		{ 0, NULL, NULL, NULL, NULL },
	};
	const struct cv_worker_def def = {
		.name = "test", .seal = CV_SEAL_COMPUTE, .many = many, .tasks = tasks
	};

	return cv_worker_main(&def, argc, argv);
}

/* ---- the bad ones ---- */

static struct cv_out out;
static struct cv_frame in;

static void
say(void)
{
	struct cv_err e = { 0 };

	if (cv_frame_send(CV_WORKER_SOCK, &out, 0, -1, &e) != 0)
		_exit(9);
}

static void
raw(const void *p, size_t n)
{
	if (send(CV_WORKER_SOCK, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(8);
}

static void
hello(void)
{
	cv_out_start(&out, CV_K_HELLO);
	cv_out_u64(&out, CV_TAG_SANDBOX, 0);
	cv_out_u64(&out, CV_TAG_VALUE, 0);
	say();
}

static void
until_run(void)
{
	struct cv_err e = { 0 };

	do
		if (cv_frame_recv(CV_WORKER_SOCK, &in, 0, -1, &e) != 1)
			_exit(7);
	while (in.kind != CV_K_RUN);
}

static void
fact(void)
{
	cv_out_start(&out, CV_K_FACT);
	cv_out_u64(&out, CV_TAG_FACT, CV_F_COUNTS);
	say();
}

static void
finding(const char *check, const char *reason)
{
	cv_out_start(&out, CV_K_FINDING);
	cv_out_str(&out, CV_TAG_CHECK, check);
	cv_out_str(&out, CV_TAG_REASON, reason);
	say();
}

static void
need(uint64_t id)
{
	cv_out_start(&out, CV_K_NEED);
	cv_out_u64(&out, CV_TAG_ID, id);
	cv_out_u64(&out, CV_TAG_NEED, CV_N_TAG);
	say();
}

static void
done(uint64_t count)
{
	cv_out_start(&out, CV_K_DONE);
	cv_out_u64(&out, CV_TAG_COUNT, count);
	say();
}

static void
error(const char *reason, const char *check)
{
	cv_out_start(&out, CV_K_ERROR);
	cv_out_str(&out, CV_TAG_REASON, reason);
	cv_out_str(&out, CV_TAG_TEXT, "text");
	if (check != NULL)
		cv_out_str(&out, CV_TAG_CHECK, check);
	say();
}

static void
stay(void)
{
	for (;;)
		pause();
}

static void
too_many_fds(void)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	char frame[] = { CV_FRAME_VERSION, CV_K_DONE };
	struct iovec iov = { .iov_base = frame, .iov_len = sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(8 * sizeof(int));
	sendmsg(CV_WORKER_SOCK, &msg, MSG_NOSIGNAL);
}

/* Before HELLO; true if the name was one of these. */
static bool
bad_start(const char *how)
{
	if (strcmp(how, "no-hello") == 0)
		stay();
	if (strcmp(how, "exit-early") == 0)
		_exit(0);
	if (strcmp(how, "killed-early") == 0)
		raise(SIGKILL);
	if (strcmp(how, "garbage-hello") == 0)
		raw("\x01\x63 what is this", 15);
	else if (strcmp(how, "fact-hello") == 0)
		fact();
	else if (strcmp(how, "big-hello") == 0) {
		cv_out_start(&out, CV_K_HELLO);
		cv_out_u64(&out, CV_TAG_SANDBOX, UINT64_MAX);
		cv_out_u64(&out, CV_TAG_VALUE, 7);
		say();
	} else
		return false;
	stay();
	return true;
}

static void
bad_frames(const char *how)
{
	static const char big[CV_MAX_FRAME + 1000] = { CV_FRAME_VERSION, CV_K_DONE };

	if (strcmp(how, "garbage") == 0)
		raw("\xff\xff\xff\xff", 4);
	else if (strcmp(how, "oversized") == 0)
		raw(big, sizeof(big));
	else if (strcmp(how, "many-fds") == 0)
		too_many_fds();
	else if (strcmp(how, "wrong-count") == 0)
		done(7);
	else if (strcmp(how, "no-count") == 0)
		raw("\x01\x0a", 2);
	else if (strcmp(how, "own-kind") == 0) {
		cv_out_start(&out, CV_K_TASK);
		say();
	} else if (strcmp(how, "hello-twice") == 0)
		hello();
	else if (strcmp(how, "foreign-check") == 0)
		finding("archive.bomb", "none"), done(2);
	else if (strcmp(how, "verify-check") == 0)
		finding("basis.insufficient", "none"), done(2);
	else if (strcmp(how, "unknown-check") == 0)
		finding("sig.no-such-check", "none"), done(2);
	else if (strcmp(how, "usage-reason") == 0)
		finding("sig.invalid", "usage"), done(2);
	else if (strcmp(how, "no-reason") == 0)
		finding("sig.invalid", "surely"), done(2);
	else if (strcmp(how, "error-pass") == 0)
		error("none", NULL);
	else if (strcmp(how, "error-usage") == 0)
		error("usage", NULL);
	else if (strcmp(how, "error-check") == 0)
		error("malformed", "nobody.knows");
	else if (strcmp(how, "need-out-of-turn") == 0)
		need(2);
	else
		return;
	stay();
}

static void
bad_ways(const char *how)
{
	if (strcmp(how, "killed") == 0)
		raise(SIGKILL);
	if (strcmp(how, "exit-0") == 0)
		_exit(0);
	if (strcmp(how, "exit-1") == 0)
		_exit(1);
	if (strcmp(how, "close-socket") == 0)
		close(CV_WORKER_SOCK);
	if (strcmp(how, "endless-facts") == 0)
		for (;;)
			fact();
	if (strcmp(how, "endless-findings") == 0)
		for (;;)
			finding("sig.invalid", "none");
	if (strcmp(how, "endless-progress") == 0)
		for (;;) {
			cv_out_start(&out, CV_K_PROGRESS);
			cv_out_u64(&out, CV_TAG_VALUE, 1);
			say();
		}
	if (strcmp(how, "needs-unread") == 0)
		for (uint64_t id = 1;; id++)
			need(id);
	if (strcmp(how, "endless-needs") == 0)
		for (uint64_t id = 1;; id++) {
			need(id);
			if (cv_frame_recv(CV_WORKER_SOCK, &in, 0, -1, NULL) != 1)
				_exit(6);
		}
	if (strcmp(how, "stay-after-done") == 0)
		done(1);
	if (strcmp(how, "keep-pipe") == 0)
		done(1); /* the pipe's descriptor came with TASK and stays open */
	stay();
}

/* The name of the directory that path lies in. */
static const char *
place(char *path)
{
	char *slash = strrchr(path, '/'), *before;

	if (slash == NULL)
		return "good";
	*slash = '\0';
	before = strrchr(path, '/');
	return before == NULL ? path : before + 1;
}

int
main(int argc, char **argv)
{
	char path[4096];
	const char *how;

	snprintf(path, sizeof(path), "%s", argc > 0 ? argv[0] : "");
	how = place(path);
	if (strcmp(how, "good") == 0 || strcmp(how, "many") == 0)
		return good(strcmp(how, "many") == 0, argc, argv);
	signal(SIGTERM, SIG_IGN);
	if (bad_start(how))
		return 0;
	hello();
	if (strcmp(how, "deaf") == 0)
		stay();
	until_run();
	fact();
	bad_frames(how);
	bad_ways(how);
	return 0;
}
