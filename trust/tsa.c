/* SPDX-License-Identifier: Apache-2.0 */
/* tsa.c: see tsa.h. Must never believe a time because of a certificate that came
 * with the token. */
#include "trust/tsa.h"
#include "trust/base/ssl.h"
#include "trust/x509_int.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static bool
is_strong(const ASN1_OBJECT *alg)
{
	int nid = OBJ_obj2nid(alg);

	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* "YYYYMMDDhhmmss[.f...]Z" (RFC 3161 2.4.2) as milliseconds. */
static int
time_of(int64_t *ms, const ASN1_GENERALIZEDTIME *t, struct cv_err *e)
{
	struct cv_span s = cv_span(ASN1_STRING_get0_data(t), (size_t)ASN1_STRING_length(t));
	char text[24];
	int64_t seconds, part = 0, unit = 100;

	if (s.n < 15 || s.p[s.n - 1] != 'Z')
		return cv_fail(e, CV_R_MALFORMED, "a timestamp's time is not in UTC");
	cv_text_fmt(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", (const char *)s.p,
		    (const char *)s.p + 4, (const char *)s.p + 6, (const char *)s.p + 8,
		    (const char *)s.p + 10, (const char *)s.p + 12);
	if (cv_time_parse(&seconds, cv_span_str(text), e) != 0)
		return cv_fail_within(e, "a timestamp's time");
	cv_span_take(&s, 14);
	if (s.n > 1 && (cv_span_u8(&s) != '.' || s.n == 1))
		return cv_fail(e, CV_R_MALFORMED, "a timestamp's time is malformed");
	for (; s.n > 1; unit /= 10) {
		uint8_t c = cv_span_u8(&s);

		if (c < '0' || c > '9')
			return cv_fail(e, CV_R_MALFORMED, "a timestamp's time is malformed");
		part += (c - '0') * unit;
	}
	*ms = seconds * 1000 + part;
	return 0;
}

static int
check_algorithms(TS_RESP *resp, struct cv_err *e)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(TS_RESP_get_token(resp));
	const ASN1_OBJECT *alg;

	if (sk_PKCS7_SIGNER_INFO_num(signers) != 1)
		return cv_fail(e, CV_R_MALFORMED, "a timestamp has %d signers, want one",
			       sk_PKCS7_SIGNER_INFO_num(signers));
	X509_ALGOR_get0(&alg, NULL, NULL, sk_PKCS7_SIGNER_INFO_value(signers, 0)->digest_alg);
	if (!is_strong(alg))
		return cv_fail(e, CV_R_UNSUPPORTED, "a timestamp is signed over a weak digest");
	X509_ALGOR_get0(&alg, NULL, NULL,
			TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
	if (!is_strong(alg))
		return cv_fail(e, CV_R_UNSUPPORTED, "a timestamp has a weak digest");
	return 0;
}

static STACK_OF(X509) * certificates(const struct cv_ca *tsa)
{
	STACK_OF(X509) *list = sk_X509_new_null();

	for (size_t i = 0; list != NULL && i < tsa->n; i++) {
		X509_up_ref(tsa->cert[i]->x);
		if (sk_X509_push(list, tsa->cert[i]->x) == 0) {
			X509_free(tsa->cert[i]->x);
			sk_X509_pop_free(list, X509_free);
			return NULL;
		}
	}
	return list;
}

/* The token names this authority's own certificate as its signer. */
static bool
is_by(TS_RESP *resp, const struct cv_ca *tsa)
{
	PKCS7_SIGNER_INFO *si =
		sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(TS_RESP_get_token(resp)), 0);
	PKCS7_ISSUER_AND_SERIAL *ias = si->issuer_and_serial;
	X509 *x = tsa->cert[0]->x;

	return X509_NAME_cmp(ias->issuer, X509_get_issuer_name(x)) == 0 &&
	       ASN1_INTEGER_cmp(ias->serial, X509_get0_serialNumber(x)) == 0;
}

/* Of the certificates in the token none may pass for the authority's. */
static bool
signer_is(TS_RESP *resp, const struct cv_ca *tsa, STACK_OF(X509) * list)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(TS_RESP_get_token(resp), list, 0);
	bool same = signers != NULL && sk_X509_num(signers) == 1 &&
		    X509_cmp(sk_X509_value(signers, 0), tsa->cert[0]->x) == 0;

	sk_X509_free(signers);
	return same;
}

static X509_STORE *
store_at(const struct cv_ca *tsa, int64_t ms)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param;

	if (store == NULL)
		return NULL;
	param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(param, (time_t)(ms / 1000));
	X509_VERIFY_PARAM_set_auth_level(param, 1);
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
	    X509_STORE_add_cert(store, tsa->cert[tsa->n - 1]->x) != 1) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

