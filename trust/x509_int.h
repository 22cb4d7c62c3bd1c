/* SPDX-License-Identifier: Apache-2.0 */
/* x509_int.h: the inside of a certificate, for what reads its extensions. */
#ifndef CV_X509_INT_H
#define CV_X509_INT_H

#include "trust/x509.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct cv_cert {
	X509 *x;
	struct cv_buf der;
	struct cv_pubkey *key;
};

#endif
