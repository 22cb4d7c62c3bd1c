/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h: the answer to one check about one thing.
 *
 * The outcome follows from the reason and from nothing else: CV_R_NONE is
 * pass; the reasons' own outcome otherwise (err.h). The zero value is
 * "unknown", never "pass". Texts have fixed sizes so that a finding crosses a
 * frame as it is and making one cannot fail; a text too long is cut with
 * "...". Texts may hold hostile bytes until a report neutralises them.
 */
#ifndef CV_FINDING_H
#define CV_FINDING_H

#include "digest.h"

enum cv_outcome {
	CV_UNKNOWN = 0, /* could not be decided */
	CV_PASS,
	CV_FAIL,
	CV_WAIVED,         /* failed, and a waiver covers it: satisfies, always printed */
	CV_NOT_APPLICABLE, /* the question does not arise; satisfies nothing */
};

struct cv_finding {
	const char *check; /* id from the catalogue (checks.h), static storage */
	enum cv_outcome outcome;
	enum cv_reason reason; /* CV_R_NONE if and only if outcome is pass or n/a */
	char expected[512];
	char found[512];
	char where[512];           /* file, member, offset: the place */
	char note[512];            /* one sentence more, or "" */
	struct cv_digest evidence; /* blob that proves it; alg 0 if none */
};

const char *cv_outcome_word(enum cv_outcome o); /* "pass", "not-applicable" */

/* cv_outcome_of: pass for CV_R_NONE, fail for exit-1 reasons, else unknown. */
enum cv_outcome cv_outcome_of(enum cv_reason reason);

/* cv_finding_pass, cv_finding_no: a finding of a known check id. An id that is
 * not in the catalogue becomes "internal.unknown-check", unknown, CV_R_BUG. */
struct cv_finding cv_finding_pass(const char *check);
struct cv_finding cv_finding_no(const char *check, enum cv_reason reason);

/* Setters that cut; chainable by hand, not by return. */
void cv_finding_expected(struct cv_finding *f, const char *fmt, ...) cv_printf(2, 3);
void cv_finding_found(struct cv_finding *f, const char *fmt, ...) cv_printf(2, 3);
void cv_finding_where(struct cv_finding *f, const char *fmt, ...) cv_printf(2, 3);
void cv_finding_note(struct cv_finding *f, const char *fmt, ...) cv_printf(2, 3);

#endif
