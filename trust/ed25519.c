/* SPDX-License-Identifier: Apache-2.0 */
/* ed25519.c: see ed25519.h. Must never answer "verified" to anything but OpenSSL's
 * own 1. */
#include "trust/ed25519.h"
#include "trust/base/ssl.h"

#include <string.h>

#include <openssl/evp.h>

#include "trust/base/banned.h"

/* y of the points whose order divides 8, little-endian. The sign of x is in the top
 * bit of the last byte and does not matter. */
static const uint8_t small[][CV_ED25519_KEY] = {
	{ 0 },
	{ 1 },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* y below 2^255 - 19? */
static bool
reduced(const uint8_t y[CV_ED25519_KEY])
{
	for (size_t i = 1; i < CV_ED25519_KEY - 1; i++)
		if (y[i] != 0xff)
			return true;
	return y[CV_ED25519_KEY - 1] != 0x7f || y[0] < 0xed;
}

int
cv_ed25519_key(struct cv_span key, struct cv_err *e)
{
	uint8_t y[CV_ED25519_KEY];

	if (key.n != CV_ED25519_KEY)
		return cv_fail(e, CV_R_MALFORMED, "found an Ed25519 key of %zu bytes, want 32",
			       key.n);
	memcpy(y, key.p, sizeof(y));
	y[CV_ED25519_KEY - 1] &= 0x7f;
	if (!reduced(y))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an Ed25519 key that is not reduced modulo 2^255 - 19");
	for (size_t i = 0; i < CV_COUNT(small); i++)
		if (memcmp(y, small[i], sizeof(y)) == 0)
			return cv_fail(e, CV_R_RULE,
				       "found an Ed25519 key of small order, with which anybody "
				       "can sign");
	return 0;
}

static int
check_once(struct cv_span key, struct cv_span m, struct cv_span sig, struct cv_err *e)
{
	static const uint8_t nothing[1];
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.p, key.n);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = k != NULL && ctx != NULL ? EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k) : 0;

	if (r == 1)
		r = EVP_DigestVerify(ctx, sig.p, sig.n, m.n > 0 ? m.p : nothing, m.n);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	if (r != 1)
		return cv_ssl_fail(e, CV_R_SIGNATURE, "the Ed25519 signature does not verify");
	cv_ssl_clear();
	return 0;
}

/* OpenSSL forgets at times that memory ran out, and says no. What is no twice is no. */
int
cv_ed25519_verify(struct cv_span key, struct cv_span m, struct cv_span sig, struct cv_err *e)
{
	struct cv_err why;

	if (cv_ed25519_key(key, e) != 0)
		return -1;
	if (sig.n != CV_ED25519_SIG)
		return cv_fail(e, CV_R_SIGNATURE,
			       "found an Ed25519 signature of %zu bytes, want 64", sig.n);
	cv_ssl_clear();
	if (check_once(key, m, sig, &why) == 0)
		return 0;
	return why.reason == CV_R_MEMORY ? cv_fail_memory(e) : check_once(key, m, sig, e);
}
