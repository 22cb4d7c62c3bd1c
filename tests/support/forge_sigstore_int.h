/* SPDX-License-Identifier: Apache-2.0 */
/* forge_sigstore_int.h: what forge_sigstore.c and forge_rekor.c share, and nobody else. */
#ifndef CV_FORGE_SIGSTORE_INT_H
#define CV_FORGE_SIGSTORE_INT_H

#include "tests/support/forge_cert.h"
#include "tests/support/forge_sigstore.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#define ROOM   (1 << 20)
#define NAME_1 "rekor.example.test"
#define NAME_2 "log2.example.test"
#define LEAVES 5
#define INDEX  2

struct party {
	EVP_PKEY *key;
	X509 *cert;
};

/* [0] ours, [1] a stranger's, under the same names */
struct f_instance {
	struct party root[2], inter[2], tsa_root[2], tsa[2], tsa_twin, web;
	EVP_PKEY *ct[2], *rekor[2], *rekor2[2], *witness, *leaf, *strange;
	X509 *early, *late; /* two_issuers */
};

/* A bundle in the making. */
struct made {
	const struct f_recipe *r;
	X509 *leaf, *other_leaf;
	struct cv_span payload;               /* a statement, or the artifact */
	struct cv_buf over, signature, other; /* bytes signed; the signature; another one */
};

static inline void
sha256(uint8_t out[32], struct cv_span in)
{
	MUST(EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) == 1);
}

static inline void
key_id(uint8_t out[32], EVP_PKEY *key)
{
	struct cv_buf b = CV_BUF(ROOM);

	f_spki(&b, key);
	sha256(out, cv_buf_span(&b));
	cv_buf_free(&b);
}

/* C2SP signed-note.md: of an Ed25519 key (type 1) or a witness's (type 4) */
static inline void
note_id(uint8_t out[32], EVP_PKEY *key, const char *name, uint8_t type)
{
	struct cv_buf b = CV_BUF(ROOM);
	uint8_t raw[32];
	size_t n = 32;

	MUST(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
	cv_buf_str(&b, name);
	cv_buf_byte(&b, '\n');
	cv_buf_byte(&b, type);
	cv_buf_add(&b, raw, 32);
	sha256(out, cv_buf_span(&b));
	cv_buf_free(&b);
}

static inline void
b64(struct cv_buf *out, struct cv_span in)
{
	cv_base64_encode(out, in);
}

/* Whoever signs for the first log. */
static inline EVP_PKEY *
log_key(const struct f_instance *s, const struct f_recipe *r, bool others)
{
	return r->log_strange && !others ? s->strange : s->rekor[others];
}

static inline void
add_be(struct cv_buf *b, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		cv_buf_byte(b, (uint8_t)(v >> (8 * bytes)));
}

/* f_log_entry: one entry of tlogEntries about what m has, as its recipe says. */
void f_log_entry(struct cv_buf *out, struct f_instance *s, const struct made *m);

#endif
