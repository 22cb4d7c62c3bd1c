/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c: see answers.h. Must never state a pass for a check that had a problem. */
#include "sbom/found/answers.h"

#include "trust/base/worker.h"

#include <string.h>

#include "trust/base/banned.h"

static int
send_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	return cv_w_finding(ctx, f, e);
}

struct cv_sink
cv_sink_worker(struct cv_worker *w)
{
	return (struct cv_sink){ .finding = send_finding, .ctx = w };
}

static struct cv_answers_of *
find(struct cv_answers *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->of[i].id, id) == 0)
			return &a->of[i];
	return NULL;
}

static int
problem(struct cv_answers *a, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_answers_of *of = find(a, f->check);

	if (of == NULL && a->n == CV_ANSWERS_MAX)
		return cv_fail(e, CV_R_BUG, "more kinds of findings than a task has");
	if (of == NULL) {
		of = &a->of[a->n++];
		*of = (struct cv_answers_of){ .id = f->check };
	}
	of->count++;
	if (of->count == a->max)
		of->last = *f;
	return of->count < a->max ? a->sink.finding(a->sink.ctx, f, e) : 0;
}

int
cv_answer(struct cv_answers *a, const struct cv_finding *f, struct cv_err *e)
{
	if (f->outcome != CV_PASS && f->outcome != CV_NOT_APPLICABLE)
		return problem(a, f, e);
	return a->sink.finding(a->sink.ctx, f, e);
}

void
cv_answers_more(struct cv_answers *a, const char *id, uint64_t n)
{
	struct cv_answers_of *of = find(a, id);

	if (of != NULL)
		of->count += n;
}

uint64_t
cv_answers_failed(const struct cv_answers *a, const char *id)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->n; i++)
		if (id == NULL || strcmp(a->of[i].id, id) == 0)
			sum += a->of[i].count;
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

int
cv_answers_none(struct cv_answers *a, const char *id, struct cv_err *e)
{
	struct cv_finding f = cv_finding_pass(id);

	f.outcome = CV_NOT_APPLICABLE;
	return cv_answers_failed(a, id) == 0 ? cv_answer(a, &f, e) : 0;
}

int
cv_answers_end(struct cv_answers *a, struct cv_err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		struct cv_answers_of *of = &a->of[i];

		if (of->last.check == NULL)
			continue;
		if (of->count > a->max)
			cv_finding_note(&of->last, "and %llu more of these that are not listed",
					(unsigned long long)(of->count - a->max));
		if (a->sink.finding(a->sink.ctx, &of->last, e) < 0)
			return -1;
		of->last.check = NULL;
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
