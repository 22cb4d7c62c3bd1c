/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h: the test-only maker of signed things, so that every negative case can be
 * made validly signed but wrong: change first, then sign. It stands on OpenSSL and
 * trust/base alone and shares no code with what verifies. Nothing here can fail:
 * it aborts. Signatures are random where the scheme is.
 *
 *     struct f_key *k = f_key_new(F_P256);
 *     struct f_store s = { 0 };
 *     struct cv_buf tar = CV_BUF(1 << 20);
 *     f_tar_file(&tar, "hello.txt", cv_span_str("hello"));
 *     f_tar_end(&tar);
 *     struct cv_digest image = f_image(&s, "linux/amd64", &layer, 1);
 *     f_sign_image(&s, k, image, F_BUNDLE);
 *     f_layout_write(&s, t_tmpdir(), image, "latest");
 */
#ifndef CV_FORGE_H
#define CV_FORGE_H

#include "trust/base/digest.h"

/* ---- keys and signatures ---- */

enum f_alg { F_P256 = 1, F_P384, F_P521, F_ED25519, F_RSA, F_PSS };

struct f_key;
struct f_key *f_key_new(enum f_alg alg);
struct f_key *f_key_rsa(int bits);  /* of any size */
struct f_key *f_key_explicit(void); /* P-256, its curve given by parameters */
void f_key_free(struct f_key **k);
const char *f_key_pem(const struct f_key *k);    /* public half */
const char *f_key_secret(const struct f_key *k); /* private half, PKCS #8 PEM */
const char *f_key_hint(const struct f_key *k);   /* base64 of the SHA-256 of its SPKI */
struct cv_span f_key_spki(const struct f_key *k);

/* f_sign: append the signature as cosign would make it: the curve's own digest,
 * pure Ed25519, PKCS #1 v1.5 or PSS with SHA-256. f_sign_as: another digest, or
 * PSS with an RSA key. */
void f_sign(struct cv_buf *sig, const struct f_key *k, struct cv_span bytes);
void f_sign_as(struct cv_buf *sig, const struct f_key *k, enum cv_alg alg, bool pss,
	       struct cv_span bytes);

/* ---- documents ---- */

#define F_INTOTO         "application/vnd.in-toto+json"
#define F_SIGN_PREDICATE "https://sigstore.dev/cosign/sign/v1"

/* All append one JSON document to out. */
void f_statement(struct cv_buf *out, const struct cv_digest *subject, const char *predicate_type,
		 const char *predicate);
void f_dsse(struct cv_buf *out, const struct f_key *k, const char *type, struct cv_span payload);
void f_bundle(struct cv_buf *out, const struct f_key *k, const char *type, struct cv_span payload);
void f_bundle_message(struct cv_buf *out, const struct f_key *k, struct cv_span bytes);
void f_simple(struct cv_buf *out, const struct cv_digest *image, const char *reference);
void f_base64(struct cv_buf *out, struct cv_span in);

/* ---- what a registry would hold ---- */

enum f_kind { F_BLOB = 1, F_TAG, F_REFERRERS };

struct f_entry {
	enum f_kind kind;
	char key[256]; /* digest text of a blob or a subject; tag */
	char media[128];
	struct cv_buf bytes;   /* of a blob or tag; the entries of a referrers list */
	enum cv_reason failed; /* asked for, answer this reason instead */
	bool untrue;           /* the bytes were changed after the entry got its name */
};

struct f_store {
	struct f_entry *entry;
	size_t n;
};

struct cv_digest f_put(struct f_store *s, const char *media, struct cv_span bytes);
void f_put_tag(struct f_store *s, const char *tag, const char *media, struct cv_span bytes);
struct f_entry *f_get(struct f_store *s, enum f_kind kind, const char *key); /* or NULL */
struct f_entry *f_get_digest(struct f_store *s, const struct cv_digest *d);
void f_store_free(struct f_store *s);

/* f_descriptor: append {"mediaType":...,"digest":...,"size":...EXTRA}. */
void f_descriptor(struct cv_buf *out, struct f_store *s, const struct cv_digest *d,
		  const char *extra);

/* Plain tar (ustar) of regular files. */
void f_tar_file(struct cv_buf *tar, const char *name, struct cv_span content);
void f_tar_end(struct cv_buf *tar);

/* f_image: a manifest over plain tar layers; f_config: the same with a config of
 * the caller's. f_index: over manifests and their platforms. */
struct cv_digest f_image(struct f_store *s, const char *platform, const struct cv_span *layer,
			 size_t n);
struct cv_digest f_image_with(struct f_store *s, const char *config, const struct cv_span *layer,
			      size_t n);
struct cv_digest f_index(struct f_store *s, const struct cv_digest *manifest,
			 const char *const *platform, size_t n);

/* ---- signed images ---- */

enum f_form { F_LEGACY = 1, F_BUNDLE };

void f_sign_image(struct f_store *s, const struct f_key *k, struct cv_digest image,
		  enum f_form form);
void f_attest_image(struct f_store *s, const struct f_key *k, struct cv_digest image,
		    const char *predicate_type, const char *predicate, enum f_form form);

/* The steps of it: anything signed, in a bundle that refers to `subject`; a layer
 * under the tag of `subject` with that suffix. */
struct cv_digest f_refer(struct f_store *s, const struct cv_digest *subject, struct cv_span bundle);
void f_under_tag(struct f_store *s, const struct cv_digest *subject, const char *suffix,
		 const char *media, struct cv_span bytes, const char *signature);

/* f_referrers: the index document that a registry answers with; false: none. */
bool f_referrers(struct cv_buf *out, const struct f_store *s, const struct cv_digest *subject);

/* f_layout_write: an OCI image layout (image-layout.md) with everything in the
 * store: `root` under `tag`, tags and referrers as further entries of index.json.
 * `dir` exists. */
void f_layout_write(const struct f_store *s, const char *dir, struct cv_digest root,
		    const char *tag);

#endif
