/* SPDX-License-Identifier: Apache-2.0 */
/* allowed_signers files; pattern lists. */
#include "trust/allowed_signers.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span in = cv_span(data, size);
	struct cv_ssh_proven p = { .key = { .kind = CV_SSH_ED25519, .name = "none" } };
	struct cv_signers *s = NULL;
	struct cv_err e;

	if (cv_signers_parse(&s, "fuzz", in, 60, &e) == 0 &&
	    cv_signers_allow(s, &p, cv_span("x", 1), 1700000000, &e) == 0)
		__builtin_trap(); /* nobody has that key */
	cv_signers_free(&s);
	(void)cv_ssh_pattern_list(cv_span(data, size / 2), cv_span(data + size / 2, size / 4));
	return 0;
}
