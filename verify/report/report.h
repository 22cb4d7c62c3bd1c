/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h: a result as text for people and as JSON for programs. Both take
 * nothing but the result; every byte in it that an artifact or a server may have
 * chosen is neutralised (trust/base/text.h) before it is written.
 */
#ifndef CV_REPORT_H
#define CV_REPORT_H

#include "verify/result.h"

#define CV_RESULT_SCHEMA  "clawverify.result/1"
#define CV_REPORT_WIDTH   80
#define CV_REPORT_DETAILS 5 /* failures told at length; the others a line each */

struct cv_report_opts {
	bool color;
	bool quiet;   /* nothing for a pass, else the last block */
	bool verbose; /* every check with its answer */
};

/* cv_report_text: append the report; the last line begins with PASS, FAIL or
 * UNKNOWN. */
int cv_report_text(struct cv_buf *out, const struct cv_result *r, const struct cv_report_opts *o,
		   struct cv_err *e) cv_must;

/* cv_report_json: append the document "clawverify.result/1" (verify/schema). The
 * same result gives the same bytes: lists are sorted. */
int cv_report_json(struct cv_buf *out, const struct cv_result *r, struct cv_err *e) cv_must;

/* cv_report_inspect: the artifacts alone, "clawverify.inspect/1": what was seen,
 * without outcome, verdict or exit code. */
int cv_report_inspect(struct cv_buf *out, const struct cv_result *r, struct cv_err *e) cv_must;

/* cv_result_launchable: the verdict allows it, in mode enforce, at the present
 * time. */
bool cv_result_launchable(const struct cv_result *r);

/* ---- shared by both ---- */

/* cv_problem: a finding that is no pass, or a check that nobody answered. */
struct cv_problem {
	const char *artifact; /* "" for the agent itself */
	const char *check;
	bool required;
	enum cv_outcome outcome;    /* fail, unknown, waived */
	const struct cv_finding *f; /* NULL: planned and not answered */
	struct cv_jpos pos;
};

/* cv_problems: all of a result, required before advisory, fail before unknown,
 * then by artifact, causes before what follows from them, check and place. The
 * caller frees *ret. */
int cv_problems(const struct cv_result *r, struct cv_problem **ret, size_t *n,
		struct cv_err *e) cv_must;

/* cv_problem_derived: one that follows from another problem of its artifact, if
 * there is one. */
bool cv_problem_derived(const struct cv_problem *p);

/* cv_undecided: the check was not decided, so that what is said about the case
 * in which it fails does not hold. */
bool cv_undecided(const char *check, enum cv_outcome outcome);

/* cv_next_text: what to do about a problem, commands with the artifact's name and
 * the agent's path in them (NULL: there is none); into out, which is returned. cv_reason_next:
 * about a reason alone; "" if its error's text says it. */
#define CV_NEXT_TEXT 1024
const char *cv_next_text(char out[CV_NEXT_TEXT], const char *check, enum cv_outcome outcome,
			 enum cv_reason reason, const char *artifact, const char *agent);
const char *cv_reason_next(enum cv_reason reason);

/* cv_confinement_text: "landlock 6, seccomp", or what is missing; into out. */
const char *cv_confinement_text(const struct cv_result *r, char out[128]);

const char *cv_outcome_shout(enum cv_outcome o); /* "PASS", "FAIL", "UNKNOWN", ... */

#define CV_SIZE_TEXT 24
const char *cv_size_text(uint64_t bytes, char out[CV_SIZE_TEXT]); /* "15.0 GiB" */
const char *cv_ms_text(int64_t ms, char out[CV_SIZE_TEXT]);       /* "9.4 s", "12 ms" */

#endif
