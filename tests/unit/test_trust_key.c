/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and raw signatures: every algorithm, and everything that only looks like it. */
#include "tests/support/forge.h"
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "trust/key.h"

#include <stdlib.h>

#include "trust/base/banned.h"

static const struct {
	enum f_alg alg;
	const char *kind;
} kinds[] = { { F_P256, "ECDSA P-256" }, { F_P384, "ECDSA P-384" }, { F_P521, "ECDSA P-521" },
	      { F_ED25519, "Ed25519" },  { F_RSA, "RSA" },          { F_PSS, "RSASSA-PSS" } };

static struct cv_pubkey *
load(const struct f_key *k)
{
	struct cv_pubkey *p = NULL;
	struct cv_err e;

	T_OK(cv_pubkey_load(&p, "key", cv_span_str(f_key_pem(k)), &e), e);
	return p;
}

static int
verify(const struct cv_pubkey *p, struct cv_span bytes, struct cv_span sig, struct cv_err *e)
{
	struct cv_message m = cv_message_bytes(bytes);
	int r = cv_pubkey_verify(p, &m, sig, e);

	cv_message_free(&m);
	return r;
}

/* Every bit of the signature (every seventh of a long one), a byte more, a byte less, other bytes,
 * another key of the same kind, the key of every other kind. */
static void
check_kind(size_t i, struct f_key *const *all)
{
	static const char text[] = "what is signed";
	struct cv_span bytes = cv_span_str(text);
	cv_auto(f_key_free) struct f_key *k = f_key_new(kinds[i].alg);
	cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
	cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(4096);
	struct cv_err e;

	T_STR(cv_pubkey_kind(p), kinds[i].kind);
	f_sign(&sig, k, bytes);
	for (size_t bit = 0; bit<8 * sig.n; bit += sig.n> 72 ? 7 : 1) {
		sig.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_NO(verify(p, bytes, cv_buf_span(&sig), &e), e, CV_R_SIGNATURE);
		sig.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n<sig.n; n += sig.n> 72 ? 7 : 1)
		T_NO(verify(p, bytes, cv_span(sig.p, n), &e), e, CV_R_SIGNATURE);
	T_NO(verify(p, cv_span_str("What is signed"), cv_buf_span(&sig), &e), e, CV_R_SIGNATURE);
	T_NO(verify(p, cv_span_str(""), cv_buf_span(&sig), &e), e, CV_R_SIGNATURE);
	for (size_t j = 0; j < CV_COUNT(kinds); j++) {
		cv_auto(cv_pubkey_free) struct cv_pubkey *other = load(all[j]);

		T_NO(verify(other, bytes, cv_buf_span(&sig), &e), e, CV_R_SIGNATURE);
	}
	T(cv_signature_plausible(cv_buf_span(&sig)));
	T_OK(verify(p, bytes, cv_buf_span(&sig), &e), e);
	cv_buf_byte(&sig, 0);
	T_NO(verify(p, bytes, cv_buf_span(&sig), &e), e, CV_R_SIGNATURE);
}

static void
each_algorithm(void)
{
	struct f_key *all[CV_COUNT(kinds)];

	for (size_t i = 0; i < CV_COUNT(kinds); i++)
		all[i] = f_key_new(kinds[i].alg);
	for (size_t i = 0; i < CV_COUNT(kinds); i++)
		check_kind(i, all);
	for (size_t i = 0; i < CV_COUNT(kinds); i++)
		f_key_free(&all[i]);
}

/* Digests and paddings that count, and those that do not. */
static void
digests_and_paddings(void)
{
	static const struct {
		enum f_alg key;
		enum cv_alg digest;
		bool pss, good;
	} c[] = {
		{ F_P256, CV_SHA256, false, true },  { F_P256, CV_SHA384, false, false },
		{ F_P256, CV_SHA512, false, false }, { F_P384, CV_SHA384, false, true },
		{ F_P384, CV_SHA256, false, true },  { F_P384, CV_SHA512, false, false },
		{ F_P521, CV_SHA512, false, true },  { F_P521, CV_SHA256, false, true },
		{ F_P521, CV_SHA384, false, false }, { F_RSA, CV_SHA256, false, true },
		{ F_RSA, CV_SHA512, false, false },  { F_RSA, CV_SHA256, true, true },
		{ F_RSA, CV_SHA384, true, false },   { F_PSS, CV_SHA256, true, true },
		{ F_PSS, CV_SHA384, true, true },    { F_PSS, CV_SHA512, true, true },
	};
	struct cv_span bytes = cv_span_str("what is signed");

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(f_key_free) struct f_key *k = f_key_new(c[i].key);
		cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(4096);
		struct cv_err e;

		f_sign_as(&sig, k, c[i].digest, c[i].pss, bytes);
		if ((verify(p, bytes, cv_buf_span(&sig), &e) == 0) != c[i].good)
			t_fail(__FILE__, __LINE__, "case %zu", i);
	}
}

