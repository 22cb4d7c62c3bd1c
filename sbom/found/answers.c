/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c: see answers.h. Must never state a pass for a check that had a problem. */
#include "sbom/found/answers.h"

#include "trust/base/limits.h"

#include <string.h>

#include "trust/base/banned.h"

static uint64_t *
counter(struct cv_answers *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->id[i], id) == 0)
			return &a->count[i];
	if (a->n == CV_ANSWERS_MAX)
		return NULL;
	a->id[a->n] = id;
	return &a->count[a->n++];
}

int
cv_answer(struct cv_answers *a, const struct cv_finding *f, struct cv_err *e)
{
	if (f->outcome != CV_PASS && f->outcome != CV_NOT_APPLICABLE) {
		uint64_t *n = counter(a, f->check);

		if (n == NULL)
			return cv_fail(e, CV_R_BUG, "more kinds of findings than a task has");
		if (++*n > CV_MAX_CHECK_FINDINGS)
			return 0;
	}
	return a->sink.finding(a->sink.ctx, f, e);
}

uint64_t
cv_answers_failed(const struct cv_answers *a, const char *id)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->n; i++)
		if (id == NULL || strcmp(a->id[i], id) == 0)
			sum += a->count[i];
	return sum;
}

int
cv_answers_pass(struct cv_answers *a, const char *const *ids, struct cv_err *e)
{
	for (; *ids != NULL; ids++) {
		struct cv_finding f = cv_finding_pass(*ids);

		if (cv_answers_failed(a, *ids) == 0 && cv_answer(a, &f, e) < 0)
			return -1;
	}
	return 0;
}

bool
cv_answers_about_content(enum cv_reason reason)
{
	return cv_reason_exit(reason) == CV_EXIT_FAIL || reason == CV_R_UNSUPPORTED;
}

int
cv_answer_err(struct cv_answers *a, const char *check, const char *where, const struct cv_err *why,
	      struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, why->reason);

	cv_finding_found(&f, "%s", why->text);
	cv_finding_where(&f, "%s", where);
	return cv_answer(a, &f, e);
}