/* Why OpenSSL says no, from its queue's last words. Its own texts are not loaded: they cost
 * each worker 200 KiB. */
static int
why_not(struct cv_err *e)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_TS ? ERR_GET_REASON(code) : 0;

	switch (reason) {
	case TS_R_MESSAGE_IMPRINT_MISMATCH:
		return cv_ssl_fail(e, CV_R_DIGEST, "a timestamp is over another signature");
	case TS_R_CERTIFICATE_VERIFY_ERROR:
		return cv_ssl_fail(e, CV_R_SIGNATURE,
				   "a timestamp does not verify (its signer's certificate)");
	case TS_R_ESS_SIGNING_CERTIFICATE_ERROR:
		return cv_ssl_fail(e, CV_R_SIGNATURE,
				   "a timestamp does not verify (it names another certificate "
				   "than its signer's)");
	default:
		return cv_ssl_fail(e, CV_R_SIGNATURE,
				   "a timestamp does not verify (OpenSSL's error %08lx)", code);
	}
}

static int
check(TS_RESP *resp, const struct cv_ca *tsa, int64_t ms, struct cv_span signature,
      struct cv_err *e)
{
	STACK_OF(X509) *list = certificates(tsa);
	X509_STORE *store = store_at(tsa, ms);
	TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	BIO *data = BIO_new_mem_buf(signature.p, (int)signature.n);
	int r;

	if (list == NULL || store == NULL || ctx == NULL || data == NULL) {
		sk_X509_pop_free(list, X509_free);
		X509_STORE_free(store);
		TS_VERIFY_CTX_free(ctx);
		BIO_free(data);
		return cv_fail_memory(e);
	}
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA);
	TS_VERIFY_CTX_set_store(ctx, store); /* all three are the context's now */
	TS_VERIFY_CTX_set_data(ctx, data);
	TS_VERIFY_CTX_set_certs(ctx, list);
	cv_ssl_clear();
	if (!signer_is(resp, tsa, list))
		r = cv_ssl_fail(e, CV_R_IDENTITY,
				"a timestamp's signer is not the authority of the trust root");
	else
		r = TS_RESP_verify_response(ctx, resp) == 1 ? 0 : why_not(e);
	TS_VERIFY_CTX_free(ctx);
	cv_ssl_clear();
	return r;
}

static bool
in_certificate(const struct cv_cert *c, int64_t ms)
{
	int from = ASN1_TIME_cmp_time_t(X509_get0_notBefore(c->x), (time_t)(ms / 1000));
	int to = ASN1_TIME_cmp_time_t(X509_get0_notAfter(c->x), (time_t)(ms / 1000));

	return (from == -1 || from == 0) && (to == 1 || to == 0); /* -2: no time at all */
}

static int
judge(struct cv_stamp *ret, const struct cv_root *root, TS_RESP *resp, struct cv_span signature,
      struct cv_err *e)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	char when[CV_TIME_TEXT];
	bool known = false;

	if (info == NULL) /* as every token has one */
		return cv_fail(e, CV_R_MALFORMED, "a timestamp has no token: it was not granted");
	if (time_of(&ret->ms, TS_TST_INFO_get_time(info), e) != 0 || check_algorithms(resp, e) != 0)
		return -1;
	for (size_t i = 0; i < root->tsas; i++) {
		const struct cv_ca *tsa = &root->tsa[i];

		if (!is_by(resp, tsa))
			continue;
		known = true;
		if (!cv_window_has(&tsa->valid, ret->ms) || !in_certificate(tsa->cert[0], ret->ms))
			continue;
		ret->tsa = tsa;
		return check(resp, tsa, ret->ms, signature, e);
	}
	if (known)
		return cv_fail(e, CV_R_EXPIRED,
			       "a timestamp is of %s, when its authority is not trusted",
			       cv_time_text(ret->ms / 1000, when));
	return cv_fail(e, CV_R_IDENTITY, "a timestamp is by nobody whom the trust root knows");
}

int
cv_tsa_verify(struct cv_stamp *ret, const struct cv_root *root, struct cv_span token,
	      struct cv_span signature, struct cv_err *e)
{
	const unsigned char *p = token.p;
	TS_RESP *resp;
	int r;

	if (signature.n == 0 || signature.n > CV_MAX_SIGNATURE)
		return cv_fail(e, CV_R_MALFORMED, "found a timestamp over no signature");
	cv_ssl_clear();
	resp = d2i_TS_RESP(NULL, &p, (long)token.n);
	if (resp == NULL || p != token.p + token.n)
		r = cv_ssl_fail(e, CV_R_MALFORMED, "found a timestamp that is no TimeStampResp");
	else
		r = judge(ret, root, resp, signature, e);
	TS_RESP_free(resp);
	cv_ssl_clear();
	return r;
}
