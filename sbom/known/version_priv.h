/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version_priv.h: what the version orders share, and the PEP 440 order, which has
 * a file of its own.
 */
#ifndef CV_VERSION_PRIV_H
#define CV_VERSION_PRIV_H

#include "trust/base/span.h"

static inline bool
cv_v_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool
cv_v_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* cv_v_digits: take the leading digits, maybe none. */
struct cv_span cv_v_digits(struct cv_span *s);

/* cv_v_cmp_digits: numeric order of two digit strings; empty is 0. */
int cv_v_cmp_digits(struct cv_span a, struct cv_span b);

bool cv_pep440_ok(struct cv_span v);
int cv_pep440_cmp(struct cv_span a, struct cv_span b);

#endif
