/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side of the loop, spoken to by hand: whatever verify does wrong
 * ends the process, and DONE comes for a task that was carried out only. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/frame.h"
#include "trust/base/proto.h"
#include "trust/base/sandbox.h"
#include "trust/base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON 20000 /* ms: far more than anything here takes */

static struct cv_out out;
static struct cv_frame in;
static struct {
	int sock;
	pid_t pid;
} w = { -1, 0 };

/* The helper, started from a directory of that name, with `fd3` as its socket. */
static void
start_with(const char *how, int fd3)
{
	char real[PATH_MAX], helper[PATH_MAX], path[PATH_MAX];

	snprintf(helper, sizeof(helper), "%s/tests/helpers/worker", t_build());
	if (realpath(helper, real) == NULL)
		t_fail(__FILE__, __LINE__, "%s is not built", helper);
	snprintf(path, sizeof(path), "%s/%s", t_tmpdir(), how);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/worker", t_tmpdir(), how);
	T(symlink(real, path) == 0 || errno == EEXIST);
	w.pid = fork();
	T(w.pid >= 0);
	if (w.pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (!CV_SANITIZED)
			dup2(null, 2);
		if (fd3 >= 0 && (fd3 == 3 ? fcntl(3, F_SETFD, 0) : dup2(fd3, 3)) < 0)
			_exit(99);
		if (fd3 < 0)
			close(3);
		execl(path, path, (char *)NULL);
		_exit(98);
	}
}

static void
start(const char *how)
{
	int s[2];
	struct cv_err e = { 0 };

	T(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) == 0);
	start_with(how, s[1]);
	close(s[1]);
	w.sock = s[0];
	T_INT(cv_frame_recv(w.sock, &in, cv_mono_ms() + SOON, -1, &e), 1);
	T_INT(in.kind, CV_K_HELLO);
	T((cv_frame_u64(&in, CV_TAG_SANDBOX, 63) & (CV_SBX_NO_NEW_PRIVS | CV_SBX_SANITIZER)) != 0);
	(void)cv_frame_u64(&in, CV_TAG_VALUE, 1000);
	T_OK(cv_frame_done(&in, "HELLO", &e), e);
}

/* Wait for its end; the wait status. */
static int
ended(void)
{
	int64_t until = cv_mono_ms() + SOON;
	int status;

	while (waitpid(w.pid, &status, WNOHANG) == 0) {
		if (cv_mono_ms() > until) {
			kill(w.pid, SIGKILL);
			t_fail(__FILE__, __LINE__, "the worker does not end");
		}
		usleep(2000);
	}
	cv_closep(&w.sock);
	cv_frame_clear(&in);
	return status;
}

static void
say(enum cv_kind kind, uint8_t tag, uint64_t value)
{
	struct cv_err e = { 0 };

	static uint64_t items; /* of the task, for RUN */

	items = kind == CV_K_TASK ? 0 : kind == CV_K_ITEM ? items + 1 : items;
	cv_out_start(&out, (uint8_t)kind);
	if (tag != 0)
		cv_out_u64(&out, tag, value);
	else if (kind == CV_K_RUN)
		cv_out_u64(&out, CV_TAG_COUNT, items);
	T_OK(cv_frame_send(w.sock, &out, cv_mono_ms() + SOON, -1, &e), e);
}

static uint8_t
hear(void)
{
	struct cv_err e = { 0 };
	int rc = cv_frame_recv(w.sock, &in, cv_mono_ms() + SOON, -1, &e);

	return rc == 1 ? in.kind : 0;
}

