/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_decide.c: the truth table of the verdict, whole: every plan of up
 * to two checks with every list of up to three answers, against a second
 * writing of decide.h's sentences.
 */
#include "tests/support/t.h"
#include "verify/decide.h"

#include <stdlib.h>

#define IDS      3 /* two that may be planned, one that never is */
#define OUTCOMES 6 /* the five, and a pass that contradicts itself */
#define ANSWERS  (IDS * OUTCOMES * 2)
#define PLANS    16 /* required and na_ok of both checks */

static const char *const ids[IDS] = { "lock.absent", "sig.absent", "vuln.known" };

static struct cv_answer
answer_of(unsigned code)
{
	static const struct {
		enum cv_outcome outcome;
		enum cv_reason reason;
	} all[OUTCOMES] = {
		{ CV_PASS, CV_R_NONE },           { CV_FAIL, CV_R_RULE },
		{ CV_UNKNOWN, CV_R_UNREACHABLE }, { CV_WAIVED, CV_R_RULE },
		{ CV_NOT_APPLICABLE, CV_R_NONE }, { CV_PASS, CV_R_SIGNATURE },
	};
	struct cv_answer a = { .required = code % 2 != 0 };

	code /= 2;
	a.f.check = ids[code % IDS];
	a.f.outcome = all[code / IDS].outcome;
	a.f.reason = all[code / IDS].reason;
	return a;
}

/* How bad an answer is, in the words of decide.h: 0 satisfies or says nothing,
 * 1 unknown, 2 internal, 3 fail. */
static int
badness(const struct cv_answer *a)
{
	if (a->f.outcome == CV_FAIL)
		return 3;
	if (a->f.outcome == CV_UNKNOWN)
		return 1;
	if (a->f.outcome == CV_PASS && a->f.reason != CV_R_NONE)
		return 2; /* it contradicts itself: a bug */
	return 0;
}

static enum cv_outcome
oracle(const struct cv_subject_state *s)
{
	size_t required = 0, met = 0;
	int worst = 0;

	for (size_t i = 0; i < s->nanswers; i++)
		if (s->answers[i].required && badness(&s->answers[i]) > worst)
			worst = badness(&s->answers[i]);
	for (size_t k = 0; k < s->nplan; k++) {
		bool good = false, bad = false;

		required += s->plan[k].required;
		for (size_t i = 0; i < s->nanswers; i++) {
			const struct cv_finding *f = &s->answers[i].f;

			if (f->check != s->plan[k].check)
				continue;
			bad = bad || badness(&s->answers[i]) > 0;
			good = good || f->outcome == CV_PASS || f->outcome == CV_WAIVED ||
			       (f->outcome == CV_NOT_APPLICABLE && s->plan[k].na_ok);
		}
		met += s->plan[k].required && good && !bad;
	}
	if (worst == 3)
		return CV_FAIL;
	return worst == 0 && required > 0 && met == required ? CV_PASS : CV_UNKNOWN;
}

static enum cv_outcome
decide(const struct cv_subject_state *s)
{
	struct cv_counts counts;
	enum cv_reason reason;
	enum cv_outcome o = cv_decide_subject(s, &counts, &reason);

	T((o == CV_PASS) == (reason == CV_R_NONE));
	T(o == cv_outcome_of(reason));
	T(o != CV_PASS || (counts.failed == 0 && counts.unknown == 0 && counts.unanswered == 0));
	T(o != CV_PASS || counts.passed + counts.waived + counts.not_applicable > 0);
	return o;
}

/* spoil: each pass in turn becomes unknown. */
static void
spoil(struct cv_subject_state s, struct cv_answer *v, enum cv_outcome before)
{
	for (size_t i = 0; i < s.nanswers; i++) {
		struct cv_answer was = v[i];
		bool decisive = was.required;
		enum cv_outcome after;

		if (was.f.outcome != CV_PASS)
			continue;
		for (size_t k = 0; k < s.nplan; k++)
			decisive =
				decisive || (s.plan[k].required && s.plan[k].check == was.f.check);
		v[i].f.outcome = CV_UNKNOWN;
		v[i].f.reason = CV_R_UNREACHABLE;
		after = decide(&s);
		T(after != CV_PASS || before == CV_PASS);
		T(after != CV_PASS || !decisive);
		v[i] = was;
	}
}

static void
each_state(const struct cv_planned *plan, size_t nplan, size_t nanswers)
{
	size_t total = 1;

	for (size_t i = 0; i < nanswers; i++)
		total *= ANSWERS;
	for (size_t code = 0; code < total; code++) {
		struct cv_answer v[3];
		struct cv_subject_state s = {
			.plan = plan, .nplan = nplan, .answers = v, .nanswers = nanswers
		};
		size_t rest = code;
		enum cv_outcome o;

		for (size_t i = 0; i < nanswers; i++, rest /= ANSWERS)
			v[i] = answer_of((unsigned)(rest % ANSWERS));
		o = decide(&s);
		if (o != oracle(&s))
			t_fail(__FILE__, __LINE__, "plan %zu, answers %zu, code %zu: %s, want %s",
			       nplan, nanswers, code, cv_outcome_word(o),
			       cv_outcome_word(oracle(&s)));
		spoil(s, v, o);
	}
}

static void
subjects(void)
{
	for (unsigned code = 0; code < PLANS; code++) {
		struct cv_planned plan[2];

		for (unsigned k = 0; k < 2; k++)
			plan[k] = (struct cv_planned){ .check = ids[k],
						       .required = (code >> (2 * k) & 1) != 0,
						       .na_ok = (code >> (2 * k + 1) & 1) != 0 };
		for (size_t nplan = code < 4 ? 0 : 2; nplan <= 2; nplan++)
			for (size_t n = 0; n <= (nplan == 2 ? 3u : 2u); n++)
				each_state(plan, nplan, n);
	}
}

