/* SPDX-License-Identifier: Apache-2.0 */
/* engine_say.c: answers about an artifact. Must never lose a "no" quietly. */
#include "verify/engine_int.h"

#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

bool
cv_job_required(const struct cv_job *j, const char *check)
{
	return cv_policy_required(j->run->rq->policy, j->rule, check);
}

void
cv_job_say_as(struct cv_job *j, const struct cv_finding *f, bool required)
{
	struct cv_err e = { 0 };

	if (cv_result_answer(j->a, f, required, &e) != 0)
		cv_run_break(j->run, &e);
}

void
cv_job_say(struct cv_job *j, const struct cv_finding *f)
{
	cv_job_say_as(j, f, cv_job_required(j, f->check));
}

void
cv_job_pass(struct cv_job *j, const char *check)
{
	struct cv_finding f = cv_finding_pass(check);

	cv_job_say(j, &f);
}

void
cv_job_na(struct cv_job *j, const char *check)
{
	struct cv_finding f = cv_finding_pass(check);

	if (f.outcome == CV_PASS)
		f.outcome = CV_NOT_APPLICABLE;
	cv_job_say(j, &f);
}

void
cv_job_no(struct cv_job *j, const char *check, enum cv_reason reason, const char *expected,
	  const char *fmt, ...)
{
	struct cv_finding f = cv_finding_no(check, reason);
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(f.found, sizeof(f.found), fmt, ap);
	va_end(ap);
	if (expected != NULL)
		cv_finding_expected(&f, "%s", expected);
	cv_job_say(j, &f);
}

const char *
cv_check_for(enum cv_reason reason, const char *named, const char *otherwise)
{
	switch (reason) {
	case CV_R_MEMORY:
	case CV_R_DISK:
	case CV_R_IO:
	case CV_R_BUG:
		return "internal.error";
	case CV_R_DEADLINE:
		return named != NULL ? named : "run.deadline";
	case CV_R_CANCELLED:
		return "run.cancelled";
	case CV_R_WORKER:
		return named != NULL ? named : "worker.died";
	case CV_R_CONFINEMENT:
		return "sandbox.unavailable";
	default:
		if (named != NULL)
			return named;
		return otherwise != NULL ? otherwise : "internal.error";
	}
}

void
cv_job_err(struct cv_job *j, const char *named, const char *otherwise, const struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(cv_check_for(e->reason, named, otherwise), e->reason);

	cv_finding_found(&f, "%s", e->text);
	cv_job_say(j, &f);
	/* what could not be found out may be what vouches for it: that is then not known,
	 * which is another thing than that nothing does */
	if (cv_reason_exit(e->reason) != CV_EXIT_FAIL)
		j->sig_trouble = e->reason;
}
