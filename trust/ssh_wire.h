/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_wire.h: public keys, certificates and signatures in SSH's wire form (RFC 4251 5,
 * RFC 4253 6.6, RFC 5656 3, RFC 8332, RFC 8709, OpenSSH's PROTOCOL.u2f and
 * PROTOCOL.certkeys), read strictly: lengths add up, nothing follows, mpints are
 * positive and have no superfluous zero byte, points are not compressed. So a key has
 * one encoding, and equal keys are equal bytes.
 *
 *   key                                  signature algorithm it may make
 *   ssh-ed25519                          ssh-ed25519
 *   ecdsa-sha2-nistp256, 384, 521        the same; SHA-256, SHA-384, SHA-512
 *   ssh-rsa, 2048..8192, e odd >= 65537  rsa-sha2-256, rsa-sha2-512 (PKCS #1 v1.5)
 *   sk-ssh-ed25519@openssh.com           the same
 *   sk-ecdsa-sha2-nistp256@openssh.com   the same; webauthn-sk-ecdsa-... is unsupported
 *
 * Each also as NAME-cert-v01@openssh.com. "ssh-rsa" as a signature (SHA-1) is refused
 * (CV_R_RULE); keys of any other name, DSA and ML-DSA among them, are CV_R_UNSUPPORTED.
 * OpenSSH goes below 2048 bits and any e, and pads short RSA signatures; we do not.
 *
 * Spans point into the bytes that were parsed.
 */
#ifndef CV_TRUST_SSH_WIRE_H
#define CV_TRUST_SSH_WIRE_H

#include "trust/base/buf.h"
#include "trust/base/err.h"
#include "trust/base/span.h"

#define CV_SSH_MAX_BLOB       (64 * 1024) /* bytes of a key, certificate or signature */
#define CV_SSH_MAX_PRINCIPALS 256         /* of a certificate, as OpenSSH */
#define CV_SSH_MAX_NAME       64          /* bytes of an algorithm's name */

enum cv_ssh_kind {
	CV_SSH_ED25519 = 1,
	CV_SSH_P256,
	CV_SSH_P384,
	CV_SSH_P521,
	CV_SSH_RSA,
	CV_SSH_SK_ED25519,
	CV_SSH_SK_P256,
};

struct cv_ssh_key {
	enum cv_ssh_kind kind;
	const char *name;           /* "ssh-ed25519"; static storage */
	struct cv_span point;       /* Ed25519 key, or uncompressed point */
	struct cv_span n, e;        /* RSA, without leading zero */
	struct cv_span application; /* FIDO */
};

/* A certificate's words. Parsing proves nothing: cv_ssh_cert_signed() does. */
struct cv_ssh_cert {
	struct cv_ssh_key key; /* whose certificate it is */
	uint64_t serial;
	uint32_t type; /* 1 user, 2 host */
	struct cv_span id, principals, critical, extensions;
	uint64_t after, before; /* valid from and until (exclusive), Unix seconds */
	struct cv_ssh_key ca;
	struct cv_span tbs, signature;
};

/* What a FIDO authenticator said beside its signature; zero for other keys. */
#define CV_SSH_PRESENT  0x01u /* somebody touched it */
#define CV_SSH_VERIFIED 0x04u /* and was recognised: PIN, finger */

struct cv_ssh_said {
	uint8_t flags;
	uint32_t counter;
};

/* cv_ssh_string: take one string (u32 length, bytes); sets s->bad. */
struct cv_span cv_ssh_string(struct cv_span *s);

/* cv_ssh_key_parse: a plain key. CV_R_MALFORMED, CV_R_UNSUPPORTED, CV_R_RULE (too
 * weak). A certificate is CV_R_MALFORMED here. */
int cv_ssh_key_parse(struct cv_ssh_key *ret, struct cv_span blob, struct cv_err *e) cv_must;
bool cv_ssh_key_eq(const struct cv_ssh_key *a, const struct cv_ssh_key *b);

/* cv_ssh_key_der: append its SubjectPublicKeyInfo, so that a key has one id in whatever
 * form it came; of a FIDO key, that of the key in it. CV_R_MALFORMED. */
int cv_ssh_key_der(struct cv_buf *out, const struct cv_ssh_key *k, struct cv_err *e) cv_must;

/* cv_ssh_is_cert: the blob's name says that it is a certificate. */
bool cv_ssh_is_cert(struct cv_span blob);
int cv_ssh_cert_parse(struct cv_ssh_cert *ret, struct cv_span blob, struct cv_err *e) cv_must;

/* cv_ssh_cert_signed: the signature of the CA that the certificate itself names. */
int cv_ssh_cert_signed(const struct cv_ssh_cert *c, struct cv_err *e) cv_must;

/* cv_ssh_verify: 0 if and only if sig (wire form) is by k over m. FIDO keys must
 * have said all of `need`, CV_SSH_PRESENT or more: else CV_R_RULE. CV_R_SIGNATURE,
 * CV_R_MALFORMED, CV_R_UNSUPPORTED, CV_R_RULE (SHA-1). */
int cv_ssh_verify(const struct cv_ssh_key *k, struct cv_span m, struct cv_span sig, unsigned need,
		  struct cv_ssh_said *said, struct cv_err *e) cv_must;

/* cv_ssh_name: the algorithm of a key or signature blob made fit for a message. */
#define CV_SSH_NAME_TEXT 800
const char *cv_ssh_name(struct cv_span blob, char out[CV_SSH_NAME_TEXT]);

#endif
