/* SPDX-License-Identifier: Apache-2.0 */
/* forge.c: keys, signatures and signed documents; see forge.h. */
#include "tests/support/forge.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "trust/base/enc.h"

#include "trust/base/banned.h"

struct f_key {
	EVP_PKEY *pkey;
	enum f_alg alg;
	char *pem, *secret;
	struct cv_buf spki, hint;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static char *
bio_text(BIO *bio)
{
	char *data, *text;
	long n = BIO_get_mem_data(bio, &data);

	must(n > 0);
	text = strndup(data, (size_t)n);
	must(text != NULL);
	BIO_free(bio);
	return text;
}

static struct f_key *
wrap(EVP_PKEY *pkey, enum f_alg alg)
{
	struct f_key *k = calloc(1, sizeof(*k));
	BIO *pub = BIO_new(BIO_s_mem()), *sec = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	struct cv_digest id;
	int n;

	must(k != NULL && pkey != NULL && pub != NULL && sec != NULL);
	k->pkey = pkey;
	k->alg = alg;
	must(PEM_write_bio_PUBKEY(pub, pkey) == 1);
	must(PEM_write_bio_PKCS8PrivateKey(sec, pkey, NULL, NULL, 0, NULL, NULL) == 1);
	k->pem = bio_text(pub);
	k->secret = bio_text(sec);
	n = i2d_PUBKEY(pkey, &der);
	must(n > 0);
	k->spki = CV_BUF(65536);
	cv_buf_add(&k->spki, der, (size_t)n);
	OPENSSL_free(der);
	must(cv_digest_of(&id, CV_SHA256, cv_buf_span(&k->spki), NULL) == 0);
	k->hint = CV_BUF(100);
	f_base64(&k->hint, cv_span(id.b, 32));
	return k;
}

struct f_key *
f_key_rsa(int bits)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);

	must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1 && EVP_PKEY_keygen(ctx, &pkey) == 1);
	EVP_PKEY_CTX_free(ctx);
	return wrap(pkey, F_RSA);
}

struct f_key *
f_key_explicit(void)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);

	must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1 &&
	     EVP_PKEY_CTX_set_ec_param_enc(ctx, OPENSSL_EC_EXPLICIT_CURVE) == 1 &&
	     EVP_PKEY_keygen(ctx, &pkey) == 1);
	EVP_PKEY_CTX_free(ctx);
	return wrap(pkey, F_P256);
}

struct f_key *
f_key_new(enum f_alg alg)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx;

	switch (alg) {
	case F_P256:
		return wrap(EVP_EC_gen("P-256"), alg);
	case F_P384:
		return wrap(EVP_EC_gen("P-384"), alg);
	case F_P521:
		return wrap(EVP_EC_gen("P-521"), alg);
	case F_ED25519:
		return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), alg);
	case F_RSA:
		return f_key_rsa(2048);
	case F_PSS:
		ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
		must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
		     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
		     EVP_PKEY_keygen(ctx, &pkey) == 1);
		EVP_PKEY_CTX_free(ctx);
		return wrap(pkey, alg);
	}
	abort();
}

void
f_key_free(struct f_key **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	free((*k)->pem);
	free((*k)->secret);
	cv_buf_free(&(*k)->spki);
	cv_buf_free(&(*k)->hint);
	free(*k);
	*k = NULL;
}

const char *
f_key_pem(const struct f_key *k)
{
	return k->pem;
}

const char *
f_key_secret(const struct f_key *k)
{
	return k->secret;
}

const char *
f_key_hint(const struct f_key *k)
{
	return cv_buf_text(&k->hint);
}

struct cv_span
f_key_spki(const struct f_key *k)
{
	return cv_buf_span(&k->spki);
}

/* ---- signatures ---- */

void
f_sign_as(struct cv_buf *sig, const struct f_key *k, enum cv_alg alg, bool pss,
	  struct cv_span bytes)
{
	const EVP_MD *md = alg == CV_SHA384   ? EVP_sha384()
			   : alg == CV_SHA512 ? EVP_sha512()
					      : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t out[2048];
	size_t n = sizeof(out);

