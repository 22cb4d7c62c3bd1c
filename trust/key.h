/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h: the only raw signature check of the program.
 *
 * Which keys there are is the word of trust/base/pubkey.h.
 *
 *   key                              signatures that are looked for, in order
 *   ECDSA P-256 (named curve)        SHA-256
 *   ECDSA P-384                      SHA-384; SHA-256 (cosign before 3)
 *   ECDSA P-521                      SHA-512; SHA-256 (cosign before 3)
 *   Ed25519                          pure (RFC 8032)
 *   RSA                              PKCS #1 v1.5 with SHA-256; PSS with SHA-256
 *   RSASSA-PSS                       PSS with SHA-256, SHA-384 or SHA-512, as far
 *                                    as the key's own parameters allow
 *
 * ECDSA signatures are DER (RFC 3279 2.2.3), without trailing bytes; a high S is
 * accepted. cosign signs with PKCS #1 v1.5 whenever it has an rsaEncryption key;
 * Sigstore's registry also has PSS for such keys (PKIX_RSA_PSS_*), hence both.
 * Ed25519ph is CV_R_UNSUPPORTED (OpenSSL 3.0 has none).
 */
#ifndef CV_TRUST_KEY_H
#define CV_TRUST_KEY_H

#include "trust/base/digest.h"
#include "trust/base/frame.h"
#include "trust/base/limits.h"
#include "trust/base/pubkey.h"

/* cv_pubkey_details: the name that Sigstore's registry of algorithms has for
 * signatures by this key (PublicKeyDetails of sigstore_common.proto), and their
 * digest; NULL for a key that Rekor v2 takes none of, or that needs Ed25519ph. */
const char *cv_pubkey_details(const struct cv_pubkey *k, enum cv_alg *alg);

/*
 * A message: bytes in memory, or a range of a descriptor, of which digests are
 * made when first wanted and then kept. Borrowed: bytes and descriptor outlive
 * it. `absent`: nobody holds the bytes, no signature over them can be checked.
 */
struct cv_message {
	bool absent;
	bool known; /* absent, but its digests, as far as they are set, are true */
	struct cv_span bytes;
	struct cv_blob blob;        /* fd -1: bytes */
	struct cv_digest digest[3]; /* by enum cv_alg - 1; alg 0 not made yet */
	struct cv_buf all;          /* the blob's bytes, once a pure scheme wants them */
};

struct cv_message cv_message_bytes(struct cv_span bytes);
struct cv_message cv_message_blob(struct cv_blob blob);
struct cv_message cv_message_known(const struct cv_digest *d); /* only its digest is at hand */
void cv_message_free(struct cv_message *m);

/* cv_message_digest: CV_R_CUTOFF and the like when the bytes cannot be read. */
int cv_message_digest(struct cv_message *m, enum cv_alg alg, struct cv_digest *ret,
		      struct cv_err *e) cv_must;

/* cv_message_all: the bytes themselves, of the message. CV_R_UNSUPPORTED: absent, or
 * more than CV_MAX_PURE_MESSAGE. */
int cv_message_all(struct cv_message *m, struct cv_span *ret, struct cv_err *e) cv_must;

/* cv_pubkey_verify: 0 if and only if sig is a signature by k over m. CV_R_SIGNATURE
 * if it is none; any other reason: it could not be found out (CV_R_UNSUPPORTED for
 * an absent message or one too long for Ed25519). */
int cv_pubkey_verify(const struct cv_pubkey *k, struct cv_message *m, struct cv_span sig,
		     struct cv_err *e) cv_must;

/*
 * One way of signing and no other, for formats that name it beside the key (TUF's
 * "scheme"): what cv_pubkey_verify() also tries would there be another scheme's.
 */
enum cv_scheme {
	CV_SCHEME_ECDSA_P256 = 1, /* with SHA-256 */
	CV_SCHEME_ECDSA_P384,     /* with SHA-384 */
	CV_SCHEME_ED25519,        /* pure */
	CV_SCHEME_RSA_PSS,        /* with SHA-256, salt of any length; never PKCS #1 v1.5 */
};

/* cv_pubkey_fits: k is a key of that scheme. */
bool cv_pubkey_fits(const struct cv_pubkey *k, enum cv_scheme scheme);

/* cv_pubkey_verify_by: cv_pubkey_verify() by that scheme alone; a key that does not
 * fit it is CV_R_UNSUPPORTED. */
int cv_pubkey_verify_by(const struct cv_pubkey *k, enum cv_scheme scheme, struct cv_message *m,
			struct cv_span sig, struct cv_err *e) cv_must;

/* cv_signature_plausible: some key of the table above could have made these
 * bytes. Only for explaining why a signature does not verify. */
bool cv_signature_plausible(struct cv_span sig);

/* cv_key_warm: load what OpenSSL loads late, before the process is sealed. */
void cv_key_warm(void);

#endif
