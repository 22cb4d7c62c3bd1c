/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h: one place that an artifact's bytes come from, seen from verify: the
 * store first, then a fetch worker (registry, URL) or a directory (OCI layout).
 *
 * Whatever the worker says about bytes is a hint; the bytes are hashed by the
 * store while they arrive. The worker is started by the first question that
 * needs it and never with `offline`. A source belongs to one thread.
 *
 * Mirrors are asked first for what has a digest, in their order, and the registry
 * last; whatever a mirror answers but these very bytes is as if there were none.
 * Tags and referrers are asked of the registry alone: a mirror that lags behind or
 * lies must not decide which image is meant, nor that it has no signature.
 */
#ifndef CV_SOURCE_H
#define CV_SOURCE_H

#include "verify/cred.h"
#include "verify/registries.h"
#include "verify/role.h"
#include "verify/store.h"

struct cv_source_opts {
	struct cv_store *store; /* borrowed */
	const struct cv_role_opts *role;
	const struct cv_cred_env *cred;         /* NULL: no credentials */
	const struct cv_registries *registries; /* NULL: no mirrors, no certs.d */
	bool offline;
	const char *repo; /* "host/path" of a registry repository, or NULL */
	int layout_fd;    /* directory of an OCI layout, or -1; borrowed */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* or NULL */
	void *ctx;
};

/* An answer. status FAILED: err says why and check names the id for it. */
struct cv_got {
	enum cv_status status;
	struct cv_blob blob; /* given: the caller closes blob.fd */
	struct cv_digest digest;
	char media[256];
	const char *check;
	struct cv_err err;
};

struct cv_source;

int cv_source_open(struct cv_source **ret, const struct cv_source_opts *opts,
		   struct cv_err *e) cv_must;
void cv_source_close(struct cv_source **s);

/* The questions. None fails by itself: the answer is in *got. */

/* cv_source_manifest: by tag, or by the digest `want` (then ref is its text). */
void cv_source_manifest(struct cv_source *s, const char *ref, const struct cv_digest *want,
			uint64_t max, struct cv_got *got);

/* cv_source_blob: size is exact when known, else CV_SIZE_ANY; max bounds both. */
void cv_source_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
		    struct cv_got *got);

/* cv_source_referrers: one index document of what refers to `subject`. */
void cv_source_referrers(struct cv_source *s, const struct cv_digest *subject, uint64_t max,
			 struct cv_got *got);

/* cv_source_resolve: what a tag names now; a hint, in got->digest. */
void cv_source_resolve(struct cv_source *s, const char *tag, struct cv_got *got);

void cv_source_url(struct cv_source *s, const char *url, const struct cv_digest *want, uint64_t max,
		   struct cv_got *got);

/* cv_source_sandbox: confinement of the fetch worker; false if none ran. */
bool cv_source_sandbox(const struct cv_source *s, unsigned *flags, int *landlock);

/* cv_got_check: the catalogue id that says a transport reason best. */
const char *cv_got_check(enum cv_reason reason);

#endif