/* A scheme that is named is the only one that counts. */
static void
by_scheme(void)
{
	static const struct {
		enum f_alg key;
		enum cv_alg digest;
		bool pss;
		enum cv_scheme scheme;
		enum cv_reason want;
	} c[] = {
		{ F_P256, CV_SHA256, false, CV_SCHEME_ECDSA_P256, CV_R_NONE },
		{ F_P256, CV_SHA384, false, CV_SCHEME_ECDSA_P256, CV_R_SIGNATURE },
		{ F_P256, CV_SHA256, false, CV_SCHEME_ECDSA_P384, CV_R_UNSUPPORTED },
		{ F_P384, CV_SHA384, false, CV_SCHEME_ECDSA_P384, CV_R_NONE },
		{ F_P384, CV_SHA256, false, CV_SCHEME_ECDSA_P384, CV_R_SIGNATURE },
		{ F_P384, CV_SHA384, false, CV_SCHEME_ECDSA_P256, CV_R_UNSUPPORTED },
		{ F_ED25519, CV_SHA256, false, CV_SCHEME_ED25519, CV_R_NONE },
		{ F_P256, CV_SHA256, false, CV_SCHEME_ED25519, CV_R_UNSUPPORTED },
		{ F_ED25519, CV_SHA256, false, CV_SCHEME_RSA_PSS, CV_R_UNSUPPORTED },
		{ F_RSA, CV_SHA256, true, CV_SCHEME_RSA_PSS, CV_R_NONE },
		{ F_RSA, CV_SHA256, false, CV_SCHEME_RSA_PSS, CV_R_SIGNATURE },
		{ F_RSA, CV_SHA384, true, CV_SCHEME_RSA_PSS, CV_R_SIGNATURE },
		{ F_PSS, CV_SHA256, true, CV_SCHEME_RSA_PSS, CV_R_NONE },
	};
	struct cv_span bytes = cv_span_str("what is signed");

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(f_key_free) struct f_key *k = f_key_new(c[i].key);
		cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(4096);
		struct cv_message m = cv_message_bytes(bytes), other;
		struct cv_err e = { .reason = CV_R_NONE };

		f_sign_as(&sig, k, c[i].digest, c[i].pss, bytes);
		T_INT(cv_pubkey_fits(p, c[i].scheme), c[i].want != CV_R_UNSUPPORTED);
		if (cv_pubkey_verify_by(p, c[i].scheme, &m, cv_buf_span(&sig), &e) == 0)
			e.reason = CV_R_NONE;
		if (e.reason != c[i].want)
			t_fail(__FILE__, __LINE__, "case %zu: %s", i, cv_reason_word(e.reason));
		other = cv_message_bytes(cv_span_str("What is signed"));
		T(cv_pubkey_verify_by(p, c[i].scheme, &other, cv_buf_span(&sig), &e) != 0);
		T(cv_pubkey_verify_by(p, c[i].scheme, &m, cv_span(NULL, 0), &e) != 0);
		cv_message_free(&m);
		cv_message_free(&other);
	}
}

/* The same through a descriptor, and without any bytes. */
static void
messages(void)
{
	static const char text[] = "xx0123456789";
	struct cv_span bytes = cv_span_str(text + 2);

	for (size_t i = 0; i < CV_COUNT(kinds); i++) {
		cv_auto(f_key_free) struct f_key *k = f_key_new(kinds[i].alg);
		cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(4096);
		cv_auto(cv_closep) int fd = t_memfd(text, strlen(text));
		struct cv_message m =
			cv_message_blob((struct cv_blob){ .fd = fd, .off = 2, .len = 10 });
		struct cv_message none = cv_message_blob(CV_NO_BLOB);
		struct cv_message longer =
			cv_message_blob((struct cv_blob){ .fd = fd, .off = 2, .len = 11 });
		struct cv_err e;

		f_sign(&sig, k, bytes);
		T_NO(cv_pubkey_verify(p, &none, cv_buf_span(&sig), &e), e, CV_R_UNSUPPORTED);
		T_NO(cv_pubkey_verify(p, &longer, cv_buf_span(&sig), &e), e, CV_R_CUTOFF);
		T_OK(cv_pubkey_verify(p, &m, cv_buf_span(&sig), &e), e);
		cv_message_free(&m);
		cv_message_free(&longer);
	}
}

