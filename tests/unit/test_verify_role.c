/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a worker does ends as unknown within the deadline, and never as 0. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"
#include "verify/role.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON  300 /* ms: a deadline that is waited for */
#define LATE  20000
#define SLACK (CV_SANITIZED ? 15000 : 3000) /* ms: a loaded machine */

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A directory named `how` whose three workers are the test's own program. */
static const char *
place(const char *how, char dir[PATH_MAX])
{
	static const char *const kinds[] = { "trust", "contents", "fetch" };
	char real[PATH_MAX], helper[PATH_MAX], path[PATH_MAX + 64];

	snprintf(helper, sizeof(helper), "%s/tests/helpers/worker", t_build());
	if (realpath(helper, real) == NULL)
		t_fail(__FILE__, __LINE__, "%s is not built", helper);
	snprintf(dir, PATH_MAX, "%s/%s", t_tmpdir(), how);
	mkdir(dir, 0700);
	for (size_t i = 0; i < CV_COUNT(kinds); i++) {
		snprintf(path, sizeof(path), "%s/clawverify-%s", dir, kinds[i]);
		T(symlink(real, path) == 0 || errno == EEXIST);
	}
	return dir;
}

static struct cv_role_opts
opts(const char *how, char dir[PATH_MAX], int64_t ms)
{
	return (struct cv_role_opts){ .dir = place(how, dir),
				      .deadline = ms == 0 ? 0 : cv_mono_ms() + ms,
				      .cancel_fd = -1 };
}

static int
give_absent(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e)
{
	(void)ctx;
	(void)need;
	(void)e;
	cv_out_u64(give, CV_TAG_STATUS, CV_S_ABSENT);
	return 0;
}

static int
take_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)ctx;
	(void)f;
	(void)e;
	return 0;
}

static const struct cv_role_on any = {
	.need = give_absent, .finding = take_finding, .close_give = true, .pipe_fd = -1
};

static int
start_task(struct cv_role *r, uint64_t task, uint64_t value, int out, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, task);
	cv_out_u64(o, CV_TAG_VALUE, value);
	if (out >= 0)
		cv_out_fd(o, CV_TAG_OUT, out);
	return cv_role_send(r, e);
}

/* One task with a worker that does `how`; -1 with e, or 0. */
static int
attempt(const char *how, int64_t ms, struct cv_err *e)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts(how, dir, ms);
	cv_auto(cv_role_end) struct cv_role *r = NULL;

	if (cv_role_start(&r, CV_ROLE_TRUST, &o, e) != 0)
		return -1;
	if (start_task(r, 1, 0, -1, e) != 0)
		return -1;
	return cv_role_run(r, &any, NULL, e);
}

