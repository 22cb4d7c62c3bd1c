/* SPDX-License-Identifier: Apache-2.0 */
/*
 * need.h: bytes that a task asks verify for, and the edge that they prove.
 *
 * A blob named by a descriptor is handed out only once its size and digest are
 * what the descriptor says, computed here over the bytes that are then read: the
 * graph is never taken from whoever fetched it. What could not be had is a
 * reason, not a failure of the task.
 */
#ifndef CV_TRUST_NEED_H
#define CV_TRUST_NEED_H

#include "trust/base/limits.h"
#include "trust/base/oci.h"
#include "trust/base/worker.h"

struct cv_got {
	bool given;
	bool edge;          /* not given, and the source is not to blame: why is about
			       the bytes (size, digest, limit) */
	struct cv_err why;  /* not given: CV_R_ABSENT, or why it could not be looked at */
	struct cv_buf text; /* given: the bytes, followed by a NUL */
	struct cv_digest digest;
	char media[256]; /* as served, "" unknown */
};

/*
 * All: 0 with *g filled (freed by the caller), -1 when the loop itself broke. *spent
 * counts all bytes given to one task. Evidence that would spend more than one
 * artifact's share is not asked for (CV_R_LIMIT): whoever piles up rubbish beside a
 * good signature takes nothing from what was looked at before.
 */
#define CV_MAX_EVIDENCE_ASKED (CV_MAX_EVIDENCE_BYTES - 48 * CV_MIB) /* rest: graph, lists */

/* cv_need_node: what a descriptor names, at most max bytes of it. */
int cv_need_node(struct cv_worker *w, enum cv_node role, const struct cv_descriptor *d,
		 uint64_t max, uint64_t *spent, struct cv_got *g, struct cv_err *e) cv_must;

/* cv_need_referrers: the index of what refers to a digest. */
int cv_need_referrers(struct cv_worker *w, const struct cv_digest *d, uint64_t *spent,
		      struct cv_got *g, struct cv_err *e) cv_must;

/* cv_need_tag: the manifest under a tag; g->digest is its SHA-256. */
int cv_need_tag(struct cv_worker *w, const char *tag, uint64_t *spent, struct cv_got *g,
		struct cv_err *e) cv_must;

void cv_got_free(struct cv_got *g);

/* cv_is_ours: trouble of this program rather than an answer about evidence: out
 * of memory, input and output, a broken promise, the loop or its deadline. */
bool cv_is_ours(enum cv_reason r);

/* cv_sealed_memfd: a memfd that holds these bytes and nothing can change. */
int cv_sealed_memfd(int *ret, struct cv_span bytes, struct cv_err *e) cv_must;

#endif
