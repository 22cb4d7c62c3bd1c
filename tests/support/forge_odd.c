/* SPDX-License-Identifier: Apache-2.0 */
/* forge_odd.c: what no honest authority makes; see forge_cert.h. */
#include "tests/support/forge_cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "trust/base/banned.h"

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#define ROOM (1 << 20)

/* X.690 8.1.3: a header, its length in the shortest form */
static void
header(struct cv_buf *out, uint8_t tag, size_t n)
{
	cv_buf_byte(out, tag);
	if (n >= 0x100) {
		cv_buf_byte(out, 0x82);
		cv_buf_byte(out, (uint8_t)(n >> 8));
	} else if (n >= 0x80) {
		cv_buf_byte(out, 0x81);
	}
	cv_buf_byte(out, (uint8_t)n);
}

X509 *
f_cert_other_form(X509 *x, EVP_PKEY *by)
{
	/* of the validity, a SEQUENCE of two UTCTime */
	static const uint8_t was[] = { 0x30, 0x1e, 0x17, 0x0d };
	struct cv_buf sig = CV_BUF(ROOM), inside = CV_BUF(ROOM), der = CV_BUF(ROOM);
	const X509_ALGOR *alg;
	struct cv_buf odd = CV_BUF(ROOM);
	unsigned char *tbs = NULL, *a = NULL;
	const unsigned char *p;
	size_t at;
	int n = i2d_re_X509_tbs(x, &tbs), m;

	MUST(n > 0x100 && tbs[1] == 0x82);
	p = memmem(tbs, (size_t)n, was, sizeof(was));
	MUST(p != NULL);
	at = (size_t)(p - tbs);
	header(&odd, 0x30, (size_t)n - 4 + 1);
	cv_buf_add(&odd, tbs + 4, at - 4);
	cv_buf_add(&odd, "\x30\x81", 2);
	cv_buf_add(&odd, p + 1, (size_t)n - at - 1);
	f_sign_with(&sig, by, cv_buf_span(&odd));
	X509_get0_signature(NULL, &alg, x);
	m = i2d_X509_ALGOR(alg, &a);
	MUST(m > 0);
	cv_buf_add(&inside, odd.p, odd.n);
	cv_buf_add(&inside, a, (size_t)m);
	header(&inside, 0x03, sig.n + 1);
	cv_buf_byte(&inside, 0);
	cv_buf_add(&inside, sig.p, sig.n);
	header(&der, 0x30, inside.n);
	cv_buf_add(&der, inside.p, inside.n);
	X509_free(x);
	p = der.p;
	x = d2i_X509(NULL, &p, (long)der.n);
	MUST(x != NULL);
	OPENSSL_free(tbs);
	OPENSSL_free(a);
	cv_buf_free(&odd);
	cv_buf_free(&sig);
	cv_buf_free(&inside);
	cv_buf_free(&der);
	return x;
}

/* SEC 1 4.1.6: Q = (sR - zG) / r, with R one of the two points whose x is r. */
static EC_POINT *
recovered(const EC_GROUP *g, const ECDSA_SIG *sig, const BIGNUM *z, int y, BN_CTX *ctx)
{
	EC_POINT *q = EC_POINT_new(g), *R = EC_POINT_new(g);
	const BIGNUM *r = ECDSA_SIG_get0_r(sig), *n = EC_GROUP_get0_order(g);
	BIGNUM *inverse = BN_mod_inverse(NULL, r, n, ctx), *a = BN_new(), *b = BN_new();

	MUST(q != NULL && R != NULL && inverse != NULL && a != NULL && b != NULL);
	MUST(EC_POINT_set_compressed_coordinates(g, R, r, y, ctx) == 1);
	MUST(BN_mod_mul(a, ECDSA_SIG_get0_s(sig), inverse, n, ctx) == 1);
	MUST(BN_mod_mul(b, z, inverse, n, ctx) == 1);
	MUST(BN_sub(b, n, b) == 1);
	MUST(EC_POINT_mul(g, q, b, R, a, ctx) == 1);
	EC_POINT_free(R);
	BN_free(inverse);
	BN_free(a);
	BN_free(b);
	return q;
}