static void
refuse(const char *how, int64_t ms, enum cv_reason want)
{
	int64_t from = cv_mono_ms();
	struct cv_err e = { 0 };
	int fds = open_fds();

	if (attempt(how, ms, &e) != -1)
		t_fail(__FILE__, __LINE__, "%s: passed", how);
	if (e.reason != want)
		t_fail(__FILE__, __LINE__, "%s: %s (%s)", how, cv_reason_word(e.reason), e.text);
	if (cv_mono_ms() - from > (ms == SOON ? ms : 0) + SLACK)
		t_fail(__FILE__, __LINE__, "%s: took %lld ms", how,
		       (long long)(cv_mono_ms() - from));
	if (open_fds() != fds)
		t_fail(__FILE__, __LINE__, "%s: descriptors lost", how);
	/* no child is left behind, and none unreaped */
	T(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void
test_bad_start(void)
{
	static const char *const hows[] = { "exit-early", "killed-early", "garbage-hello",
					    "fact-hello", "big-hello" };

	for (size_t i = 0; i < CV_COUNT(hows); i++)
		refuse(hows[i], LATE, CV_R_WORKER);
	refuse("no-hello", SOON, CV_R_DEADLINE);
}

static void
test_bad_frames(void)
{
	static const char *const hows[] = {
		"garbage",      "oversized",     "many-fds",     "wrong-count",
		"no-count",     "own-kind",      "hello-twice",  "foreign-check",
		"verify-check", "unknown-check", "usage-reason", "no-reason",
		"error-pass",   "error-usage",   "error-check",  "need-out-of-turn",
	};

	for (size_t i = 0; i < CV_COUNT(hows); i++)
		refuse(hows[i], LATE, CV_R_WORKER);
}

static void
test_bad_ways(void)
{
	static const char *const hows[] = { "killed",       "exit-0",           "exit-1",
					    "close-socket", "endless-findings", "endless-needs" };

	for (size_t i = 0; i < CV_COUNT(hows); i++)
		refuse(hows[i], LATE, CV_R_WORKER);
	refuse("silence", SOON, CV_R_DEADLINE);
	refuse("needs-unread", SOON, CV_R_DEADLINE);
	refuse("endless-facts", SOON, CV_R_DEADLINE);
	refuse("endless-progress", SOON, CV_R_DEADLINE);
}

static void
test_why_it_died(void)
{
	struct cv_err e = { 0 };

	T_NO(attempt("killed", LATE, &e), e, CV_R_WORKER);
	T_HAS(e.text, "signal 9");
	T_NO(attempt("exit-0", LATE, &e), e, CV_R_WORKER);
	T_HAS(e.text, "exit status 0");
}

static void
test_missing_program(void)
{
	struct cv_role_opts o = { .dir = "/nonexistent", .cancel_fd = -1 };
	struct cv_role *r = NULL;
	struct cv_err e = { 0 };
	int fds = open_fds();

	T_NO(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e, CV_R_WORKER);
	T_HAS(e.text, "/nonexistent/clawverify-trust");
	T_INT(open_fds(), fds);
}

/* It has answered rightly, and then does not go: the answer stands. */
static void
test_refuses_to_go(void)
{
	int64_t from = cv_mono_ms();
	struct cv_err e = { 0 };

	T_OK(attempt("stay-after-done", LATE, &e), e);
	T(cv_mono_ms() - from < SLACK);
	T(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* A worker that does not read: sending stops at the deadline. */
static void
test_deaf(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("deaf", dir, SOON);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	static const char text[30000];
	struct cv_err e = { 0 };
	int rc = 0;

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 1, 0, -1, &e), e);
	for (int i = 0; i < 1000 && rc == 0; i++) {
		cv_out_bytes(cv_role_frame(r, CV_K_ITEM), CV_TAG_TEXT, cv_span(text, sizeof(text)));
		rc = cv_role_send(r, &e);
	}
	T_INT(rc, -1);
	T_INT(e.reason, CV_R_DEADLINE);
	T(!cv_role_usable(r));
	T_NO(cv_role_run(r, &any, NULL, &e), e, CV_R_WORKER);
}

static void
test_deadline_long_past(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, LATE);
	struct cv_role *r = NULL;
	struct cv_err e = { 0 };

	o.deadline = 1;
	T_NO(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e, CV_R_DEADLINE);
	T(r == NULL);
}

static void
cancel_one(const char *how, bool at_once)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts(how, dir, 0);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	cv_auto(cv_closep) int fd = eventfd(0, EFD_CLOEXEC);
	int64_t from = cv_mono_ms();
	struct cv_err e = { 0 };
	int rc;

	o.cancel_fd = fd;
	if (at_once) {
		T(eventfd_write(fd, 1) == 0);
		T_NO(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e, CV_R_CANCELLED);
		return;
	}
	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 6, 0, -1, &e), e);
	T(eventfd_write(fd, 1) == 0);
	rc = cv_role_run(r, &any, NULL, &e);
	T_INT(rc, -1);
	T_INT(e.reason, CV_R_CANCELLED);
	T(cv_mono_ms() - from < SLACK);
}

static void
test_cancel(void)
{
	cancel_one("no-hello", true);
	cancel_one("silence", false);
	cancel_one("endless-facts", false);
	cancel_one("good", false);
}

/* ---- and the good worker ---- */

struct seen {
	unsigned facts, findings;
	uint64_t value, bytes, names;
	bool ended, wrong;
	char last[600];
	char media[64];
};

static int
see_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	s->facts++;
	if (cv_frame_has(f, CV_TAG_COUNT))
		s->value = cv_frame_u64(f, CV_TAG_COUNT, UINT64_MAX);
	if (cv_frame_has(f, CV_TAG_TEXT))
		snprintf(s->last, sizeof(s->last), "%s", cv_frame_str(f, CV_TAG_TEXT, 100));
	if (cv_frame_has(f, CV_TAG_NAME))
		s->names++;
	return 0;
}

static int
see_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	s->findings++;
	snprintf(s->last, sizeof(s->last), "%s %s %s %s", f->check, cv_outcome_word(f->outcome),
		 cv_reason_word(f->reason), f->found);
	return 0;
}

static int
see_done(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	if (cv_frame_has(f, CV_TAG_MEDIA))
		snprintf(s->media, sizeof(s->media), "%s", cv_frame_str(f, CV_TAG_MEDIA, 60));
	return 0;
}

static int
see_pipe(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	if (s->ended)
		s->wrong = true;
	if (p == NULL) {
		s->ended = true;
		return 0;
	}
	s->bytes += n;
	if (s->bytes > 8 * s->names) /* bytes before the frame that announced them */
		s->wrong = true;
	return 0;
}

