/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simple.h: cosign's simple signing payload (sigstore/cosign
 * specs/SIGNATURE_SPEC.md), the document that a ".sig" tag's layer holds.
 *
 *     critical.type                          "cosign container image signature"
 *     critical.image.docker-manifest-digest  what was signed
 *     critical.identity.docker-reference     where it was signed, for people
 *     optional                               free
 *
 * The reference is no claim that anybody checks: cosign does not compare it, and
 * mirroring an image changes its name without changing its signature. It is
 * handed on so that a difference can be told.
 */
#ifndef CV_TRUST_SIMPLE_H
#define CV_TRUST_SIMPLE_H

#include "trust/base/digest.h"
#include "trust/base/limits.h"

#define CV_MT_SIMPLE "application/vnd.dev.cosign.simplesigning.v1+json"

struct cv_simple {
	struct cv_digest digest;
	char reference[CV_MAX_REF + 1]; /* "" if none; cut when longer */
};

/* cv_simple_parse: CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT; CV_R_UNSUPPORTED
 * for another type or digest algorithm. */
int cv_simple_parse(struct cv_simple *ret, const char *name, struct cv_span text,
		    struct cv_err *e) cv_must;

#endif
