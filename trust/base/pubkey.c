/* SPDX-License-Identifier: Apache-2.0 */
/* pubkey.c: loading public keys; see pubkey.h. Must never accept a key of a kind that
 * is not in its table, nor give one key two ids. */
#include "trust/base/pubkey_int.h"
#include "trust/base/ssl.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define BEGIN     "-----BEGIN "
#define BEGIN_KEY "-----BEGIN PUBLIC KEY-----"
#define END_KEY   "-----END PUBLIC KEY-----"

static const struct {
	const char *group, *kind;
	enum cv_alg hash[2];
} curves[] = {
	{ "prime256v1", "ECDSA P-256", { CV_SHA256, CV_ALG_NONE } },
	{ "secp384r1", "ECDSA P-384", { CV_SHA384, CV_SHA256 } },
	{ "secp521r1", "ECDSA P-521", { CV_SHA512, CV_SHA256 } },
};

void
cv_pubkey_free(struct cv_pubkey **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	free(*k);
	*k = NULL;
}

const struct cv_digest *
cv_pubkey_id(const struct cv_pubkey *k)
{
	return &k->id;
}

const char *
cv_pubkey_kind(const struct cv_pubkey *k)
{
	return k->kind;
}

/* ---- PEM ---- */

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct cv_span
trim(struct cv_span s)
{
	while (s.n > 0 && is_space(s.p[0]))
		cv_span_take(&s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool
contains(struct cv_span s, const char *text)
{
	return s.n > 0 && memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* What it is instead of one block "PUBLIC KEY", and what makes one of it. */
static const struct {
	const char *holds, *found, *make;
} others[] = {
	{ "PRIVATE KEY-----", "a private key",
	  "; keep it away from here; its public half: openssl pkey -in FILE -pubout, of a key of "
	  "cosign: cosign public-key --key FILE" },
	{ "-----BEGIN CERTIFICATE-----", "a certificate",
	  "; the key in it: openssl x509 -in FILE -noout -pubkey" },
	{ "-----BEGIN RSA PUBLIC KEY-----", "an RSA key in the PKCS #1 form",
	  "; in the other form: openssl rsa -RSAPublicKey_in -in FILE -pubout" },
	{ "-----BEGIN PGP", "an OpenPGP key", "" },
	{ "-----BEGIN SSH2", "an SSH key", "" },
	{ BEGIN_KEY, "more than the one block, or text around it", "" },
	{ BEGIN, "a PEM block of another kind", "" },
	{ "ssh-ed25519 ", "an SSH key", "" },
	{ "ecdsa-sha2-", "an SSH key", "; in the other form: ssh-keygen -f FILE -e -m PKCS8" },
	{ "ssh-rsa ", "an SSH key", "; in the other form: ssh-keygen -f FILE -e -m PKCS8" },
};

static int
not_a_key(const char *name, struct cv_span pem, struct cv_err *e)
{
	const char *found = trim(pem).n == 0 ? "nothing" : "no PEM block", *make = "";

	for (size_t i = 0; i < CV_COUNT(others); i++)
		if (contains(pem, others[i].holds)) {
			found = others[i].found;
			make = others[i].make;
			break;
		}
	return cv_fail(e, CV_R_MALFORMED,
		       "%s: found %s, want exactly one block \"" BEGIN_KEY "\"%s", name, found,
		       make);
}

static int
pem_to_der(struct cv_buf *der, const char *name, struct cv_span pem, struct cv_err *e)
{
	struct cv_buf text = CV_BUF(CV_MAX_KEY_PEM);
	struct cv_span body = trim(pem);
	int r;

	if (pem.n > CV_MAX_KEY_PEM)
		return cv_fail(e, CV_R_LIMIT, "%s: found %zu bytes, want at most %llu", name, pem.n,
			       CV_MAX_KEY_PEM);
	if (!cv_span_has_prefix(body, BEGIN_KEY) || !cv_span_has_suffix(body, END_KEY) ||
	    body.n < strlen(BEGIN_KEY END_KEY))
		return not_a_key(name, pem, e);
	cv_span_take(&body, strlen(BEGIN_KEY));
	body.n -= strlen(END_KEY);
	if (contains(body, "-"))
		return not_a_key(name, pem, e);
	for (size_t i = 0; i < body.n; i++)
		if (!is_space(body.p[i]))
			cv_buf_byte(&text, body.p[i]);
	r = cv_buf_ok(&text, "the key", e);
	if (r == 0)
		r = cv_base64_decode(der, cv_buf_span(&text), e);
	cv_buf_free(&text);
	return r == 0 ? 0 : cv_fail_within(e, "%s", name);
}

/* ---- kinds ---- */

static int
curve(struct cv_pubkey *k, const char *name, struct cv_err *e)
{
	char group[64] = "";
	int explicit_params = 0;

	if (EVP_PKEY_get_group_name(k->pkey, group, sizeof(group), NULL) != 1)
		return cv_ssl_fail(e, CV_R_UNSUPPORTED, "%s: found a curve without a name", name);
	if (EVP_PKEY_get_int_param(k->pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				   &explicit_params) != 1 ||
	    explicit_params != 0)
		return cv_ssl_fail(e, CV_R_UNSUPPORTED,
				   "%s: found a curve given by its parameters, want a named "
				   "one: " CV_PUBKEY_KINDS,
				   name);
	for (size_t i = 0; i < CV_COUNT(curves); i++) {
		if (strcmp(group, curves[i].group) != 0)
			continue;
		k->family = CV_FAMILY_ECDSA;
		k->kind = curves[i].kind;
		k->hash[0] = curves[i].hash[0];
		k->hash[1] = curves[i].hash[1];
		return 0;
	}
	return cv_fail(e, CV_R_UNSUPPORTED,
		       "%s: found an ECDSA key on the curve %s, want " CV_PUBKEY_KINDS, name,
		       group);
}

static int
rsa(struct cv_pubkey *k, const char *name, bool pss, struct cv_err *e)
{
	int bits = EVP_PKEY_get_bits(k->pkey);
	BIGNUM *exponent = NULL;
	bool weak;

	if (bits < 2048 || bits > 8192)
		return cv_fail(e, CV_R_RULE,
			       "%s: found an RSA key of %d bits, want " CV_PUBKEY_KINDS, name,
			       bits);
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found an RSA key without exponent",
				   name);
	weak = !BN_is_odd(exponent) || BN_num_bits(exponent) < 17 || BN_num_bits(exponent) > 64;
	BN_free(exponent);
	if (weak)
		return cv_fail(e, CV_R_RULE,
			       "%s: found an RSA exponent that is even, under 65537 or over 64 "
			       "bits, want " CV_PUBKEY_KINDS " and the exponent 65537",
			       name);
	k->family = pss ? CV_FAMILY_PSS : CV_FAMILY_RSA;
	k->kind = pss ? "RSASSA-PSS" : "RSA";
	k->hash[0] = CV_SHA256;
	if (pss) {
		k->hash[1] = CV_SHA384;
		k->hash[2] = CV_SHA512;
	}
	return 0;
}

static int
classify(struct cv_pubkey *k, const char *name, const X509_PUBKEY *spki, struct cv_err *e)
{
	ASN1_OBJECT *oid = NULL;
	char text[80] = "";
	int nid;

	if (X509_PUBKEY_get0_param(&oid, NULL, NULL, NULL, spki) != 1)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found a key without algorithm", name);
	nid = OBJ_obj2nid(oid);
	OBJ_obj2txt(text, sizeof(text), oid, 0);
	if (nid != NID_X9_62_id_ecPublicKey && nid != NID_rsaEncryption && nid != NID_rsassaPss &&
	    nid != NID_ED25519)
		return cv_ssl_fail(e, CV_R_UNSUPPORTED,
				   "%s: found a key of algorithm %s, want " CV_PUBKEY_KINDS, name,
				   text);
	k->pkey = X509_PUBKEY_get(spki);
	if (k->pkey == NULL)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found an %s key that cannot be decoded",
				   name, text);
	if (nid == NID_X9_62_id_ecPublicKey)
		return curve(k, name, e);
	if (nid != NID_ED25519)
		return rsa(k, name, nid == NID_rsassaPss, e);
	k->family = CV_FAMILY_ED25519;
	k->kind = "Ed25519";
	return 0;
}

/*
 * The forms that nearly every key has, byte for byte (RFC 5480 2.1.1 and 2.2, RFC
 * 8410 4): an uncompressed point on a named curve, or an Ed25519 key. What starts so
 * and has that length is in its one encoding already, and OpenSSL's decoders, a
 * millisecond's work to set up, have nothing to add. All else goes through them.
 */
#define EC_PUBLIC_KEY "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"

static const struct form {
	const char *start;
	size_t n, rest;    /* bytes of start; of what follows */
	const char *group; /* NULL: Ed25519 */
} forms[] = {
	{ "\x30\x59\x30\x13" EC_PUBLIC_KEY "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
	  26, 65, "prime256v1" },
	{ "\x30\x76\x30\x10" EC_PUBLIC_KEY "\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00", 23, 97,
	  "secp384r1" },
	{ "\x30\x81\x9b\x30\x10" EC_PUBLIC_KEY "\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00", 25,
	  133, "secp521r1" },
	{ "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12, 32, NULL },
};

static const struct form *
form_of(struct cv_span der)
{
	for (size_t i = 0; i < CV_COUNT(forms); i++)
		if (der.n == forms[i].n + forms[i].rest &&
		    memcmp(der.p, forms[i].start, forms[i].n) == 0 &&
		    (forms[i].group == NULL || der.p[forms[i].n] == 0x04))
			return &forms[i];
	return NULL;
}

/* EVP_PKEY_fromdata() refuses a point that is not on the curve. */
static EVP_PKEY *
point_key(const char *group, const uint8_t *point, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	char name[16];
	uint8_t copy[133];
	OSSL_PARAM params[3];

	cv_text_fmt(name, sizeof(name), "%s", group);
	memcpy(copy, point, n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, n);
	params[2] = OSSL_PARAM_construct_end();
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int
usual(struct cv_pubkey *k, const struct form *f, const char *name, struct cv_span der,
      struct cv_err *e)
{
	const uint8_t *rest = der.p + f->n;

	if (f->group != NULL)
		k->pkey = point_key(f->group, rest, f->rest);
	else
		k->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, rest, f->rest);
	if (k->pkey == NULL)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found an %s key that is none", name,
				   f->group != NULL ? f->group : "Ed25519");
	if (f->group != NULL)
		return curve(k, name, e);
	k->family = CV_FAMILY_ED25519;
	k->kind = "Ed25519";
	return 0;
}

/* The same key in other bytes would be a second key to whoever counts ids. */
static int
canonical(const struct cv_pubkey *k, const char *name, struct cv_span der, struct cv_err *e)
{
	unsigned char *again = NULL;
	int n = i2d_PUBKEY(k->pkey, &again);
	bool same = n > 0 && (size_t)n == der.n && memcmp(again, der.p, der.n) == 0;

	OPENSSL_free(again);
	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s: found a key that cannot be encoded",
				   name);
	if (!same)
		return cv_fail(e, CV_R_MALFORMED,
			       "%s: found a key in an unusual encoding, want it as \"openssl pkey "
			       "-pubin -pubout\" writes it",
			       name);
	return 0;
}

