/* SPDX-License-Identifier: Apache-2.0 */
/* CycloneDX documents (sbom/claimed/doc.h). */
#include "sbom/claimed/doc.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_buf b = CV_BUF(1 << 20);
	struct cv_sbom *s = NULL;
	const struct cv_sbom_digest *found;
	struct cv_digest d = { .alg = CV_SHA256 };
	struct cv_err e;

	/* begun, so that the rest is what is varied */
	cv_buf_str(&b, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",");
	cv_buf_add(&b, data, size);
	if (cv_sbom_read_span(&s, cv_buf_span(&b), "fuzz", &e) == 0) {
		(void)cv_sbom_bind(s, &d, 1, &found);
		for (size_t i = 0; i < s->n; i++)
			if (s->comp[i].name == NULL || s->comp[i].purl == NULL)
				__builtin_trap();
	}
	cv_sbom_free(&s);
	cv_buf_free(&b);
	return 0;
}