/* It ends by itself with a failure, without a word. */
static void
silent_end(void)
{
	int status;

	T_INT(hear(), 0);
	status = ended();
	T(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void
test_by_hand(void)
{
	int status, p[2];

	start_with("good", -1);
	status = ended();
	T(WIFEXITED(status) && WEXITSTATUS(status) == CV_EXIT_USAGE);
	T(pipe2(p, O_CLOEXEC) == 0); /* a descriptor, but not ours */
	start_with("good", p[0]);
	status = ended();
	T(WIFEXITED(status) && WEXITSTATUS(status) == CV_EXIT_USAGE);
	close(p[0]);
	close(p[1]);
}

static void
test_closed_at_once(void)
{
	int status;

	start("good");
	cv_closep(&w.sock);
	status = ended();
	T(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
test_out_of_turn(void)
{
	static const enum cv_kind kinds[] = { CV_K_ITEM, CV_K_RUN, CV_K_GIVE, CV_K_DONE,
					      CV_K_HELLO };

	for (size_t i = 0; i < CV_COUNT(kinds); i++) {
		start("good");
		say(kinds[i], 0, 0);
		silent_end();
		if (kinds[i] == CV_K_ITEM || kinds[i] == CV_K_RUN)
			continue;
		start("good");
		say(CV_K_TASK, CV_TAG_TASK, 1);
		say(kinds[i], 0, 0);
		silent_end();
	}
	start("good");
	say(CV_K_TASK, CV_TAG_TASK, 1);
	say(CV_K_TASK, CV_TAG_TASK, 1);
	silent_end();
}

static void
test_garbage(void)
{
	start("good");
	T(send(w.sock, "garbage", 7, MSG_NOSIGNAL) == 7);
	silent_end();
	start("good");
	say(CV_K_TASK, 0, 0); /* which? */
	silent_end();
}

static void
test_gone_before_run(void)
{
	int status;

	start("good");
	say(CV_K_TASK, CV_TAG_TASK, 1);
	cv_closep(&w.sock);
	status = ended();
	T(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void
wants_error(enum cv_reason reason)
{
	T_INT(hear(), CV_K_ERROR);
	T_STR(cv_frame_str(&in, CV_TAG_REASON, 64), cv_reason_word(reason));
}

/* An ITEM that verify sent and the worker did not get: it would not be missed. */
static void
test_item_lost(void)
{
	start("many");
	say(CV_K_TASK, CV_TAG_TASK, 1);
	say(CV_K_RUN, CV_TAG_COUNT, 1);
	silent_end();
	start("many");
	say(CV_K_TASK, CV_TAG_TASK, 1);
	say(CV_K_RUN, CV_TAG_REASON, 1); /* no COUNT at all */
	silent_end();
}

static void
test_errors(void)
{
	start("many");
	say(CV_K_TASK, CV_TAG_TASK, 77);
	say(CV_K_ITEM, 0, 0);
	say(CV_K_RUN, 0, 0);
	wants_error(CV_R_BUG);
	say(CV_K_TASK, CV_TAG_TASK, 2); /* a task without items */
	say(CV_K_ITEM, 0, 0);
	say(CV_K_RUN, 0, 0);
	wants_error(CV_R_BUG);
	say(CV_K_TASK, CV_TAG_TASK, 4);
	say(CV_K_RUN, 0, 0);
	wants_error(CV_R_MALFORMED);
	T_STR(cv_frame_str(&in, CV_TAG_CHECK, 64), "oci.malformed");
	say(CV_K_TASK, CV_TAG_TASK, 1); /* and the check of before is forgotten */
	say(CV_K_ITEM, 0, 0);           /* its handler wants a name */
	say(CV_K_RUN, 0, 0);
	T_INT(hear(), CV_K_FINDING);
	T_INT(hear(), CV_K_FACT);
	T_INT(hear(), CV_K_FINDING);
	T_INT(hear(), CV_K_FINDING);
	T_INT(hear(), CV_K_DONE);
	T_INT(cv_frame_u64(&in, CV_TAG_COUNT, 100), 4);
	cv_closep(&w.sock);
	T_INT(ended(), 0);
}

static void
test_one_task(void)
{
	struct cv_err e = { 0 };

	start("good");
	say(CV_K_TASK, CV_TAG_TASK, 3);
	say(CV_K_RUN, 0, 0);
	T_INT(hear(), CV_K_DONE);
	T_INT(cv_frame_u64(&in, CV_TAG_COUNT, 100), 0);
	T_INT(hear(), 0);
	cv_out_start(&out, CV_K_TASK);
	T_NO(cv_frame_send(w.sock, &out, 0, -1, &e), e, CV_R_WORKER);
	T_INT(ended(), 0);
}

/* ---- answers to needs ---- */

static void
until_need(void)
{
	struct cv_err e = { 0 };

	start("good");
	cv_out_start(&out, CV_K_TASK);
	cv_out_u64(&out, CV_TAG_TASK, 3);
	cv_out_u64(&out, CV_TAG_VALUE, 1);
	T_OK(cv_frame_send(w.sock, &out, 0, -1, &e), e);
	say(CV_K_RUN, 0, 0);
	T_INT(hear(), CV_K_NEED);
	T_INT(cv_frame_u64(&in, CV_TAG_ID, 100), 1);
}

static void
give(uint64_t id, uint64_t status)
{
	cv_out_start(&out, CV_K_GIVE);
	cv_out_u64(&out, CV_TAG_ID, id);
	if (status != 0)
		cv_out_u64(&out, CV_TAG_STATUS, status);
}

static void
send_it(void)
{
	struct cv_err e = { 0 };

	T_OK(cv_frame_send(w.sock, &out, 0, -1, &e), e);
}

static void
test_bad_answers(void)
{
	cv_auto(cv_closep) int fd = t_memfd("abc", 3);
	int p[2];

	until_need();
	give(2, CV_S_ABSENT);
	send_it();
	silent_end();
	until_need();
	give(1, 0);
	send_it();
	silent_end();
	until_need();
	give(1, CV_S_FAILED); /* why? */
	send_it();
	silent_end();
	until_need();
	give(1, CV_S_FAILED);
	cv_out_str(&out, CV_TAG_REASON, "none");
	cv_out_str(&out, CV_TAG_TEXT, "");
	send_it();
	silent_end();
	until_need();
	give(1, CV_S_GIVEN); /* what? */
	send_it();
	silent_end();
	until_need();
	give(1, CV_S_GIVEN);
	cv_out_blob(&out, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .off = 1, .len = 3 });
	send_it(); /* more than the file has */
	silent_end();
	T(pipe2(p, O_CLOEXEC) == 0);
	until_need();
	give(1, CV_S_GIVEN);
	cv_out_blob(&out, CV_TAG_BLOB, (struct cv_blob){ .fd = p[0], .off = 0, .len = 0 });
	send_it(); /* no file */
	silent_end();
	close(p[0]);
	close(p[1]);
	until_need();
	say(CV_K_RUN, 0, 0);
	silent_end();
	until_need();
	cv_closep(&w.sock);
	T(ended() != 0);
}

static void
test_good_answer(void)
{
	cv_auto(cv_closep) int fd = t_memfd("abc", 3);

	until_need();
	give(1, CV_S_GIVEN);
	cv_out_blob(&out, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .off = 1, .len = 2 });
	send_it();
	T_INT(hear(), CV_K_FACT);
	T_STR(cv_frame_str(&in, CV_TAG_TEXT, 64), "1 0 2");
	T_INT(hear(), CV_K_DONE);
	T_INT(ended(), 0);
}

/* It ends by its own clock, soon after the deadline, though it never looks. */
static void
test_own_deadline(void)
{
	int64_t from = cv_mono_ms();
	struct cv_err e = { 0 };
	int status;

	start("good");
	cv_out_start(&out, CV_K_TASK);
	cv_out_u64(&out, CV_TAG_TASK, 6);
	cv_out_u64(&out, CV_TAG_DEADLINE, 50);
	T_OK(cv_frame_send(w.sock, &out, 0, -1, &e), e);
	say(CV_K_RUN, 0, 0);
	T_INT(hear(), 0);
	T(cv_mono_ms() - from < 8000);
	status = ended();
	T(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static const struct t_case cases[] = {
	{ "started by hand", test_by_hand },
	{ "closed at once", test_closed_at_once },
	{ "out of turn", test_out_of_turn },
	{ "garbage", test_garbage },
	{ "gone before RUN", test_gone_before_run },
	{ "an item lost", test_item_lost },
	{ "errors", test_errors },
	{ "one task", test_one_task },
	{ "bad answers", test_bad_answers },
	{ "good answer", test_good_answer },
	{ "own deadline", test_own_deadline },
};

T_MAIN(cases)
