/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssl.h: OpenSSL's error queue, turned into ours.
 *
 * OpenSSL says "no memory" through the same return values as "bad signature".
 * Its queue tells them apart, but not always (a decoder or a key exported to a
 * provider may just fail), so a program also watches OpenSSL's allocations: once
 * one has failed, no "no" of this process is believed.
 */
#ifndef CV_BASE_SSL_H
#define CV_BASE_SSL_H

#include "err.h"

/* cv_ssl_fail: CV_R_MEMORY if the queue holds an allocation failure, else
 * `reason` with the text; the queue is empty afterwards. Returns -1. */
int cv_ssl_fail(struct cv_err *e, enum cv_reason reason, const char *fmt, ...) cv_printf(3, 4);

/* cv_ssl_watch: let OpenSSL allocate by way of us. Before anything else of OpenSSL
 * is used; later it changes nothing, and the queue alone is asked. */
void cv_ssl_watch(void);

/* cv_ssl_clear: forget what earlier calls left. */
void cv_ssl_clear(void);

#endif
