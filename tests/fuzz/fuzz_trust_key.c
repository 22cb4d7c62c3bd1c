/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys in PEM, and signatures by a key that loads (trust/key.h). */
#include "trust/key.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_message m = cv_message_bytes(cv_span("message", 7));
	struct cv_pubkey *k = NULL;
	struct cv_err e;

	(void)cv_signature_plausible(cv_span(data, size));
	if (cv_pubkey_load(&k, "fuzz", cv_span(data, size), &e) == 0 &&
	    cv_pubkey_verify(k, &m, cv_span(data, size), &e) == 0)
		__builtin_trap(); /* a key is no signature */
	cv_pubkey_free(&k);
	return 0;
}
