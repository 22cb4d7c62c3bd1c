/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h: the catalogue of check ids (checks.def).
 *
 * An id names one problem, for ever: policy, waivers, reports, SARIF, metrics
 * and `explain` share it. A finding "pass" with that id says the problem was
 * looked for and is not there. Ids are added, never renamed or given another
 * meaning.
 */
#ifndef CV_CHECKS_H
#define CV_CHECKS_H

#include <stddef.h>

/* Who may state a finding with this id. */
enum cv_emitter { CV_BY_VERIFY = 1, CV_BY_TRUST = 2, CV_BY_CONTENTS = 4 };

struct cv_check {
	const char *id;
	unsigned by;       /* enum cv_emitter, or-ed */
	const char *title; /* the problem in one line, for people */
};

/* cv_check_find: NULL if the catalogue has no such id. */
const struct cv_check *cv_check_find(const char *id);

/* The catalogue in order, sorted by id; *n entries. */
const struct cv_check *cv_check_all(size_t *n);

#endif
