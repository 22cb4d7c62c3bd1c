/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c: the raw signature check of key.h. Must never answer "verified"
 * to anything but OpenSSL's own 1. */
#include "trust/key.h"
#include "trust/base/pubkey_int.h"
#include "trust/base/ssl.h"

#include <openssl/rsa.h>

#include "trust/base/banned.h"

const char *
cv_pubkey_details(const struct cv_pubkey *k, enum cv_alg *alg)
{
	static const struct {
		enum cv_family family;
		int bits;
		enum cv_alg alg;
		const char *name;
	} known[] = {
		{ CV_FAMILY_ECDSA, 256, CV_SHA256, "PKIX_ECDSA_P256_SHA_256" },
		{ CV_FAMILY_ECDSA, 384, CV_SHA384, "PKIX_ECDSA_P384_SHA_384" },
		{ CV_FAMILY_ECDSA, 521, CV_SHA512, "PKIX_ECDSA_P521_SHA_512" },
		{ CV_FAMILY_RSA, 2048, CV_SHA256, "PKIX_RSA_PKCS1V15_2048_SHA256" },
		{ CV_FAMILY_RSA, 3072, CV_SHA256, "PKIX_RSA_PKCS1V15_3072_SHA256" },
		{ CV_FAMILY_RSA, 4096, CV_SHA256, "PKIX_RSA_PKCS1V15_4096_SHA256" },
	};

	for (size_t i = 0; i < CV_COUNT(known); i++)
		if (k->family == known[i].family && EVP_PKEY_get_bits(k->pkey) == known[i].bits) {
			*alg = known[i].alg;
			return known[i].name;
		}
	return NULL;
}

/* ---- messages ---- */

struct cv_message
cv_message_bytes(struct cv_span bytes)
{
	return (struct cv_message){ .bytes = bytes, .blob = CV_NO_BLOB };
}

struct cv_message
cv_message_blob(struct cv_blob blob)
{
	return (struct cv_message){ .blob = blob, .absent = blob.fd < 0 };
}

struct cv_message
cv_message_known(const struct cv_digest *d)
{
	struct cv_message m = { .blob = CV_NO_BLOB, .absent = true, .known = true };

	if (d->alg != CV_ALG_NONE)
		m.digest[d->alg - CV_SHA256] = *d;
	return m;
}

void
cv_message_free(struct cv_message *m)
{
	cv_buf_free(&m->all);
}

int
cv_message_digest(struct cv_message *m, enum cv_alg alg, struct cv_digest *ret, struct cv_err *e)
{
	struct cv_digest *kept = &m->digest[alg - CV_SHA256];

	if (m->known && kept->alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "this wants the %s of the artifact, of which only another digest is "
			       "at hand",
			       cv_alg_name(alg));
	if (m->absent && !m->known)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "there are no bytes that a signature could be over");
	if (kept->alg == CV_ALG_NONE) {
		int r = m->blob.fd < 0
				? cv_digest_of(kept, alg, m->bytes, e)
				: cv_digest_fd(kept, alg, m->blob.fd, m->blob.off, m->blob.len, e);

		if (r != 0) {
			kept->alg = CV_ALG_NONE;
			return -1;
		}
	}
	*ret = *kept;
	return 0;
}

/* All bytes of the message at once. */
int
cv_message_all(struct cv_message *m, struct cv_span *ret, struct cv_err *e)
{
	if (m->absent)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "there are no bytes that a signature could be over");
	if (m->blob.fd < 0) {
		*ret = m->bytes;
		return 0;
	}
	if (m->blob.len > CV_MAX_PURE_MESSAGE)
		return cv_fail(
			e, CV_R_UNSUPPORTED,
			"an Ed25519 signature is over all bytes at once, and %llu are more than "
			"the %llu that are held; sign a statement about the digest instead",
			(unsigned long long)m->blob.len, CV_MAX_PURE_MESSAGE);
	if (m->all.n == 0 && m->blob.len > 0) {
		cv_buf_free(&m->all);
		m->all = CV_BUF((size_t)m->blob.len);
		if (cv_buf_pread(&m->all, m->blob.fd, m->blob.off, m->blob.len, "the artifact",
				 e) != 0) {
			cv_buf_free(&m->all);
			return -1;
		}
	}
	*ret = cv_buf_span(&m->all);
	return 0;
}

