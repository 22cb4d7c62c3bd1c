/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore bundles (trust/bundle.h). */
#include "trust/bundle.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_bundle *b = NULL;
	struct cv_err e;

	if (cv_bundle_parse(&b, "fuzz", cv_span(data, size), &e) == 0 &&
	    (b->material.kind == CV_MATERIAL_UNSAID ||
	     (b->envelope == NULL) == (b->signature.n == 0)))
		__builtin_trap(); /* exactly one material, exactly one content */
	cv_bundle_free(&b);
	return 0;
}
