/* SPDX-License-Identifier: Apache-2.0 */
/* session_int.h: what session.c and session_bare.c share; for them alone. */
#ifndef CV_SESSION_INT_H
#define CV_SESSION_INT_H

#include "verify/cmd.h"

void cv_session_zero(struct cv_session *s);

/* cv_session_common: store, index, times, workers, credentials. */
int cv_session_common(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e) cv_must;

/* cv_session_ready: point the request to what was opened. */
void cv_session_ready(struct cv_session *s);

#endif
