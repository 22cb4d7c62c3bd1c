/* SPDX-License-Identifier: Apache-2.0 */
/*
 * believe.h: a Sigstore bundle against everything that policy trusts: keys, and
 * identities under trust roots.
 *
 * A bundle by key is judged by the keys that need no log, as it stands; then, for keys
 * that do, by each root. A bundle by certificate is judged by each root that has
 * identities. The first that proves it is enough; of several noes the one that came
 * furthest is told.
 */
#ifndef CV_TRUST_BELIEVE_H
#define CV_TRUST_BELIEVE_H

#include "trust/sigstore.h"

struct cv_belief {
	struct cv_proven *proven; /* owned */
	bool message;             /* over the artifact's bytes, not an envelope */
	const char *check;        /* no: the id that says the step, NULL by the reason */
	size_t logs, stamps;      /* that are there and were not judged */
};

/* cv_believe_bundle: `text` is the bundle, `artifact` what a message signature is
 * over. 0 with ret->proven set; or -1, reasons as in proven.h; ret is set either way
 * and freed by the caller. The ring outlives *ret. */
int cv_believe_bundle(struct cv_belief *ret, struct cv_span text, struct cv_message *artifact,
		      const struct cv_keyring *ring, struct cv_err *e) cv_must;
void cv_belief_free(struct cv_belief *b);

/* cv_step_check: the problem that a step was not passed for this reason; NULL: what
 * the reason alone says. */
const char *cv_step_check(enum cv_step step, enum cv_reason reason);

/* cv_ring_has_logged_key: a key of the ring has to be in the logs of a root. */
bool cv_ring_has_logged_key(const struct cv_keyring *ring);

/* cv_ring_want: what a root of the ring wants of a bundle by certificate. */
struct cv_sigstore cv_ring_want(const struct cv_ring_root *root, struct cv_trace *trace);

#endif
