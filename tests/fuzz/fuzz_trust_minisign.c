/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signature files and checksum lists of minisign and signify. */
#include "trust/minisign.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span in = cv_span(data, size);
	struct cv_minisign_key k = { .key = { 9 } }, other;
	struct cv_minisign_proven p;
	struct cv_minisign s;
	struct cv_digest d;
	struct cv_err e;

	(void)!cv_minisign_key_parse(&other, in, &e);
	(void)!cv_signify_listed(&d, in, cv_span("x", 1), &e);
	if (cv_minisign_parse(&s, in, &e) == 0 &&
	    cv_minisign_verify(&k, &s, cv_span("m", 1), true, &p, &e) == 0)
		__builtin_trap(); /* nobody has that key */
	if (cv_signify_parse(&s, in, &e) == 0)
		(void)!cv_minisign_verify(&k, &s, cv_span(NULL, 0), true, &p, &e);
	return 0;
}
