/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h: content digests, and the text form "algorithm:hex" of the OCI
 * image specification (descriptor.md, "Digests").
 *
 * A struct cv_digest is always a valid digest of a known algorithm once a
 * function here filled it; all-zero is "none" (alg 0) and equals nothing, not
 * even itself. No path and no URL is built from digest text that did not pass
 * through cv_digest_parse().
 */
#ifndef CV_DIGEST_H
#define CV_DIGEST_H

#include "buf.h"

enum cv_alg {
	CV_ALG_NONE = 0,
	CV_SHA256 = 1,
	CV_SHA384 = 2,
	CV_SHA512 = 3,
};

#define CV_DIGEST_MAX  64                          /* bytes */
#define CV_DIGEST_TEXT (7 + 2 * CV_DIGEST_MAX + 1) /* "sha512:" + hex + NUL */

struct cv_digest {
	enum cv_alg alg;
	uint8_t b[CV_DIGEST_MAX]; /* unused tail is zero */
};

size_t cv_alg_size(enum cv_alg alg);        /* bytes; 0 if unknown */
const char *cv_alg_name(enum cv_alg alg);   /* "sha256"; "none" */
enum cv_alg cv_alg_parse(struct cv_span s); /* "sha256"; CV_ALG_NONE */

/* cv_digest_parse: "sha256:" and 64 lower-case hex digits, or sha384, sha512.
 * CV_R_UNSUPPORTED for another algorithm, CV_R_MALFORMED for the rest. */
int cv_digest_parse(struct cv_digest *ret, struct cv_span text, struct cv_err *e) cv_must;

/* cv_digest_hex: the hex part alone, of an algorithm known otherwise. */
int cv_digest_hex(struct cv_digest *ret, enum cv_alg alg, struct cv_span hex,
		  struct cv_err *e) cv_must;

/* cv_digest_text: write "alg:hex" into out; returns out. "none" if alg is 0. */
const char *cv_digest_text(const struct cv_digest *d, char out[CV_DIGEST_TEXT]);

bool cv_digest_eq(const struct cv_digest *a, const struct cv_digest *b);
int cv_digest_cmp(const struct cv_digest *a, const struct cv_digest *b);

/* Incremental hashing. */
struct cv_hash;
int cv_hash_open(struct cv_hash **ret, enum cv_alg alg, struct cv_err *e) cv_must;
int cv_hash_add(struct cv_hash *h, const void *p, size_t n, struct cv_err *e) cv_must;
int cv_hash_end(struct cv_hash *h, struct cv_digest *ret, struct cv_err *e) cv_must;
void cv_hash_free(struct cv_hash **h);

int cv_digest_of(struct cv_digest *ret, enum cv_alg alg, struct cv_span in,
		 struct cv_err *e) cv_must;

/* cv_digest_fd: digest of exactly len bytes from off; CV_R_CUTOFF if shorter.
 * cv_digest_fd_until also gives up at a deadline (cv_mono_ms scale, 0 none:
 * CV_R_DEADLINE) and when cancel_fd (-1 none) becomes readable
 * (CV_R_CANCELLED): a layer takes long. */
int cv_digest_fd(struct cv_digest *ret, enum cv_alg alg, int fd, uint64_t off, uint64_t len,
		 struct cv_err *e) cv_must;
int cv_digest_fd_until(struct cv_digest *ret, enum cv_alg alg, int fd, uint64_t off, uint64_t len,
		       int64_t deadline, int cancel_fd, struct cv_err *e) cv_must;

#endif
