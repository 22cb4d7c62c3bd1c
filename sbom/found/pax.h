/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pax.h: extended header records of tar (POSIX.1-2017, pax, "pax Extended
 * Header"): "LENGTH KEY=VALUE\n", one after another.
 *
 * Strict where readers are known to differ: LENGTH without leading zeros or
 * blanks and exact; a key that changes what an entry is (path, linkpath, size,
 * uid, gid, hdrcharset) at most once and not empty; no NUL in what is a
 * string; sparse files of any of the three kinds, and keys without a vendor
 * prefix that POSIX does not know, refused (CV_R_AMBIGUOUS). Vendor keys are
 * stepped over, but for the extended attributes that `flags` speaks of.
 */
#ifndef CV_FOUND_PAX_H
#define CV_FOUND_PAX_H

#include "trust/base/buf.h"

enum {
	CV_PAX_PATH = 1,
	CV_PAX_LINK = 2,
	CV_PAX_SIZE = 4,
	CV_PAX_UID = 8,
	CV_PAX_GID = 16,
	CV_PAX_CHARSET = 32,
	CV_PAX_CAPABILITY = 64, /* the attribute security.capability */
	CV_PAX_OVERLAY = 128,   /* an attribute that overlayfs takes for its own */
};

struct cv_pax {
	unsigned has;              /* of the above */
	struct cv_span path, link; /* into the text */
	uint64_t size;
	uint32_t uid, gid;
};

/* cv_pax_parse: the records of an 'x' header; `text` outlives *ret. */
int cv_pax_parse(struct cv_pax *ret, struct cv_span text, struct cv_err *e) cv_must;

/* cv_pax_global: the records of a 'g' header. Some runtimes ignore them and some
 * readers honour them, so that only `comment` (git archive) is accepted. */
int cv_pax_global(struct cv_span text, struct cv_err *e) cv_must;

#endif
