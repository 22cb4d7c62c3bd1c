/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dsse.h: Dead Simple Signing Envelopes (secure-systems-lab/dsse envelope.md,
 * protocol.md), as read and not yet believed.
 *
 *     payload      base64, standard or URL-safe alphabet; strict inside bundles
 *     payloadType  not empty
 *     signatures   1 to CV_MAX_SIGNATURES of { sig: base64, keyid?: a hint }
 *
 * Unknown members are ignored as the specification wants. The payload is decoded
 * and not looked at: proven.h does that once it is signed.
 */
#ifndef CV_TRUST_DSSE_H
#define CV_TRUST_DSSE_H

#include "trust/base/jread.h"
#include "trust/proven.h"

struct cv_envelope {
	char *type; /* payloadType */
	struct cv_buf payload;
	struct cv_raw_signature *sig;
	size_t n;
};

/* cv_envelope_parse: a document of its own. CV_R_MALFORMED, CV_R_AMBIGUOUS,
 * CV_R_LIMIT. */
int cv_envelope_parse(struct cv_envelope **ret, const char *name, struct cv_span text,
		      struct cv_err *e) cv_must;

/* cv_envelope_read: the member of a bundle, whose long strings were cut out. There
 * it has exactly one signature (sigstore_bundle.proto, "dsse_envelope") and the
 * standard alphabet. */
int cv_envelope_read(struct cv_envelope **ret, struct cv_jv v, const struct cv_jslim *slim,
		     bool bundle, struct cv_err *e) cv_must;

void cv_envelope_free(struct cv_envelope **env);

#endif
