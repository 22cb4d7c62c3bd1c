/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purl.h: package URLs (ECMA-427, package-url/purl-spec).
 *
 *     pkg:type/namespace/name@version?qualifiers#subpath
 *
 * Parsing decodes and normalises as the type's definition says (case, dashes),
 * so two purls that mean the same compare equal field by field; emitting a
 * parsed purl gives the one canonical text. A purl is a claim of whoever wrote
 * it: nothing here says that the package exists or is what it says.
 *
 * The fields hold valid UTF-8 without NUL and may hold any other hostile byte.
 */
#ifndef CV_PURL_H
#define CV_PURL_H

#include "buf.h"
#include "limits.h"

struct cv_purl_qual {
	const char *key; /* lower case */
	const char *value;
};

struct cv_purl {
	const char *type; /* lower case */
	const char *ns;   /* NULL if none; segments joined by "/" */
	const char *name;
	const char *version;                              /* NULL if none */
	const char *subpath;                              /* NULL if none */
	struct cv_purl_qual qual[CV_MAX_PURL_QUALIFIERS]; /* sorted by key */
	size_t nqual;
	char *mem; /* what all of the above point into */
};

enum {
	/* Upper-case qualifier keys are taken as lower case. Without it a key that
	 * begins with an upper-case letter is refused, as the public suite's
	 * required cases want; its recommended cases want them folded. */
	CV_PURL_LENIENT = 1,
};

/* cv_purl_parse: at most CV_MAX_PURL bytes (CV_R_LIMIT); anything that the
 * specification or the type's definition refuses is CV_R_MALFORMED. *ret is
 * untouched on failure; else release it with cv_purl_free(). */
int cv_purl_parse(struct cv_purl *ret, struct cv_span text, unsigned flags,
		  struct cv_err *e) cv_must;

/* cv_purl_build: the same from components that are neither encoded nor
 * normalised yet. NULL is an absent component; `qual` need not be sorted. */
struct cv_purl_parts {
	const char *type, *ns, *name, *version, *subpath;
	const struct cv_purl_qual *qual;
	size_t nqual;
};
int cv_purl_build(struct cv_purl *ret, const struct cv_purl_parts *parts, struct cv_err *e) cv_must;

/* cv_purl_emit: append the canonical text; failure is sticky in out. */
void cv_purl_emit(struct cv_buf *out, const struct cv_purl *p);

/* cv_purl_qual: the value of a qualifier, NULL if it is not there. */
const char *cv_purl_qual(const struct cv_purl *p, const char *key);

void cv_purl_free(struct cv_purl *p); /* leaves an empty struct */

#endif
