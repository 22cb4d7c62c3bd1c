/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbwrite.h: compiles OSV advisories into an advisory index (sql.h).
 *
 *   meta(key, value)          format, built, name, records, rejected
 *   eco(name, covered, records, newest)    every ecosystem met; covered: matched
 *   rel(eco, release, rows)   releases of covered ecosystems ("" for no suffix)
 *   pkg(eco, name, id)        hot: the key of a package (ecosystem.h)
 *   aff(pkg, n, vuln, release, rule)   hot: rules of osv.h
 *   vuln(id, osv, cve, grp, severity, summary, modified)   cold: read for hits
 *   gone(osv)                 withdrawn: they match nothing
 *
 * vuln.grp is equal for advisories that are aliases of one another, through any
 * number of steps. An advisory that comes twice is kept as last modified.
 *
 * The image is built in memory and written once, at the end: there is never half
 * an index.
 */
#ifndef CV_DBWRITE_H
#define CV_DBWRITE_H

#include "osv.h"

#include "trust/base/frame.h"

struct cv_dbw;

struct cv_dbw_counts {
	uint64_t records;    /* taken */
	uint64_t withdrawn;  /* of them */
	uint64_t duplicates; /* left out: older than another with that id */
	uint64_t rejected;   /* not an advisory, or one that breaks the format */
	uint64_t packages, rules;
	uint64_t bytes;         /* of the index */
	char first_reject[256]; /* why, of the first one */
};

int cv_dbw_open(struct cv_dbw **ret, int64_t now, const char *name, struct cv_err *e) cv_must;

/* cv_dbw_record: add one advisory. What is not one is counted and is no failure.
 * `stem`: the file's name without ".json", which must be its id; NULL: any. */
int cv_dbw_record(struct cv_dbw *w, struct cv_span json, const char *where, const char *stem,
		  struct cv_err *e) cv_must;

/* cv_dbw_import: all advisories in a .json or .jsonl file or a .zip or .tar
 * archive of such files, each also compressed; by the ending of its name. An
 * archive that breaks off or breaks its format fails as a whole. */
int cv_dbw_import(struct cv_dbw *w, struct cv_blob blob, const char *name,
		  struct cv_err *e) cv_must;

/* cv_dbw_finish: write the index to fd. Without any record it is CV_R_MALFORMED. */
int cv_dbw_finish(struct cv_dbw *w, int fd, struct cv_err *e) cv_must;

const struct cv_dbw_counts *cv_dbw_counts(const struct cv_dbw *w);
void cv_dbw_free(struct cv_dbw **w);

#endif
