/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF files (sbom/found/gguf.h). */
#include "sbom/found/gguf.h"
#include "tests/fuzz/blob.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_blob blob = fuzz_blob(data, size);
	struct cv_gguf g;
	struct cv_err e;

	if (cv_gguf_check(&g, blob, &e) == 0 &&
	    (g.tensors > size || g.pairs > size ||
	     (g.chat_template.len > 0 && g.chat_template.off + g.chat_template.len > size)))
		__builtin_trap();
	return 0;
}
