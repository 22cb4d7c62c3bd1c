/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubkey.h: public keys: which ones are taken, and what a key's id is. One rule for
 * whoever reads a key: the files of policies and gates in verify, trust roots and
 * evidence in trust. What is refused here is refused before anything is checked.
 *
 * A key is one PEM block "PUBLIC KEY" (RFC 7468 13; SubjectPublicKeyInfo, RFC
 * 5280 4.1) with nothing but white space around it, in DER as every encoder
 * writes it: decoding and encoding again gives the same bytes, so that a key has
 * one id, the SHA-256 of those bytes. Taken are
 *
 *   ECDSA P-256, P-384, P-521 (named curves)
 *   Ed25519
 *   RSA and RSASSA-PSS of 2048 to 8192 bits, e odd >= 65537
 *
 * Any other key, ML-DSA among them (OpenSSL 3.0 has none), is CV_R_UNSUPPORTED; a
 * key that is too weak is CV_R_RULE. A curve given by explicit parameters is
 * refused: it need not be the curve it looks like.
 */
#ifndef CV_PUBKEY_H
#define CV_PUBKEY_H

#include "digest.h"
#include "limits.h"

/* All kinds, for messages. */
#define CV_PUBKEY_KINDS "ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits"

struct cv_pubkey;

/* cv_pubkey_load: `name` is for messages. CV_R_MALFORMED, CV_R_UNSUPPORTED,
 * CV_R_RULE, CV_R_LIMIT. */
int cv_pubkey_load(struct cv_pubkey **ret, const char *name, struct cv_span pem,
		   struct cv_err *e) cv_must;

/* cv_pubkey_load_der: the same from a SubjectPublicKeyInfo, as trust roots and
 * certificates hold it. */
int cv_pubkey_load_der(struct cv_pubkey **ret, const char *name, struct cv_span der,
		       struct cv_err *e) cv_must;
void cv_pubkey_free(struct cv_pubkey **k);

const struct cv_digest *cv_pubkey_id(const struct cv_pubkey *k);
const char *cv_pubkey_kind(const struct cv_pubkey *k); /* "ECDSA P-256" */

/* cv_pubkey_der: append its SubjectPublicKeyInfo. */
int cv_pubkey_der(struct cv_buf *out, const struct cv_pubkey *k, struct cv_err *e) cv_must;

/* cv_pubkey_pem: append it as "openssl pkey -pubout" writes it. */
int cv_pubkey_pem(struct cv_buf *out, const struct cv_pubkey *k, struct cv_err *e) cv_must;

#endif