static int
decode(struct cv_pubkey *k, const char *name, struct cv_span der, struct cv_err *e)
{
	const unsigned char *p = der.p;
	X509_PUBKEY *spki = d2i_X509_PUBKEY(NULL, &p, (long)der.n);
	int r = 0;

	if (spki == NULL)
		r = cv_ssl_fail(e, CV_R_MALFORMED,
				"%s: found no SubjectPublicKeyInfo in the PEM block", name);
	else if (p != der.p + der.n)
		r = cv_fail(e, CV_R_MALFORMED, "%s: found %zu bytes after the key", name,
			    (size_t)(der.p + der.n - p));
	if (r == 0)
		r = classify(k, name, spki, e);
	X509_PUBKEY_free(spki);
	return r == 0 ? canonical(k, name, der, e) : r;
}

static int
load_der(struct cv_pubkey **ret, const char *name, struct cv_span der, struct cv_err *e)
{
	cv_auto(cv_pubkey_free) struct cv_pubkey *k = calloc(1, sizeof(*k));
	const struct form *f = form_of(der);

	if (k == NULL)
		return cv_fail_memory(e);
	cv_ssl_clear();
	if ((f != NULL ? usual(k, f, name, der, e) : decode(k, name, der, e)) != 0 ||
	    cv_digest_of(&k->id, CV_SHA256, der, e) != 0)
		return -1;
	cv_ssl_clear();
	*ret = cv_steal(k);
	return 0;
}

