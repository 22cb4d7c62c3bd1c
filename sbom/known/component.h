/* SPDX-License-Identifier: Apache-2.0 */
/*
 * component.h: under which ecosystem, name and version a component of an SBOM is
 * looked up in the advisory index.
 *
 *   pkg:golang   module path; "std" is "stdlib", whose version may begin with "go"
 *   pkg:npm      name with its scope
 *   pkg:pypi     name
 *   pkg:deb      of namespace "debian": the source package and its version, from
 *                the generator's own fields or the qualifier "upstream"; from the
 *                binary package where the generator leaves out an equal name, or
 *                says nothing (then `guessed`). The release is that of the
 *                qualifier "distro", else of the whole document.
 *
 * Everything else is a gap, with a word for it: nothing here is guessed to be fine.
 */
#ifndef CV_COMPONENT_H
#define CV_COMPONENT_H

#include "ecosystem.h"

#include "sbom/claimed/doc.h"

enum cv_gap {
	CV_GAP_NONE = 0,
	CV_GAP_NO_PURL,
	CV_GAP_BAD_PURL,
	CV_GAP_KIND,      /* an ecosystem that is not matched at all */
	CV_GAP_RELEASE,   /* which release of the distribution is not said */
	CV_GAP_SOURCE,    /* which source package is not said, and the index does not
			     know the binary one's name */
	CV_GAP_VERSION,   /* no version that can be ordered, of a package with advisories */
	CV_GAP_ECOSYSTEM, /* the index has nothing about the ecosystem or the release */
	CV_GAP_RULE,      /* an advisory whose ranges cannot be compared */
	CV_GAP_NO_INDEX,
	CV_GAP__COUNT
};

#define CV_PKG_KIND 64

struct cv_pkg {
	enum cv_gap gap;
	enum cv_eco eco;
	char kind[CV_PKG_KIND]; /* for people: "npm", "Debian 12", "cargo" */
	char release[8];        /* Debian's; "" else */
	bool guessed;
	struct cv_buf key;     /* ecosystem.h */
	struct cv_buf version; /* maybe empty */
};

/* cv_pkg_of: into ret, whose buffers are reset first and kept. -1 only out of memory. */
int cv_pkg_of(struct cv_pkg *ret, const struct cv_sbom *sbom, const struct cv_component *c,
	      struct cv_err *e) cv_must;

#define CV_PKG                                                                                     \
	((struct cv_pkg){ .key = CV_BUF(2 * CV_MAX_COMPONENT_TEXT),                                \
			  .version = CV_BUF(2 * CV_MAX_COMPONENT_TEXT) })
void cv_pkg_free(struct cv_pkg *p);

/* cv_pkg_skipped: the component is context (a file, the operating system, what the
 * document is about) and names no package that could be matched. */
bool cv_pkg_skipped(const struct cv_pkg *p, const struct cv_component *c);

#endif
