/* SPDX-License-Identifier: Apache-2.0 */
/* pkg.h: packed packages: what the contents worker says of one entry. */
#ifndef CV_PKG_H
#define CV_PKG_H

#include "trust/base/frame.h"

struct cv_pkg_entry {
	const char *path; /* in the frame */
	uint64_t mode;
	uint64_t size;
	bool has_digest;
	struct cv_digest digest;
	const char *target; /* links; in the frame */
};

/* cv_pkg_entry: a FILE fact. */
int cv_pkg_entry(struct cv_pkg_entry *ret, struct cv_frame *f, struct cv_err *e) cv_must;

#endif