/* ---- PEM and SubjectPublicKeyInfo ---- */

static void
pem_of(struct cv_buf *out, const char *label, struct cv_span der)
{
	cv_buf_fmt(out, "-----BEGIN %s-----\n", label);
	f_base64(out, der);
	cv_buf_fmt(out, "\n-----END %s-----\n", label);
}

static void
refuse_pem(const char *pem, enum cv_reason want)
{
	struct cv_pubkey *p = NULL;
	struct cv_err e;

	T_NO(cv_pubkey_load(&p, "key", cv_span_str(pem), &e), e, want);
	T(p == NULL);
}

static void
pem_is_one_public_key(void)
{
	cv_auto(f_key_free) struct f_key *k = f_key_new(F_P256);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);
	struct cv_pubkey *p = NULL;
	struct cv_err e;
	const char *pem = f_key_pem(k);

	refuse_pem("", CV_R_MALFORMED);
	refuse_pem("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", CV_R_MALFORMED);
	refuse_pem("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----", CV_R_MALFORMED);
	refuse_pem("-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----", CV_R_MALFORMED);
	refuse_pem(f_key_secret(k), CV_R_MALFORMED);
	cv_buf_fmt(&b, "%s%s", pem, pem);
	refuse_pem(cv_buf_text(&b), CV_R_MALFORMED);
	cv_buf_reset(&b);
	cv_buf_fmt(&b, "# my key\n%s", pem);
	refuse_pem(cv_buf_text(&b), CV_R_MALFORMED);
	cv_buf_reset(&b);
	cv_buf_fmt(&b, "%sx", pem);
	refuse_pem(cv_buf_text(&b), CV_R_MALFORMED);
	cv_buf_reset(&b);
	pem_of(&b, "CERTIFICATE", f_key_spki(k));
	refuse_pem(cv_buf_text(&b), CV_R_MALFORMED);
	cv_buf_reset(&b);
	pem_of(&b, "RSA PUBLIC KEY", f_key_spki(k));
	refuse_pem(cv_buf_text(&b), CV_R_MALFORMED);
	cv_buf_reset(&b);
	while (b.n <= CV_MAX_KEY_PEM)
		cv_buf_byte(&b, '\n');
	cv_buf_str(&b, pem);
	refuse_pem(cv_buf_text(&b), CV_R_LIMIT);
	cv_buf_reset(&b);
	cv_buf_fmt(&b, "\r\n \t%s\n\n", pem);
	T_OK(cv_pubkey_load(&p, "key", cv_buf_span(&b), &e), e);
	cv_pubkey_free(&p);
}

/* One key has one encoding: every change of a byte is another key or none. */
static void
der_is_canonical(void)
{
	cv_auto(f_key_free) struct f_key *k = f_key_new(F_P256);
	cv_auto(cv_pubkey_free) struct cv_pubkey *good = load(k);
	cv_auto(cv_buf_free) struct cv_buf der = CV_BUF(4096), pem = CV_BUF(8192);
	struct cv_span spki = f_key_spki(k);
	struct cv_err e;

	for (size_t i = 0; i < 8 * spki.n; i++) {
		cv_auto(cv_pubkey_free) struct cv_pubkey *p = NULL;

		cv_buf_reset(&der);
		cv_buf_reset(&pem);
		cv_buf_add(&der, spki.p, spki.n);
		der.p[i / 8] ^= (uint8_t)(1u << i % 8);
		pem_of(&pem, "PUBLIC KEY", cv_buf_span(&der));
		if (cv_pubkey_load(&p, "key", cv_buf_span(&pem), &e) == 0)
			T(!cv_digest_eq(cv_pubkey_id(p), cv_pubkey_id(good)));
	}
	cv_buf_reset(&der);
	cv_buf_reset(&pem);
	cv_buf_add(&der, spki.p, spki.n);
	cv_buf_byte(&der, 0);
	pem_of(&pem, "PUBLIC KEY", cv_buf_span(&der));
	refuse_pem(cv_buf_text(&pem), CV_R_MALFORMED);
	/* the length of the outer SEQUENCE in BER's long form */
	cv_buf_reset(&der);
	cv_buf_reset(&pem);
	cv_buf_add(&der, "\x30\x81", 2);
	cv_buf_add(&der, spki.p + 1, spki.n - 1);
	pem_of(&pem, "PUBLIC KEY", cv_buf_span(&der));
	refuse_pem(cv_buf_text(&pem), CV_R_MALFORMED);
}

