/* SPDX-License-Identifier: Apache-2.0 */
/* exec.c: see exec.h. Must never end without an answer on standard output. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "verify/gates/exec.h"
#include "trust/base/banned.h"

static const char no_memory[] =
	"{\"decision\":\"retry\",\"decision_id\":\"\",\"image_ids\":[],\"mounts\":[],"
	"\"reasons\":[{\"check\":\"internal.error\",\"message\":\"the answer could not be "
	"written\",\"reason\":\"memory\"}],\"retry_after\":60,\"schema\":\"clawverify.gate/1\","
	"\"scope\":\"launch\",\"valid_until\":null}\n";

int
cv_hook_read(int fd, int64_t deadline, struct cv_buf *out, struct cv_err *e)
{
	uint8_t chunk[16384];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int r = poll(&wait, 1, cv_mono_left(deadline));
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return cv_fail_errno(e, "standard input");
		if (r == 0)
			return cv_fail(e, CV_R_DEADLINE, "the request did not come in time");
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return cv_fail_errno(e, "standard input");
		if (n == 0)
			return cv_buf_ok(out, "the request", e);
		cv_buf_add(out, chunk, (size_t)n);
		if (out->failed == CV_R_LIMIT)
			return cv_fail(e, CV_R_LIMIT, "a request of more than %llu bytes",
				       CV_GATE_MAX_REQUEST);
		if (out->failed != CV_R_NONE)
			return cv_buf_ok(out, "the request", e);
	}
}

int
cv_hook_answer(FILE *out, const struct cv_gate_answer *a, struct cv_span request)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_err e;
	int code = (int)a->exit;

	if (cv_gate_emit(a, request, &text, &e) != 0) {
		(void)fputs(no_memory, out);
		code = CV_EXIT_INTERNAL;
	} else {
		(void)fputs(cv_buf_text(&text), out);
		if (a->nreasons > 0 && code == CV_EXIT_PASS)
			code = CV_EXIT_INTERNAL;
	}
	return fflush(out) == 0 && !ferror(out) ? code : CV_EXIT_INTERNAL;
}
