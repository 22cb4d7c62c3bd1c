/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h: in-toto statements (in-toto/attestation spec/v1/statement.md,
 * spec/v0.1.0/statement.md), as read and not yet believed.
 *
 * A struct cv_statement says what a document claims. Whether anybody signed it
 * is another type's business (trust/proven.h); nothing here makes a fact.
 *
 *     _type          https://in-toto.io/Statement/v0.1 or .../v1
 *     subject        1 to CV_MAX_SUBJECTS of { name, digest: { alg: hex } }
 *     predicateType  a URI, not empty
 *     predicate      any JSON; may be left out in v1
 *
 * Unknown members are ignored, as the specification wants; duplicate ones, and
 * ones that differ from a known one in case only, are refused. In a digest set
 * the algorithms sha256, sha384 and sha512 are read, strictly; all others are
 * passed over: a subject with nothing but weak digests matches nothing.
 *
 * The predicate is a range of the payload. Up to CV_MAX_JSON_DOM bytes it has
 * been through the strict door (json.h); a larger one has only had its brackets
 * matched, and its reader is the one to be strict.
 */
#ifndef CV_STATEMENT_H
#define CV_STATEMENT_H

#include "digest.h"
#include "limits.h"

#define CV_STATEMENT_V01  "https://in-toto.io/Statement/v0.1"
#define CV_STATEMENT_V1   "https://in-toto.io/Statement/v1"
#define CV_INTOTO_PAYLOAD "application/vnd.in-toto+json" /* payloadType in DSSE */

struct cv_subject {
	char *name;                 /* "" if none */
	struct cv_digest digest[3]; /* those of known algorithms */
	unsigned n;
};

struct cv_statement {
	bool v1;
	char *predicate_type;
	struct cv_subject *subject;
	size_t nsubjects;
	struct cv_span predicate; /* in the text given; n 0 if there is none */
};

/* cv_statement_parse: `text` outlives *ret. `name` is for complaints.
 * CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT; CV_R_UNSUPPORTED for another
 * _type. */
int cv_statement_parse(struct cv_statement **ret, const char *name, struct cv_span text,
		       struct cv_err *e) cv_must;
void cv_statement_free(struct cv_statement **s);

/* cv_statement_about: the first subject that has this digest, NULL if none. Any
 * one digest of a subject's set is enough (digest_set.md). */
const struct cv_subject *cv_statement_about(const struct cv_statement *s,
					    const struct cv_digest *d);

#endif
