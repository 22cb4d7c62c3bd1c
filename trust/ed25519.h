/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ed25519.h: pure Ed25519 (RFC 8032 5.1.7) by a key of 32 bytes, for the formats
 * that carry bare keys (SSH, minisign, signify).
 *
 * OpenSSL refuses a signature whose S is not reduced. It does not refuse a public
 * key of small order, for which one signature fits many messages, nor a key in an
 * encoding that is not reduced, which would be a second name of the same key; both
 * are refused here, as libsodium does.
 */
#ifndef CV_TRUST_ED25519_H
#define CV_TRUST_ED25519_H

#include "trust/base/err.h"
#include "trust/base/span.h"

#define CV_ED25519_KEY 32
#define CV_ED25519_SIG 64

/* cv_ed25519_key: 0 if these are 32 bytes that may be a key. CV_R_MALFORMED,
 * CV_R_RULE (small order). */
int cv_ed25519_key(struct cv_span key, struct cv_err *e) cv_must;

/* cv_ed25519_verify: 0 if and only if sig is a signature by key over m; the key is
 * checked as above. CV_R_SIGNATURE if it is none. */
int cv_ed25519_verify(struct cv_span key, struct cv_span m, struct cv_span sig,
		      struct cv_err *e) cv_must;

#endif