/* ---- checks ---- */

static const EVP_MD *
md_of(enum cv_alg alg)
{
	switch (alg) {
	case CV_SHA256:
		return EVP_sha256();
	case CV_SHA384:
		return EVP_sha384();
	case CV_SHA512:
		return EVP_sha512();
	case CV_ALG_NONE:
		break;
	}
	return NULL;
}

static int
no(struct cv_err *e)
{
	return cv_ssl_fail(e, CV_R_SIGNATURE, "the signature does not verify");
}

/* padding 0: none to set (ECDSA). */
static int
check_digest(const struct cv_pubkey *k, int padding, struct cv_message *m, enum cv_alg alg,
	     struct cv_span sig, struct cv_err *e)
{
	struct cv_digest d;
	EVP_PKEY_CTX *ctx;
	int r;

	if (cv_message_digest(m, alg, &d, e) != 0)
		return -1;
	ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	if (ctx == NULL)
		return cv_fail_memory(e);
	r = EVP_PKEY_verify_init(ctx);
	if (r == 1 && padding != 0)
		r = EVP_PKEY_CTX_set_rsa_padding(ctx, padding);
	if (r == 1)
		r = EVP_PKEY_CTX_set_signature_md(ctx, md_of(alg));
	if (r == 1 && padding == RSA_PKCS1_PSS_PADDING)
		r = EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO);
	if (r == 1) /* 1 yes, 0 no, negative: no, or an error in the queue */
		r = EVP_PKEY_verify(ctx, sig.p, sig.n, d.b, cv_alg_size(alg));
	EVP_PKEY_CTX_free(ctx);
	return r == 1 ? 0 : no(e);
}

static int
check_ed25519(const struct cv_pubkey *k, struct cv_message *m, struct cv_span sig, struct cv_err *e)
{
	static const uint8_t nothing[1];
	struct cv_span bytes = cv_span(NULL, 0);
	EVP_MD_CTX *ctx;
	int r;

	if (sig.n != 64) /* RFC 8032 5.1.7 */
		return no(e);
	if (cv_message_all(m, &bytes, e) != 0)
		return -1;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return cv_fail_memory(e);
	r = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey);
	if (r == 1)
		r = EVP_DigestVerify(ctx, sig.p, sig.n, bytes.n == 0 ? nothing : bytes.p, bytes.n);
	EVP_MD_CTX_free(ctx);
	return r == 1 ? 0 : no(e);
}

static int
verify(const struct cv_pubkey *k, struct cv_message *m, struct cv_span sig, struct cv_err *e)
{
	int padding = k->family == CV_FAMILY_RSA   ? RSA_PKCS1_PADDING
		      : k->family == CV_FAMILY_PSS ? RSA_PKCS1_PSS_PADDING
						   : 0;
	struct cv_err why;

	cv_ssl_clear();
	if (sig.n == 0 || sig.n > CV_MAX_SIGNATURE)
		return cv_fail(e, CV_R_SIGNATURE, "found a signature of %zu bytes", sig.n);
	if (k->family == CV_FAMILY_ED25519)
		return check_ed25519(k, m, sig, e);
	for (size_t i = 0; i < CV_COUNT(k->hash) && k->hash[i] != CV_ALG_NONE; i++) {
		if (check_digest(k, padding, m, k->hash[i], sig, &why) == 0)
			return 0;
		if (why.reason != CV_R_SIGNATURE)
			goto other;
	}
	if (k->family != CV_FAMILY_RSA)
		return no(e);
	if (check_digest(k, RSA_PKCS1_PSS_PADDING, m, CV_SHA256, sig, &why) == 0)
		return 0;
	if (why.reason == CV_R_SIGNATURE)
		return no(e);
other:
	return cv_fail(e, why.reason, "%s", why.text);
}