static EVP_PKEY *
key_of(const uint8_t *point, size_t n)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	MUST(b != NULL && ctx != NULL);
	MUST(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1);
	MUST(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, n) == 1);
	params = OSSL_PARAM_BLD_to_param(b);
	MUST(params != NULL && EVP_PKEY_fromdata_init(ctx) == 1);
	MUST(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *
f_cert_other_key(X509 *x, EVP_PKEY *key)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BN_CTX *ctx = BN_CTX_new();
	const ASN1_BIT_STRING *s;
	unsigned char *tbs = NULL, hash[32];
	const unsigned char *p;
	EVP_PKEY *found = NULL;
	ECDSA_SIG *sig;
	BIGNUM *z;
	int n = i2d_re_X509_tbs(x, &tbs);

	MUST(g != NULL && ctx != NULL && n > 0);
	MUST(EVP_Digest(tbs, (size_t)n, hash, NULL, EVP_sha256(), NULL) == 1);
	X509_get0_signature(&s, NULL, x);
	p = ASN1_STRING_get0_data(s);
	sig = d2i_ECDSA_SIG(NULL, &p, ASN1_STRING_length(s));
	z = BN_bin2bn(hash, 32, NULL);
	MUST(sig != NULL && z != NULL);
	for (int y = 0; y < 2; y++) {
		EC_POINT *q = recovered(g, sig, z, y, ctx);
		uint8_t point[65];
		EVP_PKEY *k;

		MUST(EC_POINT_point2oct(g, q, POINT_CONVERSION_UNCOMPRESSED, point, 65, ctx) == 65);
		EC_POINT_free(q);
		k = key_of(point, 65);
		if (EVP_PKEY_eq(k, key) != 1 && found == NULL)
			found = k;
		else
			EVP_PKEY_free(k);
	}
	MUST(found != NULL && X509_verify(x, found) == 1 && X509_verify(x, key) == 1);
	OPENSSL_free(tbs);
	ECDSA_SIG_free(sig);
	BN_free(z);
	BN_CTX_free(ctx);
	EC_GROUP_free(g);
	return found;
}

X509 *
f_cert_again(X509 *x, EVP_PKEY *key, int64_t from, int64_t to, EVP_PKEY *by)
{
	X509 *again = X509_dup(x);

	MUST(again != NULL && X509_set_pubkey(again, key) == 1);
	MUST(ASN1_TIME_set(X509_getm_notBefore(again), (time_t)from) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(again), (time_t)to) != NULL);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(again), (long)(from % 100000)) == 1);
	MUST(X509_sign(again, by, EVP_sha256()) > 0);
	return again;
}

/* ---- timestamps ---- */

/* RFC 3161 2.4.2: version 1, a policy, SHA-256 of the signature, a number, the time */
static void
tst_info(struct cv_buf *out, const char *time, struct cv_span signature)
{
	static const uint8_t start[] = { 0x02, 0x01, 0x01, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04,
					 0x01, 0x83, 0xbf, 0x30, 0x02, 0x30, 0x31, 0x30, 0x0d,
					 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
					 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	struct cv_buf b = CV_BUF(ROOM);
	uint8_t hash[32];

	MUST(EVP_Digest(signature.p, signature.n, hash, NULL, EVP_sha256(), NULL) == 1);
	cv_buf_add(&b, start, sizeof(start));
	cv_buf_add(&b, hash, 32);
	cv_buf_add(&b, "\x02\x01\x07", 3);
	header(&b, 0x18, strlen(time));
	cv_buf_str(&b, time);
	header(out, 0x30, b.n);
	cv_buf_add(out, b.p, b.n);
	cv_buf_free(&b);
}

void
f_stamp_raw(struct cv_buf *out, const char *time, struct cv_span signature,
	    const struct f_signer *signer, size_t n)
{
	const unsigned flags = CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP | CMS_PARTIAL;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
	struct cv_buf info = CV_BUF(ROOM);
	unsigned char *der = NULL;
	BIO *bio;
	int m;

	tst_info(&info, time, signature);
	bio = BIO_new_mem_buf(info.p, (int)info.n);
	MUST(cms != NULL && bio != NULL);
	MUST(CMS_set1_eContentType(cms, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)) == 1);
	for (size_t i = 0; i < n; i++)
		MUST(CMS_add1_signer(cms, signer[i].cert, signer[i].key, EVP_sha256(), flags) !=
		     NULL);
	MUST(CMS_final(cms, bio, NULL, CMS_BINARY) == 1);
	m = i2d_CMS_ContentInfo(cms, &der);
	MUST(m > 0);
	header(out, 0x30, (size_t)m + 5);
	cv_buf_add(out, "\x30\x03\x02\x01\x00", 5);
	cv_buf_add(out, der, (size_t)m);
	OPENSSL_free(der);
	BIO_free(bio);
	CMS_ContentInfo_free(cms);
	cv_buf_free(&info);
}
