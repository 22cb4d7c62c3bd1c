/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h: who a certificate of Fulcio was issued to, and whether that is whom
 * policy wants (sigstore/fulcio docs/oid-info.md).
 *
 * The subject is the certificate's one alternative name: a URI (workloads), an
 * e-mail address (people) or an otherName of type 1.3.6.1.4.1.57264.1.7. Claims are
 * the extensions 1.3.6.1.4.1.57264.1.N by N. N 1 to 6 are bytes as they stand, 8
 * and up a DER UTF8String; which is by the number, never by the look. The issuer is
 * 8, or 1 where there is no 8; both and different is refused.
 */
#ifndef CV_TRUST_IDENTITY_H
#define CV_TRUST_IDENTITY_H

#include "trust/pattern.h"
#include "trust/x509.h"

enum cv_san { CV_SAN_ANY, CV_SAN_URI, CV_SAN_EMAIL, CV_SAN_OTHER };

enum cv_claim_number {
	CV_CLAIM_ISSUER_V1 = 1,
	CV_CLAIM_ISSUER = 8,
	CV_CLAIM_BUILD_SIGNER = 9,
	CV_CLAIM_RUNNER = 11,
	CV_CLAIM_SOURCE = 12,
	CV_CLAIM_SOURCE_DIGEST = 13,
	CV_CLAIM_SOURCE_REF = 14,
	CV_CLAIM_SOURCE_ID = 15, /* numbers outlive a name that somebody else takes over */
	CV_CLAIM_OWNER = 16,
	CV_CLAIM_OWNER_ID = 17,
	CV_CLAIM_BUILD_CONFIG = 18,
	CV_CLAIM_TRIGGER = 20,
	CV_CLAIM_VISIBILITY = 22,
	CV_CLAIMS = 25, /* one more than the last that is read */
};

struct cv_identity {
	enum cv_san kind;
	char *subject;
	const char *issuer;     /* one of the claims; NULL none */
	char *claim[CV_CLAIMS]; /* NULL: not there */
};

/* cv_identity_read: CV_R_MALFORMED; CV_R_AMBIGUOUS for two names or issuers;
 * CV_R_UNSUPPORTED for another kind of name. */
int cv_identity_read(struct cv_identity **ret, const struct cv_cert *leaf,
		     struct cv_err *e) cv_must;
void cv_identity_free(struct cv_identity **id);

/* Whom policy wants. Every text is compared whole, byte for byte; a pattern stands
 * in place of a text. All is borrowed. */
struct cv_expected {
	const char *name; /* what policy calls the signer; NULL nothing */
	enum cv_san kind; /* CV_SAN_ANY: any of the three */
	const char *subject, *issuer;
	const struct cv_pattern *subject_pattern, *issuer_pattern;
	bool no_issuer; /* an authority that names none: then there has to be none */
	struct {
		unsigned number; /* of a claim */
		const char *value;
	} claim[CV_CLAIMS];
	size_t n;
};

/* cv_identity_match: 0 only if subject and issuer were asked for and all that was
 * asked for is there and equal. CV_R_IDENTITY; CV_R_CONFIG if too little or nothing
 * that could be there was asked for. */
int cv_identity_match(const struct cv_identity *id, const struct cv_expected *want,
		      struct cv_err *e) cv_must;

/* cv_expected_words: "SUBJECT (ISSUER)" for messages; returns out. cv_identity_words:
 * the same of somebody who signed. */
#define CV_WHO_WORDS 400
const char *cv_expected_words(const struct cv_expected *want, char out[CV_WHO_WORDS]);
const char *cv_identity_words(const struct cv_identity *id, char out[CV_WHO_WORDS]);

/* cv_identity_id: SHA-256 over subject NUL issuer NUL: the same for one that two
 * signers of a policy mean. */
int cv_identity_id(const struct cv_identity *id, struct cv_digest *ret, struct cv_err *e) cv_must;

#endif
