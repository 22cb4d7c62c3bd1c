/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca.h: the certificate authorities that TLS trusts, read into memory before
 * the process is sealed, so that no file is opened later.
 *
 * In this order: CURL_CA_BUNDLE or SSL_CERT_FILE (a PEM file), SSL_CERT_DIR (a
 * directory as OpenSSL looks into it: names like 0a1b2c3d.0); where none is set,
 * the system's bundle. A path that is named and cannot be read is an error, and
 * not a reason to trust others.
 */
#ifndef CV_FETCH_CA_H
#define CV_FETCH_CA_H

#include "trust/base/buf.h"

/* cv_ca_read: append PEM text to out. Nothing there: 0 with nothing appended
 * (no https server is trusted then). */
int cv_ca_read(struct cv_buf *out, struct cv_err *e) cv_must;

#endif
