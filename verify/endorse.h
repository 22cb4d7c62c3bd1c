/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse.h: our own signature over what an artifact is (DESIGN 4, "Basis"): an
 * in-toto Statement v1 in a DSSE envelope, cv_endorse_path() beside the agent
 * file. One key's endorsement never takes the place of another's.
 *
 *     subject        the digest that was looked at; of an image its index and
 *                    manifest
 *     predicateType  CV_ENDORSE_PREDICATE
 *     predicate      name, type, expires, checks (ids that passed), previous
 *                    (the digest that the last endorsement was about, if another)
 */
#ifndef CV_ENDORSE_H
#define CV_ENDORSE_H

#include "verify/engine.h"
#include "verify/sign.h"

struct cv_endorse {
	const struct cv_r_artifact *artifact; /* looked at, clean */
	int64_t expires;
	struct cv_digest previous; /* alg 0: none */
};

/* cv_endorse_clean: 0 if every required check of the artifact but those that an
 * endorsement is there to satisfy was answered well; else CV_R_RULE, or the reason
 * of what could not be decided. */
int cv_endorse_clean(const struct cv_r_artifact *a, struct cv_err *e) cv_must;

/* cv_endorse_make: append the signed envelope. */
int cv_endorse_make(const struct cv_endorse *in, const struct cv_signkey *key, struct cv_buf *out,
		    struct cv_err *e) cv_must;

/* What an endorsement that lies there says; nobody proved it, it is only shown. */
struct cv_endorse_last {
	struct cv_digest subject;
	char expires[64];
	char keyid[CV_DIGEST_TEXT]; /* whose it says it is; "" if it does not */
};

/* cv_endorse_read: 1 read, 0 there is none, -1 (CV_R_CONFIG: not one of ours). */
int cv_endorse_read(struct cv_endorse_last *ret, const char *path, struct cv_err *e) cv_must;

#endif
