/* SPDX-License-Identifier: Apache-2.0 */
/* forge_cert.c: the certificates of forge_sigstore.h. */
#include "tests/support/forge_cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "trust/base/banned.h"

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

void
f_sign_with(struct cv_buf *out, EVP_PKEY *key, struct cv_span bytes)
{
	int id = EVP_PKEY_get_id(key);
	bool pure = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[512];
	size_t n = sizeof(sig);

	MUST(ctx != NULL &&
	     EVP_DigestSignInit(ctx, NULL, pure ? NULL : EVP_sha256(), NULL, key) == 1);
	MUST(EVP_DigestSign(ctx, sig, &n, bytes.p, bytes.n) == 1);
	cv_buf_add(out, sig, n);
	EVP_MD_CTX_free(ctx);
}

void
f_spki(struct cv_buf *out, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	MUST(n > 0);
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
}

void
f_cert_der(struct cv_buf *out, X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	MUST(n > 0);
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
}

void
f_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer == NULL ? x : issuer, x, NULL, NULL, 0);
	ctx.db = NULL;
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/* Raw bytes under an OID. */
void
f_ext_raw(X509 *x, const char *oid, struct cv_span value)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	MUST(o != NULL && s != NULL && ASN1_OCTET_STRING_set(s, value.p, (int)value.n) == 1);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, 0, s);
	MUST(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
}

X509 *
f_cert_new(EVP_PKEY *key, const char *name, X509 *issuer, int64_t from, int64_t to)
{
	X509 *x = X509_new();
	X509_NAME *n;
	unsigned char serial[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	BIGNUM *b = BN_bin2bn(serial, 8, NULL);

	MUST(x != NULL && b != NULL && BN_rand(b, 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
	MUST(X509_set_version(x, X509_VERSION_3) == 1);
	MUST(BN_to_ASN1_INTEGER(b, X509_get_serialNumber(x)) != NULL);
	BN_free(b);
	MUST(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to) != NULL);
	MUST(X509_set_pubkey(x, key) == 1);
	n = X509_get_subject_name(x);
	if (name != NULL)
		MUST(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1,
						-1, 0) == 1);
	MUST(X509_set_issuer_name(x, issuer == NULL ? n : X509_get_subject_name(issuer)) == 1);
	return x;
}

static X509 *
authority(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by, const char *eku)
{
	X509 *x = f_cert_new(key, name, issuer, F_CA_FROM, F_CA_TO);

	f_ext(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
	f_ext(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	f_ext(x, issuer, NID_subject_key_identifier, "hash");
	if (eku != NULL)
		f_ext(x, issuer, NID_ext_key_usage, eku);
	if (issuer != NULL)
		f_ext(x, issuer, NID_authority_key_identifier, "keyid");
	MUST(X509_sign(x, by, EVP_sha256()) > 0);
	return x;
}

/* An authority, self-signed where there is no issuer. */
X509 *
f_cert_ca(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by)
{
	return authority(key, name, issuer, by, NULL);
}

/* One that may issue for servers alone. */
X509 *
f_cert_web(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by)
{
	return authority(key, name, issuer, by, "serverAuth");
}

/* Whoever gives the time. */
X509 *
f_cert_tsa(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by)
{
	X509 *x = f_cert_new(key, name, issuer, F_CA_FROM, F_CA_TO);

	f_ext(x, issuer, NID_key_usage, "critical,digitalSignature");
	f_ext(x, issuer, NID_ext_key_usage, "critical,timeStamping");
	f_ext(x, issuer, NID_subject_key_identifier, "hash");
	f_ext(x, issuer, NID_authority_key_identifier, "keyid");
	MUST(X509_sign(x, by, EVP_sha256()) > 0);
	return x;
}

/* ---- timestamps ---- */

static ASN1_INTEGER *
serial(TS_RESP_CTX *ctx, void *data)
{
	ASN1_INTEGER *i = ASN1_INTEGER_new();

	(void)ctx;
	(void)data;
	MUST(i != NULL && ASN1_INTEGER_set(i, 7) == 1);
	return i;
}

static int
moment(TS_RESP_CTX *ctx, void *data, long *seconds, long *micro)
{
	const int64_t *ms = data;

	(void)ctx;
	*seconds = (long)(*ms / 1000);
	*micro = (long)(*ms % 1000) * 1000;
	return 1;
}

static BIO *
request(struct cv_span signature, bool sha1)
{
	const EVP_MD *md = sha1 ? EVP_sha1() : EVP_sha256();
	TS_REQ *req = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *alg = X509_ALGOR_new();
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(req != NULL && imprint != NULL && alg != NULL && bio != NULL);
	MUST(EVP_Digest(signature.p, signature.n, hash, &n, md, NULL) == 1);
	MUST(X509_ALGOR_set0(alg, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, NULL) == 1);
	MUST(TS_MSG_IMPRINT_set_algo(imprint, alg) == 1);
	MUST(TS_MSG_IMPRINT_set_msg(imprint, hash, (int)n) == 1);
	MUST(TS_REQ_set_version(req, 1) == 1 && TS_REQ_set_msg_imprint(req, imprint) == 1);
	MUST(TS_REQ_set_cert_req(req, 1) == 1);
	MUST(i2d_TS_REQ_bio(bio, req) == 1);
	X509_ALGOR_free(alg);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(req);
	return bio;
}

void
f_stamp(struct cv_buf *out, X509 *tsa, EVP_PKEY *key, int64_t ms, struct cv_span signature,
	bool sha1, bool weak_signer)
{
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	BIO *bio = request(signature, sha1);
	ASN1_OBJECT *policy = OBJ_txt2obj("1.3.6.1.4.1.57264.2", 1);
	unsigned char *der = NULL;
	TS_RESP *resp;
	int n;

	MUST(ctx != NULL && policy != NULL);
	TS_RESP_CTX_set_serial_cb(ctx, serial, NULL);
	TS_RESP_CTX_set_time_cb(ctx, moment, &ms);
	MUST(TS_RESP_CTX_set_signer_cert(ctx, tsa) == 1);
	MUST(TS_RESP_CTX_set_signer_key(ctx, key) == 1);
	MUST(TS_RESP_CTX_set_def_policy(ctx, policy) == 1);
	MUST(TS_RESP_CTX_add_md(ctx, EVP_sha256()) == 1 &&
	     TS_RESP_CTX_add_md(ctx, EVP_sha1()) == 1);
	MUST(TS_RESP_CTX_set_signer_digest(ctx, weak_signer ? EVP_sha1() : EVP_sha256()) == 1);
	MUST(TS_RESP_CTX_set_clock_precision_digits(ctx, 3) == 1);
	resp = TS_RESP_create_response(ctx, bio);
	MUST(resp != NULL && TS_RESP_get_token(resp) != NULL);
	n = i2d_TS_RESP(resp, &der);
	MUST(n > 0);
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(resp);
	ASN1_OBJECT_free(policy);
	BIO_free(bio);
	TS_RESP_CTX_free(ctx);
	ERR_clear_error();
}
