/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles read whole (trust/bundle.h), trust roots (trust/root_json.h), certificates
 * (trust/x509.h, trust/identity.h), by the first byte. */
#include "trust/identity.h"
#include "trust/sigstore.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
certificate(struct cv_span in)
{
	struct cv_identity *id = NULL;
	struct cv_cert *c = NULL;
	struct cv_err e;

	if (cv_cert_load(&c, "fuzz", in, &e) == 0 && cv_identity_read(&id, c, &e) == 0 &&
	    (id->subject == NULL || id->subject[0] == '\0'))
		__builtin_trap(); /* nobody is no identity */
	cv_identity_free(&id);
	cv_cert_free(&c);
}

static void
bundle(struct cv_span in)
{
	struct cv_bundle *b = NULL;
	struct cv_err e;

	if (cv_bundle_parse_whole(&b, "fuzz", in, &e) == 0 &&
	    (b->material.kind == CV_MATERIAL_CERTIFICATE) != (b->leaf != NULL))
		__builtin_trap(); /* a certificate is what was read */
	cv_bundle_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span in = cv_span(data, size);
	struct cv_root *root = NULL;
	struct cv_err e;
	uint8_t which = cv_span_u8(&in);

	if (which % 3 == 0)
		bundle(in);
	else if (which % 3 == 1)
		certificate(in);
	else if (cv_root_parse(&root, "fuzz", in, &e) == 0)
		cv_root_free(&root);
	return 0;
}
