/* SPDX-License-Identifier: Apache-2.0 */
/* minisign and signify: their files, what only looks like them, and the programs. */
#include "tests/support/peer.h"
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/ed25519.h"
#include "trust/minisign.h"

#include <openssl/evp.h>

#include "trust/base/banned.h"

#define COMMENT "untrusted comment: some words\n"
#define TRUSTED "timestamp:1700000000\tfile:x"

static const uint8_t seed[32] = "a seed that only this test knows";
static const uint8_t number[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void
sign(uint8_t out[64], struct cv_span m)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 64;

	T(EVP_DigestSignInit(ctx, NULL, NULL, NULL, k) == 1);
	T(EVP_DigestSign(ctx, out, &n, m.n > 0 ? m.p : seed, m.n) == 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
}

static struct cv_minisign_key
own_key(void)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	struct cv_minisign_key r;
	size_t n = 32;

	memcpy(r.number, number, 8);
	T(EVP_PKEY_get_raw_public_key(k, r.key, &n) == 1);
	EVP_PKEY_free(k);
	return r;
}

static void
b64_line(struct cv_buf *out, const char *alg, const uint8_t *key, size_t n)
{
	cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(200);

	cv_buf_str(&raw, alg);
	if (*alg != 0)
		cv_buf_add(&raw, number, 8);
	cv_buf_add(&raw, key, n);
	cv_base64_encode(out, cv_buf_span(&raw));
	cv_buf_byte(out, '\n');
}

/* A signature file over m; alg "ED" is prehashed. trusted NULL: signify's two lines. */
static void
make(struct cv_buf *out, const char *alg, struct cv_span m, const char *trusted)
{
	cv_auto(cv_buf_free) struct cv_buf over = CV_BUF(9000);
	uint8_t hash[64], sig[64], global[64];
	unsigned n;

	T(EVP_Digest(m.n > 0 ? m.p : seed, m.n, hash, &n, EVP_blake2b512(), NULL) == 1);
	sign(sig, strcmp(alg, "ED") == 0 ? cv_span(hash, 64) : m);
	cv_buf_str(out, COMMENT);
	b64_line(out, alg, sig, 64);
	if (trusted == NULL)
		return;
	cv_buf_add(&over, sig, 64);
	cv_buf_str(&over, trusted);
	sign(global, cv_buf_span(&over));
	cv_buf_fmt(out, "trusted comment: %s\n", trusted);
	b64_line(out, "", global, 64);
}

static int
check(struct cv_span text, struct cv_span m, bool signify, bool legacy, struct cv_err *e)
{
	struct cv_minisign_key k = own_key();
	struct cv_minisign s;
	struct cv_minisign_proven p;

	if ((signify ? cv_signify_parse(&s, text, e) : cv_minisign_parse(&s, text, e)) != 0)
		return -1;
	return cv_minisign_verify(&k, &s, m, legacy, &p, e);
}

