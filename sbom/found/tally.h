/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h: the answers of one task, so that every planned check gets one.
 *
 * A task names the checks that it answers. Problems are stated as they are met, at
 * most `max` for one check; the last of them says how many more there were. At the
 * end each check without a problem is stated as held, or as not applicable when
 * nothing of its kind was met.
 */
#ifndef CV_FOUND_TALLY_H
#define CV_FOUND_TALLY_H

#include "trust/base/worker.h"

#define CV_TALLY_CHECKS 8

struct cv_tally_check {
	const char *check;
	bool silent;   /* a problem is stated, its absence is not */
	bool applies;  /* something of its kind was met */
	unsigned said; /* problems stated */
	uint64_t more; /* problems beyond the held one */
	bool held;     /* last is the last one that may be stated */
	struct cv_finding last;
};

struct cv_tally {
	struct cv_worker *w;
	unsigned max;
	size_t n;
	struct cv_tally_check check[CV_TALLY_CHECKS];
};

/* cv_tally_add: a check to answer; it applies from the start unless cv_tally_maybe
 * adds it. */
void cv_tally_add(struct cv_tally *t, const char *check);
void cv_tally_maybe(struct cv_tally *t, const char *check);
void cv_tally_silent(struct cv_tally *t, const char *check);

/* cv_tally_met: the check applies. */
void cv_tally_met(struct cv_tally *t, const char *check);

/* cv_tally_no: state a problem of one of the checks. */
int cv_tally_no(struct cv_tally *t, const struct cv_finding *f, struct cv_err *e) cv_must;

/* cv_tally_more: n problems more, of a check with so many that they are not listed. */
void cv_tally_more(struct cv_tally *t, const char *check, uint64_t n);

/* cv_tally_failed: has a problem of this check been stated? */
bool cv_tally_failed(struct cv_tally *t, const char *check);

/* cv_tally_end: state what is left to be stated. */
int cv_tally_end(struct cv_tally *t, struct cv_err *e) cv_must;

#endif
