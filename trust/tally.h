/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h: what a task found about who signed, and how it is told.
 *
 * Every piece of evidence is either proven, and stated as SIGNER and STATEMENT
 * facts, or counts for nothing, for a reason. Others may put anything beside
 * a good signature, so that while one counts, the rest is only observed
 * (CV_F_OBSERVED). When none counts, the reason that tells most becomes the
 * finding, in this order:
 *
 *     could not be looked at (it might have counted)   sig.unavailable
 *     does not verify                                  sig.invalid
 *     expired                                          sig.expired
 *     genuine, by somebody else                        sig.identity-mismatch
 *     genuine, about something else                    sig.subject-mismatch
 *     what stands behind a certificate is not there    sig.certificate-unlogged
 *                                                      sig.certificate-untrusted
 *                                                      sig.time-unproven
 *                                                      sig.log-unproven
 *     by a key that is not trusted                     sig.untrusted-key
 *     not of its format, or over a limit               sig.malformed
 *     an algorithm or kind that cannot be judged       sig.unsupported-algorithm
 *     there is none                                    sig.absent
 *
 * Attestations are told in the same way, except that a task which found a
 * signature leaves it at OBSERVED: whether an attestation is required is verify's
 * to say.
 */
#ifndef CV_TRUST_TALLY_H
#define CV_TRUST_TALLY_H

#include "trust/base/worker.h"
#include "trust/proven.h"

enum { CV_TALLY_SIGNATURE = 1, CV_TALLY_STATEMENT = 2 };

#define CV_MAX_DISTINCT 4096 /* facts of one task that are told apart */

struct cv_why {
	unsigned rank; /* 0: nothing yet */
	struct cv_finding f;
};

struct cv_tally {
	struct cv_worker *w;
	const struct cv_keyring *ring;
	char about[CV_DIGEST_TEXT + 64]; /* what the signature should be about, for messages */
	size_t signatures, statements;   /* that count */
	bool certificates;               /* one of them by a certificate */
	struct cv_why signature, statement;
	/* digests of the facts stated: a genuine statement that lies there a hundred
	 * times, in as many bundles, is stated once */
	struct cv_digest stated[CV_MAX_DISTINCT];
	size_t nstated;
};

/* Where one piece of evidence was found. */
struct cv_place {
	unsigned kinds; /* what it could have been: CV_TALLY_* */
	enum cv_signed form;
	const char *check;         /* a no: the id that says it best, NULL by the reason */
	struct cv_digest evidence; /* alg 0 none */
	char where[512];
};

/* cv_tally_no: this evidence does not count, because of *why, whose reason
 * chooses the check. Trouble of ours (cv_is_ours) is returned as -1 instead. */
int cv_tally_no(struct cv_tally *t, const struct cv_place *at, const struct cv_err *why,
		struct cv_err *e) cv_must;

/* cv_tally_not_had: this evidence could not be had (need.h): an edge that does not
 * hold is malformed evidence, absent and unavailable are themselves. */
struct cv_got;
int cv_tally_not_had(struct cv_tally *t, const struct cv_place *at, const struct cv_got *g,
		     struct cv_err *e) cv_must;

/* cv_tally_note: something that people should know and that decides nothing. */
int cv_tally_note(struct cv_tally *t, const struct cv_place *at, struct cv_err *e, const char *fmt,
		  ...) cv_printf(4, 5) cv_must;

/* cv_tally_signed: SIGNER facts. `about` is the subject's digest, compared by the
 * caller; media the predicate type or "". */
int cv_tally_signed(struct cv_tally *t, const struct cv_place *at, const struct cv_proven *p,
		    const struct cv_digest *about, const char *media, struct cv_err *e) cv_must;

/* cv_tally_statement: SIGNER and STATEMENT facts, or for cosign's sign predicate
 * a signature of its own. */
#define CV_PREDICATE_SIGN "https://sigstore.dev/cosign/sign/v1"
int cv_tally_statement(struct cv_tally *t, const struct cv_place *at, const struct cv_verified *v,
		       const struct cv_digest *about, struct cv_err *e) cv_must;

/* cv_tally_payload: STATEMENT facts of an envelope that is no in-toto statement. */
int cv_tally_payload(struct cv_tally *t, const struct cv_place *at, const struct cv_proven *p,
		     struct cv_err *e) cv_must;

/* cv_tally_finish: the findings. `wanted`: CV_TALLY_*. */
int cv_tally_finish(struct cv_tally *t, unsigned wanted, struct cv_err *e) cv_must;

#endif
