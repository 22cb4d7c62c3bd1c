/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h: facts and policy in, one verdict out. The only place that can say
 * yes, and a pure function: no memory, no clock, no input or output.
 *
 * An artifact passes if and only if at least one required check was planned for
 * it, every required planned check has an answer that satisfies (pass, waived;
 * not-applicable only where the plan allows it), and no finding about it that
 * policy calls required is fail or unknown. The agent passes if it has at least
 * one artifact, every artifact passes and the findings about the agent itself
 * say nothing against it. Turning any pass into unknown never yields a pass.
 *
 * Of several answers the gravest counts: fail, then internal, then unknown.
 */
#ifndef CV_DECIDE_H
#define CV_DECIDE_H

#include "trust/base/finding.h"

/* All-zero is "no". The value that allows is odd enough that no stray 1 or
 * true is taken for it. */
typedef struct {
	unsigned v_;
} cv_verdict;

#define CV_VERDICT_YES 0x600dc0deU

static inline bool
cv_allows(cv_verdict v)
{
	return v.v_ == CV_VERDICT_YES;
}

/* One check that has to be answered about one artifact. */
struct cv_planned {
	const char *check; /* catalogue id */
	bool required;     /* else advisory: reported, not decisive */
	bool na_ok;        /* not-applicable satisfies too */
};

struct cv_answer {
	struct cv_finding f;
	bool required; /* policy's word about this id, here */
};

/* What is known about one subject: an artifact, or the agent itself. */
struct cv_subject_state {
	const struct cv_planned *plan;
	size_t nplan;
	const struct cv_answer *answers;
	size_t nanswers;
};

struct cv_counts {
	size_t passed, failed, unknown, waived, not_applicable;
	size_t warned;     /* advisory findings that are not pass */
	size_t unanswered; /* required planned checks without any answer */
};

/* cv_decide_subject: pass, fail or unknown, and the reason that weighs most
 * (CV_R_NONE for pass). The counts are of checks: one id counts once, by its
 * gravest answer. *counts is overwritten. */
enum cv_outcome cv_decide_subject(const struct cv_subject_state *s, struct cv_counts *counts,
				  enum cv_reason *reason);

struct cv_decision {
	cv_verdict verdict;
	enum cv_outcome outcome; /* pass, fail, unknown */
	enum cv_reason reason;   /* CV_R_NONE for pass */
	enum cv_exit exit;
};

/* cv_decide: over the subjects' outcomes and reasons; `agent` is the state of
 * the agent itself (its plan may be empty). n == 0 is never a pass. */
struct cv_decision cv_decide(const enum cv_outcome *outcomes, const enum cv_reason *reasons,
			     size_t n, const struct cv_subject_state *agent,
			     struct cv_counts *agent_counts);

#endif
