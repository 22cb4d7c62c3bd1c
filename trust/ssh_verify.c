/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_verify.c: signatures by SSH keys; see ssh_wire.h. Must never answer "verified"
 * to anything but OpenSSL's own 1. */
#include "trust/ssh_int.h"
#include "trust/ed25519.h"
#include "trust/base/ssl.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "trust/base/digest.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static int
no(struct cv_err *e)
{
	return cv_ssl_fail(e, CV_R_SIGNATURE, "the SSH signature does not verify");
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *key = NULL;

	if (ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* fromdata refuses a point that is not on the curve. */
static EVP_PKEY *
ec_key(const struct cv_ssh_key *k)
{
	const char *group = k->kind == CV_SSH_P384   ? "secp384r1"
			    : k->kind == CV_SSH_P521 ? "secp521r1"
						     : "prime256v1";
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (bld != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, k->point.p,
					     k->point.n) == 1)
		key = from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

static EVP_PKEY *
rsa_key(const struct cv_ssh_key *k)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(k->n.p, (int)k->n.n, NULL), *e = BN_bin2bn(k->e.p, (int)k->e.n, NULL);
	EVP_PKEY *key = NULL;

	if (bld != NULL && n != NULL && e != NULL &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = from_params("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(e);
	return key;
}

static EVP_PKEY *
any_key(const struct cv_ssh_key *k)
{
	if (k->kind == CV_SSH_ED25519 || k->kind == CV_SSH_SK_ED25519)
		return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, k->point.p,
						      k->point.n);
	return k->kind == CV_SSH_RSA ? rsa_key(k) : ec_key(k);
}

int
cv_ssh_key_der(struct cv_buf *out, const struct cv_ssh_key *k, struct cv_err *e)
{
	EVP_PKEY *key = any_key(k);
	unsigned char *der = NULL;
	int n = key != NULL ? i2d_PUBKEY(key, &der) : -1;

	EVP_PKEY_free(key);
	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED,
				   "found an SSH key that is no key of its kind");
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return cv_buf_ok(out, "an SSH key", e);
}

static int
check_once(const struct cv_ssh_key *k, const EVP_MD *md, struct cv_span m, struct cv_span sig,
	   struct cv_err *e)
{
	EVP_PKEY *key = k->kind == CV_SSH_RSA ? rsa_key(k) : ec_key(k);
	EVP_MD_CTX *ctx;
	int r;

	if (key == NULL)
		return cv_ssl_fail(e, CV_R_MALFORMED,
				   "found an SSH key that is no key of its kind");
	ctx = EVP_MD_CTX_new();
	r = ctx != NULL ? EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) : 0;
	if (r == 1) /* RSA: PKCS #1 v1.5 is the default */
		r = EVP_DigestVerify(ctx, sig.p, sig.n, m.p, m.n);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	if (r != 1)
		return no(e);
	cv_ssl_clear();
	return 0;
}

/* OpenSSL forgets at times that memory ran out, and says no. What is no twice is no. */
static int
check(const struct cv_ssh_key *k, const EVP_MD *md, struct cv_span m, struct cv_span sig,
      struct cv_err *e)
{
	struct cv_err why;

	if (check_once(k, md, m, sig, &why) == 0)
		return 0;
	return why.reason == CV_R_MEMORY ? cv_fail_memory(e) : check_once(k, md, m, sig, e);
}

/* RFC 5656 3.1.2: mpint r, mpint s; OpenSSL wants them in DER. */
static int
check_ecdsa(const struct cv_ssh_key *k, struct cv_span m, struct cv_span sig, struct cv_err *e)
{
	const EVP_MD *md = k->kind == CV_SSH_P384   ? EVP_sha384()
			   : k->kind == CV_SSH_P521 ? EVP_sha512()
						    : EVP_sha256();
	struct cv_span r = cv_ssh_mpint(&sig), s = cv_ssh_mpint(&sig);
	unsigned char *der = NULL;
	ECDSA_SIG *ecdsa;
	BIGNUM *br, *bs;
	int n = -1, ret;

	if (!cv_span_done(&sig) || r.n > 66 || s.n > 66)
		return cv_fail(
			e, CV_R_SIGNATURE,
			"found an ECDSA signature that is not two numbers in their one form");
	br = BN_bin2bn(r.p, (int)r.n, NULL);
	bs = BN_bin2bn(s.p, (int)s.n, NULL);
	ecdsa = ECDSA_SIG_new();
	if (br != NULL && bs != NULL && ecdsa != NULL && ECDSA_SIG_set0(ecdsa, br, bs) == 1) {
		br = bs = NULL;
		n = i2d_ECDSA_SIG(ecdsa, &der);
	}
	BN_free(br);
	BN_free(bs);
	ECDSA_SIG_free(ecdsa);
	if (n <= 0)
		return cv_fail_memory(e);
	ret = check(k, md, m, cv_span(der, (size_t)n), e);
	OPENSSL_free(der);
	return ret;
}