static void
keys_that_are_none(void)
{
	static const uint8_t order8[32] = { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
					    0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
					    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
					    0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 };
	struct cv_minisign_key own = own_key(), k;
	uint8_t y[32];
	struct cv_err e;
	static const struct {
		const char *head, *alg, *tail;
		enum cv_reason why;
	} c[] = {
		{ COMMENT, "Ee", "", CV_R_UNSUPPORTED },
		{ "Untrusted comment: x\n", "Ed", "", CV_R_MALFORMED },
		{ "untrusted comment: \x1b[2J\n", "Ed", "", CV_R_MALFORMED },
		{ COMMENT, "Ed", "x", CV_R_MALFORMED },
		{ COMMENT, "Ed", "\n", CV_R_MALFORMED },
		{ COMMENT " ", "Ed", "", CV_R_MALFORMED },
		{ COMMENT COMMENT, "Ed", "", CV_R_MALFORMED },
	};

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1000);

		cv_buf_str(&b, c[i].head);
		b64_line(&b, c[i].alg, own.key, 32);
		cv_buf_str(&b, c[i].tail);
		T_NO(cv_minisign_key_parse(&k, cv_buf_span(&b), &e), e, c[i].why);
	}
	for (int sign_bit = 0; sign_bit < 2; sign_bit++) {
		memset(y, 0, 32);
		y[31] = (uint8_t)(sign_bit << 7);
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_RULE);
		y[0] = 1;
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_RULE);
		y[0] = 2;
		T_OK(cv_ed25519_key(cv_span(y, 32), &e), e);
		memcpy(y, order8, 32);
		y[31] |= (uint8_t)(sign_bit << 7);
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_RULE);
		memset(y, 0xff, 32); /* p - 1, p, p + 1, 2^255 - 1 */
		y[31] = (uint8_t)(0x7f | sign_bit << 7);
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_MALFORMED);
		y[0] = 0xec;
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_RULE);
		y[0] = 0xed;
		T_NO(cv_ed25519_key(cv_span(y, 32), &e), e, CV_R_MALFORMED);
		y[0] = 0xeb;
		T_OK(cv_ed25519_key(cv_span(y, 32), &e), e);
	}
	T_NO(cv_ed25519_key(cv_span(y, 31), &e), e, CV_R_MALFORMED);
	for (size_t n = CV_MINISIGN_COMMENT; n <= CV_MINISIGN_COMMENT + 1; n++) {
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(3000);

		cv_buf_fmt(&b, "untrusted comment: %0*d\n", (int)n, 0);
		b64_line(&b, "Ed", own.key, 32);
		if (n > CV_MINISIGN_COMMENT)
			T_NO(cv_minisign_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_LIMIT);
		else
			T_OK(cv_minisign_key_parse(&k, cv_buf_span(&b), &e), e);
	}
}

/* Each bit and each length of the four lines. Only the untrusted comment and the end
 * of the last line may differ. */
static void
sweep(const char *alg, bool signify)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
	struct cv_span m = cv_span_str("what is signed");
	size_t free_n = strlen(COMMENT);
	struct cv_err e;

	make(&b, alg, m, signify ? NULL : TRUSTED);
	T_OK(check(cv_buf_span(&b), m, signify, true, &e), e);
	for (size_t n = 0; n + 1 < b.n; n++)
		T(check(cv_span(b.p, n), m, signify, true, &e) == -1);
	T_OK(check(cv_span(b.p, b.n - 1), m, signify, true, &e), e);
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (check(cv_buf_span(&b), m, signify, true, &e) == 0)
			T(bit / 8 >= strlen("untrusted comment: ") && bit / 8 < free_n - 1);
		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cv_buf_byte(&b, 'x');
	T(check(cv_buf_span(&b), m, signify, true, &e) == -1);
}

static void
every_bit_counts(void)
{
	sweep("ED", false);
	sweep("Ed", false);
	sweep("Ed", true);
}

