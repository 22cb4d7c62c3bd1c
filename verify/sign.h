/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h: this host's own signing keys and what they sign.
 *
 * A key is a file NAME.key: one PEM block "PRIVATE KEY" (PKCS #8, RFC 5958), not
 * encrypted, Ed25519 or ECDSA P-256, a regular file of this user that nobody
 * else may read. Beside it lies NAME.pub, PEM "PUBLIC KEY". Its id is
 * "sha256:<hex of the SHA-256 of the SubjectPublicKeyInfo>", as everywhere.
 *
 * What is signed is a DSSE envelope (secure-systems-lab/dsse, envelope.md and
 * protocol.md): the signature is over PAE(type, payload), ECDSA with SHA-256 in
 * DER, Ed25519 pure.
 */
#ifndef CV_SIGN_H
#define CV_SIGN_H

#include "verify/conf.h"
#include "verify/policy.h"
#include "verify/role.h"

struct cv_signkey;

enum cv_signalg { CV_SIGN_ED25519 = 1, CV_SIGN_P256 };

/* cv_signkey_make: a new key in `base`.key (mode 0600) and `base`.pub (0644);
 * CV_R_USAGE if one of them is there already: a key is never overwritten. */
int cv_signkey_make(const char *base, enum cv_signalg alg, struct cv_digest *id,
		    struct cv_err *e) cv_must;

/* cv_signkey_load: CV_R_CONFIG for a file that is missing, not a key of the kinds
 * above, of another user, or readable or writable by others. */
int cv_signkey_load(struct cv_signkey **ret, const char *path, struct cv_err *e) cv_must;
void cv_signkey_free(struct cv_signkey **k);

const struct cv_digest *cv_signkey_id(const struct cv_signkey *k);
const char *cv_signkey_pem(const struct cv_signkey *k); /* its public half, PEM */

/* cv_dsse_pae: append the bytes that a DSSE signature is over. */
void cv_dsse_pae(struct cv_buf *out, const char *type, struct cv_span payload);

/* cv_dsse_sign: append an envelope with one signature, as JSON. */
int cv_dsse_sign(const struct cv_signkey *k, const char *type, struct cv_span payload,
		 struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_dsse_as_written: these bytes are what cv_dsse_sign makes of that payload and its one
 * signature: no digest covers an envelope, so else a byte more or less would go unseen.
 * For one that cv_dsse_open opened. CV_R_DIGEST. */
int cv_dsse_as_written(struct cv_span envelope, const char *type, struct cv_span payload,
		       const char *keyid, struct cv_err *e) cv_must;

/*
 * cv_dsse_open: let the trust worker open an envelope of that payload type which
 * one of `keys` signed, and append its payload to out. *keyid (may be NULL, of
 * CV_DIGEST_TEXT bytes) is the key that did. Fails with the worker's reason:
 * CV_R_SIGNATURE, CV_R_IDENTITY and the like; CV_R_WORKER and its kin.
 */
int cv_dsse_open(const struct cv_role_opts *role, const char *name, struct cv_span envelope,
		 const char *type, const struct cv_key *keys, size_t nkeys, int64_t now,
		 struct cv_buf *out, char *keyid, struct cv_err *e) cv_must;

#endif
