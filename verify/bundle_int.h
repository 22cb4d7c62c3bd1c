/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_int.h: between the files that write a bundle. */
#ifndef CV_BUNDLE_INT_H
#define CV_BUNDLE_INT_H

#include "verify/bundle.h"

/* A bundle being written. */
struct cv_bwriter {
	int top;
	struct cv_members *members; /* NULL: what is written is not listed */
};

/* cv_bw_bytes, cv_bw_blob: a file with these bytes; `want` of a blob is compared
 * (CV_R_DIGEST). Listed under `role`. */
int cv_bw_bytes(struct cv_bwriter *w, const char *path, const char *role, struct cv_span in,
		struct cv_err *e) cv_must;
int cv_bw_blob(struct cv_bwriter *w, const char *path, const char *role, struct cv_blob blob,
	       const struct cv_digest *want, struct cv_err *e) cv_must;

/* cv_bw_tree: the files, links and empty directories of an artifact below
 * trees/NAME. */
int cv_bw_tree(struct cv_bwriter *w, const struct cv_request *rq, const struct cv_r_artifact *a,
	       struct cv_err *e) cv_must;

/* cv_bw_oci: the images as one OCI layout in oci/ (bundle_oci.c). */
int cv_bw_oci(struct cv_bwriter *w, const struct cv_request *rq, const struct cv_result *r,
	      struct cv_err *e) cv_must;

/* cv_bundle_check: what lies below fd is bundle.json (`index`), its members, and
 * at most the verdict and the report beside them. CV_R_DIGEST. (bundle.c) */
int cv_bundle_check(int fd, const struct cv_members *members, struct cv_span index,
		    struct cv_err *e) cv_must;

#endif
