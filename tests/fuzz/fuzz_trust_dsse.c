/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE envelopes (trust/dsse.h). */
#include "trust/dsse.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_envelope *env = NULL;
	struct cv_err e;

	if (cv_envelope_parse(&env, "fuzz", cv_span(data, size), &e) == 0 && env->n == 0)
		__builtin_trap(); /* an envelope without a signature is none */
	cv_envelope_free(&env);
	return 0;
}
