/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h: certificates (RFC 5280), and the chain from a signer's to an authority of
 * the trust root at a given time.
 *
 * A certificate is taken only in the bytes that encoding it again gives, with
 * nothing after it, no extension twice, and a key that key.h knows.
 *
 * Chains are built from the authority's own certificates alone: what evidence
 * carries besides its leaf is never looked at, and the program asks no clock.
 * "Expired now" means nothing here; a chain is valid at the time of signing or not.
 */
#ifndef CV_TRUST_X509_H
#define CV_TRUST_X509_H

#include "trust/key.h"

#define CV_MAX_CERTIFICATE (64 * CV_KIB)
#define CV_MAX_CHAIN       8

/* A closed interval, milliseconds since the epoch; `open` has no end. */
struct cv_window {
	int64_t start, end;
	bool open;
};

bool cv_window_has(const struct cv_window *w, int64_t ms);

struct cv_cert;

/* cv_cert_load: from DER. CV_R_MALFORMED, CV_R_LIMIT, and what cv_pubkey_load()
 * says of its key. */
int cv_cert_load(struct cv_cert **ret, const char *name, struct cv_span der,
		 struct cv_err *e) cv_must;
void cv_cert_free(struct cv_cert **c);

struct cv_span cv_cert_der(const struct cv_cert *c);
const struct cv_pubkey *cv_cert_key(const struct cv_cert *c);

/* An authority of a trust root: what issues first, the anchor (which need not be
 * self-signed) last. For timestamps the first is the signer itself. */
struct cv_ca {
	struct cv_cert *cert[CV_MAX_CHAIN];
	size_t n;
	struct cv_window valid;
};

/* cv_chain_at: leaf was issued below ca and all of the chain is valid at ms, which
 * lies in the authority's window. *issuer: SHA-256 of the SubjectPublicKeyInfo of
 * who issued the leaf. CV_R_IDENTITY: another authority's. CV_R_EXPIRED: this
 * authority's, and not valid at that time. CV_R_RULE: breaks the profile. */
int cv_chain_at(const struct cv_ca *ca, const struct cv_cert *leaf, int64_t ms,
		struct cv_digest *issuer, struct cv_err *e) cv_must;

/* cv_cert_signs_code: the profile of a Sigstore signer's certificate: version 3, no
 * CA, key usage digitalSignature, extended key usage codeSigning. CV_R_RULE. */
int cv_cert_signs_code(const struct cv_cert *leaf, struct cv_err *e) cv_must;

#endif
