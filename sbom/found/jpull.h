/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jpull.h: strict JSON (RFC 8259) token by token, for flat documents that are
 * too large for a tree: a safetensors header, a shard index.
 *
 * The caller spells out the grammar it wants; there is no way to skip a value
 * unread, so nothing is passed over unchecked. Strings are decoded (escapes,
 * paired surrogates) and must be UTF-8; numbers are whole and not negative.
 * Complaints read "NAME: byte N: found ..., want ...".
 */
#ifndef CV_FOUND_JPULL_H
#define CV_FOUND_JPULL_H

#include "sbom/found/window.h"

struct cv_jpull {
	struct cv_window *w; /* over the document alone */
	const char *name;    /* for complaints */
	uint64_t shift;      /* added to positions in complaints */
};

/* cv_jpull_fail: complain at the place that comes next. */
int cv_jpull_fail(const struct cv_jpull *j, struct cv_err *e, enum cv_reason reason,
		  const char *fmt, ...) cv_printf(4, 5);

/* cv_jpull_peek: skip white space; the next byte, -1 at the end. */
int cv_jpull_peek(struct cv_jpull *j);

/* cv_jpull_mark: that punctuation mark, after white space. */
int cv_jpull_mark(struct cv_jpull *j, char mark, struct cv_err *e) cv_must;

/* cv_jpull_more: within an object or list that ends with `close`: 1 if another
 * member follows (a comma was taken, unless *first), 0 if close was taken. */
int cv_jpull_more(struct cv_jpull *j, char close, bool *first, struct cv_err *e) cv_must;

/* cv_jpull_string: into out (reset first), decoded, at most max bytes; *place
 * (may be NULL) is where its quotation mark stands. */
int cv_jpull_string(struct cv_jpull *j, struct cv_buf *out, size_t max, uint64_t *place,
		    struct cv_err *e) cv_must;

int cv_jpull_u64(struct cv_jpull *j, uint64_t *ret, struct cv_err *e) cv_must;

/* cv_jpull_scalar: any string, number or literal, checked and forgotten. */
int cv_jpull_scalar(struct cv_jpull *j, struct cv_buf *scratch, size_t max,
		    struct cv_err *e) cv_must;

#endif