static void
keys_that_are_not_for_us(void)
{
	static const char x25519[] = /* RFC 8410: another algorithm, same length */
		"-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VuAyEAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
		"-----END PUBLIC KEY-----\n";
	static const struct {
		int bits;
		enum cv_reason reason;
	} sizes[] = { { 1024, CV_R_RULE }, { 2047, CV_R_RULE } };
	struct f_key *k = f_key_explicit();

	refuse_pem(f_key_pem(k), CV_R_UNSUPPORTED);
	f_key_free(&k);
	refuse_pem(x25519, CV_R_UNSUPPORTED);
	for (size_t i = 0; i < CV_COUNT(sizes); i++) {
		k = f_key_rsa(sizes[i].bits);
		refuse_pem(f_key_pem(k), sizes[i].reason);
		f_key_free(&k);
	}
}

/* What another encoder makes of the key that was loaded is what was read; a point that
 * is not on its curve is no key. */
static void
points_are_on_their_curves(void)
{
	for (size_t i = 0; i < 4; i++) { /* the curves and Ed25519 */
		cv_auto(f_key_free) struct f_key *k = f_key_new(kinds[i].alg);
		cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
		struct cv_span spki = f_key_spki(k);
		struct cv_digest id;
		struct cv_err e;

		T_OK(cv_digest_of(&id, CV_SHA256, spki, &e), e);
		T(cv_digest_eq(&id, cv_pubkey_id(p)));
		T_STR(cv_pubkey_kind(p), kinds[i].kind);
		if (kinds[i].alg == F_ED25519)
			continue;
		for (size_t at = spki.n - 1; at > spki.n - 30; at--) {
			cv_auto(cv_buf_free) struct cv_buf der = CV_BUF(4096), pem = CV_BUF(8192);

			cv_buf_add(&der, spki.p, spki.n);
			der.p[at] ^= 4;
			pem_of(&pem, "PUBLIC KEY", cv_buf_span(&der));
			refuse_pem(cv_buf_text(&pem), CV_R_MALFORMED);
		}
	}
}

/* DER of an ECDSA signature that says the same numbers in other bytes. */
static void
ecdsa_signatures_are_der(void)
{
	cv_auto(f_key_free) struct f_key *k = f_key_new(F_P256);
	cv_auto(cv_pubkey_free) struct cv_pubkey *p = load(k);
	cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(4096), odd = CV_BUF(4096);
	struct cv_span bytes = cv_span_str("what is signed");
	struct cv_err e;

	f_sign(&sig, k, bytes);
	cv_buf_add(&odd, "\x30\x81", 2); /* long form of the length */
	cv_buf_add(&odd, sig.p + 1, sig.n - 1);
	T_NO(verify(p, bytes, cv_buf_span(&odd), &e), e, CV_R_SIGNATURE);
	cv_buf_reset(&odd); /* a leading zero in r */
	cv_buf_byte(&odd, 0x30);
	cv_buf_byte(&odd, (uint8_t)(sig.p[1] + 1));
	cv_buf_byte(&odd, 0x02);
	cv_buf_byte(&odd, (uint8_t)(sig.p[3] + 1));
	cv_buf_byte(&odd, 0);
	cv_buf_add(&odd, sig.p + 4, sig.n - 4);
	T_NO(verify(p, bytes, cv_buf_span(&odd), &e), e, CV_R_SIGNATURE);
	cv_buf_reset(&odd); /* r = s = 0 */
	cv_buf_add(&odd, "\x30\x06\x02\x01\x00\x02\x01\x00", 8);
	T_NO(verify(p, bytes, cv_buf_span(&odd), &e), e, CV_R_SIGNATURE);
	cv_buf_reset(&odd);
	for (size_t i = 0; i < CV_MAX_SIGNATURE + 1; i++)
		cv_buf_byte(&odd, 0x30);
	T_NO(verify(p, bytes, cv_buf_span(&odd), &e), e, CV_R_SIGNATURE);
	T(!cv_signature_plausible(cv_buf_span(&odd)));
	T(!cv_signature_plausible(cv_span_str("rubbish")));
}

static const struct t_case cases[] = {
	{ "each algorithm, and every bit of its signature", each_algorithm },
	{ "digests and paddings", digests_and_paddings },
	{ "by scheme", by_scheme },
	{ "messages in descriptors, and none", messages },
	{ "a key is one PEM block", pem_is_one_public_key },
	{ "a key has one encoding", der_is_canonical },
	{ "points are on their curves", points_are_on_their_curves },
	{ "keys that are not for us", keys_that_are_not_for_us },
	{ "ECDSA signatures are DER", ecdsa_signatures_are_der },
};

T_MAIN(cases)