static void
right_in_all_else(void)
{
	cv_auto(cv_buf_free) struct cv_buf pre = CV_BUF(20000), old = CV_BUF(9000),
					   sgn = CV_BUF(9000), big = CV_BUF(20000);
	struct cv_span m = cv_span_str("what is signed");
	static char text[CV_MINISIGN_TRUSTED + 2];
	struct cv_minisign_key k = own_key();
	struct cv_minisign s;
	struct cv_minisign_proven p;
	struct cv_err e;

	make(&pre, "ED", m, TRUSTED);
	make(&old, "Ed", m, TRUSTED);
	make(&sgn, "Ed", m, NULL);
	T_NO(check(cv_buf_span(&old), m, false, false, &e), e, CV_R_RULE);
	T_OK(check(cv_buf_span(&old), m, false, true, &e), e);
	T_NO(check(cv_buf_span(&pre), cv_span_str("What is signed"), false, true, &e), e,
	     CV_R_SIGNATURE);
	T_NO(check(cv_buf_span(&pre), cv_span_str(""), false, true, &e), e, CV_R_SIGNATURE);
	T_NO(check(cv_buf_span(&sgn), m, false, true, &e), e, CV_R_MALFORMED);
	T_NO(check(cv_buf_span(&pre), m, true, true, &e), e, CV_R_MALFORMED);
	T_NO(check(cv_buf_span(&old), m, true, true, &e), e, CV_R_AMBIGUOUS);
	T_OK(cv_minisign_parse(&s, cv_buf_span(&pre), &e), e);
	k.number[0] ^= 1;
	T_NO(cv_minisign_verify(&k, &s, m, true, &p, &e), e, CV_R_IDENTITY);
	T_HAS(e.text, "0807060504030201");
	k.number[0] ^= 1;
	k.key[0] ^= 1;
	T_NO(cv_minisign_verify(&k, &s, m, true, &p, &e), e, CV_R_SIGNATURE);
	k = own_key();
	T_OK(cv_minisign_verify(&k, &s, m, false, &p, &e), e);
	T(cv_span_eq_str(p.comment, TRUSTED) && cv_span_eq(p.message, m) && !p.legacy);
	memset(text, 'a', CV_MINISIGN_TRUSTED + 1);
	make(&big, "ED", m, text);
	T_NO(check(cv_buf_span(&big), m, false, false, &e), e, CV_R_LIMIT);
	text[CV_MINISIGN_TRUSTED] = 0;
	cv_buf_reset(&big);
	make(&big, "ED", m, text);
	T_OK(check(cv_buf_span(&big), m, false, false, &e), e);
	cv_buf_reset(&big);
	make(&big, "ED", m, "right to left: \xe2\x80\xae");
	T_NO(check(cv_buf_span(&big), m, false, false, &e), e, CV_R_MALFORMED);
}

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ONE "SHA256 (a b) = " HEX "\n"

static void
checksum_lists(void)
{
	static const struct {
		const char *list, *name;
		enum cv_reason why;
	} c[] = {
		{ ONE, "a", CV_R_ABSENT },
		{ "", "a b", CV_R_ABSENT },
		{ ONE ONE, "a b", CV_R_AMBIGUOUS },
		{ ONE "\n", "a b", CV_R_MALFORMED },
		{ ONE "MD5 (x) = d41d8cd98f00b204e9800998ecf8427e\n", "a b", CV_R_MALFORMED },
		{ "SHA256 (a b) = " HEX "0\n", "a b", CV_R_MALFORMED },
		{ "SHA256 (a b)  " HEX "\n", "a b", CV_R_MALFORMED },
		{ "SHA256 () = " HEX "\n", "", CV_R_MALFORMED },
		{ "SHA256 (x) = " HEX "\n" ONE, "a b", CV_R_NONE },
		{ "SHA256 (a b) = " HEX, "a b", CV_R_NONE },
	};
	struct cv_digest d;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		int r = cv_signify_listed(&d, cv_span_str(c[i].list), cv_span_str(c[i].name), &e);

		if ((r == 0) != (c[i].why == CV_R_NONE) || (r != 0 && e.reason != c[i].why))
			t_fail(__FILE__, __LINE__, "case %zu", i);
	}
}

static int
peer_check(const char *key, const char *sig, struct cv_span m, bool signify, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf kb = CV_BUF(4096), sb = CV_BUF(65536);
	struct cv_minisign_key k;
	struct cv_minisign s;
	struct cv_minisign_proven p;

	peer_read(&kb, key);
	peer_read(&sb, sig);
	if (cv_minisign_key_parse(&k, cv_buf_span(&kb), e) != 0 ||
	    (signify ? cv_signify_parse(&s, cv_buf_span(&sb), e)
		     : cv_minisign_parse(&s, cv_buf_span(&sb), e)) != 0)
		return -1;
	return cv_minisign_verify(&k, &s, m, true, &p, e);
}

