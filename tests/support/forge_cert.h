/* SPDX-License-Identifier: Apache-2.0 */
/* forge_cert.h: certificates and timestamps for forge_sigstore.c. */
#ifndef CV_FORGE_CERT_H
#define CV_FORGE_CERT_H

#include "trust/base/digest.h"

#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#define F_CA_FROM 1704067200 /* 2024-01-01 */
#define F_CA_TO   1893456000 /* 2030-01-01 */

void f_sign_with(struct cv_buf *out, EVP_PKEY *key, struct cv_span bytes);
void f_spki(struct cv_buf *out, EVP_PKEY *key);
void f_cert_der(struct cv_buf *out, X509 *x);

X509 *f_cert_new(EVP_PKEY *key, const char *name, X509 *issuer, int64_t from, int64_t to);
X509 *f_cert_ca(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by);
X509 *f_cert_web(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by);
X509 *f_cert_tsa(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by);
void f_ext(X509 *x, X509 *issuer, int nid, const char *value);
void f_ext_raw(X509 *x, const char *oid, struct cv_span value);

void f_stamp(struct cv_buf *out, X509 *tsa, EVP_PKEY *key, int64_t ms, struct cv_span signature,
	     bool sha1, bool weak_signer);

#endif