static struct cv_role_on
watch(struct seen *s)
{
	return (struct cv_role_on){ .ctx = s,
				    .fact = see_fact,
				    .finding = see_finding,
				    .need = give_absent,
				    .done = see_done,
				    .pipe_fd = -1,
				    .pipe = see_pipe };
}

static void
test_good(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 1, 40, -1, &e), e);
	for (int i = 0; i < 3; i++) {
		cv_out_str(cv_role_frame(r, CV_K_ITEM), CV_TAG_NAME, "x");
		T_OK(cv_role_send(r, &e), e);
	}
	T_OK(cv_role_run(r, &on, NULL, &e), e);
	T_INT(s.facts, 1);
	T_INT(s.findings, 5);
	T_INT(s.value, 43);
	T_STR(s.media, "text/x");
	T_STR(s.last, "oci.malformed not-applicable none ");
}

/* Frames that items caused, far more than the socket holds: no deadlock. */
static void
test_items_that_speak(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 1, 0, -1, &e), e);
	for (int i = 0; i < 9000; i++) {
		cv_out_str(cv_role_frame(r, CV_K_ITEM), CV_TAG_NAME, "x");
		T_OK(cv_role_send(r, &e), e);
	}
	T_OK(cv_role_run(r, &on, NULL, &e), e);
	T_INT(s.findings, 9002);
}

static void
test_pipe(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };
	int p[2];

	T(pipe2(p, O_CLOEXEC) == 0);
	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 2, 100000, p[1], &e), e);
	cv_closep(&p[1]);
	on.pipe_fd = p[0];
	T_OK(cv_role_run(r, &on, NULL, &e), e);
	cv_closep(&p[0]);
	T_INT(s.bytes, 800000);
	T_INT(s.facts, 100000);
	T(s.ended && !s.wrong);
}

/* DONE alone is not enough while the pipe is open. */
static void
test_pipe_kept_open(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("keep-pipe", dir, SOON);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };
	int p[2];

	T(pipe2(p, O_CLOEXEC) == 0);
	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 2, 1, p[1], &e), e);
	on.pipe_fd = p[0]; /* our own end of it stays open too */
	T_NO(cv_role_run(r, &on, NULL, &e), e, CV_R_DEADLINE);
	T(s.media[0] == '\0' && !s.ended);
	cv_closep(&p[0]);
	cv_closep(&p[1]);
}

static int
give_blob(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e)
{
	struct seen *s = ctx;
	int fd;

	(void)e;
	if (strcmp(cv_frame_str(need, CV_TAG_NAME, 10), "tag") != 0)
		s->wrong = true;
	s->value++;
	if (s->value % 3 == 0) {
		cv_out_u64(give, CV_TAG_STATUS, CV_S_FAILED);
		cv_out_str(give, CV_TAG_REASON, cv_reason_word(CV_R_THROTTLED));
		cv_out_str(give, CV_TAG_TEXT, "later");
		return 0;
	}
	fd = t_memfd("hello", 5);
	cv_out_u64(give, CV_TAG_STATUS, CV_S_GIVEN);
	cv_out_blob(give, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .off = 1, .len = 3 });
	return 0;
}

static void
test_needs(void)
{
	char dir[PATH_MAX], want[32];
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };
	int fds;

	on.need = give_blob;
	on.close_give = true;
	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	fds = open_fds();
	T_OK(start_task(r, 3, 300, -1, &e), e);
	T_OK(cv_role_run(r, &on, NULL, &e), e);
	T_INT(open_fds(), fds);
	T_INT(s.value, 300);
	T_INT(s.facts, 300);
	T(!s.wrong);
	snprintf(want, sizeof(want), "%d %d 0", CV_S_FAILED, CV_R_THROTTLED);
	T_STR(s.last, want);
}

static void
test_error_and_reuse(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("many", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	const char *check = "x";
	struct cv_err e = { 0 };

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 4, 0, -1, &e), e);
	T_NO(cv_role_run(r, &on, &check, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "as told");
	T_STR(check, "oci.malformed");
	T(cv_role_usable(r));
	T_OK(start_task(r, 99, 0, -1, &e), e);
	T_NO(cv_role_run(r, &on, &check, &e), e, CV_R_BUG);
	T(check == NULL);
	T_OK(start_task(r, 3, 2, -1, &e), e);
	T_OK(cv_role_run(r, &on, &check, &e), e);
	T_INT(s.facts, 2);
}

/* Silence of a sealed worker that computes for ever. */
static void
test_spinning(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, SOON);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct cv_err e = { 0 };

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	T_OK(start_task(r, 6, 0, -1, &e), e);
	T_NO(cv_role_run(r, &any, NULL, &e), e, CV_R_DEADLINE);
}

