/* SPDX-License-Identifier: Apache-2.0 */
/* x509.c: see x509.h. Must never put a certificate of the evidence among those
 * that are trusted, nor ask for the present time. */
#include "trust/x509_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/ssl.h"

#include "trust/base/banned.h"

bool
cv_window_has(const struct cv_window *w, int64_t ms)
{
	return ms >= w->start && (w->open || ms <= w->end);
}

/* ---- loading ---- */

void
cv_cert_free(struct cv_cert **c)
{
	if (*c == NULL)
		return;
	X509_free((*c)->x);
	cv_buf_free(&(*c)->der);
	cv_pubkey_free(&(*c)->key);
	free(*c);
	*c = NULL;
}

struct cv_span
cv_cert_der(const struct cv_cert *c)
{
	return cv_buf_span(&c->der);
}

const struct cv_pubkey *
cv_cert_key(const struct cv_cert *c)
{
	return c->key;
}

static int
decode(struct cv_cert *c, const char *name, struct cv_span der, struct cv_err *e)
{
	const unsigned char *p = der.p;
	unsigned char *again = NULL;
	bool same;
	int n;

	c->x = d2i_X509(NULL, &p, (long)der.n);
	if (c->x == NULL)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found no certificate", name);
	if (p != der.p + der.n)
		return cv_fail(e, CV_R_MALFORMED, "%s: found %zu bytes after the certificate", name,
			       (size_t)(der.p + der.n - p));
	n = i2d_X509(c->x, &again);
	same = n > 0 && (size_t)n == der.n && memcmp(again, der.p, der.n) == 0;
	OPENSSL_free(again);
	if (!same)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found a certificate that is not DER",
				   name);
	/* OpenSSL decodes the key once, while it reads; where that fails it goes on with none
	 * or with one that is good for nothing, and forgets why */
	if (X509_get0_pubkey(c->x) == NULL ||
	    EVP_PKEY_get_security_bits(X509_get0_pubkey(c->x)) < 80)
		return cv_ssl_fail(e, CV_R_UNSUPPORTED, "%s: found a key that cannot be decoded",
				   name);
	/* reads all extensions, and says so when one of them is none */
	if (X509_get_extension_flags(c->x) & EXFLAG_INVALID)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found an extension that is malformed",
				   name);
	return 0;
}

/* RFC 5280 4.2: no more than one instance of an extension */
static int
extensions_once(const struct cv_cert *c, const char *name, struct cv_err *e)
{
	int n = X509_get_ext_count(c->x);

	if (n > 64)
		return cv_fail(e, CV_R_LIMIT, "%s: found %d extensions, want at most 64", name, n);
	for (int i = 0; i < n; i++) {
		const ASN1_OBJECT *o = X509_EXTENSION_get_object(X509_get_ext(c->x, i));

		if (X509_get_ext_by_OBJ(c->x, o, i) >= 0)
			return cv_fail(e, CV_R_MALFORMED, "%s: found an extension twice", name);
	}
	return 0;
}

static int
load_key(struct cv_cert *c, const char *name, struct cv_err *e)
{
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &spki);
	int r;

	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found no key", name);
	r = cv_pubkey_load_der(&c->key, name, cv_span(spki, (size_t)n), e);
	OPENSSL_free(spki);
	return r;
}

static int
load(struct cv_cert **ret, const char *name, struct cv_span der, struct cv_err *e)
{
	cv_auto(cv_cert_free) struct cv_cert *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return cv_fail_memory(e);
	if (der.n == 0 || der.n > CV_MAX_CERTIFICATE)
		return cv_fail(e, der.n == 0 ? CV_R_MALFORMED : CV_R_LIMIT,
			       "%s: found a certificate of %zu bytes, want 1 to %llu", name, der.n,
			       CV_MAX_CERTIFICATE);
	c->der = CV_BUF(CV_MAX_CERTIFICATE);
	cv_buf_add(&c->der, der.p, der.n);
	cv_ssl_clear();
	if (cv_buf_ok(&c->der, name, e) != 0 || decode(c, name, cv_buf_span(&c->der), e) != 0 ||
	    extensions_once(c, name, e) != 0 || load_key(c, name, e) != 0)
		return -1;
	cv_ssl_clear();
	*ret = cv_steal(c);
	return 0;
}

/* A no is asked for twice, as in key.c: lack of memory leaves no trace everywhere. */
int
cv_cert_load(struct cv_cert **ret, const char *name, struct cv_span der, struct cv_err *e)
{
	struct cv_err why;

	if (load(ret, name, der, &why) == 0)
		return 0;
	if (why.reason == CV_R_MEMORY)
		return cv_fail_memory(e);
	return load(ret, name, der, e);
}

/* ---- chains ---- */

static bool
is_time(int error)
{
	return error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED;
}

static bool
is_other(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       error == X509_V_ERR_CERT_SIGNATURE_FAILURE;
}

/* An authority that says what for may issue for nothing else (RFC 5280 4.2.1.12 as
 * everybody reads it for authorities). */