/* Some of OpenSSL's algorithms say no when memory runs out and leave no trace of it.
 * A no is therefore asked for twice: it cannot become a yes by that, and does not
 * call a good signature bad. */
int
cv_pubkey_verify(const struct cv_pubkey *k, struct cv_message *m, struct cv_span sig,
		 struct cv_err *e)
{
	struct cv_err why;

	if (verify(k, m, sig, &why) == 0)
		return 0;
	if (why.reason == CV_R_SIGNATURE)
		return verify(k, m, sig, e);
	return cv_fail(e, why.reason, "%s", why.text);
}

bool
cv_pubkey_fits(const struct cv_pubkey *k, enum cv_scheme scheme)
{
	switch (scheme) {
	case CV_SCHEME_ECDSA_P256:
		return k->family == CV_FAMILY_ECDSA && EVP_PKEY_get_bits(k->pkey) == 256;
	case CV_SCHEME_ECDSA_P384:
		return k->family == CV_FAMILY_ECDSA && EVP_PKEY_get_bits(k->pkey) == 384;
	case CV_SCHEME_ED25519:
		return k->family == CV_FAMILY_ED25519;
	case CV_SCHEME_RSA_PSS:
		return k->family == CV_FAMILY_RSA || k->family == CV_FAMILY_PSS;
	}
	return false;
}

static int
verify_by(const struct cv_pubkey *k, enum cv_scheme scheme, struct cv_message *m,
	  struct cv_span sig, struct cv_err *e)
{
	cv_ssl_clear();
	if (sig.n == 0 || sig.n > CV_MAX_SIGNATURE)
		return cv_fail(e, CV_R_SIGNATURE, "found a signature of %zu bytes", sig.n);
	switch (scheme) {
	case CV_SCHEME_ECDSA_P256:
		return check_digest(k, 0, m, CV_SHA256, sig, e);
	case CV_SCHEME_ECDSA_P384:
		return check_digest(k, 0, m, CV_SHA384, sig, e);
	case CV_SCHEME_ED25519:
		return check_ed25519(k, m, sig, e);
	case CV_SCHEME_RSA_PSS:
		return check_digest(k, RSA_PKCS1_PSS_PADDING, m, CV_SHA256, sig, e);
	}
	return cv_fail(e, CV_R_BUG, "no such signature scheme");
}

/* Asked twice, for the reason given at cv_pubkey_verify(). */
int
cv_pubkey_verify_by(const struct cv_pubkey *k, enum cv_scheme scheme, struct cv_message *m,
		    struct cv_span sig, struct cv_err *e)
{
	struct cv_err why;

	if (!cv_pubkey_fits(k, scheme))
		return cv_fail(e, CV_R_UNSUPPORTED, "found a key %s for another scheme", k->kind);
	if (verify_by(k, scheme, m, sig, &why) == 0)
		return 0;
	if (why.reason == CV_R_SIGNATURE)
		return verify_by(k, scheme, m, sig, e);
	return cv_fail(e, why.reason, "%s", why.text);
}

/* SEQUENCE { INTEGER r, INTEGER s } of one of the curves, in DER. */
static bool
looks_like_ecdsa(struct cv_span sig)
{
	unsigned length;

	if (cv_span_u8(&sig) != 0x30)
		return false;
	length = cv_span_u8(&sig);
	if (length == 0x81)
		length = cv_span_u8(&sig);
	else if (length > 0x7f)
		return false;
	if (sig.bad || length != sig.n)
		return false;
	for (int i = 0; i < 2; i++) {
		uint8_t tag = cv_span_u8(&sig), n = cv_span_u8(&sig);

		if (tag != 0x02 || n == 0 || n > 67)
			return false;
		cv_span_take(&sig, n);
	}
	return cv_span_done(&sig);
}

bool
cv_signature_plausible(struct cv_span sig)
{
	/* Ed25519, or an RSA modulus of whole bytes */
	return sig.n == 64 || (sig.n >= 256 && sig.n <= 1024) || looks_like_ecdsa(sig);
}

void
cv_key_warm(void)
{
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA512", NULL);

	EVP_MD_free(md);
	cv_ssl_clear();
}