static void
zero(void)
{
	struct cv_subject_state s = { 0 };
	struct cv_decision d = { 0 };
	struct cv_counts counts;
	enum cv_reason reason;

	T(!cv_allows(d.verdict)); /* all-zero is "no" */
	T(!cv_allows((cv_verdict){ 1 }) && !cv_allows((cv_verdict){ ~0u }));
	T_INT(cv_decide_subject(&s, &counts, &reason), CV_UNKNOWN);
	d = cv_decide(NULL, NULL, 0, &s, &counts);
	T(!cv_allows(d.verdict) && d.outcome == CV_UNKNOWN && d.exit == CV_EXIT_UNKNOWN);
}

/* The agent: every list of up to three artifacts' outcomes, with every state of
 * its own of one planned check and up to one answer. */
static void
agents(void)
{
	static const struct {
		enum cv_outcome outcome;
		enum cv_reason reason;
	} all[] = {
		{ CV_PASS, CV_R_NONE },           { CV_FAIL, CV_R_DIGEST },
		{ CV_UNKNOWN, CV_R_UNREACHABLE }, { CV_UNKNOWN, CV_R_MEMORY },
		{ CV_UNKNOWN, CV_R_NONE },        { CV_FAIL, CV_R_NONE },
	};
	const struct cv_planned plan = { .check = ids[0], .required = true };

	for (unsigned own = 0; own < 1 + 2 + ANSWERS * 2; own++) {
		struct cv_answer v = { 0 };
		struct cv_subject_state s = { 0 };
		bool against;

		/* 0: nothing; 1: planned and not answered; then each answer */
		if (own >= 3) {
			v = answer_of((own - 3) / 2);
			s.answers = &v;
			s.nanswers = 1;
		}
		if (own == 1 || (own >= 3 && own % 2 == 0)) {
			s.plan = &plan;
			s.nplan = 1;
		}
		against = (s.nplan > 0 && oracle(&s) != CV_PASS) || (v.required && badness(&v) > 0);
		for (unsigned code = 0; code < 6 * 6 * 6; code++) {
			enum cv_outcome outcomes[3];
			enum cv_reason reasons[3];
			unsigned rest = code;

			for (size_t i = 0; i < 3; i++, rest /= 6) {
				outcomes[i] = all[rest % 6].outcome;
				reasons[i] = all[rest % 6].reason;
			}
			for (size_t n = 0; n <= 3; n++) {
				struct cv_counts counts;
				struct cv_decision d = cv_decide(outcomes, reasons, n, &s, &counts);
				bool want = n > 0 && !against;

				for (size_t i = 0; i < n; i++)
					want = want && outcomes[i] == CV_PASS;
				if (cv_allows(d.verdict) != want)
					t_fail(__FILE__, __LINE__, "own %u, %u of %zu: %d", own,
					       code, n, cv_allows(d.verdict));
				T(cv_allows(d.verdict) == (d.outcome == CV_PASS));
				T(cv_allows(d.verdict) == (d.exit == CV_EXIT_PASS));
				T(cv_allows(d.verdict) == (d.reason == CV_R_NONE));
			}
		}
	}
}

/* Which of several reasons a user is told. */
static void
gravest(void)
{
	const struct cv_planned plan = { .check = ids[0], .required = true };
	struct cv_answer v[3] = {
		{ .f = { .check = ids[0], .outcome = CV_UNKNOWN, .reason = CV_R_UNREACHABLE },
		  .required = true },
		{ .f = { .check = ids[1], .outcome = CV_UNKNOWN, .reason = CV_R_MEMORY },
		  .required = true },
		{ .f = { .check = ids[2], .outcome = CV_FAIL, .reason = CV_R_SIGNATURE },
		  .required = true }
	};
	struct cv_subject_state s = { .plan = &plan, .nplan = 1, .answers = v };
	struct cv_counts counts;
	enum cv_reason reason;

	s.nanswers = 1;
	(void)cv_decide_subject(&s, &counts, &reason);
	T_INT(reason, CV_R_UNREACHABLE);
	s.nanswers = 2;
	(void)cv_decide_subject(&s, &counts, &reason);
	T_INT(reason, CV_R_MEMORY);
	s.nanswers = 3;
	(void)cv_decide_subject(&s, &counts, &reason);
	T_INT(reason, CV_R_SIGNATURE);
	T(counts.unknown == 2 && counts.failed == 1 && counts.unanswered == 1);
	v[2].required = false;
	(void)cv_decide_subject(&s, &counts, &reason);
	T_INT(reason, CV_R_MEMORY);
	T(counts.failed == 0 && counts.warned == 1);

	/* one id counts once: waived before pass before not applicable */
	for (size_t i = 0; i < 3; i++)
		v[i].f = (struct cv_finding){ .check = ids[0], .outcome = CV_NOT_APPLICABLE };
	(void)cv_decide_subject(&s, &counts, &reason);
	T(counts.not_applicable == 1 && counts.passed == 0);
	v[1].f.outcome = CV_PASS;
	(void)cv_decide_subject(&s, &counts, &reason);
	T(counts.not_applicable == 0 && counts.passed == 1 && counts.waived == 0);
	v[0].f.outcome = CV_WAIVED;
	v[0].f.reason = CV_R_RULE;
	(void)cv_decide_subject(&s, &counts, &reason);
	T(counts.passed == 0 && counts.waived == 1);
}

static const struct t_case cases[] = {
	{ "nothing is never a pass", zero },
	{ "every state of a subject", subjects },
	{ "every state of an agent", agents },
	{ "the gravest reason counts", gravest },
};
T_MAIN(cases)