	must(ctx != NULL &&
	     EVP_DigestSignInit(ctx, &pctx, k->alg == F_ED25519 ? NULL : md, NULL, k->pkey) == 1);
	if (k->alg == F_PSS || pss)
		must(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	must(EVP_DigestSign(ctx, out, &n, bytes.n == 0 ? (const uint8_t *)"" : bytes.p, bytes.n) ==
	     1);
	EVP_MD_CTX_free(ctx);
	cv_buf_add(sig, out, n);
}

void
f_sign(struct cv_buf *sig, const struct f_key *k, struct cv_span bytes)
{
	enum cv_alg alg = k->alg == F_P384 ? CV_SHA384 : k->alg == F_P521 ? CV_SHA512 : CV_SHA256;

	f_sign_as(sig, k, alg, false, bytes);
}

/* ---- documents ---- */

void
f_base64(struct cv_buf *out, struct cv_span in)
{
	cv_base64_encode(out, in);
}

void
f_statement(struct cv_buf *out, const struct cv_digest *subject, const char *predicate_type,
	    const char *predicate)
{
	char hex[2 * CV_DIGEST_MAX + 1];

	cv_hex_encode(hex, subject->b, cv_alg_size(subject->alg));
	cv_buf_fmt(
		out,
		"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"thing\","
		"\"digest\":{\"%s\":\"%s\"}}],\"predicateType\":\"%s\",\"predicate\":",
		cv_alg_name(subject->alg), hex, predicate_type);
	cv_buf_str(out, predicate);
	cv_buf_str(out, "}");
}

static void
envelope(struct cv_buf *out, const struct f_key *k, const char *type, struct cv_span payload,
	 const char *keyid)
{
	struct cv_buf pae = CV_BUF(payload.n + 1024), sig = CV_BUF(4096);

	cv_buf_fmt(&pae, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
	cv_buf_add(&pae, payload.p, payload.n);
	f_sign(&sig, k, cv_buf_span(&pae));
	cv_buf_fmt(out, "{\"payload\":\"");
	f_base64(out, payload);
	cv_buf_fmt(out, "\",\"payloadType\":\"%s\",\"signatures\":[{%s\"sig\":\"", type, keyid);
	f_base64(out, cv_buf_span(&sig));
	cv_buf_str(out, "\"}]}");
	cv_buf_free(&pae);
	cv_buf_free(&sig);
}

void
f_dsse(struct cv_buf *out, const struct f_key *k, const char *type, struct cv_span payload)
{
	envelope(out, k, type, payload, "\"keyid\":\"\",");
}

static void
bundle_start(struct cv_buf *out, const struct f_key *k)
{
	cv_buf_fmt(out,
		   "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
		   "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"%s\"}},",
		   f_key_hint(k));
}

void
f_bundle(struct cv_buf *out, const struct f_key *k, const char *type, struct cv_span payload)
{
	bundle_start(out, k);
	cv_buf_str(out, "\"dsseEnvelope\":");
	envelope(out, k, type, payload, "");
	cv_buf_str(out, "}");
}

void
f_bundle_message(struct cv_buf *out, const struct f_key *k, struct cv_span bytes)
{
	struct cv_buf sig = CV_BUF(4096);
	struct cv_digest d;

	must(cv_digest_of(&d, CV_SHA256, bytes, NULL) == 0);
	f_sign(&sig, k, bytes);
	bundle_start(out, k);
	cv_buf_str(out, "\"messageSignature\":{\"messageDigest\":{\"algorithm\":\"SHA2_256\","
			"\"digest\":\"");
	f_base64(out, cv_span(d.b, 32));
	cv_buf_str(out, "\"},\"signature\":\"");
	f_base64(out, cv_buf_span(&sig));
	cv_buf_str(out, "\"}}");
	cv_buf_free(&sig);
}

void
f_simple(struct cv_buf *out, const struct cv_digest *image, const char *reference)
{
	char text[CV_DIGEST_TEXT];

	cv_buf_fmt(out,
		   "{\"critical\":{\"identity\":{\"docker-reference\":\"%s\"},\"image\":{"
		   "\"docker-manifest-digest\":\"%s\"},\"type\":\"cosign container image signature"
		   "\"},\"optional\":null}",
		   reference, cv_digest_text(image, text));
}
