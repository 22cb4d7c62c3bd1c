/* SPDX-License-Identifier: Apache-2.0 */
/* decide.c: see decide.h. Must stay pure and small enough to test whole. */
#include "verify/decide.h"

#include <string.h>

#include "trust/base/banned.h"

/* weight: which of two reasons the user should be told first. */
static int
weight(enum cv_reason reason)
{
	switch (cv_reason_exit(reason)) {
	case CV_EXIT_FAIL:
		return 4;
	case CV_EXIT_USAGE:
		return 3; /* a check never says this; if one does, it is no pass */
	case CV_EXIT_INTERNAL:
		return 2;
	case CV_EXIT_UNKNOWN:
		return 1;
	case CV_EXIT_PASS:
	default:
		return 0;
	}
}

static void
worsen(enum cv_reason *worst, enum cv_reason reason)
{
	if (weight(reason) > weight(*worst))
		*worst = reason;
}

/* said: the reason that an answer counts with; CV_R_NONE if it satisfies. A
 * finding that contradicts itself (an outcome that its reason does not lead
 * to) is a broken promise, not a pass. */
static enum cv_reason
said(const struct cv_finding *f)
{
	switch (f->outcome) {
	case CV_PASS:
	case CV_NOT_APPLICABLE:
		return f->reason == CV_R_NONE ? CV_R_NONE : CV_R_BUG;
	case CV_WAIVED:
		return CV_R_NONE;
	case CV_FAIL:
	case CV_UNKNOWN:
	default:
		return f->reason == CV_R_NONE ? CV_R_UNDECIDED : f->reason;
	}
}

static bool
first_of_its_id(const struct cv_subject_state *s, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (strcmp(s->answers[k].f.check, s->answers[i].f.check) == 0)
			return false;
	return true;
}

/* count_id: one id counts once, by the gravest of its answers. */
static void
count_id(const struct cv_subject_state *s, size_t i, struct cv_counts *counts)
{
	const struct cv_finding *f;
	enum cv_reason worst = CV_R_NONE;
	enum cv_outcome best = s->answers[i].f.outcome;
	bool required = false;
	size_t k;

	for (k = i; k < s->nanswers; k++) {
		f = &s->answers[k].f;
		if (strcmp(f->check, s->answers[i].f.check) != 0)
			continue;
		if (said(f) != CV_R_NONE)
			required = required || s->answers[k].required;
		worsen(&worst, said(f));
		if (f->outcome == CV_WAIVED || (f->outcome == CV_PASS && best != CV_WAIVED))
			best = f->outcome;
	}
	if (worst != CV_R_NONE && !required)
		counts->warned++;
	else if (cv_reason_exit(worst) == CV_EXIT_FAIL)
		counts->failed++;
	else if (worst != CV_R_NONE)
		counts->unknown++;
	else if (best == CV_WAIVED)
		counts->waived++;
	else if (best == CV_NOT_APPLICABLE)
		counts->not_applicable++;
	else
		counts->passed++;
}

/* satisfied: some answer to the planned check satisfies, and none is against. */
static bool
satisfied(const struct cv_subject_state *s, const struct cv_planned *p)
{
	bool yes = false;
	size_t i;

	for (i = 0; i < s->nanswers; i++) {
		const struct cv_finding *f = &s->answers[i].f;

		if (strcmp(f->check, p->check) != 0)
			continue;
		if (said(f) != CV_R_NONE)
			return false;
		if (f->outcome == CV_PASS || f->outcome == CV_WAIVED ||
		    (f->outcome == CV_NOT_APPLICABLE && p->na_ok))
			yes = true;
	}
	return yes;
}

enum cv_outcome
cv_decide_subject(const struct cv_subject_state *s, struct cv_counts *counts,
		  enum cv_reason *reason)
{
	enum cv_reason worst = CV_R_NONE;
	size_t i, required = 0, unmet = 0;

	*counts = (struct cv_counts){ 0 };
	for (i = 0; i < s->nanswers; i++) {
		if (s->answers[i].required)
			worsen(&worst, said(&s->answers[i].f));
		if (first_of_its_id(s, i))
			count_id(s, i, counts);
	}
	for (i = 0; i < s->nplan; i++) {
		if (!s->plan[i].required)
			continue;
		required++;
		if (!satisfied(s, &s->plan[i]))
			unmet++;
	}
	counts->unanswered = unmet;
	if (worst == CV_R_NONE && (required == 0 || unmet > 0))
		worst = CV_R_UNDECIDED;
	*reason = worst;
	return cv_outcome_of(worst);
}

struct cv_decision
cv_decide(const enum cv_outcome *outcomes, const enum cv_reason *reasons, size_t n,
	  const struct cv_subject_state *agent, struct cv_counts *agent_counts)
{
	struct cv_decision d = { .verdict = { 0 }, .outcome = CV_UNKNOWN };
	enum cv_reason worst = CV_R_NONE;
	size_t i;

	for (i = 0; i < n; i++) {
		worsen(&worst, reasons[i]);
		if (outcomes[i] != CV_PASS && reasons[i] == CV_R_NONE)
			worsen(&worst, CV_R_UNDECIDED);
	}
	if (n == 0)
		worsen(&worst, CV_R_UNDECIDED);
	if (agent->nplan > 0 || agent->nanswers > 0) {
		enum cv_reason own;

		(void)cv_decide_subject(agent, agent_counts, &own);
		/* an empty plan is no reproach here: the artifacts carry it */
		if (own != CV_R_UNDECIDED || agent->nplan > 0 || agent_counts->unknown > 0)
			worsen(&worst, own);
	} else {
		*agent_counts = (struct cv_counts){ 0 };
	}
	d.reason = worst;
	d.outcome = cv_outcome_of(worst);
	d.exit = cv_reason_exit(worst);
	if (worst == CV_R_NONE)
		d.verdict.v_ = CV_VERDICT_YES;
	return d;
}
