/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsa.h: timestamps (RFC 3161) over a signature, by an authority of the trust root.
 *
 * The signer has to be the very certificate that the root lists first for the
 * authority: one that merely leads to the same anchor could have been put into the
 * token by anybody whom that anchor ever certified. SHA-1 is refused.
 */
#ifndef CV_TRUST_TSA_H
#define CV_TRUST_TSA_H

#include "trust/root_json.h"

struct cv_stamp {
	const struct cv_ca *tsa;
	int64_t ms;
};

/* cv_tsa_verify: `token` is a TimeStampResp, in DER and nothing after it.
 * CV_R_IDENTITY: by nobody whom the root knows. CV_R_SIGNATURE: by one whom it
 * knows, and wrong. CV_R_DIGEST: over another signature. CV_R_EXPIRED: outside the
 * authority's window, or its certificates were not valid. CV_R_MALFORMED,
 * CV_R_UNSUPPORTED. */
int cv_tsa_verify(struct cv_stamp *ret, const struct cv_root *root, struct cv_span token,
		  struct cv_span signature, struct cv_err *e) cv_must;

#endif
