/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsa.h: the verdict as a document: an in-toto Statement v1 with the predicate
 * of SLSA's Verification Summary Attestation v1 (slsa.dev/spec/v1.1/
 * verification_summary), about everything that was decided on at once:
 *
 *     subject   bundle.json, launch-set, and for each artifact its index,
 *               manifest, config ("image:NAME/manifest") or tree ("tree:NAME")
 *     predicate verifier, timeVerified, resourceUri, policy, inputAttestations
 *               (all evidence that was used), verificationResult PASSED,
 *               verifiedLevels SLSA_BUILD_LEVEL_UNEVALUATED, and under the name
 *               CV_VSA_EXTENSION what SLSA has no field for: notBefore,
 *               notAfter, platform, image ids, each artifact's basis, what is
 *               not covered.
 *
 * Nothing but a passed, launchable result becomes one. It means something only
 * inside an envelope that a trusted key signed (sign.h); cv_vsa_read wants the
 * payload of such an envelope, opened.
 */
#ifndef CV_VSA_H
#define CV_VSA_H

#include "verify/launchset.h"
#include "verify/result.h"

#define CV_VSA_PREDICATE "https://slsa.dev/verification_summary/v1"
#define CV_VSA_EXTENSION "https://clawverify.dev/vsa/launch/v1"
#define CV_VSA_VERIFIER  "https://clawverify.dev/clawverify"

struct cv_vsa_in {
	const struct cv_result *result;
	const struct cv_launchset *set;
	struct cv_digest set_digest;
	struct cv_digest bundle; /* of bundle.json */
	struct cv_digest report; /* of report.json, or alg 0 */
	int64_t not_before, not_after;
};

/* cv_vsa_make: append the statement (canonical JSON). CV_R_BUG for a result that
 * does not allow a launch. */
int cv_vsa_make(struct cv_buf *out, const struct cv_vsa_in *in, struct cv_err *e) cv_must;

/* What a reader needs of it. */
struct cv_vsa {
	int64_t verified, not_before, not_after;
	struct cv_digest bundle, set, policy;
	struct cv_digest report; /* alg 0: none */
	char platform[200];
	char resource[600];
};

/* cv_vsa_read: CV_R_MALFORMED, CV_R_AMBIGUOUS; CV_R_RULE if it is no passed VSA
 * about a bundle. Times are not judged here. */
int cv_vsa_read(struct cv_vsa *ret, struct cv_span payload, struct cv_err *e) cv_must;

#endif