static int
check_rsa(const struct cv_ssh_key *k, const char *name, struct cv_span m, struct cv_span sig,
	  struct cv_err *e)
{
	if (sig.n != k->n.n)
		return cv_fail(e, CV_R_SIGNATURE,
			       "found an RSA signature of %zu bytes, want %zu as its key", sig.n,
			       k->n.n);
	return check(k, strcmp(name, "rsa-sha2-256") == 0 ? EVP_sha256() : EVP_sha512(), m, sig, e);
}

/* PROTOCOL.u2f: SHA256(application) ‖ flags ‖ counter ‖ SHA256(m). */
static int
check_fido(const struct cv_ssh_key *k, struct cv_span m, struct cv_span sig,
	   const struct cv_ssh_said *said, struct cv_err *e)
{
	struct cv_digest app, all;
	uint8_t over[32 + 1 + 4 + 32];

	if (cv_digest_of(&app, CV_SHA256, k->application, e) != 0 ||
	    cv_digest_of(&all, CV_SHA256, m, e) != 0)
		return -1;
	memcpy(over, app.b, 32);
	over[32] = said->flags;
	for (int i = 0; i < 4; i++)
		over[33 + i] = (uint8_t)(said->counter >> (24 - 8 * i));
	memcpy(over + 37, all.b, 32);
	m = cv_span(over, sizeof(over));
	if (k->kind == CV_SSH_SK_ED25519)
		return cv_ed25519_verify(k->point, m, sig, e);
	return check_ecdsa(k, m, sig, e);
}

static int
algorithm(const struct cv_ssh_key *k, struct cv_span name, const char **ret, struct cv_err *e)
{
	static const char *const rsa[] = { "rsa-sha2-512", "rsa-sha2-256" };
	char brief[CV_TEXT_BRIEF];

	if (k->kind != CV_SSH_RSA && cv_span_eq_str(name, k->name)) {
		*ret = k->name;
		return 0;
	}
	for (size_t i = 0; k->kind == CV_SSH_RSA && i < CV_COUNT(rsa); i++) {
		if (!cv_span_eq_str(name, rsa[i]))
			continue;
		*ret = rsa[i];
		return 0;
	}
	if (k->kind == CV_SSH_RSA && cv_span_eq_str(name, "ssh-rsa"))
		return cv_fail(e, CV_R_RULE,
			       "found an RSA signature over SHA-1, want rsa-sha2-256 or 512");
	if (k->kind == CV_SSH_SK_P256 && cv_span_has_prefix(name, "webauthn-"))
		return cv_fail(e, CV_R_UNSUPPORTED, "found a signature made by a web browser (%s)",
			       cv_text_brief(brief, name));
	return cv_fail(e, CV_R_SIGNATURE, "found a signature of algorithm %s by a key of kind %s",
		       cv_text_brief(brief, name), k->name);
}

int
cv_ssh_verify(const struct cv_ssh_key *k, struct cv_span m, struct cv_span sig, unsigned need,
	      struct cv_ssh_said *said, struct cv_err *e)
{
	struct cv_span s = sig, name = cv_ssh_string(&s), raw = cv_ssh_string(&s);
	bool fido = k->kind == CV_SSH_SK_ED25519 || k->kind == CV_SSH_SK_P256;
	const char *alg = NULL;

	*said = (struct cv_ssh_said){ 0 };
	cv_ssl_clear();
	if (s.bad)
		return cv_fail(e, CV_R_MALFORMED, "found an SSH signature that is cut off");
	if (algorithm(k, name, &alg, e) != 0)
		return -1;
	if (fido) {
		said->flags = cv_span_u8(&s);
		said->counter = cv_span_u32be(&s);
	}
	if (!cv_span_done(&s))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an SSH signature that is cut off or has bytes after it");
	if (k->kind == CV_SSH_RSA)
		return check_rsa(k, alg, m, raw, e);
	if (!fido)
		return k->kind == CV_SSH_ED25519 ? cv_ed25519_verify(k->point, m, raw, e)
						 : check_ecdsa(k, m, raw, e);
	if (check_fido(k, m, raw, said, e) != 0)
		return -1;
	if ((said->flags & need) != need)
		return cv_fail(e, CV_R_RULE,
			       "the FIDO key signed without what is required: flags 0x%02x, want "
			       "0x%02x (1 touched, 4 verified)",
			       said->flags, need);
	return 0;
}
