/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers.h: the findings of one task, so that every check that was made is answered
 * exactly as far as it was made: with its problems (at most CV_MAX_CHECK_FINDINGS of
 * one check; the rest is counted), or with a pass at the end.
 */
#ifndef CV_FOUND_ANSWERS_H
#define CV_FOUND_ANSWERS_H

#include "trust/base/finding.h"

/* Where findings go: the worker's loop, or a test. */
struct cv_sink {
	int (*finding)(void *ctx, const struct cv_finding *f, struct cv_err *e);
	void *ctx;
};

#define CV_ANSWERS_MAX 16

struct cv_answers {
	struct cv_sink sink;
	const char *id[CV_ANSWERS_MAX]; /* checks that had a problem */
	uint64_t count[CV_ANSWERS_MAX];
	size_t n;
};

#define CV_ANSWERS(to) ((struct cv_answers){ .sink = (to) })

/* cv_answer: state a problem (or a pass). -1 only if it could not be sent. */
int cv_answer(struct cv_answers *a, const struct cv_finding *f, struct cv_err *e) cv_must;

/* cv_answers_pass: a pass for each of `ids` (NULL-terminated) that had no problem. */
int cv_answers_pass(struct cv_answers *a, const char *const *ids, struct cv_err *e) cv_must;

/* cv_answers_failed: problems stated of that check; of all for NULL. */
uint64_t cv_answers_failed(const struct cv_answers *a, const char *id);

/* cv_answers_about_content: does the reason speak of the artifact, so that it is a
 * finding, and not of us, so that it is an error? */
bool cv_answers_about_content(enum cv_reason reason);

/* cv_answer_err: an error as the finding `check`. */
int cv_answer_err(struct cv_answers *a, const char *check, const char *where,
		  const struct cv_err *why, struct cv_err *e) cv_must;

#endif
