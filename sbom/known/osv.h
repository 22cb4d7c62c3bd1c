/* SPDX-License-Identifier: Apache-2.0 */
/*
 * osv.h: one advisory in the Open Source Vulnerability format (schema 1.x).
 *
 * Read: id, modified, published, withdrawn, aliases, upstream, summary, severity,
 * affected packages with ranges, events and versions. Unknown keys are allowed
 * (the schema grows), duplicate keys are not.
 *
 * What an affected entry says about versions is kept as a rule: a sequence of
 * { u8 operation, u16le length, bytes }. cv_osv_eval() answers it. One affected
 * entry whose rule cannot be answered for a package (commit ranges only, an
 * unknown kind of range, nothing at all) holds CV_OSV_UNSURE.
 */
#ifndef CV_OSV_H
#define CV_OSV_H

#include "ecosystem.h"

#include "sbom/claimed/arena.h"

enum cv_osv_op {
	CV_OSV_RANGE = 'R', /* a range begins; its events follow */
	CV_OSV_INTRODUCED = 'I',
	CV_OSV_FIXED = 'F',
	CV_OSV_LAST = 'L',
	CV_OSV_LIMIT = 'M',
	CV_OSV_VERSION = 'V', /* affected, by name */
	CV_OSV_UNSURE = 'U',
};

struct cv_osv_affected {
	enum cv_eco eco;       /* CV_ECO_NONE: an ecosystem that is not covered */
	const char *ecosystem; /* without suffix, as written */
	const char *release;   /* suffix after the first ":", or "" */
	const char *name;      /* as written */
	const char *rule;
	size_t rule_n;
};

struct cv_osv {
	const char *id;
	const char *modified;
	const char *summary;
	const char *severity; /* LOW MEDIUM HIGH CRITICAL MALICIOUS UNKNOWN */
	bool withdrawn;
	const char *cve; /* "" or the CVE among upstream */
	const char **alias;
	size_t nalias;
	struct cv_osv_affected *affected;
	size_t naffected;
	struct cv_arena arena;
};

/* cv_osv_read: CV_R_MALFORMED when it is not an advisory. Release with free. */
int cv_osv_read(struct cv_osv *ret, struct cv_span json, const char *name,
		struct cv_err *e) cv_must;
void cv_osv_free(struct cv_osv *o);

/* cv_osv_eval: is this version affected? *fixed is the nearest version that is
 * not, as written, empty if none is named. A rule that breaks its format is
 * CV_OSV_BROKEN. */
enum cv_osv_answer { CV_OSV_NO = 0, CV_OSV_YES, CV_OSV_CANNOT_TELL, CV_OSV_BROKEN };
enum cv_osv_answer cv_osv_eval(enum cv_vscheme scheme, struct cv_span rule, struct cv_span version,
			       struct cv_span *fixed);

/* cv_cvss_word: the severity word of a CVSS v3.0 or v3.1 base vector; NULL if
 * it is none of these, or not well-formed. */
const char *cv_cvss_word(const char *vector);

#endif
