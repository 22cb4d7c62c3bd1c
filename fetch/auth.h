/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h: who we are to a registry (distribution's token authentication and
 * RFC 7617 Basic).
 *
 * Credentials are asked for only after a challenge, once a host. They are sent
 * to the registry (Basic) and to the token realm that its own challenge named,
 * which must be https; loopback, or the same host, is enough where the registry
 * itself is spoken to in plain http there. Nothing is kept on disk; what is
 * freed is wiped.
 */
#ifndef CV_FETCH_AUTH_H
#define CV_FETCH_AUTH_H

#include "fetch/net.h"

int cv_auth_open(struct cv_auth **ret, struct cv_err *e) cv_must;
void cv_auth_close(struct cv_auth **a);

/* cv_auth_header: the Authorization value known for a repository at `at`, NULL
 * if there is none or it has expired. Valid until the next call here. */
const char *cv_auth_header(struct cv_auth *a, const struct cv_repo *repo);

/* cv_auth_forget: it was refused. */
void cv_auth_forget(struct cv_auth *a, const struct cv_repo *repo);

/* cv_auth_answer: get an Authorization value that answers the challenge in
 * `reply` to `g`, whose repo is set. CV_R_DENIED when there is no way. */
int cv_auth_answer(struct cv_net *n, const struct cv_get *g, const struct cv_reply *reply,
		   struct cv_err *e) cv_must;

#endif
