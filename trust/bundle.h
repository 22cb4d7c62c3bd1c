/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h: Sigstore bundles, version 0.3 (sigstore/protobuf-specs
 * sigstore_bundle.proto in its JSON form), as read and not yet believed.
 *
 *     mediaType             application/vnd.dev.sigstore.bundle.v0.3+json, or the
 *                           older application/vnd.dev.sigstore.bundle+json;version=0.3
 *     verificationMaterial  exactly one of publicKey, certificate,
 *                           x509CertificateChain; log entries and timestamps
 *     one of messageSignature, dsseEnvelope
 *
 * Members are lowerCamelCase, null is absent, bytes are standard padded base64,
 * unknown members are passed over (real bundles have them). Log entries and
 * timestamps are counted and not read.
 */
#ifndef CV_TRUST_BUNDLE_H
#define CV_TRUST_BUNDLE_H

#include "trust/dsse.h"

#define CV_MT_BUNDLE     "application/vnd.dev.sigstore.bundle.v0.3+json"
#define CV_MT_BUNDLE_OLD "application/vnd.dev.sigstore.bundle+json;version=0.3"

struct cv_bundle {
	struct cv_material material;
	struct cv_envelope *envelope; /* NULL: a message signature */
	struct cv_digest digest;      /* of the message, as the bundle has it; alg 0 none */
	struct cv_buf signature;      /* of the message */
	size_t logs, timestamps;
};

/* cv_bundle_parse: CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT; CV_R_UNSUPPORTED
 * for another version or digest algorithm. */
int cv_bundle_parse(struct cv_bundle **ret, const char *name, struct cv_span text,
		    struct cv_err *e) cv_must;
void cv_bundle_free(struct cv_bundle **b);

#endif
