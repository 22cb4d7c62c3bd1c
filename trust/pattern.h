/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.h: anchored patterns over names of signers, in the syntax of PCRE2.
 *
 * The whole text has to match, whatever the pattern says about its ends, upper and
 * lower case differ, '.' and '$' do not see line ends, and matching has a limit on
 * its steps and its memory (no compiled code: the process cannot make any).
 *
 * "A match on nothing is never a match": a pattern that the empty text satisfies, or
 * one character that no name has, would be satisfied by anybody.
 */
#ifndef CV_TRUST_PATTERN_H
#define CV_TRUST_PATTERN_H

#include "trust/base/err.h"
#include "trust/base/span.h"

#define CV_MAX_PATTERN 512 /* bytes */

struct cv_pattern;

/* cv_pattern_compile: CV_R_UNSUPPORTED for what is no pattern or matches anything:
 * whoever wrote it means something that cannot be judged here. */
int cv_pattern_compile(struct cv_pattern **ret, const char *text, struct cv_err *e) cv_must;
void cv_pattern_free(struct cv_pattern **p);
const char *cv_pattern_text(const struct cv_pattern *p);

/* cv_pattern_match: 0 it matches; -1 CV_R_IDENTITY it does not; CV_R_UNSUPPORTED: it
 * could not be found out within the limits. */
int cv_pattern_match(const struct cv_pattern *p, const char *text, struct cv_err *e) cv_must;

#endif
