/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h: WWW-Authenticate (RFC 9110 11.6.1), as registries use it: Bearer
 * with realm, service and scope (distribution's token authentication), Basic.
 */
#ifndef CV_FETCH_CHALLENGE_H
#define CV_FETCH_CHALLENGE_H

#include "trust/base/err.h"
#include "trust/base/span.h"

#include <stdbool.h>

struct cv_challenge {
	bool bearer; /* a Bearer challenge; else Basic */
	char realm[1024];
	char service[512]; /* "" if none */
	char scope[1024];  /* "" if none */
};

/* cv_challenge_pick: the challenge to answer, out of one field value that may
 * hold several (and several fields joined by commas): the first Bearer with a
 * realm, else the first Basic. 1 found, 0 none of these two, -1 and
 * CV_R_MALFORMED for what does not follow the grammar, a parameter twice. */
int cv_challenge_pick(struct cv_challenge *ret, struct cv_span value, struct cv_err *e) cv_must;

#endif
