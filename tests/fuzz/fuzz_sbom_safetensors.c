/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors files and their shard index (sbom/found/safetensors.h). */
#include "sbom/found/safetensors.h"
#include "tests/fuzz/blob.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
entry(void *ctx, struct cv_span tensor, struct cv_span file, struct cv_err *e)
{
	(void)ctx;
	(void)tensor;
	(void)e;
	for (size_t i = 0; i < file.n; i++)
		if (file.p[i] == '/')
			__builtin_trap();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_blob blob = fuzz_blob(data, size);
	struct cv_safetensors s;
	struct cv_err e;

	if (cv_safetensors_check(&s, blob, &e) == 0) {
		if (8 + s.header + s.data != size || s.names.n != s.tensors)
			__builtin_trap();
		cv_safetensors_free(&s);
	}
	(void)!cv_weightmap_check(blob, "fuzz", entry, NULL, &e);
	return 0;
}
