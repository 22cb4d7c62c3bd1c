/* SPDX-License-Identifier: Apache-2.0 */
/* pubkey_int.h: what pubkey.c and trust/signature.c share; for them alone. */
#ifndef CV_PUBKEY_INT_H
#define CV_PUBKEY_INT_H

#include "pubkey.h"

#include <openssl/evp.h>

enum cv_family { CV_FAMILY_ECDSA = 1, CV_FAMILY_ED25519, CV_FAMILY_RSA, CV_FAMILY_PSS };

struct cv_pubkey {
	EVP_PKEY *pkey;
	enum cv_family family;
	const char *kind;    /* static storage */
	enum cv_alg hash[3]; /* in the order they are tried; 0 ends */
	struct cv_digest id;
};

#endif
