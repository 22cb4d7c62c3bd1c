/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h: Sigstore bundles (sigstore/protobuf-specs sigstore_bundle.proto in its
 * JSON form), as read and not yet believed.
 *
 *     mediaType             application/vnd.dev.sigstore.bundle.v0.3+json, or the
 *                           older application/vnd.dev.sigstore.bundle+json;version=0.3;
 *                           0.1 and 0.2 of the latter where all is read
 *     verificationMaterial  exactly one of publicKey, certificate,
 *                           x509CertificateChain; log entries and timestamps
 *     one of messageSignature, dsseEnvelope
 *
 * Members are lowerCamelCase, null is absent, bytes are standard padded base64,
 * unknown members are passed over (real bundles have them). cv_bundle_parse() counts
 * log entries and timestamps and leaves them and the certificate unread;
 * cv_bundle_parse_whole() reads all. Of a chain only the first certificate is taken:
 * who issued it is in the trust root, or nobody is.
 */
#ifndef CV_TRUST_BUNDLE_H
#define CV_TRUST_BUNDLE_H

#include "trust/dsse.h"
#include "trust/rekor.h"

#define CV_MT_BUNDLE     "application/vnd.dev.sigstore.bundle.v0.3+json"
#define CV_MT_BUNDLE_OLD "application/vnd.dev.sigstore.bundle+json;version=0.3"

#define CV_MAX_STAMP (64 * CV_KIB) /* one timestamp */

struct cv_bundle {
	struct cv_material material;
	struct cv_envelope *envelope; /* NULL: a message signature */
	struct cv_digest digest;      /* of the message, as the bundle has it; alg 0 none */
	struct cv_buf signature;      /* of the message */
	size_t logs, timestamps;

	/* read by cv_bundle_parse_whole() */
	unsigned minor; /* of its version, 0.1 to 0.3 */
	struct cv_cert *leaf;
	struct cv_log_entry *entry[CV_MAX_TLOG_ENTRIES];
	struct cv_buf stamp[CV_MAX_TLOG_ENTRIES]; /* RFC 3161 responses */
};

/* cv_bundle_parse: CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT; CV_R_UNSUPPORTED
 * for another version or digest algorithm. */
int cv_bundle_parse(struct cv_bundle **ret, const char *name, struct cv_span text,
		    struct cv_err *e) cv_must;
int cv_bundle_parse_whole(struct cv_bundle **ret, const char *name, struct cv_span text,
			  struct cv_err *e) cv_must;
void cv_bundle_free(struct cv_bundle **b);

#endif