static int
issuers_sign_code(STACK_OF(X509) * chain, struct cv_err *e)
{
	for (int i = 1; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);

		if ((X509_get_extension_flags(x) & EXFLAG_XKUSAGE) != 0 &&
		    (X509_get_extended_key_usage(x) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0)
			return cv_fail(e, CV_R_RULE,
				       "an authority of the certificate may not issue for code "
				       "signing");
	}
	return 0;
}

static int
judge_chain(X509_STORE_CTX *ctx, struct cv_digest *issuer, struct cv_err *e)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	unsigned char *spki = NULL;
	int n, r;

	if (sk_X509_num(chain) < 2)
		return cv_fail(e, CV_R_IDENTITY, "the certificate is an authority's own");
	if (issuers_sign_code(chain, e) != 0)
		return -1;
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(sk_X509_value(chain, 1)), &spki);
	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED, "the issuer's key cannot be encoded");
	r = cv_digest_of(issuer, CV_SHA256, cv_span(spki, (size_t)n), e);
	OPENSSL_free(spki);
	return r;
}

static int
verify(X509_STORE_CTX *ctx, int64_t ms, struct cv_digest *issuer, struct cv_err *e)
{
	char when[CV_TIME_TEXT];
	int error;

	if (X509_verify_cert(ctx) == 1)
		return judge_chain(ctx, issuer, e);
	error = X509_STORE_CTX_get_error(ctx);
	if (is_time(error))
		return cv_ssl_fail(e, CV_R_EXPIRED,
				   "at %s, when it signed, the certificate%s was not valid (%s)",
				   cv_time_text(ms / 1000, when),
				   X509_STORE_CTX_get_error_depth(ctx) > 0 ? "'s authority" : "",
				   X509_verify_cert_error_string(error));
	return cv_ssl_fail(e, is_other(error) ? CV_R_IDENTITY : CV_R_RULE,
			   "the certificate does not lead to an authority of the trust root (%s)",
			   X509_verify_cert_error_string(error));
}

/* All that is trusted is the last of the authority's certificates. */
static int
prepare(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) * between, const struct cv_ca *ca,
	const struct cv_cert *leaf, int64_t ms)
{
	X509_VERIFY_PARAM *param;

	if (ctx == NULL || store == NULL || between == NULL || ca->n == 0)
		return 0;
	if (X509_STORE_add_cert(store, ca->cert[ca->n - 1]->x) != 1)
		return 0;
	for (size_t i = 0; i + 1 < ca->n; i++)
		if (sk_X509_push(between, ca->cert[i]->x) == 0)
			return 0;
	if (X509_STORE_CTX_init(ctx, store, leaf->x, between) != 1)
		return 0;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(ms / 1000));
	X509_VERIFY_PARAM_set_depth(param, CV_MAX_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(param, 1);
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
							  X509_V_FLAG_X509_STRICT) == 1 &&
	       X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) == 1;
}

int
cv_chain_at(const struct cv_ca *ca, const struct cv_cert *leaf, int64_t ms,
	    struct cv_digest *issuer, struct cv_err *e)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	char when[CV_TIME_TEXT];
	int r;

	cv_ssl_clear();
	if (prepare(ctx, store, between, ca, leaf, ms) != 1)
		r = cv_ssl_fail(e, CV_R_BUG, "the chain of a certificate could not be set up");
	else
		r = verify(ctx, ms, issuer, e);
	if (r == 0 && !cv_window_has(&ca->valid, ms))
		r = cv_fail(e, CV_R_EXPIRED,
			    "it was signed at %s, when the trust root does not have its authority",
			    cv_time_text(ms / 1000, when));
	X509_STORE_CTX_free(ctx);
	sk_X509_free(between);
	X509_STORE_free(store);
	cv_ssl_clear();
	return r;
}

int
cv_cert_signs_code(const struct cv_cert *leaf, struct cv_err *e)
{
	uint32_t flags = X509_get_extension_flags(leaf->x);

	if (X509_get_version(leaf->x) != X509_VERSION_3)
		return cv_fail(e, CV_R_RULE, "the signer's certificate is not of version 3");
	/* one says that it is, the other that it may act as one */
	if ((flags & EXFLAG_CA) != 0 || X509_check_ca(leaf->x) != 0)
		return cv_fail(e, CV_R_RULE, "the signer's certificate is an authority's");
	if ((flags & EXFLAG_KUSAGE) == 0 ||
	    (X509_get_key_usage(leaf->x) & KU_DIGITAL_SIGNATURE) == 0)
		return cv_fail(e, CV_R_RULE,
			       "the signer's certificate is not for digital signatures");
	if ((flags & EXFLAG_XKUSAGE) == 0 ||
	    (X509_get_extended_key_usage(leaf->x) & XKU_CODE_SIGN) == 0)
		return cv_fail(e, CV_R_RULE, "the signer's certificate is not for code signing");
	return 0;
}
