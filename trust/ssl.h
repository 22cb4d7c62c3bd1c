/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssl.h: OpenSSL's error queue, turned into ours.
 *
 * OpenSSL says "no memory" through the same return values as "bad signature".
 * Only its queue tells them apart; it is emptied here and nowhere else.
 */
#ifndef CV_SSL_H
#define CV_SSL_H

#include "trust/base/err.h"

/* cv_ssl_fail: CV_R_MEMORY if the queue holds an allocation failure, else
 * `reason` with the text; the queue is empty afterwards. Returns -1. */
int cv_ssl_fail(struct cv_err *e, enum cv_reason reason, const char *fmt, ...) cv_printf(3, 4);

/* cv_ssl_clear: forget what earlier calls left. */
void cv_ssl_clear(void);

#endif
