/* SPDX-License-Identifier: Apache-2.0 */
/* Simple signing payloads (trust/simple.h). */
#include "trust/simple.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_simple s;
	struct cv_err e;

	if (cv_simple_parse(&s, "fuzz", cv_span(data, size), &e) == 0 &&
	    s.digest.alg == CV_ALG_NONE)
		__builtin_trap();
	return 0;
}
