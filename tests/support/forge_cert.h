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

/* f_cert_other_form: the certificate, signed again over a TBSCertificate with one
 * length in more bytes than DER has; x is freed. f_cert_other_key: the second of the two keys
 * that its ECDSA P-256 signature fits, `key` being the first. f_cert_again: the same
 * name and extensions for another key and time. */
X509 *f_cert_other_form(X509 *x, EVP_PKEY *by);
EVP_PKEY *f_cert_other_key(X509 *x, EVP_PKEY *key);
X509 *f_cert_again(X509 *x, EVP_PKEY *key, int64_t from, int64_t to, EVP_PKEY *by);

/* f_stamp_raw: a granted response with a token whose time is the text as it stands,
 * signed by all of n signers. */
struct f_signer {
	X509 *cert;
	EVP_PKEY *key;
};
void f_stamp_raw(struct cv_buf *out, const char *time, struct cv_span signature,
		 const struct f_signer *signer, size_t n);

void f_stamp(struct cv_buf *out, X509 *tsa, EVP_PKEY *key, int64_t ms, struct cv_span signature,
	     bool sha1, bool weak_signer);

#endif
