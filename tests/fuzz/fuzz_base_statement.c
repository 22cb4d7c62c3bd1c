/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto statements (trust/base/statement.h). */
#include "trust/base/statement.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_statement *s = NULL;
	struct cv_err e;

	if (cv_statement_parse(&s, "fuzz", cv_span(data, size), &e) == 0 &&
	    (s->nsubjects == 0 || s->predicate.n > size))
		__builtin_trap();
	cv_statement_free(&s);
	return 0;
}