static void
test_sealed(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct cv_err e = { 0 };

	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	if (CV_SANITIZED) {
		T_INT(cv_role_sandbox(r), CV_SBX_SANITIZER);
		return;
	}
	T((cv_role_sandbox(r) & CV_SBX_RLIMITS) != 0);
	if ((cv_role_sandbox(r) & CV_SBX_SECCOMP) == 0)
		t_skip("this kernel has no seccomp filters");
	T_OK(start_task(r, 5, 0, -1, &e), e);
	T_NO(cv_role_run(r, &any, NULL, &e), e, CV_R_WORKER);
	T_HAS(e.text, "a system call that it may not use");
}

/* ---- many at once ---- */

static void *
one_of_many(void *arg)
{
	struct cv_role_opts *o = arg;
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct seen s = { 0 };
	struct cv_role_on on = watch(&s);
	struct cv_err e = { 0 };

	if (cv_role_start(&r, CV_ROLE_TRUST, o, &e) != 0 || start_task(r, 3, 20, -1, &e) != 0 ||
	    cv_role_run(r, &on, NULL, &e) != 0 || s.facts != 20)
		return strdup(e.text);
	return NULL;
}

static void
test_fifty_at_once(void)
{
	char dir[PATH_MAX];
	struct cv_role_opts o = opts("good", dir, 60000);
	pthread_t t[50];
	void *wrong = NULL, *ret;
	int fds = open_fds();

	for (size_t i = 0; i < CV_COUNT(t); i++)
		T(pthread_create(&t[i], NULL, one_of_many, &o) == 0);
	for (size_t i = 0; i < CV_COUNT(t); i++) {
		T(pthread_join(t[i], &ret) == 0);
		if (ret != NULL)
			wrong = ret;
	}
	if (wrong != NULL)
		t_fail(__FILE__, __LINE__, "%s", (char *)wrong);
	T_INT(open_fds(), fds);
	T(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* A descriptor that somebody left open over exec does not reach the worker. */
static void
test_inherits_nothing(void)
{
	char dir[PATH_MAX], byte;
	struct cv_role_opts o = opts("good", dir, LATE);
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct cv_err e = { 0 };
	int p[2];

	T(pipe(p) == 0); /* without O_CLOEXEC */
	T_OK(cv_role_start(&r, CV_ROLE_TRUST, &o, &e), e);
	close(p[1]);
	T(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	T(read(p[0], &byte, 1) == 0); /* end of file: nobody else has it */
	close(p[0]);
}

/* verify is killed: its worker goes too, although it computes for ever. */
static void
test_dies_with_verify(void)
{
	char dir[PATH_MAX], byte;
	struct cv_role_opts o = opts("good", dir, 0);
	int p[2];
	pid_t pid;

	T(pipe(p) == 0); /* the worker inherits nothing: only verify holds it */
	pid = fork();
	if (pid == 0) {
		struct cv_role *r = NULL;
		struct cv_err e = { 0 };

		if (cv_role_start(&r, CV_ROLE_TRUST, &o, &e) != 0 ||
		    start_task(r, 6, 0, p[1], &e) != 0) /* ... until it gets it by frame */
			_exit(1);
		cv_out_u64(cv_role_frame(r, CV_K_RUN), CV_TAG_COUNT, 0);
		if (cv_role_send(r, &e) != 0)
			_exit(1);
		usleep(100 * 1000);
		raise(SIGKILL);
	}
	close(p[1]);
	T(waitpid(pid, NULL, 0) == pid);
	T(read(p[0], &byte, 1) == 0); /* end of file: the worker is gone */
	close(p[0]);
}

static const struct t_case cases[] = {
	{ "good", test_good },
	{ "bad start", test_bad_start },
	{ "bad frames", test_bad_frames },
	{ "bad ways", test_bad_ways },
	{ "why it died", test_why_it_died },
	{ "missing program", test_missing_program },
	{ "refuses to go", test_refuses_to_go },
	{ "deaf", test_deaf },
	{ "deadline long past", test_deadline_long_past },
	{ "cancel", test_cancel },
	{ "items that speak", test_items_that_speak },
	{ "pipe", test_pipe },
	{ "pipe kept open", test_pipe_kept_open },
	{ "needs", test_needs },
	{ "error and reuse", test_error_and_reuse },
	{ "spinning", test_spinning },
	{ "sealed", test_sealed },
	{ "fifty at once", test_fifty_at_once },
	{ "inherits nothing", test_inherits_nothing },
	{ "dies with verify", test_dies_with_verify },
};

T_MAIN(cases)
