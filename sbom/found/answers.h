/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers.h: the findings of one task, so that every check that was made is answered
 * exactly as far as it was made: with its problems (at most `max` of one check; the
 * last of them says how many more there were), or with a pass at the end.
 */
#ifndef CV_FOUND_ANSWERS_H
#define CV_FOUND_ANSWERS_H

#include "trust/base/finding.h"
#include "trust/base/limits.h"

/* Where findings go: the worker's loop, or a test. */
struct cv_sink {
	int (*finding)(void *ctx, const struct cv_finding *f, struct cv_err *e);
	void *ctx;
};

/* cv_sink_worker: the loop of a worker, which is the ctx. */
struct cv_worker;
struct cv_sink cv_sink_worker(struct cv_worker *w);

#define CV_ANSWERS_MAX 16

struct cv_answers_of {
	const char *id; /* a check that had a problem */
	uint64_t count;
	struct cv_finding last; /* the max-th: waits to be told how many more there are */
};

struct cv_answers {
	struct cv_sink sink;
	uint64_t max; /* problems stated of one check */
	size_t n;
	struct cv_answers_of of[CV_ANSWERS_MAX];
};

#define CV_ANSWERS(to) ((struct cv_answers){ .sink = (to), .max = CV_MAX_CHECK_FINDINGS })

/* cv_answer: state a problem (or a pass). -1 only if it could not be sent. */
int cv_answer(struct cv_answers *a, const struct cv_finding *f, struct cv_err *e) cv_must;

/* cv_answers_more: n problems more of a check that had one, so many that they are not
 * listed. */
void cv_answers_more(struct cv_answers *a, const char *id, uint64_t n);

/* cv_answers_pass: a pass for each of `ids` (NULL-terminated) that had no problem. */
int cv_answers_pass(struct cv_answers *a, const char *const *ids, struct cv_err *e) cv_must;

/* cv_answers_none: the check does not apply: nothing of its kind was met. Says nothing
 * if it had a problem. */
int cv_answers_none(struct cv_answers *a, const char *id, struct cv_err *e) cv_must;

/* cv_answers_end: what waits; to be called when the task is over, whole or not. */
int cv_answers_end(struct cv_answers *a, struct cv_err *e) cv_must;

/* cv_answers_failed: problems met of that check; of all for NULL. */
uint64_t cv_answers_failed(const struct cv_answers *a, const char *id);

/* cv_answers_about_content: does the reason speak of the artifact, so that it is a
 * finding, and not of us, so that it is an error? */
bool cv_answers_about_content(enum cv_reason reason);

/* cv_answer_err: an error as the finding `check`. */
int cv_answer_err(struct cv_answers *a, const char *check, const char *where,
		  const struct cv_err *why, struct cv_err *e) cv_must;

#endif