/* OpenSSL's decoders forget that memory ran out and say that nothing could be
 * decoded. What fails twice has another reason (or cv_ssl_fail() sees it). */
int
cv_pubkey_load_der(struct cv_pubkey **ret, const char *name, struct cv_span der, struct cv_err *e)
{
	struct cv_err why;

	if (der.n > CV_MAX_KEY_PEM)
		return cv_fail(e, CV_R_LIMIT, "%s: found %zu bytes, want at most %llu", name, der.n,
			       CV_MAX_KEY_PEM);
	if (load_der(ret, name, der, &why) == 0)
		return 0;
	if (why.reason == CV_R_MEMORY)
		return cv_fail_memory(e);
	return load_der(ret, name, der, e);
}

int
cv_pubkey_load(struct cv_pubkey **ret, const char *name, struct cv_span pem, struct cv_err *e)
{
	struct cv_buf der = CV_BUF(CV_MAX_KEY_PEM);
	int r = pem_to_der(&der, name, pem, e);

	if (r == 0)
		r = cv_pubkey_load_der(ret, name, cv_buf_span(&der), e);
	cv_buf_free(&der);
	return r;
}

int
cv_pubkey_der(struct cv_buf *out, const struct cv_pubkey *k, struct cv_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der);

	if (n <= 0)
		return cv_fail_memory(e); /* it could when it was loaded */
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return cv_buf_ok(out, "a key", e);
}

int
cv_pubkey_pem(struct cv_buf *out, const struct cv_pubkey *k, struct cv_err *e)
{
	struct cv_buf der = CV_BUF(CV_MAX_KEY_PEM), text = CV_BUF(2 * CV_MAX_KEY_PEM);
	int r = cv_pubkey_der(&der, k, e);
	struct cv_span left;

	cv_base64_encode(&text, cv_buf_span(&der));
	if (r == 0)
		r = cv_buf_ok(&text, "a key", e);
	cv_buf_str(out, BEGIN_KEY "\n");
	for (left = cv_buf_span(&text); left.n > 0;) {
		struct cv_span line = cv_span_take(&left, left.n < 64 ? left.n : 64);

		cv_buf_add(out, line.p, line.n);
		cv_buf_byte(out, '\n');
	}
	cv_buf_str(out, END_KEY "\n");
	cv_buf_free(&der);
	cv_buf_free(&text);
	return r == 0 ? cv_buf_ok(out, "a key", e) : -1;
}
