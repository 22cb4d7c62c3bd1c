/* SPDX-License-Identifier: Apache-2.0 */
/* say.c: words to standard error, and errors in both forms; see cmd.h. */
#include "verify/cmdline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

void
cv_say(const struct cv_cmdline *c, const char *fmt, ...)
{
	char text[2048];
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16384);
	va_list ap;

	if (cv_cl_flag(c, "quiet"))
		return;
	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	cv_text_safe(&safe, cv_span_str(text), 0);
	(void)fprintf(stderr, "%s\n", cv_buf_text(&safe));
}

static const char *
exit_word(enum cv_exit code)
{
	switch (code) {
	case CV_EXIT_FAIL:
		return "fail";
	case CV_EXIT_USAGE:
		return "usage";
	case CV_EXIT_UNKNOWN:
		return "unknown";
	case CV_EXIT_PASS: /* an error is never a pass */
	case CV_EXIT_INTERNAL:
	default:
		return "internal";
	}
}

/* fail_json: {"schema", "outcome", "exit_code", "error": {"reason", "message",
 * "next"}} */
static void
fail_json(const struct cv_err *e, enum cv_exit code, const char *next)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16384);
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
	struct cv_err ignored;
	json_t *v;

	cv_text_safe(&safe, cv_span_str(e->text), 0);
	v = json_pack("{s:s, s:s, s:i, s:b, s:{s:s, s:s, s:s*}}", "schema", "clawverify.result/1",
		      "outcome", exit_word(code), "exit_code", (int)code, "launchable", 0, "error",
		      "reason", cv_reason_word(e->reason), "message", cv_buf_text(&safe), "next",
		      next[0] != '\0' ? next : NULL);
	if (v != NULL && cv_json_emit(&out, v, &ignored) == 0)
		(void)fputs(cv_buf_text(&out), stdout);
	json_decref(v);
	(void)fflush(stdout);
}

int
cv_cmd_stdout(const struct cv_cmdline *c, int rc)
{
	struct cv_err e = { .reason = CV_R_NONE };
	const char *why;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	/* an earlier write failed, and why is forgotten: ask once more */
	if (errno == 0 && write(STDOUT_FILENO, "\n", 1) == 1)
		errno = 0;
	why = errno == EPIPE    ? "its reader has gone"
	      : errno == EBADF  ? "it is closed"
	      : errno == ENOSPC ? "no space is left there"
				: "it takes no more";
	(void)cv_fail(&e, CV_R_IO, "standard output: %s, so the result was not given", why);
	return cv_cmd_failed(c, &e);
}

int
cv_cmd_failed(const struct cv_cmdline *c, const struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16384);
	enum cv_exit code = cv_reason_exit(e->reason);
	const char *next = cv_reason_next(e->reason);

	if (code == CV_EXIT_PASS)
		code = CV_EXIT_INTERNAL;
	cv_text_safe(&safe, cv_span_str(e->text), 0);
	(void)fprintf(stderr, "clawverify: %s\n",
		      e->text[0] != '\0' ? cv_buf_text(&safe) : "failed without saying why");
	if (next[0] != '\0')
		(void)fprintf(stderr, "next: %s\n", next);
	if (c->json)
		fail_json(e, code, next);
	return (int)code;
}
