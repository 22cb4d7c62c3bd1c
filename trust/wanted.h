/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wanted.h: what a signature on an image has to say besides the image (`cosign sign -a
 * KEY=VALUE`): "optional" of a simple signing payload, "annotations" of the subject in
 * a statement of cosign's sign type. All that policy names have to be there, each with
 * exactly that text; whatever else is there may be.
 */
#ifndef CV_TRUST_WANTED_H
#define CV_TRUST_WANTED_H

#include "trust/base/frame.h"
#include "trust/proven.h"

struct cv_wanted {
	struct cv_wanted_one {
		char *key, *value;
	} v[CV_MAX_ANNOTATIONS];
	size_t n;
};

/* cv_wanted_take: ITEM ANNOTATION. */
int cv_wanted_take(struct cv_wanted *w, struct cv_frame *item, struct cv_err *e) cv_must;
void cv_wanted_clear(struct cv_wanted *w);

/* Both: 0 it says all that is wanted (at once if nothing is), -1 CV_R_RULE with what
 * was found. cv_wanted_statement: of the subject with that digest. cv_wanted_none: of a
 * signature that can say nothing of the kind. */
int cv_wanted_simple(const struct cv_wanted *w, struct cv_span payload, struct cv_err *e) cv_must;
int cv_wanted_statement(const struct cv_wanted *w, const struct cv_verified *v,
			const struct cv_digest *about, struct cv_err *e) cv_must;
int cv_wanted_none(const struct cv_wanted *w, struct cv_err *e) cv_must;

#define CV_WANTED_CHECK "sig.annotation-mismatch"

#endif
