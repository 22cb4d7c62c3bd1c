/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h: what each check is about, for people (explain.def). The same text
 * serves reports, `clawverify explain` and the manual page of checks.
 */
#ifndef CV_EXPLAIN_H
#define CV_EXPLAIN_H

#include "trust/base/buf.h"

struct cv_explain {
	const char *id;
	const char *why;      /* what it means and how it is attacked */
	const char *harmless; /* what usually causes it without malice; or "" */
	const char *next;     /* what the user of the artifact can do */
	const char *maker;    /* what its maker can do; or "" */
	const char *related;  /* ids, separated by blanks; or "" */
};

/* cv_explain_find: NULL if there is no such check. */
const struct cv_explain *cv_explain_find(const char *id);

/* cv_explain_text: append the whole entry as lines of at most `width` columns. */
void cv_explain_text(struct cv_buf *out, const struct cv_explain *x, unsigned width);

/* cv_wrap: append `text` broken at blanks into lines of at most `width` columns,
 * each but the first begun with `indent` blanks; the first is taken to begin at
 * column `at`. Words longer than a line stay whole. No newline at the end. */
void cv_wrap(struct cv_buf *out, const char *text, unsigned at, unsigned indent, unsigned width);

#endif
