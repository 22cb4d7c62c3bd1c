/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sct.h: signed certificate timestamps inside a certificate (RFC 6962 3.2, 3.3): a
 * certificate transparency log of the trust root promised to show this certificate.
 *
 * The log signed the certificate without the list of timestamps, and the key of who
 * issued it, which the caller takes from the chain that it verified. A log that the
 * root does not have says nothing; one that it has and that did not sign is an error.
 */
#ifndef CV_TRUST_SCT_H
#define CV_TRUST_SCT_H

#include "trust/root_json.h"

/* cv_sct_verify: 0 if at least one timestamp is by a log of the root, inside that
 * log's window. CV_R_ABSENT, CV_R_SIGNATURE, CV_R_EXPIRED, CV_R_IDENTITY (other logs
 * only), CV_R_MALFORMED, CV_R_UNSUPPORTED. */
int cv_sct_verify(const struct cv_cert *leaf, const struct cv_digest *issuer,
		  const struct cv_root *root, struct cv_err *e) cv_must;

#endif
