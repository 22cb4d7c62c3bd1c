/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotated.h: a signature of cosign's first generation (sigstore/cosign
 * specs/SIGNATURE_SPEC.md), whose certificate, log entry and timestamp are annotations
 * of a layer, written as the Sigstore bundle of version 0.1 that it amounts to: so that
 * there is one reader and one judge for both. Nothing is believed here, and nothing
 * that is put together here is more than what somebody wrote into a manifest.
 *
 *     dev.sigstore.cosign/certificate       one PEM block
 *     dev.sigstore.cosign/bundle            { SignedEntryTimestamp, Payload: { body,
 *                                             integratedTime, logIndex, logID } }
 *     dev.sigstore.cosign/rfc3161timestamp  { SignedRFC3161Timestamp }
 *
 * The chain is left out: who issued the certificate is in the trust root or nowhere.
 * Of an attestation the timestamp is left out too: it is over the layer as it lies,
 * which no bundle can say.
 */
#ifndef CV_TRUST_ANNOTATED_H
#define CV_TRUST_ANNOTATED_H

#include "trust/base/oci.h"

/* cv_annotated_bundle: append the bundle. `envelope`: the layer is a DSSE envelope with
 * this text; n 0: the signature is the annotation's. CV_R_MALFORMED. */
int cv_annotated_bundle(struct cv_buf *out, const struct cv_descriptor *d, struct cv_span envelope,
			struct cv_err *e) cv_must;

#endif
