/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.h: the components of an SBOM against the advisory index.
 *
 * Every component that counts is either covered or not, and "not" is never taken
 * for clean. Covered is a component whose ecosystem (and release) the index has
 * advisories for, and which could be compared with every rule about its name; a
 * package that no advisory names is covered whatever its version. Context (files,
 * the operating system, the image itself) does not count.
 *
 * Advisories that are aliases of one another are one hit for a package URL, with
 * the worst severity that any of them states.
 */
#ifndef CV_MATCH_H
#define CV_MATCH_H

#include "component.h"
#include "db.h"
#include "osv.h"

#define CV_MATCH_HITS 100000 /* kept; more are counted */
#define CV_MATCH_GAPS 64     /* kinds of gap told apart; others are one */

struct cv_hit {
	const char *purl; /* as the document writes it */
	const char *osv, *cve, *severity, *summary;
	const char *fixed; /* the nearest version that is not affected, or "" */
	int64_t group;
	int rank; /* of the severity; the worst is highest */
};

struct cv_match_gap {
	enum cv_gap gap;
	char kind[CV_PKG_KIND];
	uint64_t n;
	const char *first; /* a package URL or name */
};

struct cv_match {
	uint64_t counted, covered, uncovered;
	struct cv_hit *hit; /* worst first */
	size_t n, cap;
	uint64_t more; /* hits beyond CV_MATCH_HITS */
	struct cv_match_gap gap[CV_MATCH_GAPS];
	size_t ngaps;
	struct cv_arena arena;
};

/* cv_match: db may be NULL: then nothing is covered. Strings in *ret are the
 * document's or *ret's own. -1: a damaged index, or our trouble. */
int cv_match(struct cv_match *ret, const struct cv_sbom *sbom, struct cv_db *db,
	     struct cv_err *e) cv_must;
void cv_match_free(struct cv_match *m);

/* cv_gap_text: "of a kind that is not matched"; static. */
const char *cv_gap_text(enum cv_gap gap);

#endif
