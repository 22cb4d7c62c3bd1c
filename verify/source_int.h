/* SPDX-License-Identifier: Apache-2.0 */
/* source_int.h: between source.c and source_layout.c. */
#ifndef CV_SOURCE_INT_H
#define CV_SOURCE_INT_H

#include "verify/source.h"

struct cv_source {
	struct cv_source_opts o;
	struct cv_role *role;
	unsigned sandbox;
	int landlock;
	bool ran;
};

/* cv_got_failed: got->err holds the reason; check names the id for it, or NULL. */
void cv_got_failed(struct cv_got *got, const char *check);

/* cv_got_too_large: -1, CV_R_LIMIT. */
int cv_got_too_large(uint64_t size, uint64_t max, struct cv_err *e);

/* cv_layout_part: the file at `path` beneath the layout, its bytes copied into
 * the store; want may be NULL, size CV_SIZE_ANY. */
void cv_layout_part(struct cv_source *s, const char *path, const struct cv_digest *want,
		    uint64_t size, uint64_t max, struct cv_got *got);
void cv_layout_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
		    struct cv_got *got);

#endif
