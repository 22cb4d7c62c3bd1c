/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigstore.h: what stands behind a bundle's signature: logs, timestamps, the
 * certificate and who it was issued to (Sigstore client specification 4). The
 * signature itself is checked by whoever makes the proof (prove.c).
 *
 * Everything holds together, or nothing does:
 *   - each log entry and timestamp by somebody whom the trust root knows verifies;
 *     those by others count for nothing;
 *   - enough different logs, and different timestamp authorities, vouch;
 *   - a certificate leads to one authority at every time that is proven, and at
 *     least one is: nobody's clock but theirs is asked;
 *   - a certificate log promised to show the certificate;
 *   - subject and issuer are whom policy wants.
 */
#ifndef CV_TRUST_SIGSTORE_H
#define CV_TRUST_SIGSTORE_H

#include "trust/bundle.h"
#include "trust/identity.h"
#include "trust/tsa.h"

/* How far it came, and whom it met: for messages and for people. Nothing is decided
 * by it. What is in it was proven, but by itself: only `done` says that all was. */
enum cv_step {
	CV_STEP_READ, /* the bundle, and whether it is by certificate or key */
	CV_STEP_LOG,
	CV_STEP_TIME,
	CV_STEP_CHAIN,
	CV_STEP_SCT,
	CV_STEP_IDENTITY,
	CV_STEP_SIGNATURE,
	CV_STEP_DONE,
};

struct cv_trace {
	enum cv_step step; /* that was not passed */
	struct cv_logged log[CV_MAX_TLOG_ENTRIES];
	struct cv_stamp stamp[CV_MAX_TLOG_ENTRIES];
	size_t logs, stamps;
	const struct cv_ca *ca; /* of the root; NULL: not yet */
	int64_t ms;             /* the earliest time that is proven; -1 none */
	struct cv_identity *id; /* once its chain is proven, or NULL; owned */
};

void cv_trace_clear(struct cv_trace *t);

/* What policy wants. All zero but the first two is the rule of the public instance;
 * to want less has to be said. */
struct cv_sigstore {
	const struct cv_root *root;
	const struct cv_expected *expect; /* NULL: a key, no certificate, is wanted */
	size_t nexpect;                   /* how many there are, any of them; 0 is 1 */
	unsigned logs;                    /* different ones; 0 is 1 */
	unsigned stamps;                  /* different authorities of time; 0 none */
	bool without_log;                 /* instances that have none */
	bool without_sct;                 /* authorities that use no certificate log */
	struct cv_trace *trace;           /* or NULL; set up by whoever fills this */
};

/* cv_sigstore_judge: of a bundle that cv_bundle_parse_whole() read, about `what`.
 * *ret is set for a certificate, and stays NULL for a key. */
int cv_sigstore_judge(struct cv_identity **ret, const struct cv_bundle *b,
		      const struct cv_claimed *what, const struct cv_sigstore *want,
		      struct cv_err *e) cv_must;

#endif