/* Both refuse what was broken. Bits of the untrusted comment are nobody's. */
static void
peer_sweep(const char *key, const char *sig, struct cv_span m, bool signify, const char *command)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(65536);
	struct cv_err e;

	peer_read(&b, sig);
	for (size_t i = 0; i < b.n - 1; i += 5) {
		b.p[i] ^= 4;
		peer_write("broken", cv_buf_span(&b));
		if (peer_check(key, "broken", m, signify, &e) == 0 && !peer_sh("%s", command))
			t_fail(__FILE__, __LINE__, "byte %zu: refused by the program alone", i);
		b.p[i] ^= 4;
	}
}

static void
minisign_program(void)
{
	struct cv_span m = cv_span_str("bytes\0of a file");
	struct cv_err e;

	peer_want("minisign");
	peer_write("file", m);
	if (!peer_sh("minisign -G -f -W -p m.pub -s m.key"))
		t_skip("this minisign makes no key without a password");
	T(peer_sh("minisign -S -s m.key -x pre -m file -t 'what is it'"));
	T(peer_sh("minisign -S -l -s m.key -x old -m file"));
	T_OK(peer_check("m.pub", "pre", m, false, &e), e);
	T_OK(peer_check("m.pub", "old", m, false, &e), e);
	T_NO(peer_check("m.pub", "pre", cv_span_str("other"), false, &e), e, CV_R_SIGNATURE);
	peer_sweep("m.pub", "pre", m, false, "minisign -V -p m.pub -x broken -m file");
}

static void
signify_program(void)
{
	struct cv_span m = cv_span_str("bytes of a file");
	cv_auto(cv_buf_free) struct cv_buf kb = CV_BUF(4096), sb = CV_BUF(65536);
	struct cv_minisign_key k;
	struct cv_minisign s;
	struct cv_minisign_proven p;
	struct cv_digest d, want;
	struct cv_err e;

	peer_want("signify-openbsd");
	peer_write("file", m);
	T(peer_sh("signify-openbsd -G -n -p s.pub -s s.sec"));
	T(peer_sh("signify-openbsd -S -s s.sec -m file -x det"));
	T_OK(peer_check("s.pub", "det", m, true, &e), e);
	T_NO(peer_check("s.pub", "det", cv_span_str("bytes of a fila"), true, &e), e,
	     CV_R_SIGNATURE);
	peer_sweep("s.pub", "det", m, true, "signify-openbsd -V -p s.pub -x broken -m file");
	T(peer_sh("echo \"SHA256 (file) = $(sha256sum file | cut -d' ' -f1)\" >list && "
		  "signify-openbsd -S -e -s s.sec -m list -x emb && "
		  "signify-openbsd -C -p s.pub -x emb file"));
	peer_read(&kb, "s.pub");
	peer_read(&sb, "emb");
	T_OK(cv_minisign_key_parse(&k, cv_buf_span(&kb), &e), e);
	T_OK(cv_signify_parse(&s, cv_buf_span(&sb), &e), e);
	T_OK(cv_minisign_verify(&k, &s, cv_span("", 0), false, &p, &e), e);
	T_OK(cv_signify_listed(&d, p.message, cv_span_str("file"), &e), e);
	T_OK(cv_digest_of(&want, CV_SHA256, m, &e), e);
	T(cv_digest_eq(&d, &want));
	sb.p[sb.n - 3] ^= 1;
	T_NO(cv_minisign_verify(&k, &s, cv_span("", 0), false, &p, &e), e, CV_R_SIGNATURE);
}

static const struct t_case cases[] = {
	{ "keys that are none", keys_that_are_none },
	{ "right in all else", right_in_all_else },
	{ "every bit and every byte counts", every_bit_counts },
	{ "checksum lists", checksum_lists },
	{ "minisign agrees", minisign_program },
	{ "signify agrees", signify_program },
};

T_MAIN(cases)
